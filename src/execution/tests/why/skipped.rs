//! Stages that are left out, or that ask nothing.

use super::*;

#[actix::test]
async fn what_policies_leave_out() {
    for (way, on_plan) in [(Way::LeftOutOfPlan, true), (Way::SkippedByPolicies, false)] {
        let bench = Bench::new();
        let flow = bench.flow("login", &login_stages()).await;
        let place = bench
            .place(&flow, 1, |it| {
                it.evaluate_on_plan = on_plan;
                it.re_evaluate_policies = !on_plan;
            })
            .await;
        bench.says(place, 0, false).await;
        bench.user("alice", "correct horse").await;
        bench.visitor("login").names("alice").await.is_sent_to("/");
        bench.tells(way).await;
    }
}

#[actix::test]
async fn a_second_factor_that_is_not_asked_for() {
    let bench = Bench::new();
    let dummy = || (Kind::Dummy, json!({}));
    let validate = |action: &str| {
        let settings = json!({"not_configured_action": action, "configuration_stages": []});
        (Kind::AuthenticatorValidate, settings)
    };
    bench.user("alice", "correct horse").await;
    bench
        .flow("login", &[who(), validate("skip"), dummy()])
        .await;
    bench
        .visitor("login")
        .names("alice")
        .await
        .sees("ak-stage-dummy");
    bench.tells(Way::SkippedNoFactor).await;

    let bench = Bench::new();
    bench.user("alice", "correct horse").await;
    bench.flow("login", &[who(), validate("deny")]).await;
    bench.visitor("login").names("alice").await;
    bench.tells(Way::NoFactor).await;

    let bench = Bench::new();
    let settings = json!({"device_classes": ["totp"]});
    bench
        .flow("login", &[(Kind::AuthenticatorValidate, settings), dummy()])
        .await;
    bench.visitor("login").opens().await.sees("ak-stage-dummy");
    bench.tells(Way::SkippedNobody).await;

    let bench = Bench::new();
    bench.user("alice", "correct horse").await;
    let kind = Kind::AuthenticatorStatic;
    let settings = kind
        .validate(&serde_json::Map::new())
        .expect("good settings");
    let stage = crate::catalog::Stage::new(&bench.clock, kind.name(), "my-codes", settings);
    let setup = stage.pk;
    bench.write(vec![object::put(&stage, Version::NONE)]).await;
    let settings = json!({
        "not_configured_action": "configure", "configuration_stages": [setup],
    });
    bench
        .flow("login", &[who(), (Kind::AuthenticatorValidate, settings)])
        .await;
    bench
        .visitor("login")
        .names("alice")
        .await
        .sees("ak-stage-authenticator-static");
    bench.tells(Way::SkippedToSetUp).await;

    let bench = Bench::new();
    bench
        .flow("setup", &[(Kind::AuthenticatorTotp, json!({})), dummy()])
        .await;
    bench.visitor("setup").opens().await.sees("ak-stage-dummy");
    bench.tells(Way::SkippedNobodyToSetUp).await;
}

#[actix::test]
async fn a_consent_that_was_given_before_and_one_from_an_old_tab() {
    let bench = Bench::new();
    let stages = [
        (Kind::Dummy, json!({})),
        (Kind::Consent, json!({"mode": "permanent"})),
    ];
    bench.flow("consent", &stages).await;
    let alice = bench.user("alice", "x").await;
    let comes = async || {
        let mut context = Context::default();
        context.set(key::PENDING_USER, Some(Known::User(alice.uuid)));
        let application = json!({"pk": "7", "name": "App"});
        context.set("application", Some(Known::Json(application)));
        let mut visitor = bench.visitor("consent");
        visitor.begins_in(context).await.answers(json!({})).await;
        visitor
    };
    let mut first = comes().await;
    let token = first.sees("ak-stage-consent").body()["token"].clone();
    first.answers(json!({"token": "x"})).await;
    bench.tells(Way::ConsentStale).await;
    assert_ne!(first.body()["token"], token);
    let token = first.body()["token"].clone();
    first
        .answers(json!({ "token": token }))
        .await
        .is_sent_to("/");
    bench.clock.advance(Duration::from_secs(5));
    comes().await.is_sent_to("/");
    bench.tells(Way::SkippedConsented).await;
}

#[actix::test]
async fn stages_that_need_not_ask() {
    let bench = Bench::new();
    let may = json!({"continue_flow_without_invitation": true});
    bench.flow("open", &[(Kind::Invitation, may)]).await;
    bench.visitor("open").opens().await.is_sent_to("/");
    bench.tells(Way::SkippedUninvited).await;

    let bench = Bench::new();
    bench.user("alice", "x").await;
    bench
        .flow("login", &[who(), (Kind::Dummy, json!({}))])
        .await;
    let mut alice = bench.visitor("login");
    alice
        .begins_with(json!({"pending_user_identifier": "alice"}))
        .await;
    alice.opens().await.sees("ak-stage-dummy");
    bench.tells(Way::SkippedNamed).await;
}
