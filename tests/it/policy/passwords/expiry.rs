//! Passwords that were left unchanged for too long.

use std::time::Duration;

use gatelog::directory::User;
use gatelog::directory::user::has_usable_password;
use gatelog::flow::event::Event;
use serde_json::json;

use super::super::bench::Bench;
use super::context;

const DAY: Duration = Duration::from_hours(24);

#[actix::test]
async fn a_password_is_good_for_so_many_full_days() {
    let bench = Bench::new().await;
    let ann = bench.user("ann", |_| ()).await;
    let settings = json!({"days": 2, "deny_only": true});
    let policy = bench.policy("password_expiry", "old", settings).await;
    let passes = async || {
        let tested = bench.tries(&policy, Some(&ann), context([])).await;
        (tested.judged.passing, tested.judged.messages)
    };
    bench.clock.advance(2 * DAY - Duration::from_millis(1));
    assert_eq!(passes().await, (true, vec![]));
    bench.clock.advance(Duration::from_millis(1));
    let expired = "Password has expired.".to_owned();
    assert_eq!(passes().await, (false, vec![expired]));
}

#[actix::test]
async fn nobody_has_no_password_that_could_expire() {
    let bench = Bench::new().await;
    let policy = bench
        .policy("password_expiry", "old", json!({"days": 0}))
        .await;
    let tested = bench.tries(&policy, None, context([])).await;
    assert!(tested.failed.is_some() && !tested.judged.passing);
}

/// It is taken away once, not with each visit, and the visitor reads how long ago it expired.
#[actix::test]
async fn an_expired_password_is_taken_away() {
    let bench = Bench::new().await;
    let ann = bench.user("ann", |_| ()).await;
    let laid = bench.dummies("login").await;
    let policy = bench
        .policy("password_expiry", "old", json!({"days": 30}))
        .await;
    bench.bind(laid.bindings[1].pbm, &policy).await;
    bench.clock.advance(33 * DAY);
    for visit in 0..2 {
        let mut visitor = bench.visitor("login");
        visitor.logs_in(&ann).await.opens().await.is_at("login-0");
        visitor.answers(json!({})).await.is_sent_to("/");
        let told = bench.told("old").await;
        let message = "Password expired 3 days ago. Please update your password.";
        assert_eq!(told.messages(), [message]);
        let events = bench.events().await;
        let changes: Vec<_> = events
            .iter()
            .filter(|event| matches!(event, Event::UserChanged { .. }))
            .collect();
        let change = Event::UserChanged {
            user: ann.uuid,
            fields: vec!["password".to_owned()],
            by: "old".to_owned(),
        };
        assert_eq!(changes, [&change], "after visit {visit}");
        let now = bench.stored::<User>(ann.uuid).await.value;
        assert!(!has_usable_password(&now));
        assert_eq!(now.password_change_date, ann.password_change_date);
    }
    bench.check().await;
}

/// Trying a policy out changes nobody.
#[actix::test]
async fn a_test_takes_no_password_away() {
    let bench = Bench::new().await;
    let ann = bench.user("ann", |_| ()).await;
    let policy = bench
        .policy("password_expiry", "old", json!({"days": 0}))
        .await;
    let tested = bench.tries(&policy, Some(&ann), context([])).await;
    assert!(!tested.judged.passing);
    let now = bench.stored::<User>(ann.uuid).await.value;
    assert!(has_usable_password(&now));
}
