//! Connections to PostgreSQL are encrypted, and its certificate is checked, always.

use crate::support::command::{Ran, run};
use crate::support::{Options, TestServer, block_on, database};

/// Who signed the certificate of the tests' database.
const AUTHORITY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/support/certificate/authority.pem"
);

/// A certificate that signed nothing.
const NOBODY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/support/certificate/certificate.pem"
);

#[test]
fn a_database_whose_certificate_is_believed_is_used_and_everything_is_encrypted() {
    block_on(async {
        let Some(database) = database::encrypted() else {
            return;
        };
        let options = Options::default()
            .with("GATELOG_JOURNAL__URL", &database.at("localhost"))
            .with("GATELOG_JOURNAL__CA", AUTHORITY);
        let server = TestServer::start(options).await;
        let alice = server.person();
        server.visitor().logs_in(&alice).await;
        let sessions = "SELECT bool_and(s.ssl), count(*) >= 2 FROM pg_stat_ssl AS s \
                        JOIN pg_stat_activity AS a USING (pid) WHERE application_name = 'gatelog'";
        // Those that read, the one that writes and the one that listens.
        assert_eq!(database.sql(sessions), "t|t");
        server.finish().await;
    });
}

/// How a server starts that is to believe this authority.
fn starts(address: &str, authority: &str) -> Ran {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let environment = [
        ("GATELOG_DATA".to_owned(), data.display().to_string()),
        ("GATELOG_JOURNAL__URL".to_owned(), address.to_owned()),
        ("GATELOG_JOURNAL__CA".to_owned(), authority.to_owned()),
        ("GATELOG_JOURNAL__PASSWORD".to_owned(), "sesame".to_owned()),
    ];
    let ran = run(&["serve"], &environment, "");
    assert_ne!(ran.code, Some(0));
    let said = format!("{ran:?}");
    assert!(!said.contains("sesame"), "{said}");
    ran
}

#[test]
fn a_certificate_that_is_not_believed_is_refused_with_the_remedy() {
    let Some(database) = database::encrypted() else {
        return;
    };
    // It was signed by somebody else.
    let ran = starts(&database.at("localhost"), NOBODY);
    ran.says("certificate").says("journal.ca");
    // It is for another host, whoever signed it.
    let ran = starts(&database.at("127.0.0.2"), AUTHORITY);
    ran.says("certificate").says("the host");
    // Nothing is in the file, or there is none.
    let ran = starts(&database.at("localhost"), "/dev/null");
    ran.says("journal.ca").says("no certificate");
    let ran = starts(&database.at("localhost"), "/nowhere");
    ran.says("journal.ca").says("/nowhere");
}

#[test]
fn a_server_that_does_not_encrypt_is_refused_where_that_is_asked_for() {
    let Some(plain) = database::server() else {
        return;
    };
    // It is reached by a socket, over which PostgreSQL never encrypts.
    let address = format!("{}&sslmode=require", plain.address());
    starts(&address, AUTHORITY).says("TLS");
}
