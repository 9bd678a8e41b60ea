//! The plan and the browser's request, as expressions see and change them.

use serde_json::json;

use crate::policy::bench::Bench;

/// A flow of two dummy stages whose first one is asked about with this expression.
async fn laid(bench: &Bench, slug: &str, source: &str) {
    let laid = bench.dummies(slug).await;
    let policy = bench.expression(slug, source).await;
    bench.bind(laid.bindings[0].pbm, &policy).await;
}

#[actix::test]
async fn an_expression_sees_what_is_left_to_do() {
    let bench = Bench::new().await;
    let source = r#"
plan = context["flow_plan"]
print([(binding.stage.name, binding.order) for binding in plan.bindings], plan.has_stages)
print([type(marker).__name__ for marker in plan.markers], plan.bindings[0] == request.obj)
print(plan.flow_pk == request.obj.target.pk.replace("-", ""), plan.bindings[0].pk == request.obj.pk)
print(type(plan.bindings[0].stage).__name__, plan.context.get("pending_user"))
return True"#;
    let printed = bench.prints("plan", source, None).await;
    let expected = "[('plan-0', 0), ('plan-1', 1)] True\n\
        ['ReevaluateMarker', 'ReevaluateMarker'] True\n\
        True True\n\
        DummyStage None";
    assert_eq!(printed, expected);
    bench.check().await;
}

#[actix::test]
async fn a_redirect_takes_the_place_of_the_current_stage() {
    let bench = Bench::new().await;
    let source = r#"
plan = context["flow_plan"]
plan.redirect("https://app.example/x?code=1")
print([binding.stage.name for binding in plan.bindings], plan.bindings[0].pk)
return True"#;
    laid(&bench, "leads", source).await;
    let mut visitor = bench.visitor("leads");
    visitor
        .opens()
        .await
        .is_sent_to("https://app.example/x?code=1");
    let printed = bench.told("leads").await.printed();
    assert_eq!(printed, "['redirect to app.example', 'leads-1'] None");
    visitor
        .answers(json!({ "to": "https://app.example/x?code=1" }))
        .await;
    visitor.is_at("leads-1");
    bench.check().await;
}

#[actix::test]
async fn stages_can_be_put_into_the_plan() {
    let bench = Bench::new().await;
    bench.stage("dummy", "extra", json!({})).await;
    bench.stage("dummy", "final", json!({})).await;
    let source = r#"
from authentik.flows.models import Stage
plan = context["flow_plan"]
if len(plan.bindings) == 2:
    plan.insert_stage(Stage.objects.get(name="extra"))
    plan.append_stage(stage=Stage.objects.get(name="final"))
print([binding.stage.name for binding in plan.bindings])
return True"#;
    laid(&bench, "insert", source).await;
    let mut visitor = bench.visitor("insert");
    visitor.opens().await.is_at("insert-0");
    let printed = bench.told("insert").await.printed();
    assert_eq!(printed, "['insert-0', 'extra', 'insert-1', 'final']");
    for stage in ["extra", "insert-1", "final"] {
        visitor.answers(json!({})).await.is_at(stage);
    }
    visitor.answers(json!({})).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_stage_can_be_put_before_the_current_one() {
    let bench = Bench::new().await;
    bench
        .stage("deny", "no", json!({ "deny_message": "Not today." }))
        .await;
    let source = r#"
from authentik.stages.deny.models import DenyStage
context["flow_plan"].insert_stage(DenyStage.objects.get(name="no"), index=0)
return True"#;
    laid(&bench, "front", source).await;
    let mut visitor = bench.visitor("front");
    visitor.opens().await.sees("ak-stage-access-denied");
    visitor.shows("error_message", "Not today.");
    bench.check().await;
}

#[actix::test]
async fn nothing_stays_of_a_change_of_the_plan_when_the_evaluation_fails() {
    let bench = Bench::new().await;
    let source =
        "plan = context['flow_plan']\nplan.context['x'] = 1\nplan.redirect('/x')\nreturn 1 / 0";
    let laid = bench.dummies("undone").await;
    let policy = bench.expression("undone", source).await;
    bench
        .bind_with(laid.bindings[0].pbm, &policy, |it| it.failure_result = true)
        .await;
    bench.visitor("undone").opens().await.is_at("undone-0");
    bench.check().await;
}

#[actix::test]
async fn an_address_that_a_browser_would_run_is_refused() {
    let bench = Bench::new().await;
    let source = "context['flow_plan'].redirect('javascript:alert(1)')\nreturn True";
    let told = bench.asks("script", source, None).await;
    assert_eq!(
        told.error(),
        "a destination is a path or an http(s) address"
    );
    bench.check().await;
}

#[actix::test]
async fn what_is_put_into_the_plans_context_stays() {
    let bench = Bench::new().await;
    let laid = bench.dummies("context").await;
    for (at, name, source) in [
        (
            0,
            "first",
            "plan = context['flow_plan']\nplan.context['x'] = {'a': 1}\ncontext['y'] = 1\nreturn True",
        ),
        (
            1,
            "second",
            "print(context['x'], context.get('y'))\nreturn True",
        ),
    ] {
        let policy = bench.expression(name, source).await;
        bench.bind(laid.bindings[at].pbm, &policy).await;
    }
    let mut visitor = bench.visitor("context");
    visitor.opens().await.is_at("context-0");
    visitor.answers(json!({})).await.is_at("context-1");
    assert_eq!(bench.told("second").await.printed(), "{'a': 1} None");
    bench.check().await;
}

#[actix::test]
async fn the_request_of_the_browser_looks_as_in_django() {
    let bench = Bench::new().await;
    let source = r#"
http = request.http_request
print(http.path, http.method, http.scheme, http.is_secure(), http.get_host())
print(http.build_absolute_uri("/x?y=1"), http.build_absolute_uri().split("?")[0])
print(http.META["REMOTE_ADDR"], http.META["HTTP_USER_AGENT"], http.META.get("HTTP_HOST"))
print(http.headers.get("User-Agent"), http.headers["Accept-Language"], http.headers.get("X-None"))
print(http.GET.get("next"), http.GET["query"], http.POST, http.COOKIES)
print(http.session.get("authentik/flows/get", {}).get("next"), http.session.get("other", 1))
print(http.brand.domain, http.brand.branding_title, http.tenant.default_user_change_name)
print(http.user.is_authenticated, http_request.path == http.path, str(ak_client_ip), ak_is_sso_flow)
print(ak_client_ip in ip_network("10.0.0.0/8"), ak_client_ip.is_private, request.debug)
return True"#;
    laid(&bench, "http", source).await;
    let visitor = bench.visitor("http").with_query("next=%2Fapp&a=1");
    visitor.from("10.1.2.3").opens().await.is_at("http-0");
    let printed = bench.told("http").await.printed();
    let expected = "/api/v3/flows/executor/http/ GET https True id.example\n\
        https://id.example/x?y=1 https://id.example/api/v3/flows/executor/http/\n\
        10.1.2.3 test id.example\n\
        test de None\n\
        /app next=%2Fapp&a=1 {} {}\n\
        /app 1\n\
        fallback Gatelog True\n\
        False True 10.1.2.3 False\n\
        True True False";
    assert_eq!(printed, expected);
    bench.check().await;
}
