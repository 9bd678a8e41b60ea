//! Sends spans to the collector, some at a time, by a task of its own.
//!
//! While the collector is away the spans in hand are offered again and again for some minutes, and the queue fills
//! up behind them; what then finds it full is dropped. The log says once that it is away, and once that it is back.

use std::time::Duration;

use opentelemetry_proto::tonic::resource::v1::Resource;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::message;
use super::span::Finished;
use crate::clock::Clock;
use crate::settings::{Header, Otel};
use crate::telemetry::{Lost, Metrics};
use crate::tls;

/// How many spans go out together.
const BATCH: usize = 512;

/// How long the first of them waits for others.
const GATHER: Duration = Duration::from_secs(2);

/// How long the collector may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read.
const ANSWER: usize = 64 * 1024;

/// The first pause before spans are offered again; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often the same spans are offered: for four minutes and longer.
const ATTEMPTS: u32 = 12;

/// How long the end of the server waits for what is left.
const FLUSH: Duration = Duration::from_secs(5);

/// The task that sends spans.
#[derive(Debug)]
pub struct Sending {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Sending {
    pub(super) fn start(
        endpoint: &Url,
        settings: &Otel,
        queue: mpsc::Receiver<Finished>,
        clock: &Clock,
        metrics: &Metrics,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let sender = Sender {
            endpoint: endpoint.clone(),
            headers: Header::map(&settings.headers),
            resource: message::resource(&settings.service_name, clock.opaque_id()),
            client: None,
            metrics: metrics.clone(),
            stopping,
            is_away: false,
        };
        Self {
            task: tokio::spawn(sender.run(queue)),
            stop,
        }
    }

    /// Sends what is left, each span once, and gives up after five seconds.
    pub async fn stop(mut self) {
        // It fails only where the task has ended already.
        let _ = self.stop.send(true);
        if tokio::time::timeout(FLUSH, &mut self.task).await.is_err() {
            self.task.abort();
            tracing::warn!("the collector is too slow, so the last spans were not sent");
        }
    }
}

struct Sender {
    endpoint: Url,
    headers: HeaderMap,
    resource: Resource,
    /// Built when it is needed for the first time: that reads the machine's certificates.
    client: Option<Client>,
    metrics: Metrics,
    stopping: watch::Receiver<bool>,
    /// Whether the log says that the collector is away.
    is_away: bool,
}

/// Why spans were not taken, in words that hold nothing secret.
struct Refusal {
    why: String,
    /// Whether the same may be taken later.
    is_passing: bool,
}

impl Sender {
    async fn run(mut self, mut queue: mpsc::Receiver<Finished>) {
        let mut spans = Vec::new();
        while !self.is_stopping() {
            let mut stopping = self.stopping.clone();
            tokio::select! {
                _ = stopping.wait_for(|it| *it) => {}
                // None: nobody makes spans any more.
                count = queue.recv_many(&mut spans, BATCH) => if count == 0 {
                    return;
                },
            }
            self.gather(&mut queue, &mut spans).await;
            self.deliver(std::mem::take(&mut spans)).await;
        }
        queue.close();
        while queue.recv_many(&mut spans, BATCH).await > 0 {
            self.deliver(std::mem::take(&mut spans)).await;
        }
    }

    /// Waits a little for others to go with those in hand.
    async fn gather(&self, queue: &mut mpsc::Receiver<Finished>, spans: &mut Vec<Finished>) {
        let mut stopping = self.stopping.clone();
        let others = async {
            while spans.len() < BATCH {
                let room = BATCH - spans.len();
                if queue.recv_many(spans, room).await == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            () = others => {}
            () = tokio::time::sleep(GATHER) => {}
            _ = stopping.wait_for(|it| *it) => {}
        }
    }

    /// Offers spans until they are taken, or nobody will take them.
    async fn deliver(&mut self, spans: Vec<Finished>) {
        if spans.is_empty() {
            return;
        }
        let count = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        let body = message::body(&self.resource, spans);
        let mut pause = PAUSE;
        for attempt in 1..=ATTEMPTS {
            let refusal = match self.post(body.clone()).await {
                Ok(rejected) => return self.took(count, rejected),
                Err(refusal) => refusal,
            };
            self.complain(&refusal.why);
            if !refusal.is_passing || self.is_stopping() || attempt == ATTEMPTS {
                break;
            }
            let mut stopping = self.stopping.clone();
            // Whoever is told to stop meanwhile offers them once more.
            let _ = tokio::time::timeout(pause, stopping.wait_for(|it| *it)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.metrics.spans().dropped(Lost::Collector, count);
    }

    /// Sends one body; how many of its spans the collector did not want all the same.
    async fn post(&mut self, body: Vec<u8>) -> Result<u64, Refusal> {
        let passing = |why: String| Refusal {
            why,
            is_passing: true,
        };
        let client = tls::kept(&mut self.client, TIMEOUT)
            .await
            .map_err(passing)?;
        let sent = client
            .post(self.endpoint.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(body)
            .send()
            .await;
        let answer = sent.map_err(|error| passing(told(error)))?;
        check(&answer)?;
        // Whoever says so has taken them, whatever becomes of the rest of the answer.
        let answer = tls::body(answer, ANSWER).await.ok().flatten();
        Ok(message::rejected(&answer.unwrap_or_default()))
    }

    fn took(&mut self, count: u64, rejected: u64) {
        let rejected = rejected.min(count);
        let spans = self.metrics.spans();
        spans.sent.inc_by(count - rejected);
        if rejected > 0 {
            spans.dropped(Lost::Collector, rejected);
            self.complain("it did not want some of them");
        } else if std::mem::take(&mut self.is_away) {
            tracing::info!("the collector takes spans again");
        }
    }

    fn complain(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_away, true) {
            let to = self.endpoint.host_str();
            tracing::warn!(
                to,
                why,
                "the collector (otel.endpoint) does not take spans; they wait as long as there is room, \
                 and gatelog_spans_dropped_total counts those that are lost"
            );
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// Whether an answer says that the spans were taken.
fn check(answer: &Response) -> Result<(), Refusal> {
    let status = answer.status().as_u16();
    if answer.status().is_success() {
        return Ok(());
    }
    Err(Refusal {
        why: format!("it answered with {status}"),
        // Those that OTLP says are worth another attempt.
        is_passing: matches!(status, 429 | 502..=504),
    })
}

/// What an error says, without the address: that may hold a secret.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}
