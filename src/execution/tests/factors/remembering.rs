//! Browsers that showed a second factor a while ago.

use super::*;
use crate::flow::client::Verified;

/// What is seen by a browser that says this of itself, after the password.
async fn sees(bench: &Bench, mfa: Option<&Verified>) -> Value {
    let visitor = bench.visitor("login");
    let mut session = None;
    let mut body = Value::Null;
    for answer in [
        json!({"uid_field": "alice"}),
        json!({"password": "correct horse"}),
    ] {
        let mut request = visitor.request();
        request.session = session;
        request.client.mfa = mfa.cloned().map(Box::new);
        let reply = bench.executions.answer(request, answer).await;
        let reply = reply.expect("a reply");
        session = Some(reply.session);
        body = reply.body;
    }
    body["component"].clone()
}

#[actix::test]
async fn a_browser_is_asked_again_when_what_it_shows_is_not_good_enough() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, totp()).await;
    bench.login(json!({"last_auth_threshold": "hours=1"})).await;
    let mut alice = bench.enters().await;
    alice.types(&shown_by(KEY, &bench, 0)).await.is_sent_to("/");
    let shown = alice.last.as_ref().and_then(|reply| reply.verified.clone());
    let good = shown.expect("the browser gets something");
    assert_eq!(sees(&bench, Some(&good)).await, "xak-flow-redirect");
    let events = bench.events().await;
    assert!(
        events
            .iter()
            .any(|it| matches!(it, Event::MfaWaived { .. }))
    );

    let hour = Duration::from_hours(1);
    let other = Verified {
        device: good.device + 1,
        ..good.clone()
    };
    let elsewhere = Verified {
        stage: Uuid::from_u128(1),
        ..good.clone()
    };
    let longer = Verified {
        until: good.until + hour,
        ..good.clone()
    };
    for bad in [None, Some(&other), Some(&elsewhere), Some(&longer)] {
        assert_eq!(sees(&bench, bad).await, VALIDATE, "{bad:?}");
    }
    bench.clock.advance(hour);
    assert_eq!(sees(&bench, Some(&good)).await, VALIDATE);
    bench.check().await;
}

#[actix::test]
async fn without_a_threshold_nothing_is_remembered() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    let device = bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let mut alice = bench.enters().await;
    alice.types(&shown_by(KEY, &bench, 0)).await.is_sent_to("/");
    assert_eq!(alice.last.as_ref().and_then(|it| it.verified.clone()), None);
    let stage = crate::catalog::stage_by_name(bench.journal.as_ref(), "login-2").await;
    let forged = Verified {
        stage: stage.expect("a read").expect("it is there").value.pk,
        device: device.pk,
        until: bench.clock.now() + Duration::from_mins(1),
    };
    assert_eq!(sees(&bench, Some(&forged)).await, VALIDATE);
    bench.check().await;
}
