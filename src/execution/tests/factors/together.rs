//! The same code, from several places at the same instant.

use futures_util::future::join_all;

use super::*;

/// How many of the visitors are let on when all of them type this code at once.
async fn let_on(bench: &Bench, visitors: &[Visitor<'_>], code: &str) -> usize {
    let asked = visitors.iter().map(|visitor| {
        let request = visitor.request();
        bench.executions.answer(request, json!({"code": code}))
    });
    let replies = join_all(asked).await;
    let bodies = replies
        .into_iter()
        .map(|reply| reply.expect("a reply").body);
    bodies
        .filter(|body| body["component"] == "xak-flow-redirect")
        .count()
}

async fn crowd(bench: &Bench, count: usize) -> Vec<Visitor<'_>> {
    let mut visitors = Vec::new();
    for _ in 0..count {
        let visitor = bench.enters().await;
        visitor.sees(VALIDATE);
        visitors.push(visitor);
    }
    visitors
}

#[actix::test]
async fn a_code_of_a_generator_lets_one_execution_on() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let visitors = crowd(&bench, 5).await;
    let code = shown_by(KEY, &bench, 0);
    assert_eq!(let_on(&bench, &visitors, &code).await, 1);
    bench.check().await;
}

#[actix::test]
async fn a_code_that_was_written_down_lets_one_of_ten_on() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, written_down(&["only", "other"])).await;
    bench.login(json!({})).await;
    let visitors = crowd(&bench, 10).await;
    assert_eq!(let_on(&bench, &visitors, "only").await, 1);
    let devices = bench.devices(&user).await;
    let Authenticator::Static { codes } = &devices[0].value.of else {
        panic!("{devices:?}");
    };
    assert_eq!(codes.len(), 1);
    bench.check().await;
}

#[actix::test]
async fn a_code_that_was_sent_lets_one_execution_on() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.sends(&user, "424242", Duration::from_mins(5)).await;
    bench.login(json!({})).await;
    let visitors = crowd(&bench, 5).await;
    assert_eq!(let_on(&bench, &visitors, "424242").await, 1);
    bench.check().await;
}

#[actix::test]
async fn a_doubled_answer_is_one_answer() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let alice = bench.enters().await;
    let body = json!({"code": shown_by(KEY, &bench, 0)});
    let (one, two) = tokio::join!(
        bench.executions.answer(alice.request(), body.clone()),
        bench.executions.answer(alice.request(), body.clone()),
    );
    for reply in [one, two] {
        assert_eq!(
            reply.expect("a reply").body["component"],
            "xak-flow-redirect"
        );
    }
    let events = bench.events().await.into_iter();
    let verified = events.filter(|it| matches!(it, Event::MfaVerified { .. }));
    assert_eq!(verified.count(), 1);
    assert!(bench.refusals().await.is_empty());
    bench.check().await;
}

#[actix::test]
async fn wrong_codes_at_the_same_instant_are_counted_one_by_one() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.sends(&user, "424242", Duration::from_mins(5)).await;
    bench.login(json!({})).await;
    let visitors = crowd(&bench, 10).await;
    assert_eq!(let_on(&bench, &visitors, "000000").await, 0);
    let attempts = bench
        .stored::<crate::directory::MfaAttempts>(user.uuid)
        .await;
    // From the fifth one on the others are not looked at.
    assert_eq!(attempts.expect("they are counted").value.failures, 5);
    bench.check().await;
}
