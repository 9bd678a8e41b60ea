//! Environment variables: `GATELOG_SECTION__KEY`, some short forms, and authentik's names for
//! the same things.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Origin;
use super::reader::Reader;
use super::value::Given;

const PREFIX: &str = "GATELOG_";

/// Variables under our prefix that are not settings.
const OTHERS: &[&str] = &[
    "GATELOG_CONFIG",
    #[cfg(feature = "shifted-clock")]
    "GATELOG_CLOCK_SHIFT",
    #[cfg(feature = "shifted-clock")]
    "GATELOG_CLOCK_FILE",
    #[cfg(feature = "shifted-clock")]
    "GATELOG_DISK_FAULTS",
];

/// Settings that have a shorter name than the rule would give them.
const SHORT: &[(&str, &str)] = &[
    ("GATELOG_BOOTSTRAP_PASSWORD", "bootstrap.password"),
    ("GATELOG_BOOTSTRAP_PASSWORD_HASH", "bootstrap.password_hash"),
    ("GATELOG_BOOTSTRAP_EMAIL", "bootstrap.email"),
    ("GATELOG_BOOTSTRAP_TOKEN", "bootstrap.token"),
];

/// Names under which authentik knows the same settings.
const ALIASES: &[(&str, &str)] = &[
    ("AUTHENTIK_BOOTSTRAP_PASSWORD", "bootstrap.password"),
    (
        "AUTHENTIK_BOOTSTRAP_PASSWORD_HASH",
        "bootstrap.password_hash",
    ),
    ("AUTHENTIK_BOOTSTRAP_EMAIL", "bootstrap.email"),
    ("AUTHENTIK_BOOTSTRAP_TOKEN", "bootstrap.token"),
    ("AUTHENTIK_COOKIE_DOMAIN", "session.cookie_domain"),
    (
        "AUTHENTIK_SESSIONS__UNAUTHENTICATED_AGE",
        "session.unauthenticated_age",
    ),
    ("AUTHENTIK_LISTEN__HTTP", "listen"),
    ("AUTHENTIK_LISTEN__METRICS", "metrics.listen"),
    (
        "AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS",
        "web.trusted_proxies",
    ),
    ("AUTHENTIK_LOG_LEVEL", "log.level"),
    ("AUTHENTIK_EMAIL__HOST", "email.host"),
    ("AUTHENTIK_EMAIL__PORT", "email.port"),
    ("AUTHENTIK_EMAIL__USERNAME", "email.username"),
    ("AUTHENTIK_EMAIL__PASSWORD", "email.password"),
    ("AUTHENTIK_EMAIL__USE_TLS", "email.use_tls"),
    ("AUTHENTIK_EMAIL__USE_SSL", "email.use_ssl"),
    ("AUTHENTIK_EMAIL__TIMEOUT", "email.timeout"),
    ("AUTHENTIK_EMAIL__FROM", "email.from"),
    ("AUTHENTIK_EMAIL__TEMPLATE_DIR", "email.template_dir"),
    ("AUTHENTIK_EVENTS__CONTEXT_PROCESSORS__ASN", "geoip.asn"),
    ("AUTHENTIK_EVENTS__CONTEXT_PROCESSORS__GEOIP", "geoip.city"),
];

/// The settings file that `GATELOG_CONFIG` names.
pub(super) fn file(variables: &[(String, String)]) -> Option<PathBuf> {
    variables
        .iter()
        .find(|(name, value)| name == "GATELOG_CONFIG" && !value.is_empty())
        .map(|(_, value)| value.into())
}

/// The variable that sets `key`.
pub(super) fn name(key: &str) -> String {
    SHORT.iter().find(|(_, short)| *short == key).map_or_else(
        || format!("{PREFIX}{}", key.to_uppercase().replace('.', "__")),
        |(name, _)| (*name).to_owned(),
    )
}

/// Gives the reader everything that the environment sets. Empty variables count as not set:
/// compose files pass them through so.
pub(super) fn read(variables: &[(String, String)], reader: &mut Reader) {
    let set = || variables.iter().filter(|(_, value)| !value.is_empty());
    for (name, value) in set() {
        if let Some((_, key)) = ALIASES.iter().find(|(alias, _)| alias == name) {
            reader.give(
                (*key).to_owned(),
                Given::Text(value.clone()),
                Origin::Environment(name.clone()),
            );
        }
    }
    let mut numbered: BTreeMap<String, BTreeMap<u32, (&str, &str)>> = BTreeMap::new();
    let mut given: BTreeMap<String, &str> = BTreeMap::new();
    for (name, value) in set() {
        let ours = name.starts_with(PREFIX) && !OTHERS.contains(&name.as_str());
        if !ours || is_service_link(name) {
            continue;
        }
        let key = key(name);
        if let Some((list, number)) = key
            .rsplit_once('.')
            .and_then(|(list, number)| Some((list, number.parse().ok()?)))
        {
            let items = numbered.entry(list.to_owned()).or_default();
            items.insert(number, (name, value));
            continue;
        }
        let origin = Origin::Environment(name.clone());
        if let Some(other) = given.insert(key.clone(), name) {
            reader.complain(origin, format!("{other} sets the same; keep one of them"));
        } else {
            reader.give(key, Given::Text(value.clone()), origin);
        }
    }
    for (key, items) in numbered {
        let names: Vec<&str> = items.values().map(|(name, _)| *name).collect();
        let origin = Origin::Environment(names.join(", "));
        if let Some(other) = given.get(&key) {
            reader.complain(origin, format!("{other} sets the same; keep one of them"));
            continue;
        }
        let items = items.values().map(|(_, item)| (*item).to_owned()).collect();
        reader.give(key, Given::List(items), origin);
    }
}

/// Whether Kubernetes put this variable there: beside a service called `gatelog`, every pod gets
/// `GATELOG_SERVICE_HOST`, `GATELOG_PORT_9000_TCP_ADDR` and the like. Two underscores are ours.
fn is_service_link(name: &str) -> bool {
    let port = |rest: &str| rest.is_empty() || rest.starts_with('_');
    let is_theirs = name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.split_once("_PORT").is_some_and(|(_, rest)| port(rest));
    is_theirs && !name.contains("__")
}

fn key(name: &str) -> String {
    SHORT.iter().find(|(short, _)| *short == name).map_or_else(
        || name[PREFIX.len()..].to_lowercase().replace("__", "."),
        |(_, key)| (*key).to_owned(),
    )
}
