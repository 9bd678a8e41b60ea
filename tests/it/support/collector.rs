//! A collector of OpenTelemetry: takes spans over HTTP as protobuf, and keeps them as they were sent.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatelog::clock::Clock;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::peer::{http, read};
use super::{Canaries, Options, random};

/// How long spans may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// One request that it took.
#[derive(Clone, Debug)]
struct Taken {
    body: Vec<u8>,
    request: ExportTraceServiceRequest,
}

/// A collector that listens as long as its test runs.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    address: String,
    /// What whoever sends spans is let in by.
    key: String,
    /// The status of its answers; 0 gives none at all.
    status: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<Taken>>>,
    /// What was wrong with what it was sent.
    problems: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let collector = Self {
            address: format!("http://{address}"),
            key: random(32),
            status: Arc::new(200.into()),
            taken: Arc::default(),
            problems: Arc::default(),
        };
        let this = collector.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(this.clone().serve(line));
            }
        });
        collector
    }

    /// The options of a server that sends it spans.
    pub(crate) fn serves(&self, options: Options) -> Options {
        options
            .with("GATELOG_OTEL__ENDPOINT", &self.address)
            .with("GATELOG_OTEL__HEADERS", "x-api-key: env://COLLECTOR_KEY")
            .with("COLLECTOR_KEY", &self.key)
    }

    /// Tells the canaries what nobody may read.
    pub(crate) fn tells(&self, canaries: &Canaries) {
        canaries.secret("a collector's key", &self.key);
    }

    /// Answers with this status from now on; with none at all where it is 0.
    pub(crate) fn answers_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The spans so far, all of them sent as they have to be.
    #[track_caller]
    pub(crate) fn spans(&self) -> Vec<Span> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(problems.is_empty(), "{problems:?}");
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = taken.iter().flat_map(|it| &it.request.resource_spans);
        let scopes = sent.flat_map(|it| &it.scope_spans);
        scopes.flat_map(|it| it.spans.clone()).collect()
    }

    /// Waits until it has a span of which this holds.
    pub(crate) async fn wait_for(&self, what: &str, holds: impl Fn(&Span) -> bool) -> Span {
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        loop {
            let spans = self.spans();
            if let Some(found) = spans.iter().find(|it| holds(it)) {
                return found.clone();
            }
            assert!(clock.monotonic() < deadline, "no span: {what}: {spans:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the spans say of the program that sent them.
    pub(crate) fn resources(&self) -> Vec<KeyValue> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = taken.iter().flat_map(|it| &it.request.resource_spans);
        let resources = sent.filter_map(|it| it.resource.as_ref());
        resources.flat_map(|it| it.attributes.clone()).collect()
    }

    /// Fails when anything that was sent holds a secret or something of a person.
    pub(crate) fn is_clean(&self, canaries: &Canaries) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!taken.is_empty(), "nothing was sent");
        for it in taken.iter() {
            canaries.search_sent(&it.body);
        }
    }

    async fn serve(self, mut line: TcpStream) {
        let Some((head, body)) = read(&mut line).await else {
            return;
        };
        let status = self.status.load(Ordering::SeqCst);
        if status == 0 {
            tokio::time::sleep(Duration::from_mins(5)).await;
            return;
        }
        if status == 200 {
            self.take(&head, body);
        }
        let answer = http(&format!("{status} Said"), "application/x-protobuf", "");
        // The server may have been killed.
        let _ = line.write_all(answer.as_bytes()).await;
    }

    fn take(&self, head: &str, body: Vec<u8>) {
        let has = |line: &str| head.lines().any(|it| it.eq_ignore_ascii_case(line));
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        for line in [
            "POST /v1/traces HTTP/1.1",
            "content-type: application/x-protobuf",
            &format!("x-api-key: {}", self.key),
        ] {
            if !has(line) {
                problems.push(format!("no {line:?} in {head}"));
            }
        }
        match ExportTraceServiceRequest::decode(body.as_slice()) {
            Ok(request) => {
                let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
                taken.push(Taken { body, request });
            }
            Err(error) => problems.push(format!("the body is no message: {error}")),
        }
    }
}

/// What a list of attributes says under a name; an empty text where it says nothing.
pub(crate) fn said(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|it| it.key == key);
    match found.and_then(|it| it.value.clone()?.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        Some(Any::BoolValue(truth)) => truth.to_string(),
        other => {
            assert!(other.is_none(), "{key} is {other:?}");
            String::new()
        }
    }
}

/// An id as it is written for people.
pub(crate) fn hex(id: &[u8]) -> String {
    base16ct::lower::encode_string(id)
}
