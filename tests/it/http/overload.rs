//! When too much comes: what does not fit is refused and was not done, others are served, and
//! what was acknowledged stays.

mod accounts;
mod bodies;
mod connections;
mod gate;
mod heads;
mod killed;
mod requests;

use crate::support::Answer;

/// A refusal as programs read it.
#[track_caller]
fn is_refused_as_json(answer: &Answer, status: u16) {
    answer.has_status(status);
    let wait: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!(wait > 0, "{answer:?}");
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json")
    );
    let detail = &answer.json()["detail"];
    assert!(
        detail.as_str().is_some_and(|it| !it.is_empty()),
        "{answer:?}"
    );
    assert_eq!(answer.header("x-authentik-id").len(), 32);
}

/// A refusal as people read it.
#[track_caller]
fn is_refused_as_page(answer: &Answer, status: u16, heading: &str) {
    answer.has_status(status);
    let wait: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!(wait > 0, "{answer:?}");
    assert!(answer.header("content-type").starts_with("text/html"));
    answer.shows(heading).shows(answer.header("x-authentik-id"));
}
