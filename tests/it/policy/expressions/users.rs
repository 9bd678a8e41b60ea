//! Users and groups, as expressions see them.

use serde_json::json;

use crate::policy::bench::Bench;

#[actix::test]
async fn a_user_has_the_attributes_that_authentik_gives_them() {
    let bench = Bench::new().await;
    let staff = bench
        .group("staff", json!({ "floor": 1, "doors": ["a"] }))
        .await;
    let mut admins = gatelog::directory::Group::new(&bench.clock, "admins");
    admins.parents = vec![staff.pk];
    admins.is_superuser = true;
    bench.put(&admins).await;
    let user = bench.user("ann", |user| {
        user.name = "Ann Example".to_owned();
        user.email = "ann@example.com".to_owned();
        user.groups = vec![admins.pk];
        user.attributes = json!({ "doors": ["b"], "settings": { "locale": "de" } })
            .as_object()
            .cloned()
            .expect("an object");
    });
    let user = user.await;
    let source = r#"
user = request.user
print(user.pk, user.username, user.name, user.email, user.path, user.type)
print(user.is_active, user.is_authenticated, user.is_anonymous, user.is_superuser)
print([group.name for group in user.groups.all()], [group.name for group in user.all_groups()])
print(user.groups.filter(name__startswith="adm").exists(), user.groups.filter(name="x").exists())
print(user.groups.exclude(name="admins").count(), user.groups.first().name)
print(user.group_attributes(), user.attributes["doors"])
print(user.has_usable_password(), user.last_login, user.locale(), len(user.uid), user.avatar[:10])
print(user.date_joined.year, user.password_change_date == user.date_joined, user.app_entitlements(None))
print(user.uuid == str(user.uuid), hasattr(user, "backend"), hasattr(user, "password"))
print(user == request.http_request.user, user == context["flow_plan"].context.get("pending_user"))
return True"#;
    let printed = bench.prints("attributes", source, Some(&user)).await;
    let expected = format!(
        "{} ann Ann Example ann@example.com users internal\n\
         True True False True\n\
         ['admins'] ['admins', 'staff']\n\
         True False\n\
         0 admins\n\
         {{'floor': 1, 'doors': ['a', 'b'], 'settings': {{'locale': 'de'}}}} ['b']\n\
         True None de 64 data:image\n\
         2026 True []\n\
         True False False\n\
         True False",
        user.pk
    );
    assert_eq!(printed, expected);
    bench.check().await;
}

#[actix::test]
async fn nobody_is_an_anonymous_user() {
    let bench = Bench::new().await;
    let source = r#"
from django.contrib.auth.models import AnonymousUser
user = request.user
print(user.is_authenticated, user.is_anonymous, user.is_active, user.is_superuser)
print(user.pk, repr(user.username), hasattr(user, "attributes"), hasattr(user, "email"))
print(isinstance(user, AnonymousUser), user.groups.exists(), ak_is_group_member(user, name="x"))
return True"#;
    let printed = bench.prints("nobody", source, None).await;
    let expected = "False True False False\nNone '' False False\nTrue False False";
    assert_eq!(printed, expected);
    bench.check().await;
}

/// Identification, password, and a stage whose policy is asked when its turn comes.
async fn login(bench: &Bench, slug: &str, password: &str, after: &str) {
    let identification = json!({ "user_fields": ["username"], "pretend_user_exists": true });
    let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
    let stages = [
        ("identification", identification),
        ("password", backends),
        ("dummy", json!({})),
    ];
    let laid = bench.flow(slug, &stages).await;
    for (at, name, source) in [(1, "password", password), (2, "after", after)] {
        let policy = bench.expression(&format!("{slug}-{name}"), source).await;
        bench.bind(laid.bindings[at].pbm, &policy).await;
    }
}

#[actix::test]
async fn somebody_whom_nobody_knows_is_a_user_without_a_number() {
    let bench = Bench::new().await;
    let source = r#"
user = request.user
print(user.username, user.email, user.pk, user.is_authenticated, user.is_anonymous)
print(user.attributes, [g for g in user.all_groups()], user.group_attributes())
print(user == context["pending_user"], context["flow_plan"].context["pending_user"].username)
try:
    user.save()
except NotImplementedError:
    print("not saved")
return True"#;
    login(&bench, "stranger", source, "return True").await;
    let mut visitor = bench.visitor("stranger");
    visitor.opens().await;
    let body = json!({ "uid_field": "nobody@example.com" });
    visitor.answers(body).await.sees("ak-stage-password");
    let printed = bench.told("stranger-password").await.printed();
    let expected = "nobody@example.com nobody@example.com None True False\n\
                    {} [] {}\n\
                    True nobody@example.com\n\
                    not saved";
    assert_eq!(printed, expected);
    bench.check().await;
}

#[actix::test]
async fn whoever_checked_the_password_leaves_a_mark_on_the_pending_user() {
    let bench = Bench::new().await;
    bench.user("ann", |_| ()).await;
    let shipped = "plan = request.context.get(\"flow_plan\")\nif not plan:\n    return True\n\
                   return not hasattr(plan.context.get(\"pending_user\"), \"backend\")";
    let after = r#"
print(context["pending_user"].backend, request.user.backend)
print(request.user.check_password("password"), request.user.check_password("wrong"))
print(hasattr(request.http_request.user, "backend"))
return True"#;
    login(&bench, "login", shipped, after).await;
    let mut visitor = bench.visitor("login");
    visitor.opens().await;
    visitor
        .answers(json!({ "uid_field": "ann" }))
        .await
        .sees("ak-stage-password");
    visitor
        .answers(json!({ "password": "password" }))
        .await
        .is_at("login-2");
    let printed = bench.told("login-after").await.printed();
    let backend = "authentik.core.auth.InbuiltBackend";
    let expected = format!("{backend} {backend}\nTrue False\nFalse");
    assert_eq!(printed, expected);
    bench.check().await;
}

#[actix::test]
async fn groups_have_the_attributes_that_authentik_gives_them() {
    let bench = Bench::new().await;
    let top = bench.group("top", json!({ "a": { "b": 1 } })).await;
    let mut below = gatelog::directory::Group::new(&bench.clock, "below");
    below.parents = vec![top.pk];
    bench.put(&below).await;
    let user = bench.user("ann", |user| user.groups = vec![below.pk]).await;
    let source = r#"
from authentik.core.models import Group
top = Group.objects.get(name="top")
below = top.children.first()
print(top.name, top.is_superuser, top.attributes["a"]["b"], below.name, below.parents.first().name)
print([user.username for user in below.users.all()], top.users.exists())
print(top.is_member(request.user), below.parents.first() == top, str(top.pk) == top.group_uuid)
print(ak_is_group_member(request.user, name="top"), ak_is_group_member(request.user, name="x"))
print(ak_is_group_member(request.user, attributes__a__b=1))
return True"#;
    let printed = bench.prints("groups", source, Some(&user)).await;
    let expected = "top False 1 below top\n['ann'] False\nTrue True True\nTrue False\nTrue";
    assert_eq!(printed, expected);
    bench.check().await;
}
