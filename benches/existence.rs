//! Whether the time of an answer tells who exists.
//!
//! A name that somebody has and one that nobody has are typed by turns, each into an execution of
//! its own, so that whatever else the machine does falls on both alike. What counts is the median
//! of the differences between neighbours, and in how many of the pairs the known name took longer:
//! half of them, where nothing is told.

use std::net::SocketAddr;
use std::time::Duration;

use gatelog::app::Running;
use gatelog::clock::Clock;
use reqwest::header::{CONTENT_TYPE, COOKIE};
use serde_json::json;

use crate::served::{in_background, say, session, start};

/// How many pairs are typed.
const PAIRS: usize = 300;

const LOGIN: &str = "default-authentication-flow";
pub(crate) const RECOVERY: &str = "timed-recovery";

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    let directory = tempfile::tempdir_in(crate::served::disk()).expect("a directory");
    let path = directory.path().to_owned();
    let (address, stop) = in_background(move || start(path, true, 1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    say("| flow | known p50 ms | unknown p50 ms | median difference ms | known took longer |");
    say("|---|---|---|---|---|");
    for flow in [LOGIN, RECOVERY] {
        let row = runtime.block_on(compare(address, flow, &clock));
        say(&format!("| {flow} | {row} |"));
    }
    stop();
}

/// A recovery by mail. Mails are written to a folder, since there is no server for them.
pub(crate) fn recovery() -> Vec<serde_json::Value> {
    let pk = |number: u128| uuid::Uuid::from_u128(number);
    let (flow, who, mail) = (pk(0xF1), pk(0xF2), pk(0xF3));
    let bound = |stage: uuid::Uuid, order: u32| {
        json!({
            "model": "authentik_flows.flowstagebinding",
            "identifiers": {"target": flow, "stage": stage, "order": order},
        })
    };
    vec![
        json!({
            "model": "authentik_flows.flow",
            "identifiers": {"slug": RECOVERY, "pk": flow},
            "attrs": {"name": "Recovery", "title": "Recovery", "designation": "recovery"},
        }),
        json!({
            "model": "authentik_stages_identification.identificationstage",
            "identifiers": {"name": "timed-who", "pk": who},
            "attrs": {
                "user_fields": ["username"],
                "show_matched_user": false,
                "pretend_user_exists": true,
            },
        }),
        json!({
            "model": "authentik_stages_email.emailstage",
            "identifiers": {"name": "timed-mail", "pk": mail},
            // Everybody gets as many as are asked for here.
            "attrs": {"use_global_settings": true, "recovery_max_attempts": 1_000_000},
        }),
        bound(who, 0),
        bound(mail, 10),
    ]
}

/// Has the server know the recovery flow.
pub(crate) async fn install(running: &Running) {
    crate::served::apply(running, recovery()).await;
}

async fn compare(address: SocketAddr, flow: &str, clock: &Clock) -> String {
    let client = reqwest::Client::builder().build().expect("a client");
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let (mut first, mut second) = ("visitor-0".to_owned(), format!("nobody-{pair}"));
        // Whoever comes second may find something warm.
        if pair % 2 == 1 {
            std::mem::swap(&mut first, &mut second);
        }
        for name in [first, second] {
            let took = types(&client, address, flow, &name, clock).await;
            let all = if name.starts_with("visitor") {
                &mut known
            } else {
                &mut unknown
            };
            all.push(took.as_secs_f64() * 1e3);
        }
    }
    let mut differences: Vec<f64> = known.iter().zip(&unknown).map(|(k, u)| k - u).collect();
    let longer = differences.iter().filter(|it| **it > 0.0).count();
    let share = longer * 100 / differences.len();
    let (known, unknown) = (median(&mut known), median(&mut unknown));
    format!(
        "{known:.2} | {unknown:.2} | {:+.3} | {share} %",
        median(&mut differences)
    )
}

fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// How long the answer to a name takes in an execution that was begun just before.
async fn types(
    client: &reqwest::Client,
    address: SocketAddr,
    flow: &str,
    name: &str,
    clock: &Clock,
) -> Duration {
    let url = format!("http://{address}/api/v3/flows/executor/{flow}/?query=");
    let first = client.get(&url).send().await.expect("an answer");
    let session = session(&first);
    first.bytes().await.expect("a body");
    let request = client
        .post(&url)
        .header(COOKIE, &session)
        .header(CONTENT_TYPE, "application/json")
        .body(json!({ "uid_field": name }).to_string());
    let begun = clock.monotonic();
    let body = request.send().await.expect("an answer").text().await;
    let took = clock.monotonic() - begun;
    let body = body.expect("a body");
    let asks = body.contains("ak-stage-password") || body.contains("ak-stage-email");
    assert!(asks, "{body}");
    took
}
