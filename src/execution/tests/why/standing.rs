//! Executions that are under way, and what held them up or led them elsewhere.

use super::super::links::{SLUG, asks, bench as with_mail, confirms, link};
use super::*;

#[actix::test]
async fn one_that_waits_for_an_answer() {
    let bench = Bench::new();
    bench.password_login().await;
    bench
        .visitor("login")
        .names("alice")
        .await
        .sees("ak-stage-password");
    bench.tells(Way::Asked).await;
}

#[actix::test]
async fn a_stage_that_fails() {
    let bench = Bench::new();
    let broken = json!({"throw_error": true});
    bench.flow("one", &[(Kind::Dummy, broken)]).await;
    let _failed = bench.visitor("one").tries_to_open().await;
    bench.tells(Way::Stuck).await;
}

#[actix::test]
async fn codes_that_were_wrong() {
    let bench = Bench::new();
    let alice = bench.user("alice", "correct horse").await;
    let of = crate::directory::device::Authenticator::Static { codes: Vec::new() };
    let id = bench.clock.opaque_id();
    let now = bench.clock.now();
    let mut device = crate::directory::device::Device::new(id, alice.uuid, "", of, now);
    device.confirmed = true;
    bench.write(vec![object::put(&device, Version::NONE)]).await;
    bench
        .flow("login", &[who(), (Kind::AuthenticatorValidate, json!({}))])
        .await;
    let mut visitor = bench.visitor("login");
    visitor
        .names("alice")
        .await
        .sees("ak-stage-authenticator-validate");
    visitor.answers(json!({"code": "000000"})).await;
    bench.clock.advance(Duration::from_mins(1));
    visitor.answers(json!({"code": "000001"})).await;
    bench.tells(Way::FactorWrong).await;
}

#[actix::test]
async fn what_was_typed_and_not_accepted() {
    let bench = Bench::new();
    let strict = json!({"user_fields": ["username"], "pretend_user_exists": false});
    bench.flow("login", &[(Kind::Identification, strict)]).await;
    let mut visitor = bench.visitor("login");
    visitor.names("whiterabbit").await;
    visitor.names("whiterabbit").await;
    bench.tells(Way::Complaint).await;
}

#[actix::test]
async fn a_flow_that_began_again() {
    let bench = Bench::new();
    let flow = bench.flow("login", &login_stages()).await;
    let again = |it: &mut FlowStageBinding| {
        it.invalid_response_action = InvalidResponseAction::RestartWithContext;
    };
    bench.place(&flow, 1, again).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.names("alice").await;
    alice
        .types_password("wrong")
        .await
        .sees("ak-stage-identification");
    bench.tells(Way::Restarted).await;
}

#[actix::test]
async fn a_flow_that_led_into_another() {
    let bench = Bench::new();
    let target = bench.flow("target", &[(Kind::Dummy, json!({}))]).await;
    let settings = json!({"mode": "flow", "target_flow": target.pk, "keep_context": true});
    bench.flow("first", &[(Kind::Redirect, settings)]).await;
    bench.visitor("first").opens().await;
    bench.tells(Way::Redirected).await;
}

#[actix::test]
async fn a_mailed_link() {
    let (bench, _) = with_mail().await;
    let mut asking = asks(&bench, "bob").await;
    bench.tells(Way::AwaitsLink).await;
    for _ in 0..6 {
        bench.clock.advance(Duration::from_secs(1));
        asking.answers(json!({})).await;
    }
    bench.tells(Way::SentAgain).await;
    bench.tells(Way::Withheld).await;

    let (bench, _) = with_mail().await;
    let asking = asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut his = bench.visitor(SLUG).with_query(&query);
    his.opens().await;
    bench.tells(Way::LinkOpened).await;
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    bench.tells(Way::SkippedConfirmed).await;
    asking.gives_up(Canceller::Visitor).await;
    bench.tells(Way::WayGivenUp).await;
    his.answers(json!({})).await.is_sent_to("/");
    bench.tells(Way::Moved).await;

    let (bench, _) = with_mail().await;
    asks(&bench, "bob").await;
    bench.clock.advance(Duration::from_mins(40));
    bench.executions.fire_due().await.expect("they fire");
    bench.tells(Way::LinkRanOut).await;
}
