//! `gatelog mail test` against servers of every kind, and what it says when it goes wrong.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::support::{
    At, Letter, MailSink, Options, Plan, Security, Sink, TestServer, with_server, with_server_of,
};

const ADDRESS: &str = "alice@mail.test";

/// Sends a test mail that arrives.
fn works(server: &TestServer) -> String {
    let ran = server.gatelog(&["mail", "test", ADDRESS]);
    ran.succeeds()
        .prints("sent")
        .prints("the server took the message: 250 2.0.0 queued as 1");
    ran.stdout
}

/// Sends a test mail that does not arrive.
fn fails(server: &TestServer) -> String {
    let ran = server.gatelog(&["mail", "test", ADDRESS]);
    ran.fails_with(1)
        .says("the test mail was not sent")
        .prints("not sent: ");
    ran.stdout
}

impl crate::support::Taken {
    fn is_the_test(&self) -> bool {
        self.to == [ADDRESS] && self.letter().text().contains("It arrived")
    }
}

#[test]
fn a_test_mail_arrives_over_every_kind_of_connection() {
    for (security, mechanisms, told) in [
        (Security::Plain, "PLAIN LOGIN", "not encrypted"),
        (Security::StartTls, "PLAIN LOGIN", "encrypted by STARTTLS"),
        (Security::Tls, "LOGIN", "encrypted from the first byte"),
    ] {
        let sink = Sink::default()
            .with(security)
            .with_login("gatelog@mail.test", "the password of the server")
            .with_mechanisms(mechanisms)
            .start();
        with_server_of(sink.serves(Options::default()), async |server| {
            server
                .canaries()
                .secret("the server's password", "the password of the server");
            let said = works(server);
            assert!(said.contains(told) && said.contains("logged in"), "{said}");
            let taken = sink.wait_for(1).await.remove(0);
            assert!(taken.is_the_test(), "{taken:?}");
            assert_eq!(taken.is_encrypted, security != Security::Plain);
            let expected = mechanisms.split(' ').next();
            assert_eq!(taken.login, expected, "PLAIN is preferred");
        });
    }
}

#[test]
fn what_goes_wrong_is_said_with_what_helps() {
    let sink = Sink::default().with_login("gatelog", "right").start();
    with_server_of(sink.serves(Options::default()), async |server| {
        sink.plans([Plan::Reply(At::Recipient, "550 5.1.1 no alice here")]);
        let said = fails(server);
        assert!(
            said.contains("the mail server refused the recipient: 550 5.1.1"),
            "{said}"
        );
        assert!(
            said.contains("the server said: 550 5.1.1 no alice here"),
            "{said}"
        );
        assert!(said.contains("The address does not exist"), "{said}");
        sink.plans([Plan::Reply(At::Greeting, "421 4.3.2 not now")]);
        assert!(fails(server).contains("may work later"));
        sink.plans([Plan::Stall(At::Hello)]);
        assert!(fails(server).contains("did not answer in time"));
        sink.plans([Plan::TakeAndDie]);
        let ran = server.gatelog(&["mail", "test", ADDRESS, "--json"]);
        ran.fails_with(1)
            .says("nobody knows whether the test mail was sent");
        let answer = ran.values().remove(0);
        assert_eq!(answer["outcome"], "unknown", "{answer}");
        works(server);

        server.sets("GATELOG_EMAIL__PASSWORD", "wrong");
        server.restart().await;
        let said = fails(server);
        assert!(said.contains("refused the login: 535 5.7.8"), "{said}");
        assert!(said.contains("password made for programs"), "{said}");
        server.unsets("GATELOG_EMAIL__USERNAME");
        server.unsets("GATELOG_EMAIL__PASSWORD");
        server.restart().await;
        let said = fails(server);
        assert!(
            said.contains("530 5.7.0") && said.contains("set username and password"),
            "{said}"
        );
        server.sets("GATELOG_EMAIL__USE_TLS", "true");
        server.restart().await;
        let said = fails(server);
        assert!(said.contains("offers no STARTTLS"), "{said}");
    });
}

#[test]
fn a_connection_that_cannot_be_had_is_explained() {
    let sink = Sink::default().with(Security::Tls).start();
    with_server_of(sink.serves(Options::default()), async |server| {
        server.unsets("SSL_CERT_FILE");
        server.restart().await;
        let said = fails(server);
        assert!(said.contains("certificate is not believed"), "{said}");
        assert!(said.contains("SSL_CERT_FILE"), "{said}");
        server.unsets("GATELOG_EMAIL__USE_SSL");
        server.restart().await;
        let said = fails(server);
        assert!(said.contains("set use_ssl"), "{said}");

        let plain = MailSink::start();
        server.sets("GATELOG_EMAIL__PORT", &plain.port().to_string());
        server.sets("GATELOG_EMAIL__USE_SSL", "true");
        server.restart().await;
        let said = fails(server);
        assert!(said.contains("set use_tls instead of use_ssl"), "{said}");

        let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = nobody.local_addr().expect("it is bound").port();
        drop(nobody);
        server.sets("GATELOG_EMAIL__PORT", &port.to_string());
        server.restart().await;
        let said = fails(server);
        assert!(said.contains("nobody listens"), "{said}");
        server.sets("GATELOG_EMAIL__HOST", "no-such-host.invalid");
        server.restart().await;
        let said = fails(server);
        assert!(
            said.contains("has no address") && said.contains("DNS"),
            "{said}"
        );
    });
}

#[test]
fn the_server_of_a_stage_is_tried_out_by_the_name_of_the_stage() {
    let sink = MailSink::start();
    with_server(async |server| {
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_stages_email.emailstage\n  identifiers:\n    name: own\n  \
             attrs:\n    host: 127.0.0.1\n    port: {}\n    from_address: stage@mail.test\n",
            sink.port()
        ));
        let ran = server.gatelog(&["mail", "test", ADDRESS, "--stage", "own"]);
        ran.succeeds().prints("the server took the message");
        let taken = sink.wait_for(1).await.remove(0);
        assert_eq!(taken.from, "stage@mail.test");
        assert!(taken.is_the_test());
        let ran = server.gatelog(&["mail", "test", ADDRESS, "--stage", "nothing"]);
        ran.fails_with(1)
            .says("there is no e-mail stage \"nothing\"");
    });
}

#[test]
fn without_a_mail_server_mails_are_files_and_the_start_says_so() {
    with_server(async |server| {
        let folder = server.data().join("mail");
        assert!(
            server.output().contains("so mails are written to"),
            "{}",
            server.output()
        );
        let ran = server.gatelog(&["mail", "test", ADDRESS]);
        let said = &ran.succeeds().stdout;
        let path = said
            .split("the mail was written to ")
            .nth(1)
            .expect("a path");
        let path = path.lines().next().expect("a path");
        assert!(path.starts_with(&folder.display().to_string()), "{path}");
        let letter = Letter::read(&std::fs::read(path).expect("a file"));
        assert_eq!(letter.header("To"), ADDRESS);
    });
}

#[test]
fn templates_are_listed_with_what_is_wrong_with_them() {
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("own.html"), "{% if %}").expect("a file");
    let path = folder.path().display().to_string();
    let options = Options::default().with("GATELOG_EMAIL__TEMPLATE_DIR", &path);
    with_server_of(options, async |server| {
        let waiting = server.gatelog(&["mail", "list", "--json"]);
        assert!(waiting.succeeds().stdout.is_empty(), "nothing waits");
        let ran = server.gatelog(&["mail", "templates", "--json"]);
        let listed = ran.succeeds().values();
        assert_eq!(listed.len(), 6);
        let reset = json!({
            "name": "email/password_reset.html", "label": "Password Reset", "problem": null,
        });
        assert_eq!(listed[0], reset);
        assert_eq!(listed[5]["label"], "Custom Template: own.html");
        let problem = listed[5]["problem"].as_str().expect("a problem");
        assert!(problem.starts_with("own.html, line 1: "), "{problem}");
        server.stop().await;
        server.sets("GATELOG_EMAIL__TEMPLATE_DIR", "/nowhere/at/all");
        let ran = server.gatelog(&["mail", "templates"]);
        ran.fails_with(78).says("/nowhere/at/all");
        server.sets("GATELOG_EMAIL__TEMPLATE_DIR", &path);
        tokio::time::sleep(Duration::from_millis(1)).await;
    });
}
