//! Attempts that count for and against names and addresses.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::live::{Carried, Live};
use super::super::{Executions, Limits, Outside, attempts};
use super::{Bench, login_stages};
use crate::catalog::{FlowStageBinding, Policy, PolicyBinding, bindings_of};
use crate::clock::Clock;
use crate::directory::password::pool::Pool;
use crate::directory::reputation::{Reputation, Wanted};
use crate::flow::model::InvalidResponseAction;
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;
use crate::world::{Attempt, World};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Bench {
    async fn score(&self, ip: Option<IpAddr>, identifier: Option<&str>) -> i64 {
        let (shared, now) = (&self.executions.shared, self.clock.now());
        let wanted = Wanted::new(ip, identifier);
        let score = attempts::score(shared, &wanted, &[], now).await;
        score.expect("a score")
    }

    async fn counts(&self, identifier: &str, amount: i64, times: usize) {
        let attempt = Attempt {
            identifier: identifier.to_owned(),
            address: HERE,
            amount,
        };
        let all = vec![attempt; times];
        let writes = attempts::writes(&self.executions.shared, &all, self.clock.now()).await;
        self.write(writes.expect("writes")).await;
    }

    async fn rows(&self) -> Vec<Reputation> {
        let rows = object::all::<Reputation>(self.journal.as_ref()).await;
        rows.expect("rows").into_iter().map(|it| it.value).collect()
    }

    /// Binds a stage of a flow to a policy, and changes the stage's own binding.
    async fn binds(
        &self,
        flow: Uuid,
        order: i32,
        settings: Value,
        change: impl Fn(&mut FlowStageBinding),
    ) {
        let settings = settings.as_object().expect("an object");
        let kind = crate::policy::Kind::Reputation;
        let settings = kind.validate(settings).expect("good settings");
        let name = format!("{flow}-{order}");
        let policy = Policy::new(&self.clock, kind.name(), &name, settings);
        let bindings = bindings_of(self.journal.as_ref(), flow).await;
        let mut bindings = bindings.expect("bindings").into_iter();
        let found = bindings.find(|it| it.value.order == order);
        let Versioned { version, mut value } = found.expect("a stage there");
        change(&mut value);
        let mut condition = PolicyBinding::new(&self.clock, value.pbm, 0);
        condition.policy = Some(policy.pk);
        self.write(vec![
            object::put(&policy, Version::NONE),
            object::put(&condition, Version::NONE),
            object::put(&value, version),
        ])
        .await;
    }
}

#[actix::test]
async fn a_refused_password_counts_once_against_the_name_and_the_address() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    for (typed, name) in [("ALICE", "alice"), ("nobody", "Nobody")] {
        let mut visitor = bench.visitor("login");
        visitor.opens().await;
        visitor.answers(json!({ "uid_field": typed })).await;
        let before = bench.score(None, Some(name)).await;
        assert_eq!(
            before, 0,
            "the name alone is no failure where strangers go on"
        );
        visitor.answers(json!({ "password": "wrong" })).await;
        assert_eq!(bench.score(None, Some(name)).await, -1, "{name}");
    }
    assert_eq!(bench.score(Some(HERE), None).await, -2);
    assert_eq!(
        bench.score(Some(HERE), Some("alice")).await,
        -2,
        "each row once"
    );
    assert_eq!(bench.score(Some(Ipv4Addr::BROADCAST.into()), None).await, 0);
    let trail = bench.trail().await;
    assert_eq!(trail.matches("reputation_changed").count(), 2);
    bench.check().await;
}

#[actix::test]
async fn a_password_on_the_same_page_counts_once_whoever_it_is() {
    let bench = Bench::new();
    bench.user("alice", "correct horse").await;
    bench.flow("unused", &login_stages()).await;
    let stages = object::all::<crate::catalog::Stage>(bench.journal.as_ref()).await;
    let mut stages = stages.expect("stages").into_iter();
    let password = stages.find(|it| it.value.kind == "password").expect("one");
    for pretend in [true, false] {
        let settings = json!({
            "user_fields": ["username"],
            "password_stage": password.value.pk,
            "pretend_user_exists": pretend,
        });
        let slug = format!("pretends-{pretend}");
        bench.flow(&slug, &[(Kind::Identification, settings)]).await;
        for name in ["alice", "nobody"] {
            let before = bench.score(None, Some(name)).await;
            let mut visitor = bench.visitor(&slug);
            visitor.opens().await;
            let wrong = json!({ "uid_field": name, "password": "wrong" });
            visitor
                .answers(wrong)
                .await
                .with_error("non_field_errors", "invalid");
            assert_eq!(bench.score(None, Some(name)).await, before - 1, "{name}");
        }
    }
    bench.check().await;
}

#[actix::test]
async fn a_login_counts_for_the_user_and_a_score_of_four_becomes_three() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    bench.counts("alice", 1, 3).await;
    let mut alice = bench.visitor("login");
    alice.opens().await;
    alice.answers(json!({ "uid_field": "alice" })).await;
    let right = json!({ "password": "correct horse" });
    alice.answers(right).await.is_sent_to("/");
    assert_eq!(bench.score(None, Some("alice")).await, 4);
    let mut other = bench.visitor("login");
    other.opens().await;
    other.answers(json!({ "uid_field": "alice" })).await;
    other.answers(json!({ "password": "wrong" })).await;
    assert_eq!(bench.score(None, Some("alice")).await, 3);
    bench.check().await;
}

#[actix::test]
async fn a_thousand_attempts_stop_at_the_limits() {
    let bench = Bench::new();
    bench.counts("alice", 1, 1000).await;
    assert_eq!(bench.score(None, Some("alice")).await, 5);
    bench.counts("alice", -1, 1000).await;
    assert_eq!(bench.score(None, Some("alice")).await, -5);
    assert_eq!(bench.rows().await.len(), 1);
}

#[actix::test]
async fn without_rows_a_threshold_of_zero_passes_and_a_lower_one_does_not() {
    let bench = Bench::new();
    for (threshold, passes) in [(0, true), (-1, false)] {
        let slug = format!("at{threshold}");
        let stages = [(Kind::Deny, json!({})), (Kind::Dummy, json!({}))];
        let flow = bench.flow(&slug, &stages).await;
        let settings = json!({ "threshold": threshold });
        bench.binds(flow.pk, 0, settings, |_| {}).await;
        let mut visitor = bench.visitor(&slug);
        visitor.opens().await.sees(if passes {
            "ak-stage-access-denied"
        } else {
            "ak-stage-dummy"
        });
    }
    bench.check().await;
}

#[actix::test]
async fn what_a_command_counts_decides_in_the_same_command() {
    let by_address = json!({ "threshold": -1, "check_username": false });
    let by_name = json!({ "threshold": -1, "check_ip": false });
    for (slug, settings) in [("address", by_address), ("name", by_name)] {
        let bench = Bench::new();
        let identification = json!({ "user_fields": ["username"], "pretend_user_exists": false });
        let stages = [
            (Kind::Deny, json!({})),
            (Kind::Identification, identification),
        ];
        let flow = bench.flow(slug, &stages).await;
        bench.binds(flow.pk, 0, settings, |_| {}).await;
        // With nothing counted, zero is below this one: the stage is in the plan.
        let always = json!({ "threshold": 1000 });
        let again = |binding: &mut FlowStageBinding| {
            binding.invalid_response_action = InvalidResponseAction::RestartWithContext;
        };
        bench.binds(flow.pk, 1, always, again).await;
        let mut visitor = bench.visitor(slug);
        visitor.opens().await.sees("ak-stage-identification");
        let answer = visitor.answers(json!({ "uid_field": "nobody" })).await;
        answer.sees("ak-stage-access-denied");
        let trail = bench.trail().await;
        assert!(trail.contains(r#""saw":"reputation""#), "{trail}");
        assert!(trail.contains(r#""score":-1"#), "{trail}");
        bench.check().await;
    }
}

/// So many visitors type the same unknown name at the same moment.
async fn fail_together(bench: &Bench, visitors: usize) {
    let fails = async || {
        let mut visitor = bench.visitor("who");
        visitor.opens().await;
        let answer = visitor.answers(json!({ "uid_field": "nobody" })).await;
        answer.with_error("non_field_errors", "invalid");
    };
    join_all((0..visitors).map(|_| fails())).await;
}

#[actix::test]
async fn failures_at_the_same_moment_are_all_counted() {
    for (first, then, score) in [(1, 20, -5), (3, 1, -4)] {
        let bench = Bench::new();
        let settings = json!({ "user_fields": ["username"], "pretend_user_exists": false });
        bench.flow("who", &[(Kind::Identification, settings)]).await;
        fail_together(&bench, first).await;
        fail_together(&bench, then).await;
        assert_eq!(bench.rows().await.len(), 1);
        assert_eq!(bench.score(None, Some("nobody")).await, score);
        bench.check().await;
    }
}

#[actix::test]
async fn a_score_ends_a_day_after_its_first_attempt_and_begins_again() {
    let bench = Bench::new();
    bench.counts("alice", -1, 2).await;
    bench.clock.advance(Duration::from_hours(23));
    bench.counts("alice", -1, 1).await;
    assert_eq!(bench.score(None, Some("alice")).await, -3);
    bench.clock.advance(Duration::from_hours(1));
    assert_eq!(bench.score(None, Some("alice")).await, 0);
    let before = bench.rows().await;
    bench.counts("alice", -1, 1).await;
    assert_eq!(bench.score(None, Some("alice")).await, -1);
    let after = bench.rows().await;
    assert_eq!(before[0].id, after[0].id, "the row is the same");
    assert!(before[0].expires < after[0].expires);
}

#[actix::test]
async fn what_has_expired_is_swept_away_and_nothing_else() {
    let bench = Bench::new();
    for number in 0..300 {
        bench.counts(&format!("early-{number}"), -1, 1).await;
    }
    bench.clock.advance(Duration::from_hours(12));
    bench.counts("late", -1, 1).await;
    bench.executions.sweep().await.expect("a sweep");
    assert_eq!(bench.rows().await.len(), 301);
    bench.clock.advance(Duration::from_hours(12));
    bench.executions.sweep().await.expect("a sweep");
    let rows = bench.rows().await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].identifier, "late");
    bench.counts("early-0", -1, 1).await;
    assert_eq!(bench.score(None, Some("early-0")).await, -1);
}

#[actix::test]
async fn scores_outlive_a_restart() {
    let mut bench = Bench::new();
    bench.counts("alice", -1, 2).await;
    bench.restart();
    assert_eq!(bench.score(None, Some("alice")).await, -2);
}

/// A conflict must not make an unknown name slower than a wrong password.
#[actix::test]
async fn a_rerun_does_not_hash_for_nobody_a_second_time() {
    let bench = Bench::new();
    let (journal, clock) = (Arc::clone(&bench.journal), Clock::system());
    let pool = Arc::new(Pool::new(1, 8, 0, clock.clone()).expect("a thread"));
    let (limits, outside) = (Limits::default(), Outside::default());
    let executions = Executions::start(journal, clock.clone(), pool, limits, outside, 1);
    let carried = Arc::<Carried>::default();
    let takes = async || {
        let world = Live::new(&executions.shared, Uuid::nil(), clock.now(), &carried);
        let start = clock.monotonic();
        world.burn_password().await.expect("it is not busy");
        let once = start.elapsed();
        (once, world)
    };
    let (first, _) = takes().await;
    let (again, world) = takes().await;
    // Generously, for a machine that is doing other things.
    assert!(again < first / 20, "{again:?} of {first:?}");
    let start = clock.monotonic();
    world.burn_password().await.expect("it is not busy");
    assert!(start.elapsed() > first / 20, "one more than the last time");
}
