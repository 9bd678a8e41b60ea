//! What a password has to be like, and where it is looked for.

use gatelog::flow::context::Value as Known;
use serde_json::{Value, json};

use super::super::bench::Bench;
use super::{context, map, typed};

const NOT_SET: &str = "Password not set in context";

#[actix::test]
async fn without_a_password_there_is_nothing_to_judge() {
    let bench = Bench::new().await;
    let policy = bench.policy("password", "rules", json!({})).await;
    for context in [
        context([]),
        typed(""),
        typed(Value::Null),
        // What was typed counts, also when it is nothing.
        context([
            ("prompt_data", Known::Json(json!({"password": ""}))),
            ("password", Known::text("long enough")),
        ]),
        // A secret that is not in the vault.
        context([("prompt_data", map([("password", Known::Secret(policy.pk))]))]),
    ] {
        let tested = bench.tries(&policy, None, context).await;
        assert!(!tested.judged.passing);
        assert_eq!(tested.judged.messages, [NOT_SET]);
    }
}

#[actix::test]
async fn the_password_is_in_the_prompt_or_else_in_the_context() {
    let bench = Bench::new().await;
    let settings = json!({"password_field": "pin", "length_min": 4, "error_message": "short"});
    let policy = bench.policy("password", "rules", settings).await;
    for (prompted, known, passing) in [
        (json!({"pin": "1234"}), "1", true),
        (json!({"pin": "1"}), "1234", false),
        (json!({"other": "x"}), "1234", true),
        (json!({"pin": 1234}), "1", true),
    ] {
        let prompted = Known::Json(prompted);
        let context = context([("prompt_data", prompted), ("pin", Known::text(known))]);
        let tested = bench.tries(&policy, None, context).await;
        assert_eq!(tested.judged.passing, passing);
        let said: &[&str] = if passing { &[] } else { &["short"] };
        assert_eq!(tested.judged.messages, said);
    }
}

#[actix::test]
async fn each_rule_fails_with_the_configured_message() {
    let bench = Bench::new().await;
    let settings = json!({
        "amount_digits": 1,
        "amount_uppercase": 1,
        "amount_lowercase": 2,
        "amount_symbols": 3,
        "length_min": 24,
        "error_message": "test message",
    });
    let policy = bench.policy("password", "rules", settings).await;
    let broken = (false, vec!["test message".to_owned()]);
    for password in [
        "test",
        "TTTTTTTTTTTTTTTTTTTTTT1",
        "ttttttttttttttttttttttttt1!!!",
        "TTTTTTTTTTTTTTTTTTTTTTTTt1!!!",
        "Teeeeeeeeeeeeeeeeeeeeeeee!!!",
        "Teeeeeeeeeeeeeeeeeeeeeeee1!!",
    ] {
        assert_eq!(bench.says(&policy, password).await, broken, "{password}");
    }
    let good = bench.says(&policy, "1!!!Teeeeeeeeeeeeeeeeeeeeee").await;
    assert_eq!(good, (true, vec![]));
}

#[actix::test]
async fn rules_that_are_turned_off_do_not_count() {
    let bench = Bench::new().await;
    let settings = json!({"check_static_rules": false, "length_min": 100});
    let policy = bench.policy("password", "off", settings).await;
    assert!(bench.says(&policy, "x").await.0);
    let policy = bench
        .policy("password", "on", json!({"length_min": 100}))
        .await;
    let broken = (false, vec!["Invalid password.".to_owned()]);
    assert_eq!(bench.says(&policy, "x").await, broken);
}

#[actix::test]
async fn a_password_that_is_easily_guessed_is_told_so() {
    let bench = Bench::new().await;
    let settings = json!({
        "check_static_rules": false,
        "check_zxcvbn": true,
        "zxcvbn_score_threshold": 3,
    });
    let policy = bench.policy("password", "strength", settings).await;
    let weak = "Password is too weak.".to_owned();
    let help = "Add another word or two. Uncommon words are better.".to_owned();
    let said = bench.says(&policy, "password").await;
    assert_eq!(said, (false, vec![weak.clone(), help]));
    let said = bench.says(&policy, "Awdccdw1234").await;
    assert_eq!(said, (false, vec![weak]));
    let random = crate::support::random(24);
    assert_eq!(bench.says(&policy, &random).await, (true, vec![]));
}

#[actix::test]
async fn the_users_own_name_is_easily_guessed() {
    let bench = Bench::new().await;
    let settings = json!({"check_static_rules": false, "check_zxcvbn": true});
    let policy = bench.policy("password", "strength", settings).await;
    let name = "Xyrzqwv Plkmnbg";
    let with_name = |user: &mut gatelog::directory::NewUser| name.clone_into(&mut user.name);
    let owner = bench.user("owner", with_name).await;
    let other = bench.user("other", |_| ()).await;
    let passes = async |user| {
        let tested = bench.tries(&policy, Some(user), typed(name)).await;
        tested.judged.passing
    };
    assert!(!passes(&owner).await);
    assert!(passes(&other).await);
}

/// A policy of another stage put what was typed there; the visitor reads why it is refused.
#[actix::test]
async fn a_stage_is_left_out_when_what_another_policy_put_there_is_too_short() {
    let bench = Bench::new().await;
    let laid = bench.dummies("signup").await;
    let source = "context['flow_plan'].context['prompt_data'] = {'password': 'short'}\nreturn True";
    let puts = bench.expression("puts", source).await;
    bench.bind(laid.bindings[0].pbm, &puts).await;
    let settings = json!({"length_min": 12, "error_message": "twelve at least"});
    let rules = bench.policy("password", "rules", settings).await;
    bench.bind(laid.bindings[1].pbm, &rules).await;
    let mut visitor = bench.visitor("signup");
    visitor.opens().await.is_at("signup-0");
    visitor.answers(json!({})).await.is_sent_to("/");
    let told = bench.told("rules").await;
    assert!(!told.passes());
    assert_eq!(told.messages(), ["twelve at least"]);
    bench.check().await;
}

/// The context that an execution begins with may hold it as well.
#[actix::test]
async fn a_good_password_of_the_first_context_lets_the_stage_stay() {
    let bench = Bench::new().await;
    let laid = bench.dummies("signup").await;
    let settings = json!({"length_min": 12, "check_zxcvbn": true});
    let rules = bench.policy("password", "rules", settings).await;
    bench.bind(laid.bindings[0].pbm, &rules).await;
    let mut visitor = bench.visitor("signup");
    visitor.opens().await.is_at("signup-1");
    assert_eq!(bench.told("rules").await.messages(), [NOT_SET]);
    visitor.begins_anew(typed("tK7#pQ2vXz9!mW4r")).await;
    visitor.opens().await.is_at("signup-0");
    assert!(bench.told("rules").await.passes());
    bench.check().await;
}
