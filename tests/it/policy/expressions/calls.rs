//! Policies that call others.

use gatelog::directory::User;
use gatelog::flow::event::Event;
use serde_json::json;

use super::super::bench::{Bench, Told};

#[actix::test]
async fn a_called_policy_speaks_to_the_visitor_by_its_caller_only() {
    let bench = Bench::new().await;
    bench
        .expression(
            "said",
            "ak_message(request.http_request.path)\nprint('x')\nreturn 'yes'",
        )
        .await;
    let source = r#"
result = ak_call_policy("said")
for message in result.messages:
    ak_message(message)
print(result.passing, result.messages, result.raw_result, result.log_messages)
return ak_call_policy("said").passing"#;
    let told = bench.asks("caller", source, None).await;
    let path = "/api/v3/flows/executor/caller/";
    assert_eq!(told.messages(), [path]);
    assert_eq!(told.printed(), format!("True ('{path}',) yes ('x',)"));
    let events = bench.events().await;
    let asked = events.iter().filter(|event| match event {
        Event::PolicyEvaluated(told) => told.name == "said" && told.binding.is_none(),
        _ => false,
    });
    assert_eq!(asked.count(), 2);
    bench.check().await;
}

#[actix::test]
async fn what_a_caller_hands_on_stays_in_its_context() {
    let bench = Bench::new().await;
    bench
        .expression("called", "context['there'] = context['given'] + 1\ncontext['flow_plan'].context['deep']['b'] = 2\nreturn True")
        .await;
    let source = r#"
plan = context["flow_plan"]
plan.context["deep"] = {"a": 1}
result = ak_call_policy("called", given=1)
print(result.passing, context["given"], context["there"], plan.context["deep"], plan.context.get("there"))
return True"#;
    let laid = bench.dummies("hands").await;
    let policy = bench.expression("hands", source).await;
    bench.bind(laid.bindings[0].pbm, &policy).await;
    let after = bench
        .expression(
            "after",
            "print(context['deep'], context.get('given'))\nreturn True",
        )
        .await;
    bench.bind(laid.bindings[1].pbm, &after).await;
    let mut visitor = bench.visitor("hands");
    visitor.opens().await;
    let printed = bench.told("hands").await.printed();
    assert_eq!(printed, "True 1 2 {'a': 1, 'b': 2} None");
    visitor.answers(json!({})).await;
    assert_eq!(bench.told("after").await.printed(), "{'a': 1, 'b': 2} None");
    bench.check().await;
}

#[actix::test]
async fn a_called_policy_that_fails_does_not_pass_and_says_why() {
    let bench = Bench::new().await;
    bench
        .expression("broken", "ak_create_event('lost')\nreturn 1 / 0")
        .await;
    bench
        .policy("dummy", "yes", json!({ "result": true }))
        .await;
    let source = r#"
result = ak_call_policy("broken")
print(result.passing, result.messages, bool(result))
print(ak_call_policy("yes").passing)
try:
    ak_call_policy("missing")
except ValueError as error:
    print(error)
return True"#;
    let printed = bench.prints("calls", source, None).await;
    let expected = "False ('division by zero',) True\nTrue\nPolicy 'missing' not found.";
    assert_eq!(printed, expected);
    assert!(bench.custom_events().await.is_empty());
    assert!(matches!(bench.told("broken").await, Told::Failed(_)));
    bench.check().await;
}

#[actix::test]
async fn what_a_called_policy_does_stays_only_if_its_caller_ends_well() {
    let bench = Bench::new().await;
    let user = bench.user("ann", |_| ()).await;
    let does =
        "request.user.name = 'Ann'\nrequest.user.save()\nak_create_event('done')\nreturn True";
    bench.expression("does", does).await;
    let fails = "ak_call_policy('does')\nreturn 1 / 0";
    let told = bench.asks("fails", fails, Some(&user)).await;
    assert_eq!(told.error(), "division by zero");
    assert_eq!(bench.stored::<User>(user.uuid).await.value.name, "");
    assert!(bench.custom_events().await.is_empty());
    let ends = "ak_call_policy('does')\nprint(request.user.name)\nreturn True";
    assert_eq!(bench.prints("ends", ends, Some(&user)).await, "Ann");
    assert_eq!(bench.stored::<User>(user.uuid).await.value.name, "Ann");
    assert_eq!(bench.custom_events().await.len(), 1);
    bench.check().await;
}

#[actix::test]
async fn policies_that_call_each_other_for_ever_come_to_an_end() {
    let bench = Bench::new().await;
    let source =
        "result = ak_call_policy('round')\nak_message(str(result.messages))\nreturn result.passing";
    let told = bench.asks("round", source, None).await;
    assert!(!told.passes());
    assert!(told.messages()[0].contains("too deeply"), "{told:?}");
    bench.check().await;
}

#[actix::test]
async fn an_evaluation_that_runs_out_of_time_leaves_nothing_of_what_it_called() {
    let bench = Bench::new().await;
    bench
        .expression("quick", "ak_create_event('quick')\nreturn True")
        .await;
    bench.expression("slow", "while True:\n    pass").await;
    for (name, source) in [
        (
            "waits",
            "ak_call_policy('quick')\nak_call_policy('slow')\nreturn True",
        ),
        ("loops", "ak_call_policy('quick')\nwhile True:\n    pass"),
    ] {
        let laid = bench.dummies(name).await;
        let policy = bench.expression(name, source).await;
        let in_time = |it: &mut gatelog::catalog::PolicyBinding| it.timeout = 1;
        bench
            .bind_with(laid.bindings[0].pbm, &policy, in_time)
            .await;
        bench
            .visitor(name)
            .opens()
            .await
            .is_at(&format!("{name}-1"));
        assert!(bench.told(name).await.error().contains("1000 ms"), "{name}");
    }
    assert!(bench.custom_events().await.is_empty());
    let called = bench.events().await.into_iter().any(|event| match event {
        Event::PolicyEvaluated(told) => told.binding.is_none(),
        _ => false,
    });
    assert!(!called);
    bench.check().await;
}
