//! authentik's own clients, as they are published, against this server. `.ci/test` installs them.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Options, Person, TestServer, installed, random, skip, with_server_of};

/// A file of this directory.
fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/api/clients")
        .join(name)
}

/// A server whose administrator has a token for the API, and that token.
pub(super) fn with_token(scenario: impl AsyncFnOnce(&mut TestServer, &str)) {
    let token = format!("token-{}", random(32));
    let options = Options::default().with("GATELOG_BOOTSTRAP_TOKEN", &token);
    with_server_of(options, async |server| {
        server
            .canaries()
            .secret("the administrator's token", &token);
        scenario(server, &token).await;
    });
}

/// Runs a script of one of the clients, and shows what it said where it fails.
fn runs(mut client: Command, server: &TestServer, token: &str) {
    let person = Person::new(server.canaries());
    let ran = client
        .env("GATELOG_URL", server.base())
        .env("GATELOG_TOKEN", token)
        .env("GATELOG_PERSON", &person.username)
        .env("GATELOG_PERSON_NAME", &person.name)
        .env("GATELOG_PERSON_MAIL", &person.mail)
        .env("GATELOG_PASSWORD", &person.password)
        .output()
        .expect("the client can be started");
    let (said, complained) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(
        ran.status.success() && said.trim_end().ends_with("done"),
        "{}\n{said}\n{complained}",
        ran.status
    );
}

#[test]
fn the_client_for_python_makes_a_flow_walks_through_it_and_takes_it_away() {
    let python = installed("python/bin/python");
    if !installed("python/installed").exists() {
        return skip("authentik's client for Python");
    }
    with_token(async |server, token| {
        let mut client = Command::new(&python);
        client.arg("-B").arg(script("flow.py"));
        runs(client, server, token);
    });
}

#[test]
fn the_client_for_typescript_makes_a_flow_walks_through_it_and_takes_it_away() {
    if !installed("node/installed").exists() {
        return skip("authentik's client for TypeScript");
    }
    with_token(async |server, token| {
        let mut client = Command::new("node");
        client.arg(script("flow.mjs"));
        client.env("GATELOG_NODE", installed("node"));
        runs(client, server, token);
    });
}
