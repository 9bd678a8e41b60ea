//! The captcha stage, alone and beside the question who somebody is.

use serde_json::{Value, json};

use crate::support::{
    Answer, CaptchaProvider, Flow, TestServer, Visitor, addresses, forms, random, text_of,
    with_server,
};

const INVALID: &str = "Invalid captcha response";
const RETRY: &str = "Invalid captcha response. Retrying may solve this issue.";
const FAILED: &str = "Failed to validate token";
const REFUSED: &str = "Failed to authenticate.";

/// The settings of a stage that asks this provider.
fn settings(server: &TestServer, provider: &CaptchaProvider, more: &Value) -> Value {
    let key = random(24);
    server.canaries().secret("a provider's key", &key);
    let mut all = json!({
        "public_key": "the-site-key",
        "private_key": key,
        "js_url": provider.script(),
        "api_url": provider.url(),
    });
    let more = more.as_object().expect("settings").clone();
    all.as_object_mut().expect("settings").extend(more);
    all
}

fn token(server: &TestServer, word: &str) -> String {
    CaptchaProvider::token(server.canaries(), word)
}

async fn answers(server: &TestServer, visitor: &mut Visitor, word: &str) -> Answer {
    let token = token(server, word);
    visitor.answers(json!({ "token": token })).await
}

#[track_caller]
fn complains(answer: &Answer, text: &str) {
    answer.sees("ak-stage-captcha");
    let expected = json!({ "token": [{ "string": text, "code": "invalid" }] });
    assert_eq!(answer.json()["response_errors"], expected, "{answer:?}");
}

#[test]
fn whoever_the_provider_takes_for_a_person_goes_on_and_policies_know_what_it_said() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        let attrs = settings(server, &provider, &json!({ "interactive": true }));
        let knows = "said = context['captcha']\n\
                     return said['response']['score'] == 0.5 and said['stage'].name == 'check-it'";
        let flow = Flow::new("check")
            .expression("knows", knows)
            .stage("captcha", "check-it", attrs.clone())
            .dummy("check-after")
            .asks("check-after", "knows", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        let shown = visitor.opens("check").await;
        shown
            .sees("ak-stage-captcha")
            .with("site_key", "the-site-key")
            .with("js_url", provider.script())
            .with("interactive", true)
            .with("pending_user", "")
            .hides(attrs["private_key"].as_str().expect("a key"));
        let good = token(server, "passed");
        let body = json!({ "token": format!(" {good}\n") });
        visitor.answers(body).await.sees("ak-stage-dummy");

        let asked = provider.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].secret, attrs["private_key"]);
        assert_eq!(asked[0].response, good, "without white space");
        let history = server.histories().remove(0);
        let is = |name: &str| history.iter().find(|it| it["event"] == name);
        let assessed = is("captcha_assessed").expect("it is in the trail");
        assert_eq!(assessed["passed"], true);
        assert_eq!(assessed["score"], 0.5);
        assert!(is("effect_requested").is_some() && is("effect_finished").is_some());
        // The provider was told where the browser is.
        let address = &history[0]["client"]["address"];
        assert_eq!(address, asked[0].remoteip.as_str());
    });
}

#[test]
fn every_other_answer_is_refused_in_the_words_for_it_and_another_one_may_do() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        let attrs = settings(server, &provider, &json!({}));
        server.has_flow(&Flow::new("check").stage("captcha", "check-it", attrs));
        let mut visitor = server.visitor();
        visitor.opens("check").await.sees("ak-stage-captcha");
        let words = [
            ("score=99", INVALID),
            ("score=-3", INVALID),
            ("score=null", FAILED),
            ("expired", RETRY),
            ("no-codes", RETRY),
            ("refused", INVALID),
            ("wrong-key", INVALID),
            ("no-keys", INVALID),
            ("broken", FAILED),
            ("html", FAILED),
        ];
        for (word, text) in words {
            complains(&answers(server, &mut visitor, word).await, text);
        }
        let asked = provider.asked().len();
        assert_eq!(asked, words.len(), "each is asked once");
        let output = server.output();
        let mends = "its provider does not take the private key: invalid-input-secret";
        assert!(output.contains(mends), "{output}");
        assert!(output.contains("a captcha could not be judged"), "{output}");
        for (body, code) in [
            (json!({}), "required"),
            (json!({ "token": null }), "null"),
            (json!({ "token": " \t" }), "blank"),
            (json!({ "token": "x".repeat(17_000) }), "max_length"),
        ] {
            visitor.answers(body).await.with_error("token", code);
        }
        assert_eq!(provider.asked().len(), asked, "nothing to ask about");
        // Some providers' tokens are long.
        let long = format!("passed:{}", random(8_000));
        server.canaries().secret("a long token", &long);
        let end = visitor.answers(json!({ "token": long })).await;
        end.is_redirected_to("/");
    });
}

#[test]
fn where_the_score_does_not_count_nothing_is_refused() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        let attrs = json!({ "error_on_invalid_score": false });
        let attrs = settings(server, &provider, &attrs);
        server.has_flow(&Flow::new("check").stage("captcha", "check-it", attrs));
        for word in ["score=-3", "refused", "score=null"] {
            let mut visitor = server.visitor();
            visitor.opens("check").await.sees("ak-stage-captcha");
            let end = answers(server, &mut visitor, word).await;
            end.is_redirected_to("/");
        }
        // Of a provider that says nothing nothing is known.
        let mut visitor = server.visitor();
        visitor.opens("check").await;
        complains(&answers(server, &mut visitor, "broken").await, FAILED);
    });
}

#[test]
fn a_policy_may_put_other_keys_in_the_place_of_the_stages_own() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        let attrs = settings(server, &provider, &json!({}));
        let other = random(24);
        let source = format!(
            "plan = context['flow_plan'].context\n\
             plan['goauthentik.io/stages/captcha/site_key'] = 'another-site-key'\n\
             plan['goauthentik.io/stages/captcha/private_key'] = '{other}'\n\
             return True"
        );
        let flow = Flow::new("check")
            .expression("others", &source)
            .stage("captcha", "check-it", attrs)
            .asks("check-it", "others", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        let shown = visitor.opens("check").await;
        shown.with("site_key", "another-site-key");
        answers(server, &mut visitor, "passed")
            .await
            .is_redirected_to("/");
        assert_eq!(provider.asked()[0].secret, other);
    });
}

#[test]
fn settings_that_cannot_work_are_refused_and_the_private_key_is_never_shown() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        let good = settings(server, &provider, &json!({}));
        for (field, value, text) in [
            ("private_key", Value::Null, "This field may not be null."),
            ("private_key", json!(""), "This field may not be blank."),
            ("public_key", json!(" "), "This field may not be blank."),
            ("js_url", json!("javascript:alert(1)"), "Enter a valid URL."),
            ("api_url", json!("/siteverify"), "Enter a valid URL."),
            (
                "score_min_threshold",
                json!("low"),
                "A valid number is required.",
            ),
        ] {
            let mut wrong = good.clone();
            wrong[field] = value;
            let yaml = Flow::new("wrong")
                .stage("captcha", "wrong-it", wrong)
                .yaml();
            let ran = server.gatelog_reading(&["blueprint", "apply", "-"], &yaml);
            ran.fails_with(1).says(&format!("{field}: {text}"));
        }
        server.has_flow(&Flow::new("check").stage("captcha", "check-it", good.clone()));
        // Neither by an expression nor by a lookup of another blueprint.
        let reads = "from authentik.stages.captcha.models import CaptchaStage\n\
                     stage = CaptchaStage.objects.get(name='check-it')\n\
                     return hasattr(stage, 'public_key') and not hasattr(stage, 'private_key')";
        let flow = Flow::new("curious")
            .expression("reads", reads)
            .dummy("curious-first")
            .asks("curious-first", "reads", json!({}));
        server.has_flow(&flow);
        let shown = server.visitor().opens("curious").await;
        shown.sees("ak-stage-dummy");
        let key = good["private_key"].as_str().expect("a key");
        for entry in [
            format!("identifiers: {{name: x, private_key: {key}}}"),
            "identifiers: {name: x}\n  attrs: {public_key: !AtIndex [!FindObject \
             [authentik_stages_captcha.captchastage, [name, check-it]], private_key]}"
                .to_owned(),
        ] {
            let yaml = format!(
                "version: 1\nentries:\n- model: authentik_stages_captcha.captchastage\n  {entry}\n"
            );
            let ran = server.gatelog_reading(&["blueprint", "apply", "-"], &yaml);
            ran.fails_with(1);
        }
    });
}

/// A page that asks for name, password and captcha.
fn has_one_page(server: &TestServer, provider: &CaptchaProvider) {
    let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
    let who = json!({
        "user_fields": ["username"],
        "password_stage": "!KeyOf one-password",
        "captcha_stage": "!KeyOf one-captcha",
    });
    let flow = Flow::new("one")
        .unbound("password", "one-password", backends)
        .unbound(
            "captcha",
            "one-captcha",
            settings(server, provider, &json!({})),
        )
        .stage("identification", "one-who", who);
    server.has_flow(&flow.stage("user_login", "one-login", json!({})));
}

#[test]
fn beside_the_name_a_captcha_is_judged_first_and_for_everybody() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        has_one_page(server, &provider);
        let alice = server.person();
        let mut visitor = server.visitor();
        let shown = visitor.opens("one").await;
        shown.sees("ak-stage-identification").with(
            "captcha_stage",
            json!({
                "component": "ak-stage-captcha",
                "pending_user": "",
                "pending_user_avatar": "/static/dist/assets/images/user_default.png",
                "site_key": "the-site-key",
                "js_url": provider.script(),
                "interactive": false,
            }),
        );
        let nobody = format!("nobody-{}", random(8));
        let mut bodies = Vec::new();
        for name in [&alice.username, &nobody] {
            for word in ["refused", "expired", "html", ""] {
                let before = provider.asked().len();
                let token = match word {
                    "" => String::new(),
                    word => token(server, word),
                };
                let mut visitor = server.visitor();
                visitor.opens("one").await;
                let body = json!({
                    "uid_field": name, "password": alice.password, "captcha_token": token,
                });
                let refused = visitor.answers(body).await;
                refused.sees("ak-stage-identification");
                let errors = &refused.json()["response_errors"];
                let generic =
                    json!({ "non_field_errors": [{ "string": REFUSED, "code": "invalid" }] });
                assert_eq!(errors, &generic, "{word:?} for {name}");
                assert_eq!(provider.asked().len(), before + 1, "{word:?} for {name}");
                assert_eq!(provider.asked()[before].response, token);
                bodies.push(refused.text.clone());
            }
        }
        let (known, unknown) = bodies.split_at(4);
        assert_eq!(known, unknown, "answers tell who exists");
        // Nothing was judged, so nothing is counted and nobody was looked for.
        for history in server.histories() {
            let tells = ["user_identified", "reputation_changed", "password_rejected"];
            let told = history
                .iter()
                .find(|it| tells.iter().any(|name| it["event"] == *name));
            assert_eq!(told, None);
        }
        // A person is asked for the right password all the same.
        let passed = || token(server, "passed");
        let wrong = json!({
            "uid_field": alice.username, "password": "not-the-password", "captcha_token": passed(),
        });
        let refused = visitor.answers(wrong).await;
        refused.with_error("non_field_errors", "invalid");
        let right = json!({
            "uid_field": alice.username, "password": alice.password, "captcha_token": passed(),
        });
        visitor.answers(right).await.is_redirected_to("/");
        let me = visitor.gets("/api/v3/core/users/me/").await;
        assert_eq!(me.json()["user"]["username"], alice.username);
        // What was typed is kept nowhere, and the provider's answer is not the flow's.
        let history = server.histories().remove(0);
        let left = history.iter().filter(|it| it["event"] == "context_changed");
        let mut left = left.filter(|it| it["key"] == "gatelog/stages/identification/held");
        let last = left.next_back().expect("it was held");
        assert_eq!(last["value"], Value::Null);
        assert!(!history.iter().any(|it| it["key"] == "captcha"));
    });
}

#[test]
fn a_server_that_dies_while_it_asks_does_not_ask_again() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        has_one_page(server, &provider);
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens("one").await.sees("ak-stage-identification");
        let body = |word: &str| {
            json!({
                "uid_field": alice.username,
                "password": alice.password,
                "captcha_token": token(server, word),
                "component": "ak-stage-identification",
            })
        };
        let (slow, right) = (body("stalls=20"), body("passed"));
        let waiting = visitor.in_another_tab();
        let asks = tokio::spawn({
            let mut waiting = waiting;
            waiting.points_at("one");
            async move { waiting.try_to_answer(&slow, &[]).await.is_ok() }
        });
        while provider.asked().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // Meanwhile others are served, and so is the same visitor.
        visitor
            .looks()
            .await
            .sees("ak-stage-identification")
            .without_errors();
        server.kill().await;
        assert!(!asks.await.expect("it is a task"), "the server died");
        visitor.looks().await.sees("ak-stage-identification");
        let end = visitor.answers(right).await;
        end.is_redirected_to("/");
        let words: Vec<String> = provider.asked().into_iter().map(|it| it.response).collect();
        assert_eq!(words.len(), 2, "{words:?}");
        let history = server.histories().remove(0);
        let unknown = history
            .iter()
            .filter(|it| it["event"] == "effect_outcome_unknown");
        assert_eq!(unknown.count(), 1);
    });
}

#[test]
fn a_page_loads_the_script_that_is_configured_and_nothing_else() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        let attrs = settings(server, &provider, &json!({}));
        let flow = Flow::new("check").stage("captcha", "check-it", attrs);
        server.has_flow(&flow.dummy("check-after"));
        has_one_page(server, &provider);
        for path in ["/if/flow/check/", "/if/flow/one/"] {
            let page = server.visitor().gets(path).await;
            page.has_status(200);
            let policy = page.header("content-security-policy");
            let there = provider.base();
            for part in [
                format!("script-src 'self' {there};"),
                format!("frame-src {there};"),
                format!("connect-src 'self' {there};"),
                "form-action 'self'".to_owned(),
                "frame-ancestors 'none'".to_owned(),
            ] {
                assert!(policy.contains(&part), "no {part:?} in {policy:?}");
            }
            assert!(
                !policy.contains('*') && !policy.contains("unsafe"),
                "{policy}"
            );
            let loaded = addresses(&page.text);
            let scripts = loaded
                .iter()
                .filter(|it| it.contains(".js") && !it.contains("/flow.js"));
            let scripts: Vec<_> = scripts.cloned().collect();
            assert_eq!(scripts[0], provider.script());
            assert!(scripts[1].starts_with("/static/dist/assets/captcha.js"));
            assert_eq!(scripts.len(), 2);
            let text = text_of(&page.text);
            assert!(text.contains("This check needs JavaScript."), "{text}");
        }
        // Other pages have the strict one.
        let page = server
            .visitor()
            .gets("/if/flow/default-authentication-flow/")
            .await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(policy.contains("connect-src 'self';"), "{policy}");
        let script = server
            .visitor()
            .gets("/static/dist/assets/captcha.js")
            .await;
        script.has_status(200);
        assert!(script.header("content-type").starts_with("text/javascript"));

        let visitor = server.visitor();
        let form = visitor.form_at("/if/flow/check/").await;
        let refused = token(server, "refused");
        let page = visitor.submits(&form.fill("token", &refused)).await;
        page.has_status(200).shows(INVALID);
        let form = forms(&page.text).remove(0);
        let passed = token(server, "passed");
        let next = visitor.submits(&form.fill("token", &passed)).await;
        next.has_status(303).leads_to("/if/flow/check/");
        let page = visitor.gets("/if/flow/check/").await;
        page.shows("check-after");
    });
}
