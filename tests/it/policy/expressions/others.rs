//! Events, imports, and what is not there.

use serde_json::json;

use crate::policy::bench::Bench;

#[actix::test]
async fn a_policy_asks_for_an_event_that_holds_no_secret() {
    let bench = Bench::new().await;
    let user = bench
        .user("ann", |user| user.email = "ann@example.com".to_owned())
        .await;
    let source = r#"
from authentik.flows.models import Flow
ak_create_event("foo", bar="baz", api_key="x", user=request.user, http=request.http_request,
    nested={"password": "x", "auth_method": "password", "items": [0, 1, None, "a"]},
    flow=Flow.objects.get(slug="event"), passing=True)
return True"#;
    assert!(bench.asks("event", source, Some(&user)).await.passes());
    let events = bench.custom_events().await;
    let (action, details) = &events[0];
    assert_eq!(action, "custom_foo");
    let flow = gatelog::catalog::flow_by_slug(bench.journal.as_ref(), "event").await;
    let flow = flow.expect("a read").expect("a flow").value;
    let stars = "********************";
    let expected = json!({
        "bar": "baz",
        "api_key": stars,
        "user": { "username": "ann", "pk": user.pk, "email": "ann@example.com" },
        "nested": { "password": stars, "auth_method": "password", "items": [1, "a"] },
        "flow": {
            "app": "authentik_flows",
            "model_name": "flow",
            "pk": flow.pk.simple().to_string(),
            "name": "event",
        },
        "passing": true,
    });
    assert_eq!(*details, expected);
    bench.check().await;
}

#[actix::test]
async fn what_authentik_has_and_this_server_has_not_can_be_asked_for() {
    let bench = Bench::new().await;
    let source = r#"
from authentik.core.models import USER_ATTRIBUTE_CHANGE_EMAIL, Application, User
from authentik.sources.oauth.models import OAuthSource
from authentik.stages.authenticator import devices_for_user
from authentik.stages.authenticator_duo.models import DuoDevice
from authentik.stages.authenticator_webauthn.models import WebAuthnDevice
from django_otp import devices_for_user as otp
from django.utils.timezone import now
print(USER_ATTRIBUTE_CHANGE_EMAIL, Application.objects.count(), isinstance(context.get("source"), OAuthSource))
print(WebAuthnDevice.objects.filter(user=request.user, confirmed=True).exists(), DuoDevice.objects.first())
print(devices_for_user(request.user), otp(request.user), ak_user_has_authenticator(request.user))
print(isinstance(request.user, User), now().year)
return True"#;
    let user = bench.user("ann", |_| ()).await;
    let printed = bench.prints("imports", source, Some(&user)).await;
    let expected = "goauthentik.io/user/can-change-email 0 False\n\
        False None\n\
        [] [] False\n\
        True 2026";
    assert_eq!(printed, expected);
    bench.check().await;
}

#[actix::test]
async fn what_is_not_in_this_version_says_so() {
    let bench = Bench::new().await;
    for (slug, source, error) in [
        (
            "jwt",
            "ak_create_jwt(request.user, 'p', [])",
            "ak_create_jwt()",
        ),
        ("raw", "ak_create_jwt_raw('p')", "ak_create_jwt_raw()"),
        ("dns", "resolve_dns('localhost')", "resolve_dns()"),
        ("reverse", "reverse_dns('127.0.0.1')", "reverse_dns()"),
        ("web", "requests.get('http://localhost')", "requests"),
        (
            "hash",
            "ak_user_by(username='ann').set_password('x')",
            "set_password()",
        ),
    ] {
        bench_user(&bench).await;
        let told = bench
            .asks(slug, &format!("{source}\nreturn True"), None)
            .await;
        let expected = format!("{error} is not available in expressions of this version");
        assert_eq!(told.error(), expected, "{slug}");
    }
    for (slug, source) in [
        ("events", "from authentik.events.models import Event"),
        (
            "tests",
            "from authentik.core.tests.utils import create_test_user",
        ),
        ("machine", "import subprocess"),
    ] {
        let told = bench
            .asks(slug, &format!("{source}\nreturn True"), None)
            .await;
        assert!(
            told.error().contains("import") || told.error().contains("module"),
            "{told:?}"
        );
    }
    bench.check().await;
}

async fn bench_user(bench: &Bench) {
    let found = gatelog::directory::user_by_username(bench.journal.as_ref(), "ann").await;
    if found.expect("a read").is_none() {
        bench.user("ann", |_| ()).await;
    }
}
