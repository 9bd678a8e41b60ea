//! Servers of others, as far as tests have them: requests read to their end, and answers.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// An answer, after which the line is closed.
pub(crate) fn http(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The head and the body of a request.
pub(crate) async fn read(line: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut all = Vec::new();
    loop {
        if let Some(end) = all.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8(all[..end + 2].to_vec()).ok()?;
            let lower = head.to_lowercase();
            let length = lower.split("content-length: ").nth(1);
            let length = length.and_then(|it| it.split("\r\n").next()?.parse().ok());
            let length: usize = length.unwrap_or(0);
            if all.len() >= end + 4 + length {
                return Some((head, all[end + 4..].to_vec()));
            }
        }
        let mut piece = [0; 4096];
        let length = line.read(&mut piece).await.ok()?;
        if length == 0 {
            return None;
        }
        all.extend_from_slice(&piece[..length]);
    }
}
