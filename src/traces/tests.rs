//! Which requests have spans, whose parts they are, and what becomes of those for which there is no room.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

use super::*;

const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn with(share: f64, room: usize) -> (Tracer, Receiver<Finished>, Metrics) {
    let (clock, metrics) = (Clock::fixed(Timestamp::UNIX_EPOCH), Metrics::default());
    clock.advance(Duration::from_hours(24));
    let (tracer, queue) = Tracer::new(&clock, &metrics, share, room);
    (tracer, queue, metrics)
}

#[test]
fn the_header_of_the_w3c_is_read() {
    let caller = Caller::parse(HEADER).expect("the example of the W3C");
    assert_eq!(caller.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_eq!(caller.span, 0xb7ad_6b71_6920_3331);
    assert!(caller.is_sampled);
    let later = HEADER.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
    assert_eq!(Caller::parse(&later), Some(caller));
    let unsampled = Caller::parse(&HEADER.replace("-01", "-00"));
    assert!(!unsampled.expect("a caller").is_sampled);
}

#[test]
fn a_header_that_is_malformed_is_none() {
    for header in [
        "",
        "00",
        &HEADER.to_uppercase(),
        &HEADER.replacen("00", "ff", 1),
        &HEADER.replacen("00", "0", 1),
        &format!("{HEADER}-more"),
        &format!(" {HEADER}"),
        &HEADER.replace("b7ad6b7169203331", "0000000000000000"),
        &HEADER.replace(
            "0af7651916cd43dd8448eb211c80319c",
            "00000000000000000000000000000000",
        ),
        &HEADER.replace("0af7", "+af7"),
        &HEADER.replace("-01", "-1"),
    ] {
        assert_eq!(Caller::parse(header), None, "{header}");
    }
}

#[test]
fn a_trace_is_called_what_its_request_is_called() {
    let (tracer, mut queue, _) = with(1.0, 8);
    let id = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);
    let mut request = tracer.request(id, None);
    request.rename("GET /");
    let mut part = request.below("part");
    part.set("gatelog.durable", true);
    part.fail();
    drop(part);
    drop(tracer.below(request.parent(), "other"));
    drop(request);
    let mut next = || queue.try_recv().expect("a span");
    let (part, other, request) = (next(), next(), next());
    assert!(
        [&part, &other, &request]
            .iter()
            .all(|it| it.trace == id.as_u128())
    );
    assert_eq!(request.parent, None);
    assert_eq!(
        (request.kind, request.name.as_ref()),
        (Kind::Server, "GET /")
    );
    for it in [&part, &other] {
        assert_eq!(it.parent, Some(request.span));
        assert_eq!(it.kind, Kind::Internal);
        assert!(it.begin <= it.end && !it.is_parent_remote);
    }
    assert_eq!(part.attributes, [("gatelog.durable", Value::Truth(true))]);
    assert!(part.has_failed && !request.has_failed);
    assert_eq!(request.end, 24 * 60 * 60 * 1_000_000_000);
}

#[test]
fn a_callers_trace_is_continued_where_the_caller_records_it() {
    let (tracer, mut queue, _) = with(0.0, 8);
    let caller = Caller::parse(HEADER);
    drop(tracer.request(Uuid::from_u128(7), caller));
    let span = queue.try_recv().expect("a span");
    let caller = caller.expect("a caller");
    assert_eq!((span.trace, span.parent), (caller.trace, Some(caller.span)));
    assert!(span.is_parent_remote);
    let unsampled = Caller {
        is_sampled: false,
        ..caller
    };
    let (tracer, mut queue, _) = with(1.0, 8);
    let request = tracer.request(Uuid::from_u128(7), Some(unsampled));
    assert!(!request.is_on());
    drop(request.below("part"));
    drop(request);
    assert!(queue.try_recv().is_err());
}

#[test]
fn a_share_of_the_traces_has_spans() {
    let clock = Clock::system();
    for (share, least, most) in [(0.0, 0, 0), (0.25, 150, 350), (1.0, 1000, 1000)] {
        let (tracer, _queue, _) = with(share, 1);
        let ids = (0..1000).map(|_| clock.ordered_id());
        let count = ids.filter(|id| tracer.request(*id, None).is_on()).count();
        assert!((least..=most).contains(&count), "{share}: {count}");
    }
}

#[test]
fn a_span_that_finds_no_room_is_dropped_and_counted() {
    let (tracer, mut queue, metrics) = with(1.0, 2);
    for id in 1..=5 {
        drop(tracer.request(Uuid::from_u128(id), None));
    }
    let kept = std::iter::from_fn(|| queue.try_recv().ok());
    assert_eq!(kept.map(|it| it.trace).collect::<Vec<_>>(), [1, 2]);
    let text = metrics.text().expect("a text");
    let line = "gatelog_spans_dropped_total{why=\"full\"} 3";
    assert!(text.lines().any(|it| it == line), "{text}");
}

#[test]
fn where_nothing_is_sent_there_are_no_spans() {
    let tracer = Tracer::default();
    let mut request = tracer.request(Uuid::from_u128(1), Caller::parse(HEADER));
    request.set("gatelog.durable", true);
    assert!(!request.is_on() && !request.below("part").is_on());
    assert_eq!(request.parent(), Parent::default());
}
