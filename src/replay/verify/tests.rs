//! Code that changed is noticed, with its place, against executions that were recorded before.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{Divergence, Verified, verify_all};
use crate::journal::Journal;
use crate::journal::faulty::Faulty;
use crate::replay::bundle::Bundle;
use crate::replay::{Error, Judged};
use crate::stage::changed::{Change, change};

/// An execution of `tests/golden/journals`.
fn golden(name: &str) -> Bundle {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journals");
    let file = std::fs::read(folder.join(format!("{name}.bundle"))).expect("a golden journal");
    Bundle::read(&file).expect("a bundle")
}

async fn diverges(bundle: &Bundle) -> Divergence {
    match bundle.verify(None).await.expect("it can be run") {
        Verified::Diverged(divergence) => *divergence,
        same @ Verified::Same { .. } => panic!("it went unnoticed: {same:?}"),
    }
}

#[tokio::test]
async fn code_that_did_not_change_comes_to_the_same() {
    let bundle = golden("plain-login");
    let records = bundle.records.len();
    let verified = bundle.verify(None).await.expect("it can be run");
    assert_eq!(verified, Verified::Same { records });
}

#[tokio::test]
async fn what_is_damaged_now_is_no_difference_of_the_code() {
    let bundle = golden("plain-login");
    let execution = bundle.execution;
    let ids: BTreeSet<_> = bundle.objects.iter().map(|it| it.id).collect();
    let mut not_run = 0;
    for id in ids {
        let journal = Faulty::over(Arc::new(bundle.clone().unpack()), None);
        journal.damage(id);
        let journal: Arc<dyn Journal> = journal;
        let judged = verify_all(&journal, None, &[execution], 1).await;
        match judged.expect("a thread").remove(0) {
            Judged::NotRun { problem } => {
                assert!(problem.contains("gatelog journal verify"), "{problem}");
                not_run += 1;
            }
            Judged::Same { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(not_run > 3, "only {not_run} were missed");
    let journal = Faulty::over(Arc::new(bundle.unpack()), None);
    journal.damage(execution);
    let list = crate::replay::list(&*journal, None, 10).await;
    let list = list.expect("the others are still listed");
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].state, "unreadable");
    assert!(list[0].detail.starts_with("it cannot be read: "));
}

#[tokio::test]
async fn a_stage_that_takes_what_it_refused_is_noticed() {
    let bundle = golden("plain-login");
    let _changed = change("password", Change::TakesAnything);
    let divergence = diverges(&bundle).await;
    let told = divergence.to_string();
    let at = divergence.at.as_ref().expect("a place");
    let place = (at.what.as_str(), at.kind.as_str(), at.name.as_str());
    assert_eq!(place, ("stage", "password", "plain-login-password"));
    assert_eq!(at.version, 1);
    let start = format!(
        "record {}, event {}, at ",
        divergence.version, divergence.event
    );
    assert!(told.starts_with(&start), "{told}");
    assert!(
        told.contains("\"plain-login-password\" (password, "),
        "{told}"
    );
    let entry = &bundle.records[usize::try_from(divergence.version.0).expect("small") - 1];
    let recorded = &entry.record.events[divergence.event - 1];
    assert_eq!(divergence.recorded.json["event"], "response_rejected");
    assert_eq!(serde_json::json!(recorded)["event"], "response_rejected");
    assert_eq!(divergence.replayed.json["event"], "stage_completed");
    assert_eq!(divergence.recorded.lines.len(), 1, "{divergence:?}");
}

#[tokio::test]
async fn a_stage_that_shows_more_is_noticed_and_the_member_named() {
    let bundle = golden("plain-login");
    let _changed = change("identification", Change::ShowsMore);
    let divergence = diverges(&bundle).await;
    assert_eq!(divergence.version.0, 1);
    assert_eq!(divergence.recorded.json["event"], "challenge_issued");
    let last = |lines: &[String]| lines.last().cloned().unwrap_or_default();
    assert_eq!(last(&divergence.recorded.lines), "with fields.more null");
    assert_eq!(last(&divergence.replayed.lines), "with fields.more true");
}

#[tokio::test]
async fn a_stage_that_asks_the_world_for_more_is_noticed_with_what_it_asks() {
    let bundle = golden("plain-login");
    let _changed = change("password", Change::AsksMore);
    let divergence = diverges(&bundle).await;
    let at = divergence.at.expect("a place");
    assert_eq!(at.name, "plain-login-password");
    assert!(divergence.observation.is_some());
    assert_eq!(divergence.replayed.lines, ["it asks for the counter more"]);
    assert!(
        divergence.recorded.lines[0].starts_with("it "),
        "{:?}",
        divergence.recorded
    );
}

#[tokio::test]
async fn an_expression_that_nobody_can_run_says_nothing_about_the_code() {
    let bundle = golden("denied-by-expression");
    let error = bundle.verify(None).await.expect_err("it cannot be run");
    assert!(matches!(error, Error::Broken(_)), "{error}");
    assert!(matches!(Judged::from(Err(error)), Judged::NotRun { .. }));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let mut bundle = golden("plain-login");
    bundle.objects.retain(|held| held.kind.as_str() != "user");
    let error = bundle.verify(None).await.expect_err("it cannot be run");
    let told = error.to_string();
    assert!(told.contains("it saw user/"), "{told}");
    assert!(matches!(
        Judged::from(Err(error)),
        Judged::Unreadable { .. }
    ));
}
