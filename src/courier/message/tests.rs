//! What leaves for a mail server.

use uuid::Uuid;

use super::super::outbox::{Mail, State};
use super::*;

/// A mail to somebody.
pub(in super::super) fn mail() -> Mail {
    let created = "2026-11-26T15:04:05Z".parse().expect("a moment");
    Mail {
        id: Uuid::from_u128(7),
        to_name: "Alice".to_owned(),
        to_address: "alice@example.net".to_owned(),
        from: None,
        subject: "Hello".to_owned(),
        html: "<p>Hello</p>".to_owned(),
        text: "Hello".to_owned(),
        server: None,
        execution: None,
        created,
        until: created,
        attempts: 0,
        due: created,
        state: State::Waiting,
    }
}

fn sent(mail: &Mail) -> String {
    let message = Message::of(mail, "Login <login@example.org>").expect("it can be put together");
    String::from_utf8(message.bytes).expect("it is ASCII")
}

/// The lines of the headers, with what is folded put together.
fn headers(mail: &Mail) -> Vec<String> {
    let sent = sent(mail);
    let (head, _) = sent.split_once("\r\n\r\n").expect("a body");
    let head = head.replace("\r\n ", " ");
    head.split("\r\n").map(ToOwned::to_owned).collect()
}

fn header(mail: &Mail, name: &str) -> String {
    let prefix = format!("{name}: ");
    let headers = headers(mail);
    let found: Vec<_> = headers
        .iter()
        .filter_map(|it| it.strip_prefix(&prefix))
        .collect();
    assert_eq!(found.len(), 1, "{name} in {headers:?}");
    found[0].to_owned()
}

fn to(name: &str) -> String {
    let mut mail = mail();
    name.clone_into(&mut mail.to_name);
    header(&mail, "To")
}

#[test]
fn the_headers_say_who_writes_to_whom_and_when() {
    let mail = mail();
    assert_eq!(header(&mail, "From"), "Login <login@example.org>");
    assert_eq!(header(&mail, "To"), "Alice <alice@example.net>");
    assert_eq!(header(&mail, "Subject"), "Hello");
    assert_eq!(header(&mail, "Date"), "Thu, 26 Nov 2026 15:04:05 +0000");
    let id = format!("<{}@example.org>", mail.id);
    assert_eq!(header(&mail, "Message-ID"), id);
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&mail, "MIME-Version"), "1.0");
}

#[test]
fn a_mail_that_is_tried_again_is_the_same_mail() {
    let mut mail = mail();
    mail.html.push_str("<img src=\"cid:logo\">");
    let first = sent(&mail);
    mail.attempts = 3;
    assert_eq!(sent(&mail), first);
}

#[test]
fn a_name_is_written_as_authentik_writes_it() {
    assert_eq!(
        to("Test User\r\n Many Words\r\n"),
        "Test User   Many Words   <alice@example.net>"
    );
    assert_eq!(to("Cirilo Љубица"), "alice@example.net");
    assert_eq!(to(""), "alice@example.net");
    assert_eq!(to(" \n"), "alice@example.net");
    assert_eq!(to("Doe, J."), "\"Doe, J.\" <alice@example.net>");
    assert_eq!(to(r#"a"b\c"#), r#""a\"b\\c" <alice@example.net>"#);
    assert_eq!(to(&"x".repeat(5000)), "alice@example.net");
}

#[test]
fn line_breaks_are_taken_out_of_an_address() {
    let mut mail = mail();
    mail.to_address = "alice@\r\nexample.net\n".to_owned();
    assert_eq!(header(&mail, "To"), "Alice <alice@example.net>");
}

#[test]
fn nothing_that_somebody_chose_adds_a_header() {
    let injected = "x\r\nBcc: eve@example.org\r\n\r\nbody\n.\r\n";
    let expected = headers(&mail()).len();
    let mut mail = mail();
    injected.clone_into(&mut mail.to_name);
    injected.clone_into(&mut mail.subject);
    let found = headers(&mail);
    assert_eq!(found.len(), expected, "{found:?}");
    assert!(found.iter().all(|it| !it.starts_with("Bcc")), "{found:?}");
    mail.subject = "ü\r\nBcc: eve@example.org".to_owned();
    assert_eq!(headers(&mail).len(), expected);
    for address in [
        "a@b.org>\r\nRCPT TO:<eve@example.org",
        "a@b.org, eve@example.org",
        "a",
        "",
    ] {
        address.clone_into(&mut mail.to_address);
        let problem = Message::of(&mail, "login@example.org").map(|_| ());
        let problem = problem.expect_err(address);
        assert!(!problem.contains("eve"), "{problem}");
    }
}

#[test]
fn a_subject_with_other_letters_is_encoded() {
    let mut mail = mail();
    mail.subject = "Passwort zurücksetzen".to_owned();
    let subject = header(&mail, "Subject");
    assert!(
        subject.is_ascii() && subject.contains("=?utf-8?"),
        "{subject}"
    );
}

#[test]
fn text_and_html_are_alternatives_and_the_logo_lies_beside_them() {
    let mut mail = mail();
    let kind = header(&mail, "Content-Type");
    assert!(kind.starts_with("multipart/alternative"), "{kind}");
    mail.html = "<img src=\"cid:logo\">".to_owned();
    let kind = header(&mail, "Content-Type");
    assert!(kind.starts_with("multipart/related"), "{kind}");
    let all = sent(&mail);
    for line in [
        "Content-ID: <logo>",
        "Content-Disposition: inline; filename=\"logo.png\"",
        "Content-Type: image/png",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(all.contains(line), "{line} in {all}");
    }
    mail.text.clear();
    mail.html = "<p>alone</p>".to_owned();
    let kind = header(&mail, "Content-Type");
    assert!(kind.starts_with("text/html"), "{kind}");
}

#[test]
fn every_line_ends_as_servers_expect_and_none_is_too_long() {
    let mut mail = mail();
    mail.text = format!("a\nb\r\n{}\nü", "long ".repeat(500));
    mail.html = "x".repeat(5000);
    mail.subject = "word ".repeat(300);
    let sent = sent(&mail);
    assert!(!sent.replace("\r\n", "").contains(['\r', '\n']));
    assert!(sent.split("\r\n").all(|line| line.len() <= 998));
}

#[test]
fn a_domain_of_other_letters_is_written_for_all_servers() {
    let mut mail = mail();
    mail.to_address = "alice@bücher.example".to_owned();
    let message = Message::of(&mail, "login@example.org").expect("it can be put together");
    assert_eq!(
        message.recipient.as_ref() as &str,
        "alice@xn--bcher-kva.example"
    );
    assert!(!message.needs_utf8());
    mail.to_address = "jürgen@example.net".to_owned();
    let message = Message::of(&mail, "login@example.org").expect("it can be put together");
    assert!(message.needs_utf8());
}

#[test]
fn a_mail_may_name_its_own_sender() {
    let mut mail = mail();
    mail.from = Some("other@example.com".to_owned());
    assert_eq!(header(&mail, "From"), "other@example.com");
    mail.from = Some("nobody".to_owned());
    assert!(Message::of(&mail, "login@example.org").is_err());
}
