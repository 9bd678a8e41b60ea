//! The same in a running server, whose settings say where stolen passwords are listed.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Flow, Options, Person, TestServer, skip, with_server, with_server_of};

/// A login whose last stage asks a policy about what an expression put there; the stage is shown
/// where the policy passes.
fn login(slug: &str, typed: &str, kind: &str, policy: &str, settings: Value) -> Flow {
    let source = format!(
        "context['flow_plan'].context['prompt_data'] = {{'password': '{typed}'}}\nreturn False"
    );
    let (puts, last) = (format!("{slug}-puts"), format!("{slug}-last"));
    Flow::new(slug)
        .expression(&puts, &source)
        .policy(kind, policy, settings)
        .identification_and_password()
        .dummy(&last)
        .asks(&last, &puts, json!({}))
        .asks(&last, policy, json!({}))
}

/// Goes through the flow up to the last stage, and says what the policy said there.
async fn said(server: &TestServer, slug: &str, person: &Person, policy: &str) -> Value {
    let mut visitor = server.visitor();
    visitor.opens(slug).await;
    visitor
        .answers(json!({ "uid_field": person.username }))
        .await;
    visitor
        .answers(json!({ "password": person.password }))
        .await;
    let histories = server.histories();
    let told = histories[0].iter().rev().find(|it| it["name"] == policy);
    let told = told.expect("the policy was asked");
    match told["event"].as_str() {
        Some("policy_failed") => told["error"].clone(),
        _ => told["messages"].clone(),
    }
}

/// A server of ranges that speaks TLS, under a certificate of its own. It ends when dropped.
struct Sealed {
    process: Child,
    port: u16,
}

impl Sealed {
    /// Serves the files of a directory; `None` where there is no `openssl`.
    fn start(directory: &Path) -> Option<Self> {
        let openssl = || {
            let mut openssl = Command::new("openssl");
            openssl.current_dir(directory).stdin(Stdio::null());
            openssl.stdout(Stdio::null()).stderr(Stdio::null());
            openssl
        };
        let made = openssl()
            .args([
                "req",
                "-x509",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ])
            .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .status();
        if !made.is_ok_and(|status| status.success()) {
            skip("openssl");
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let process = openssl()
            .args(["s_server", "-WWW", "-accept", &format!("127.0.0.1:{port}")])
            .args(["-key", "key.pem", "-cert", "certificate.pem"])
            .spawn()
            .expect("it was there before");
        Some(Self { process, port })
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_list_that_the_settings_name_is_asked() {
    let here = tempfile::tempdir().expect("a directory");
    let file = here.path().join("list");
    let line = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:42\r\n";
    std::fs::write(&file, line).expect("a file");
    let file = file.display().to_string();
    let options = Options::default().with("GATELOG_PASSWORDS__BREACH_FILE", &file);
    with_server_of(options, async |server| {
        let settings = json!({"check_have_i_been_pwned": true});
        server.has_flow(&login("stolen", "password", "password", "list", settings));
        let person = server.person();
        let message = "Password exists on 42 online lists.";
        let told = said(server, "stolen", &person, "list").await;
        assert_eq!(told, json!([message]));
    });
}

#[test]
fn a_list_that_is_not_there_is_named_at_the_start() {
    with_server(async |server| {
        server.stop().await;
        server.sets("GATELOG_PASSWORDS__BREACH_FILE", "/nowhere/at/all");
        let refused = server.gatelog(&["user", "list"]);
        refused.fails_with(1);
        assert!(
            refused.stderr.contains("passwords.breach_file"),
            "{refused:?}"
        );
        server.unsets("GATELOG_PASSWORDS__BREACH_FILE");
    });
}

#[test]
fn a_password_that_an_operator_replaced_is_a_former_one() {
    with_server(async |server| {
        let mut person = Person::new(server.canaries());
        let second = std::mem::replace(&mut person.password, "a former one".to_owned());
        server.create_user(&person);
        let flow = login(
            "again",
            "a former one",
            "unique_password",
            "former",
            json!({}),
        );
        server.has_flow(&flow);
        // Nobody types the first one, so the trail may show it.
        person.password = second;
        let set = ["user", "set-password", &person.username, "--password-stdin"];
        server.gatelog_reading(&set, &person.password).succeeds();
        let used = "This password has been used previously. Please choose a different one.";
        assert_eq!(
            said(server, "again", &person, "former").await,
            json!([used])
        );
    });
}

#[test]
fn a_list_behind_tls_is_believed_if_the_machine_believes_its_certificate() {
    let here = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(here.path().join("range")).expect("a directory");
    let line = "1E4C9B93F3F0682250B6CF8331B7EE68FD8:42\r\n";
    std::fs::write(here.path().join("range/5BAA6"), line).expect("a file");
    let Some(sealed) = Sealed::start(here.path()) else {
        return;
    };
    let url = format!("https://localhost:{}/range/", sealed.port);
    let certificate = here.path().join("certificate.pem").display().to_string();
    let options = Options::default()
        .with("GATELOG_PASSWORDS__BREACH_URL", &url)
        .with("SSL_CERT_FILE", &certificate);
    with_server_of(options, async |server| {
        let settings = json!({"check_have_i_been_pwned": true});
        server.has_flow(&login("stolen", "password", "password", "list", settings));
        let person = server.person();
        let told = said(server, "stolen", &person, "list").await;
        assert_eq!(told, json!(["Password exists on 42 online lists."]));
        // Another machine does not know whose certificate that is.
        server.unsets("SSL_CERT_FILE");
        server.restart().await;
        let told = said(server, "stolen", &person, "list").await;
        let told = told.as_str().expect("an error");
        assert!(told.contains("could not be asked"), "{told}");
    });
}
