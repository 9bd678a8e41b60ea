//! Where settings come from, and what is said of wrong ones.

use super::*;
use secrecy::ExposeSecret;
use std::time::Duration;

fn environment(variables: &[(&str, &str)]) -> Sources {
    Sources {
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Sources::default()
    }
}

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join(DEFAULT_FILE), text).expect("writing the file");
    let sources = Sources {
        directory: Some(directory.path().to_owned()),
        ..Sources::default()
    };
    (directory, sources)
}

fn complaint(sources: &Sources) -> String {
    load(sources).expect_err("must be refused").to_string()
}

#[test]
fn the_defaults_need_nothing() {
    let settings = load(&Sources::default()).expect("valid").settings;
    assert_eq!(settings.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(settings.secret_key_file, Path::new("./data/secret.key"));
    assert!(settings.web.trusts("::ffff:127.0.0.1".parse().unwrap()));
    assert!(!settings.web.trusts("10.0.0.1".parse().unwrap()));
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let text = "listen = \"1.1.1.1:1\"\ndata = \"from-file\"\n[log]\nlevel = \"debug\"\n";
    let (_directory, mut sources) = file(text);
    sources.environment = environment(&[
        ("GATELOG_LISTEN", "2.2.2.2:2"),
        ("GATELOG_DATA", "from-environment"),
    ])
    .environment;
    sources.flags = vec![("listen", "3.3.3.3:3".to_owned())];
    let loaded = load(&sources).expect("valid");
    assert_eq!(loaded.settings.listen.to_string(), "3.3.3.3:3");
    assert_eq!(loaded.settings.data, Path::new("from-environment"));
    assert_eq!(loaded.settings.log.level, "debug");
    let origin = |key: &str| {
        let shown = loaded.shown.iter().find(|shown| shown.key == key);
        shown.expect("a known setting").origin.to_string()
    };
    assert_eq!(origin("listen"), "flag --listen");
    assert_eq!(origin("data"), "environment variable GATELOG_DATA");
    assert!(origin("log.level").ends_with("gatelog.toml line 4"));
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_its_line_and_the_nearest() {
    let (_directory, sources) = file("[journal]\n\ncache_capacty = \"1 MiB\"\n");
    let text = complaint(&sources);
    assert!(
        text.ends_with(
            "gatelog.toml line 3: journal.cache_capacty is no setting; \
             did you mean journal.cache_capacity?"
        ),
        "{text}"
    );
}

#[test]
fn an_unknown_variable_is_named_with_the_nearest_variable() {
    let text = complaint(&environment(&[("GATELOG_BOOTSTRAP_PASWORD", "x")]));
    assert!(
        text.contains("did you mean GATELOG_BOOTSTRAP_PASSWORD?"),
        "{text}"
    );
    let text = complaint(&environment(&[("GATELOG_WEB__TRUSTED_PROXY", "::1")]));
    assert!(
        text.contains("did you mean GATELOG_WEB__TRUSTED_PROXIES?"),
        "{text}"
    );
}

#[test]
fn all_problems_are_reported_together() {
    let text = complaint(&environment(&[
        ("GATELOG_LISTEN", "nowhere"),
        ("GATELOG_HASH__THREADS", "0"),
        ("GATELOG_SESSION__UNAUTHENTICATED_AGE", "1 month"),
    ]));
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn a_broken_file_is_reported_with_its_place() {
    let (_directory, sources) = file("listen = \n");
    let text = complaint(&sources);
    assert!(
        text.contains("not valid TOML") && text.contains("line 1"),
        "{text}"
    );
}

#[test]
fn a_named_file_must_exist() {
    let sources = Sources {
        file: Some("/nowhere/gatelog.toml".into()),
        ..Sources::default()
    };
    assert!(complaint(&sources).contains("/nowhere/gatelog.toml"));
}

#[test]
fn both_a_password_and_its_hash_are_refused() {
    let text = complaint(&environment(&[
        ("GATELOG_BOOTSTRAP_PASSWORD", "x"),
        ("AUTHENTIK_BOOTSTRAP_PASSWORD_HASH", "y"),
    ]));
    assert!(text.contains("AUTHENTIK_BOOTSTRAP_PASSWORD_HASH"), "{text}");
    assert!(text.contains("GATELOG_BOOTSTRAP_PASSWORD"), "{text}");
}

#[test]
fn secrets_are_read_from_files_and_variables_and_never_shown() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("password");
    std::fs::write(&path, "hunter2 \n").expect("writing the file");
    let from = format!("file://{}", path.display());
    let loaded = load(&environment(&[
        ("GATELOG_BOOTSTRAP_PASSWORD", from.as_str()),
        ("GATELOG_BOOTSTRAP_TOKEN", "env://TOKEN"),
        ("TOKEN", "abcdef"),
    ]))
    .expect("valid");
    let bootstrap = &loaded.settings.bootstrap;
    let exposed = |secret: &Option<secrecy::SecretString>| {
        secret.as_ref().expect("set").expose_secret().to_owned()
    };
    assert_eq!(exposed(&bootstrap.password), "hunter2 ");
    assert_eq!(exposed(&bootstrap.token), "abcdef");
    let everything = format!("{loaded:?}");
    assert!(!everything.contains("hunter2") && !everything.contains("abcdef"));
}

#[test]
fn lists_come_numbered_or_separated() {
    let trusted = |sources: &Sources| load(sources).expect("valid").settings.web.trusted_proxies;
    let numbered = environment(&[
        ("GATELOG_WEB__TRUSTED_PROXIES__1", "192.0.2.7"),
        ("GATELOG_WEB__TRUSTED_PROXIES__0", "10.1.2.3/8"),
    ]);
    let separated = environment(&[(
        "AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS",
        "10.0.0.0/8, 192.0.2.7/32",
    )]);
    assert_eq!(trusted(&numbered), trusted(&separated));
    let (_directory, sources) = file("web.trusted_proxies = []");
    assert!(trusted(&sources).is_empty());
}

#[test]
fn empty_variables_count_as_not_set() {
    load(&environment(&[
        ("GATELOG_LISTEN", ""),
        ("GATELOG_OTHER", ""),
    ]))
    .expect("valid");
}

#[test]
fn what_kubernetes_sets_beside_a_service_is_no_setting() {
    load(&environment(&[
        ("GATELOG_SERVICE_HOST", "10.0.0.1"),
        ("GATELOG_SERVICE_PORT_HTTP", "9000"),
        ("GATELOG_PORT", "tcp://10.0.0.1:9000"),
        ("GATELOG_PORT_9000_TCP_ADDR", "10.0.0.1"),
    ]))
    .expect("valid");
}

#[test]
fn durations_are_friendly_and_authentiks_form_is_understood() {
    let age = |text: &str| {
        load(&environment(&[(
            "GATELOG_SESSION__UNAUTHENTICATED_AGE",
            text,
        )]))
        .map(|loaded| loaded.settings.session.unauthenticated_age)
    };
    assert_eq!(age("2h 30m").unwrap(), Duration::from_mins(150));
    assert_eq!(age("days=1;hours=2").unwrap(), Duration::from_hours(26));
    assert_eq!(age("2 weeks").unwrap(), Duration::from_hours(336));
    assert!(age("-1 day").is_err());
    assert!(age("forever").is_err());
}

#[test]
fn what_is_shown_can_be_read_again() {
    let loaded = load(&Sources::default()).expect("valid");
    for shown in &loaded.shown {
        let Some(value) = &shown.value else { continue };
        let name = super::environment::name(shown.key);
        let again = load(&environment(&[(name.as_str(), value.as_str())])).expect("valid");
        let found = again.shown.iter().find(|other| other.key == shown.key);
        assert_eq!(found.and_then(|found| found.value.as_ref()), Some(value));
    }
}

#[test]
fn every_setting_and_alias_is_documented() {
    let text = include_str!("../../docs/configuration.md");
    for shown in load(&Sources::default()).expect("valid").shown {
        let row = format!("| `{}` |", shown.key);
        assert!(
            text.contains(&row),
            "docs/configuration.md has no row {row}"
        );
    }
}
