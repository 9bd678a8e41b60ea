//! Events, imports, and what is not there.

use gatelog::directory::device::Totp;
use gatelog::directory::{Authenticator, Device};
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
async fn a_policy_asks_which_devices_somebody_has_and_learns_no_secret() {
    let bench = Bench::new().await;
    let user = bench.user("ann", |_| ()).await;
    let other = bench.user("bob", |_| ()).await;
    let totp = |key: &str| {
        Authenticator::Totp(Totp {
            key: key.into(),
            digits: 8,
            step: 30,
            drift: 0,
            last_t: -1,
        })
    };
    let codes = Authenticator::Static { codes: Vec::new() };
    let now = bench.clock.now();
    for (owner, name, of, confirmed) in [
        (&user, "app", totp("5ec4e7"), true),
        (&user, "begun", codes, false),
        (&other, "other", totp("5ec4e7"), true),
    ] {
        let mut device = Device::new(bench.clock.opaque_id(), owner.uuid, name, of, now);
        device.confirmed = confirmed;
        bench.put(&device).await;
    }
    let source = r#"
from authentik.stages.authenticator import devices_for_user
from authentik.stages.authenticator_static.models import StaticDevice
from authentik.stages.authenticator_totp.models import TOTPDevice
print(ak_user_has_authenticator(request.user), ak_user_has_authenticator(request.user, "totp"), ak_user_has_authenticator(request.user, device_type="static"))
devices = devices_for_user(request.user)
print(len(devices), devices[0].name, devices[0].digits, devices[0].user == request.user, isinstance(devices[0], TOTPDevice))
print([device.name for device in devices_for_user(request.user, confirmed=None)])
print(TOTPDevice.objects.count(), TOTPDevice.objects.filter(user=request.user).count(), StaticDevice.objects.filter(user=request.user, confirmed=True).exists())
for name in ("key", "codes", "token_set", "last_t"):
    print(hasattr(devices[0], name))
return True"#;
    let printed = bench.prints("devices", source, Some(&user)).await;
    let expected = "True True False\n\
        1 app 8 True True\n\
        ['begun', 'app']\n\
        2 1 False\n\
        False\nFalse\nFalse\nFalse";
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
