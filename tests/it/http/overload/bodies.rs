//! Bodies that arrive slowly take the memory for all of them: others have room.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;

use super::is_refused_as_json;
use crate::support::{Answer, LOGIN, Options, TestServer, with_server_of};

/// The networks that come through the proxy of this machine.
const SLOW: &str = "192.0.2.9";
const OTHER: &str = "192.0.2.77";

/// Sends the head of an answer to the login and half of its body.
fn sends_half(server: &TestServer) -> TcpStream {
    let (_, host) = server.base().split_once("://").expect("an address");
    let mut line = TcpStream::connect(host).expect("the server listens");
    let head = format!(
        "POST /api/v3/flows/executor/{LOGIN}/?query= HTTP/1.1\r\nhost: x\r\n\
         x-forwarded-for: {SLOW}\r\ncontent-type: application/json\r\n\
         content-length: 4096\r\n\r\n"
    );
    let half = "x".repeat(2048);
    line.write_all(format!("{head}{half}").as_bytes())
        .expect("it is sent");
    line
}

async fn posts(server: &TestServer, from: &str) -> Answer {
    let path = format!("/api/v3/flows/executor/{LOGIN}/?query=");
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", from),
    ];
    let visitor = server.visitor();
    visitor
        .sends(Method::POST, &path, &headers, r#"{"uid_field":"nobody"}"#)
        .await
}

/// What this network reads once it is what is waited for, which has to be so soon.
async fn reads(server: &TestServer, from: &str, status: u16) -> Answer {
    for _ in 0..1_000 {
        let answer = posts(server, from).await;
        if answer.status == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{status} is never the answer");
}

#[test]
fn bodies_that_arrive_slowly_leave_room_for_those_of_others() {
    let options = Options::default()
        .with("GATELOG_WEB__BODIES", "4 KiB")
        .with("GATELOG_WEB__POSTS_AT_ONCE", "100000");
    with_server_of(options, async |server| {
        let slow = sends_half(server);
        is_refused_as_json(&reads(server, SLOW, 503).await, 503);
        posts(server, OTHER).await.has_status(200);
        drop(slow);
        reads(server, SLOW, 200).await;
    });
}
