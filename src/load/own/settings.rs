//! The settings of a server that is there to be measured: the one place where limits are raised.
//!
//! All load comes from one address and from few accounts, so whatever is limited for each address
//! or account would be measured instead of the server. Everything else is as by default: durable
//! commits, chains, seals, checkpoints.

use std::path::Path;

/// No limit that counts addresses or accounts is reached.
const UNLIMITED: &str = "1000000";

/// Limits, by the names of their variables.
const LIMITS: &[&str] = &[
    "GATELOG_WEB__POSTS_PER_SECOND",
    "GATELOG_WEB__POSTS_AT_ONCE",
    "GATELOG_WEB__REQUESTS_PER_SECOND",
    "GATELOG_WEB__REQUESTS_AT_ONCE",
    "GATELOG_WEB__CONNECTIONS_PER_ADDRESS",
    "GATELOG_EXECUTION__BEGUN_PER_SECOND",
    "GATELOG_EXECUTION__BEGUN_AT_ONCE",
    "GATELOG_EXECUTION__MAX_UNANSWERED",
    "GATELOG_EXECUTION__MAX_UNANSWERED_PER_ADDRESS",
    "GATELOG_EXECUTION__MAX_WAITING",
    "GATELOG_EXECUTION__WRONG_PASSWORDS_PER_HOUR",
    "GATELOG_EXECUTION__WRONG_PASSWORDS_AT_ONCE",
];

/// The environment of the server that serves this directory.
pub(super) fn environment(directory: &Path) -> Vec<(String, String)> {
    let own = [
        ("GATELOG_DATA", directory.display().to_string()),
        ("GATELOG_LISTEN", "127.0.0.1:0".to_owned()),
        ("GATELOG_METRICS__LISTEN", "off".to_owned()),
        // Mails have links in them. Nobody opens these: the name exists nowhere (RFC 2606).
        ("GATELOG_WEB__PUBLIC_URL", "http://bench.invalid".to_owned()),
        ("GATELOG_LOG__LEVEL", "warn".to_owned()),
        // More visitors than this may wait for a hash at the same time.
        ("GATELOG_HASH__QUEUE", "4096".to_owned()),
    ];
    let limits = LIMITS.iter().map(|name| (*name, UNLIMITED.to_owned()));
    own.into_iter()
        .chain(limits)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What of this process's own environment the server gets: nothing that sets anything.
pub(super) fn kept() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    let names = [
        "PATH",
        "XDG_RUNTIME_DIR",
        "LLVM_PROFILE_FILE",
        "RUST_BACKTRACE",
    ];
    names
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Sources, load};

    #[test]
    fn the_settings_are_ones_that_the_server_knows() {
        let sources = Sources {
            environment: environment(Path::new("/nowhere")),
            ..Sources::default()
        };
        let settings = load(&sources).expect("settings").settings;
        assert!(settings.listen.ip().is_loopback());
        assert_eq!(settings.data, Path::new("/nowhere"));
        assert_eq!(settings.web.posts_per_second, 1_000_000);
    }
}
