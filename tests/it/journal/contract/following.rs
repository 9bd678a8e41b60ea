//! Following the global order.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use gatelog::journal::{Envelope, Error, Position, StreamId};

use super::{Subject, append, lamp, put, run};

type Followed = BoxStream<'static, Result<(Position, Envelope), Error>>;

async fn next(followed: &mut Followed) -> (Position, StreamId, Vec<u8>) {
    let next = tokio::time::timeout(Duration::from_secs(10), followed.next()).await;
    let (position, envelope) = next
        .expect("it comes within ten seconds")
        .expect("following does not end")
        .expect("the record can be read");
    (
        position,
        envelope.stream,
        envelope.body.expect("it has a body"),
    )
}

pub(in super::super) async fn a_follower_gets_the_history_and_then_what_comes(subject: Subject) {
    subject
        .does(vec![append(run(1), 0, "one"), put(lamp(1), 0, "a", "hall")])
        .await;
    let mut followed = subject.journal.follow(Position(0));
    let (first, stream, body) = next(&mut followed).await;
    assert_eq!((stream, body.as_slice()), (run(1), &b"one"[..]));
    let (second, stream, body) = next(&mut followed).await;
    assert_eq!((stream, body.as_slice()), (lamp(1), &b"a in hall"[..]));
    assert_eq!((first, second), (Position(1), Position(2)));

    let waiting = tokio::time::timeout(Duration::from_millis(20), followed.next()).await;
    assert!(waiting.is_err(), "nothing was written yet");

    let third = append(run(1), 1, "two");
    let (committed, (position, stream, body)) =
        tokio::join!(subject.does(vec![third]), next(&mut followed));
    assert_eq!((stream, body.as_slice()), (run(1), &b"two"[..]));
    assert_eq!(position, Position(3));
    assert_eq!(committed, position);
}

pub(in super::super) async fn a_follower_starts_after_the_position_it_names(subject: Subject) {
    let mut positions = Vec::new();
    for version in 0..5 {
        let body = version.to_string();
        positions.push(subject.does(vec![append(run(1), version, &body)]).await);
    }
    let mut followed = subject.journal.follow(positions[2]);
    assert_eq!(next(&mut followed).await.2, b"3");
    assert_eq!(next(&mut followed).await.2, b"4");
    // One that starts in the future waits for it.
    let mut followed = subject.journal.follow(Position(positions[4].0 + 1));
    for version in 5..7 {
        let body = version.to_string();
        subject.does(vec![append(run(1), version, &body)]).await;
    }
    assert_eq!(next(&mut followed).await.2, b"6");
}
