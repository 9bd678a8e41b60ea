//! Connections that ask the same again and again: as often as they are answered, or at a pace.

use std::sync::Arc;
use std::time::Duration;

use gatelog::clock::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Question;
use crate::commit::percentiles;

/// The threads of the load.
const THREADS: usize = 2;

/// How many answers there are a second, when each connection asks as soon as it was answered.
pub(super) fn most(question: &Question, connections: usize, time: Duration, clock: &Clock) -> f64 {
    let end = clock.monotonic() + time;
    let counts = on_all(
        question,
        connections,
        clock,
        move |mut line, clock, _| async move {
            let mut count = 0_u32;
            while clock.monotonic() < end {
                line.ask().await;
                count += 1;
            }
            count
        },
    );
    counts.into_iter().map(f64::from).sum::<f64>() / time.as_secs_f64()
}

/// How long answers take when there are so many questions a second: what half of them and what 99 of 100 take
/// at most, in milliseconds. Where the answer before it was
/// late, the time of a question counts from when it was due; that the timers of the load are of a
/// millisecond does not count.
pub(super) fn paced(
    question: &Question,
    connections: usize,
    rate: f64,
    time: Duration,
    clock: &Clock,
) -> [f64; 2] {
    let each = Duration::from_secs_f64(f64::from(u32::try_from(connections).unwrap_or(1)) / rate);
    let (begin, end) = (clock.monotonic(), clock.monotonic() + time);
    let all = on_all(
        question,
        connections,
        clock,
        move |mut line, clock, at| async move {
            let shift = each / u32::try_from(connections).unwrap_or(1);
            let mut due = begin + shift * u32::try_from(at).unwrap_or(0);
            let mut times = Vec::new();
            while due < end {
                let left = due.saturating_duration_since(clock.monotonic());
                let from = if left.is_zero() {
                    due
                } else {
                    tokio::time::sleep(left).await;
                    clock.monotonic()
                };
                line.ask().await;
                times.push(clock.monotonic().saturating_duration_since(from));
                due += each;
            }
            times
        },
    );
    let mut times: Vec<Duration> = all.into_iter().flatten().collect();
    percentiles(&mut times)
}

fn on_all<T, F>(
    question: &Question,
    connections: usize,
    clock: &Clock,
    work: impl Fn(Line, Clock, usize) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let request: Arc<[u8]> = question.request.as_bytes().into();
        let mut tasks = Vec::with_capacity(connections);
        for at in 0..connections {
            let line = Line::open(question, Arc::clone(&request)).await;
            tasks.push(tokio::spawn(work(line, clock.clone(), at)));
        }
        let mut results = Vec::with_capacity(connections);
        for task in tasks {
            results.push(task.await.expect("no connection fails"));
        }
        results
    })
}

/// One connection.
struct Line {
    stream: TcpStream,
    request: Arc<[u8]>,
    read: Vec<u8>,
}

impl Line {
    async fn open(question: &Question, request: Arc<[u8]>) -> Self {
        let stream = TcpStream::connect(question.address)
            .await
            .expect("it listens");
        stream.set_nodelay(true).expect("a socket takes it");
        Self {
            stream,
            request,
            read: Vec::with_capacity(4_096),
        }
    }

    /// Asks, and reads the whole answer, which has to be 200.
    async fn ask(&mut self) {
        let sent = self.stream.write_all(&self.request).await;
        sent.expect("it is sent");
        self.read.clear();
        let mut whole = None;
        while whole.is_none_or(|whole| self.read.len() < whole) {
            let read = self
                .stream
                .read_buf(&mut self.read)
                .await
                .expect("it is read");
            assert!(read > 0, "the server hung up");
            whole = whole.or_else(|| length(&self.read));
        }
    }
}

/// How many bytes an answer has, once its head is there.
fn length(read: &[u8]) -> Option<usize> {
    let end = read.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&read[..end]).expect("a head is text");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut lines = head.lines();
    let body = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().expect("a number"))
    });
    Some(end + body.expect("an answer says how long it is"))
}
