//! Heads that are too long, or that do not come.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;

use crate::support::{Options, TestServer, with_server_of};

/// How long something may take.
const PATIENCE: Duration = Duration::from_mins(1);

fn connect(server: &TestServer) -> TcpStream {
    let (_, host) = server.base().split_once("://").expect("an address");
    let line = TcpStream::connect(host).expect("the server listens");
    line.set_read_timeout(Some(PATIENCE)).expect("it is set");
    line
}

/// What comes until the connection ends, which it has to.
fn until_the_end(line: &mut TcpStream) -> String {
    let mut said = Vec::new();
    match line.read_to_end(&mut said) {
        Ok(_) => {}
        // It was broken off, which is an end as well.
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// The next answer on a connection that stays open.
fn answer(line: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let mut piece = [0; 1];
    while !said.ends_with(b"\r\n\r\n") {
        assert_eq!(line.read(&mut piece).expect("an answer"), 1, "it ended");
        said.push(piece[0]);
    }
    String::from_utf8(said).expect("text")
}

fn slow() -> Options {
    Options::default()
        .with("GATELOG_WEB__HEAD_TIMEOUT", "1 second")
        .with("GATELOG_WEB__KEEP_ALIVE", "1 second")
}

#[test]
fn a_head_that_does_not_come_is_waited_for_no_longer() {
    with_server_of(slow(), async |server| {
        let mut line = connect(server);
        line.write_all(b"GET /-/health/live/ HTTP/1.1\r\nhost: x\r\nx-a: ")
            .expect("it is sent");
        let said = until_the_end(&mut line);
        assert!(said.starts_with("HTTP/1.1 408 "), "{said:?}");
    });
}

#[test]
fn a_second_head_that_does_not_come_is_not_waited_for_either() {
    with_server_of(slow(), async |server| {
        let mut line = connect(server);
        let whole = b"GET /-/health/live/ HTTP/1.1\r\nhost: x\r\n\r\n";
        line.write_all(whole).expect("it is sent");
        let said = answer(&mut line);
        assert!(said.starts_with("HTTP/1.1 200 "), "{said:?}");
        line.write_all(b"GET /-/health/live/ HTTP/1.1\r\nhost: x\r\nx-a: ")
            .expect("it is sent");
        let said = until_the_end(&mut line);
        assert!(!said.contains("200 OK"), "{said:?}");
    });
}

#[test]
fn a_connection_that_is_used_stays() {
    with_server_of(slow(), async |server| {
        let mut line = connect(server);
        for _ in 0..8 {
            let whole = b"GET /-/health/live/ HTTP/1.1\r\nhost: x\r\n\r\n";
            line.write_all(whole).expect("it is sent");
            let said = answer(&mut line);
            assert!(said.starts_with("HTTP/1.1 200 "), "{said:?}");
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    });
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let options = Options::default().with("GATELOG_WEB__HEAD_SIZE", "4 KiB");
    with_server_of(options, async |server| {
        let visitor = server.visitor();
        let long = "x".repeat(5 << 10);
        let headers = [("x-filler", long.as_str())];
        let path = "/api/v3/root/config/";
        let answer = visitor.sends(Method::GET, path, &headers, "").await;
        answer.has_status(431);
        assert!(answer.json()["detail"].is_string(), "{answer:?}");
        let answer = visitor.sends(Method::GET, "/if/user/", &headers, "").await;
        answer.has_status(431).shows("Too much");
        let fits = "x".repeat(2 << 10);
        let headers = [("x-filler", fits.as_str())];
        let answer = visitor.sends(Method::GET, path, &headers, "").await;
        answer.has_status(200);
    });
}

#[test]
fn a_body_that_does_not_come_is_waited_for_no_longer() {
    let options = slow().with("GATELOG_WEB__BODY_TIMEOUT", "1 second");
    with_server_of(options, async |server| {
        let mut line = connect(server);
        let head = b"POST /api/v3/flows/executor/default-authentication-flow/?query= HTTP/1.1\r\n\
            host: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        line.write_all(head).expect("it is sent");
        let said = until_the_end(&mut line);
        assert!(said.contains("ak-stage-flow-error"), "{said:?}");
    });
}
