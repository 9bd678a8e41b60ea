//! What a collector of OpenTelemetry is told of a login, and that no login waits for it.

use serde_json::json;

use opentelemetry_proto::tonic::trace::v1::Span;

use super::scrape::{Port, with_metrics_of};
use crate::support::collector::{Collector, hex, said};
use crate::support::{Answer, LOGIN, Options, TestServer, Visitor, block_on, free_port};

/// A trace as a proxy begins one.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Runs a scenario against a server that sends its spans to a collector.
fn with_collector(options: Options, scenario: impl AsyncFnOnce(&mut TestServer, &Collector)) {
    block_on(async {
        let collector = Collector::start().await;
        let mut server = TestServer::start(collector.serves(options)).await;
        collector.tells(server.canaries());
        scenario(&mut server, &collector).await;
        server.finish().await;
    });
}

fn says(span: &Span, key: &str) -> String {
    said(&span.attributes, key)
}

fn id_of(answer: &Answer) -> String {
    answer.header("x-authentik-id").to_owned()
}

/// The span of a request, once it has arrived.
async fn request(collector: &Collector, answer: &Answer) -> Span {
    let id = id_of(answer);
    let is_it = |span: &Span| says(span, "gatelog.request.id") == id;
    collector.wait_for("of the request", is_it).await
}

/// The spans of a trace that are called so, once they have arrived.
async fn parts(collector: &Collector, trace: &[u8], name: &str) -> Vec<Span> {
    let is_it = |span: &Span| span.trace_id == trace && span.name == name;
    collector.wait_for(name, is_it).await;
    let mut spans = collector.spans();
    spans.retain(is_it);
    spans
}

#[test]
fn a_collector_sees_each_step_of_a_login_and_nobody_in_it() {
    with_collector(Options::default(), async |server, collector| {
        let ann = server.person();
        let mut visitor = server.visitor();
        let shown = visitor.opens_with(LOGIN, "next=%2Fif%2Fuser%2F").await;
        let id = shown.header("x-gatelog-challenge").to_owned();
        let (execution, _) = id.split_once('-').expect("an execution and a number");
        let named = visitor.answers(json!({ "uid_field": ann.username })).await;
        let wrong = json!({ "password": "this-is-not-the-password" });
        let wrong = visitor.answers(wrong).await;
        let right = visitor.answers(json!({ "password": ann.password })).await;
        right.is_redirected_to("/if/user/");
        for (answer, method, command, kind, outcome) in [
            (&shown, "GET", "begin", "identification", "asks"),
            (&named, "POST", "answer", "identification", "accepted"),
            (&wrong, "POST", "answer", "password", "rejected"),
            (&right, "POST", "answer", "password", "completed"),
        ] {
            let span = request(collector, answer).await;
            let route = "/api/v3/flows/executor/{flow_slug}/";
            assert_eq!(hex(&span.trace_id), id_of(answer));
            assert_eq!(span.name, format!("{method} {route}"));
            assert_eq!(says(&span, "http.route"), route);
            assert_eq!(says(&span, "http.request.method"), method);
            assert_eq!(says(&span, "http.response.status_code"), "200");
            assert!(span.parent_span_id.is_empty() && span.status.is_none());
            let commands = parts(collector, &span.trace_id, "command").await;
            assert_eq!(commands.len(), 1, "{commands:#?}");
            let told = &commands[0];
            assert_eq!(told.parent_span_id, span.span_id);
            assert_eq!(
                says(told, "gatelog.execution.id").replace('-', ""),
                execution
            );
            assert_eq!(says(told, "gatelog.flow.slug"), LOGIN);
            assert_eq!(says(told, "gatelog.command"), command);
            assert_eq!(says(told, "gatelog.stage.kind"), kind, "{told:#?}");
            let name = format!("default-authentication-{kind}");
            assert_eq!(says(told, "gatelog.stage.name"), name);
            assert_eq!(says(told, "gatelog.outcome"), outcome, "{told:#?}");
            assert!(told.start_time_unix_nano <= told.end_time_unix_nano);
            let commits = parts(collector, &span.trace_id, "commit").await;
            assert!(commits.iter().all(|it| it.parent_span_id == told.span_id));
            let is_durable = (command == "answer").to_string();
            assert_eq!(says(&commits[0], "gatelog.durable"), is_durable);
        }
        let trace = request(collector, &right).await.trace_id;
        let judged = parts(collector, &trace, "stage judges").await;
        assert_eq!(says(&judged[0], "gatelog.stage.kind"), "password");
        let resources = collector.resources();
        assert_eq!(said(&resources, "service.name"), "gatelog");
        collector.is_clean(server.canaries());
    });
}

#[test]
fn no_route_that_names_a_person_is_told_with_the_name() {
    with_collector(Options::default(), async |server, collector| {
        let ann = server.person();
        let devices = ["user", "devices", &ann.username];
        server.gatelog(&devices).succeeds();
        let visitor = server.visitor();
        let path = format!("/made/up/{}/?token=a-made-up-token", ann.username);
        let nothing = visitor.gets(&path).await;
        let span = request(collector, &nothing).await;
        assert_eq!(span.name, "GET");
        let route = "/operator/users/{username}/devices";
        let is_it = |span: &Span| says(span, "http.route") == route;
        collector.wait_for("of the operator's route", is_it).await;
        collector.is_clean(server.canaries());
        let probes = |span: &Span| span.name.contains("/-/health/");
        assert!(!collector.spans().iter().any(probes), "probes are told of");
    });
}

async fn continues(visitor: &mut Visitor, flags: &str) -> Answer {
    let header = format!("00-{TRACE}-{CALLER}-{flags}");
    let body = json!({ "uid_field": "nobody-in-particular" });
    visitor.opens(LOGIN).await;
    let headers = [("traceparent", header.as_str())];
    visitor.answers_exactly(&body, &headers).await
}

#[test]
fn the_trace_of_a_proxy_that_is_trusted_is_continued() {
    with_collector(Options::default(), async |server, collector| {
        let mut visitor = server.visitor();
        let unrecorded = continues(&mut visitor, "00").await;
        let answer = continues(&mut server.visitor(), "01").await;
        let span = request(collector, &answer).await;
        assert_eq!(hex(&span.trace_id), TRACE);
        assert_eq!(hex(&span.parent_span_id), CALLER);
        let commands = parts(collector, &span.trace_id, "command").await;
        assert_eq!(commands[0].parent_span_id, span.span_id);
        let unrecorded = id_of(&unrecorded);
        let is_it = |span: &Span| says(span, "gatelog.request.id") == unrecorded;
        assert!(!collector.spans().iter().any(is_it), "the proxy said no");
    });
}

#[test]
fn a_stranger_cannot_choose_the_trace() {
    let options = Options::default().with("GATELOG_WEB__TRUSTED_PROXIES", "192.0.2.1");
    with_collector(options, async |server, collector| {
        for flags in ["00", "01"] {
            let answer = continues(&mut server.visitor(), flags).await;
            let span = request(collector, &answer).await;
            assert_eq!(hex(&span.trace_id), id_of(&answer));
            assert!(span.parent_span_id.is_empty());
        }
    });
}

#[test]
fn stopping_sends_what_is_left() {
    with_collector(Options::default(), async |server, collector| {
        let visitor = server.visitor();
        let answer = visitor.gets("/api/v3/root/config/").await;
        server.stop().await;
        let id = id_of(&answer);
        let is_it = |span: &Span| says(span, "gatelog.request.id") == id;
        assert!(collector.spans().iter().any(is_it), "it was not sent");
    });
}

/// Waits until this many spans at least were lost to the collector.
async fn loses(server: &TestServer, port: &Port) {
    for _ in 0..3000 {
        let read = port.read(server).await;
        if read.of_name("gatelog_spans_dropped_total{why=\"collector\"}") > 0.5 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("nothing was lost: {}", server.output());
}

#[test]
fn nobody_who_logs_in_notices_that_the_collector_is_away() {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let options = Options::default().with("GATELOG_OTEL__ENDPOINT", &nowhere);
    with_metrics_of(options, async |server, _| {
        let ann = server.person();
        for _ in 0..3 {
            server.visitor().logs_in(&ann).await;
        }
        for _ in 0..3000 {
            if server.output().contains("does not take spans") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        server.visitor().logs_in(&ann).await;
        server.stop().await;
        let output = server.output();
        assert_eq!(output.matches("does not take spans").count(), 1, "{output}");
    });
}

#[test]
fn what_a_collector_refuses_for_good_is_counted_and_told_of_once() {
    block_on(async {
        let collector = Collector::start().await;
        collector.answers_with(401);
        let port = free_port();
        let metrics = format!("127.0.0.1:{port}");
        let options = Options::default().with("GATELOG_METRICS__LISTEN", &metrics);
        let mut server = TestServer::start(collector.serves(options)).await;
        let port = Port::at(&metrics);
        server.visitor().logs_in(&server.person()).await;
        loses(&server, &port).await;
        let refused = "it answered with 401";
        assert_eq!(server.output().matches(refused).count(), 1);
        collector.answers_with(200);
        let answer = server.visitor().gets("/api/v3/root/config/").await;
        request(&collector, &answer).await;
        server.stop().await;
        let output = server.output();
        assert!(output.contains("takes spans again"), "{output}");
        server.finish().await;
    });
}

#[test]
fn a_collector_that_never_answers_keeps_the_server_from_nothing() {
    with_collector(Options::default(), async |server, collector| {
        collector.answers_with(0);
        let ann = server.person();
        server.visitor().logs_in(&ann).await;
        // It ends well, which is less than it may take where it waits for the collector.
        server.stop().await;
        let output = server.output();
        assert!(output.contains("the last spans were not sent"), "{output}");
        assert!(!output.contains("cut short"), "{output}");
    });
}
