//! A server that shows a challenge to whoever asks, when and how a test wants it.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What every answer shows.
const CHALLENGE: &str = r#"{"component":"ak-stage-identification"}"#;

/// It runs until the process ends.
pub(super) struct Fake {
    pub(super) url: String,
    asked: Arc<AtomicUsize>,
}

impl Fake {
    /// Starts one. `how` is called with the number of each request, from 0 on, on a thread of the
    /// connection's own, and says with which status and headers it is answered; with none it never
    /// is.
    pub(super) fn start(
        how: impl Fn(usize) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (how, asked) = (Arc::new(how), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, how) = (stream.expect("a connection"), Arc::clone(&how));
                let count = Arc::clone(&count);
                thread::spawn(move || serve(&stream, &*how, &count));
            }
        });
        Self { url, asked }
    }

    /// How many requests came.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn serve(stream: &TcpStream, how: &dyn Fn(usize) -> Option<&'static str>, count: &AtomicUsize) {
    let mut reader = BufReader::new(stream);
    while let Some(length) = head(&mut reader) {
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let Some(first) = how(count.fetch_add(1, Ordering::Relaxed)) else {
            thread::park();
            continue;
        };
        let length = CHALLENGE.len();
        let answer = format!("HTTP/1.1 {first}\r\nContent-Length: {length}\r\n\r\n{CHALLENGE}");
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads the head of a request; the length of its body. None at the end.
fn head(reader: &mut impl std::io::BufRead) -> Option<usize> {
    let mut length = 0;
    let mut is_first = true;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if !is_first && line == "\r\n" {
            return Some(length);
        }
        is_first = false;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a length");
        }
    }
}
