//! Speaks through a WebSocket, as a browser does, by hand.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelog::clock::Clock;
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Visitor;

/// How long something may take to be said.
const PATIENCE: Duration = Duration::from_secs(30);

/// What RFC 6455 puts behind the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A socket that is open.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

/// What was said through it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// A message.
    Text(Value),
    /// Whether one is still there.
    Ping,
    /// One is.
    Pong,
    /// The end, and its code.
    Close(u16),
    /// The end, without a word.
    Nothing,
}

impl Visitor {
    /// Opens a socket with these headers besides the usual ones; else the status that says why not.
    pub(crate) async fn opens_socket(
        &self,
        path: &str,
        more: &[(&str, &str)],
    ) -> Result<Socket, u16> {
        let host = self.host();
        let mut line = TcpStream::connect(&host).await.expect("the server listens");
        let key = STANDARD.encode(Clock::system().random::<16>());
        let mut head = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
        );
        for (name, value) in &self.headers(more) {
            let value = value.to_str().expect("text");
            write!(head, "{name}: {value}\r\n").expect("a string takes any text");
        }
        head.push_str("\r\n");
        line.write_all(head.as_bytes()).await.expect("it is sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(line.read_u8().await.expect("an answer"));
        }
        let answer = String::from_utf8(answer).expect("text");
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status: u16 = status.expect("a status");
        if status != 101 {
            return Err(status);
        }
        let sum = Sha1::digest(format!("{key}{GUID}"));
        let accept = format!("sec-websocket-accept: {}", STANDARD.encode(sum)).to_lowercase();
        assert!(answer.to_lowercase().contains(&accept), "{answer}");
        Ok(Socket(line))
    }
}

impl Socket {
    /// What is said next.
    pub(crate) async fn next(&mut self) -> Said {
        let read = tokio::time::timeout(PATIENCE, self.read());
        read.await.expect("something is said")
    }

    /// What is said within this time, if anything is.
    pub(crate) async fn within(&mut self, time: Duration) -> Option<Said> {
        tokio::time::timeout(time, self.read()).await.ok()
    }

    async fn read(&mut self) -> Said {
        let Ok(first) = self.0.read_u8().await else {
            return Said::Nothing;
        };
        assert_eq!(first & 0x80, 0x80, "it is said in one piece");
        let length = self.0.read_u8().await.expect("a length");
        let length = match length {
            126 => self.0.read_u16().await.expect("a length").into(),
            127 => panic!("nobody says that much"),
            length => usize::from(length),
        };
        let mut content = vec![0; length];
        self.0.read_exact(&mut content).await.expect("all of it");
        match first & 0x0f {
            1 => Said::Text(serde_json::from_slice(&content).expect("JSON")),
            8 => Said::Close(match content[..] {
                [high, low, ..] => u16::from_be_bytes([high, low]),
                _ => 1005,
            }),
            9 => Said::Ping,
            10 => Said::Pong,
            other => panic!("nobody says {other}"),
        }
    }

    /// Says something: `kind` is the code of RFC 6455.
    pub(crate) async fn says(&mut self, kind: u8, content: &[u8]) {
        let length = u16::try_from(content.len()).expect("it is short");
        let mut frame = vec![0x80 | kind, 0x80 | 0x7e];
        frame.extend(length.to_be_bytes());
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        let masked = content.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
        frame.extend(masked);
        // Whoever closed it hears nothing more.
        let _ = self.0.write_all(&frame).await;
    }
}
