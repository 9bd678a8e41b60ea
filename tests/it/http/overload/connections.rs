//! Too many connections: the new ones are refused, the old ones are served.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::{Options, TestServer, with_server_of};
use crate::telemetry::scrape::with_metrics_of;

const PATIENCE: Duration = Duration::from_mins(1);

/// Connects from this address of the machine.
async fn connect(server: &TestServer, from: [u8; 4]) -> TcpStream {
    let (_, host) = server.base().split_once("://").expect("an address");
    let to: SocketAddr = host.parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("it is bound");
    socket.connect(to).await.expect("the server listens")
}

/// Asks whether the server lives; what it answers, or what it said before it was asked.
async fn asks(line: &mut TcpStream) -> String {
    // Whoever was refused may not be able to send any more.
    let _ = line
        .write_all(b"GET /-/health/live/ HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    hears(line).await
}

/// The next head that comes.
async fn hears(line: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let hearing = async {
        let mut piece = [0; 1024];
        while !said.windows(4).any(|it| it == b"\r\n\r\n") {
            match line.read(&mut piece).await {
                Ok(length @ 1..) => said.extend_from_slice(&piece[..length]),
                _ => break,
            }
        }
    };
    timeout(PATIENCE, hearing).await.expect("an answer");
    String::from_utf8(said).expect("text")
}

#[track_caller]
fn is_refused(said: &str) {
    let said = said.to_lowercase();
    assert!(said.starts_with("http/1.1 503 "), "{said:?}");
    assert!(said.contains("\r\nretry-after: "), "{said:?}");
}

#[track_caller]
fn is_served(said: &str) {
    assert!(said.starts_with("HTTP/1.1 200 "), "{said:?}");
}

/// Connects once more and again until there is room, which there has to be soon.
async fn finds_room(server: &TestServer, from: [u8; 4]) {
    for _ in 0..1_000 {
        let mut line = connect(server, from).await;
        if asks(&mut line).await.starts_with("HTTP/1.1 200 ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody finds room");
}

#[test]
fn one_address_has_so_many_connections_and_others_have_theirs() {
    let options = Options::default()
        .with("GATELOG_WEB__CONNECTIONS_PER_ADDRESS", "2")
        // Whoever connects is no proxy here.
        .with("GATELOG_WEB__TRUSTED_PROXIES", "192.0.2.1");
    with_server_of(options, async |server| {
        let here = [127, 0, 0, 7];
        let mut first = connect(server, here).await;
        let mut second = connect(server, here).await;
        is_served(&asks(&mut first).await);
        is_served(&asks(&mut second).await);
        for _ in 0..3 {
            is_refused(&hears(&mut connect(server, here).await).await);
        }
        is_served(&asks(&mut connect(server, [127, 0, 0, 8]).await).await);
        is_served(&asks(&mut first).await);
        is_served(&asks(&mut second).await);
        drop(first);
        finds_room(server, here).await;
    });
}

#[test]
fn all_have_so_many_connections_and_a_proxy_may_have_them_all() {
    let options = Options::default()
        .with("GATELOG_WEB__CONNECTIONS", "4")
        .with("GATELOG_WEB__CONNECTIONS_PER_ADDRESS", "1");
    with_server_of(options, async |server| {
        let here = [127, 0, 0, 1];
        let mut lines = Vec::new();
        // Connections of the start may still be about to end.
        for _ in 0..1_000 {
            let mut line = connect(server, here).await;
            if asks(&mut line).await.starts_with("HTTP/1.1 200 ") {
                lines.push(line);
            }
            if lines.len() == 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(lines.len(), 4);
        is_refused(&hears(&mut connect(server, here).await).await);
        for line in &mut lines {
            is_served(&asks(line).await);
        }
        drop(lines);
        finds_room(server, here).await;
    });
}

#[test]
fn compressed_answers_that_nobody_reads_keep_no_connection() {
    /// More than what the kernel keeps for both ends.
    const ASKED: usize = 2_000;
    let options = Options::default()
        .with("GATELOG_WEB__HEAD_TIMEOUT", "1 second")
        .with("GATELOG_WEB__KEEP_ALIVE", "1 second")
        .with("GATELOG_WEB__REQUESTS_AT_ONCE", "100000");
    with_metrics_of(options, async |server, port| {
        let (_, host) = server.base().split_once("://").expect("an address");
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(16 << 10).expect("it is set");
        let to = host.parse().expect("an address");
        let mut line = socket.connect(to).await.expect("the server listens");
        let one = "GET /api/v3/schema/ HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n";
        // It takes as many as it takes; what it does not take any more is not asked.
        let asking = async { line.write_all(one.repeat(ASKED).as_bytes()).await };
        let _ = timeout(Duration::from_secs(2), asking).await;
        let mut open = f64::MAX;
        for _ in 0..600 {
            open = port.read(server).await.of_name("gatelog_http_connections");
            if open == 0.0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(open == 0.0, "{open} connections are open");
        let mut said = Vec::new();
        // It may have been broken off, which is an end as well.
        let _ = timeout(PATIENCE, line.read_to_end(&mut said)).await;
        let begin = b"HTTP/1.1 200 OK";
        let answers = said.windows(begin.len()).filter(|it| it == begin).count();
        assert!((1..ASKED).contains(&answers), "{answers} answers");
        let compressed = String::from_utf8_lossy(&said);
        assert!(compressed.contains("content-encoding: gzip"));
    });
}
