//! What expressions change of users.

use gatelog::directory::User;
use gatelog::flow::event::Event;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::policy::bench::Bench;

#[actix::test]
async fn a_user_that_is_saved_is_written_with_the_events() {
    let bench = Bench::new().await;
    let user = bench.user("ann", |_| ()).await;
    let source = "user = request.user\nuser.attributes['seen'] = {'times': 1}\nuser.name = 'Ann'\n\
                  user.save()\nprint(ak_user_by(username='ann').name)\nreturn True";
    let printed = bench.prints("save", source, Some(&user)).await;
    assert_eq!(printed, "Ann");
    let stored = bench.stored::<User>(user.uuid).await.value;
    assert_eq!(stored.name, "Ann");
    assert_eq!(stored.attributes["seen"], json!({ "times": 1 }));
    let changed = Event::UserChanged {
        user: user.uuid,
        fields: vec!["attributes".to_owned(), "name".to_owned()],
        by: "save".to_owned(),
    };
    assert!(
        bench.events().await.contains(&changed),
        "{:#?}",
        bench.events().await
    );
    bench.check().await;
}

#[actix::test]
async fn nothing_stays_of_a_save_when_the_evaluation_fails() {
    let bench = Bench::new().await;
    let user = bench.user("ann", |_| ()).await;
    let source =
        "request.user.name = 'Ann'\nrequest.user.save()\nak_create_event('x')\nreturn 1 / 0";
    let told = bench.asks("fails", source, Some(&user)).await;
    assert_eq!(told.error(), "division by zero");
    assert_eq!(bench.stored::<User>(user.uuid).await.value.name, "");
    assert!(bench.custom_events().await.is_empty());
    bench.check().await;
}

#[actix::test]
async fn a_policy_sees_what_the_one_before_it_saved_and_both_are_written() {
    let bench = Bench::new().await;
    let user = bench.user("ann", |_| ()).await;
    let laid = bench.dummies("both").await;
    for (name, source) in [
        (
            "one",
            "request.user.attributes['one'] = 1\nrequest.user.save()\nreturn True",
        ),
        (
            "two",
            "u = request.user\nu.attributes['two'] = u.attributes['one'] + 1\nu.save()\nreturn True",
        ),
    ] {
        let policy = bench.expression(name, source).await;
        bench.bind(laid.bindings[0].pbm, &policy).await;
    }
    // The next stage is asked in a command of its own.
    let three = "request.user.attributes['three'] = 3\nrequest.user.save()\nreturn True";
    let policy = bench.expression("three", three).await;
    bench.bind(laid.bindings[1].pbm, &policy).await;
    let mut visitor = bench.visitor("both");
    visitor.logs_in(&user).await.opens().await.is_at("both-0");
    let stored = bench.stored::<User>(user.uuid).await.value;
    assert_eq!(stored.attributes["one"], 1);
    assert_eq!(stored.attributes["two"], 2);
    visitor.answers(json!({})).await.is_at("both-1");
    let stored = bench.stored::<User>(user.uuid).await.value;
    assert_eq!(stored.attributes.len(), 3, "{:?}", stored.attributes);
    bench.check().await;
}

#[actix::test]
async fn two_executions_that_save_the_same_user_lose_nothing() {
    let bench = Bench::new().await;
    let user = bench.user("ann", |_| ()).await;
    for slug in ["left", "right"] {
        let laid = bench.dummies(slug).await;
        // Both have read the user long before either is done.
        let source = format!(
            "for i in range(200000):\n    pass\nu = request.user\nu.attributes['{slug}'] = 1\nu.save()\nreturn True"
        );
        let policy = bench.expression(slug, &source).await;
        bench.bind(laid.bindings[0].pbm, &policy).await;
    }
    let (mut left, mut right) = (bench.visitor("left"), bench.visitor("right"));
    left.logs_in(&user).await;
    right.logs_in(&user).await;
    futures_util::future::join(left.opens(), right.opens()).await;
    let stored = bench.stored::<User>(user.uuid).await.value;
    assert_eq!(stored.attributes.len(), 2, "{:?}", stored.attributes);
    bench.check().await;
}

#[actix::test]
async fn a_hash_that_is_replaced_and_a_save_of_the_same_command_are_one_revision() {
    let bench = Bench::that_hashes().await;
    // Made by Django from these words, with far fewer rounds than today.
    let encoded =
        "pbkdf2_sha256$1000$saltsaltsaltsaltsalt22$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=";
    let with = |user: &mut gatelog::directory::NewUser| user.password = Some(encoded.into());
    let user = bench.user("ann", with).await;
    let identification = json!({ "user_fields": ["username"] });
    let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
    let stages = [
        ("identification", identification),
        ("password", backends),
        ("dummy", json!({})),
    ];
    let laid = bench.flow("upgrade", &stages).await;
    let source = "u = request.user\nu.attributes['logins'] = 1\nu.save()\nreturn True";
    let policy = bench.expression("counts", source).await;
    bench.bind(laid.bindings[2].pbm, &policy).await;
    let before = bench.stored::<User>(user.uuid).await;
    let mut visitor = bench.visitor("upgrade");
    visitor.opens().await;
    visitor.answers(json!({ "uid_field": "ann" })).await;
    let body = json!({ "password": "correct horse battery staple" });
    visitor.answers(body).await.is_at("upgrade-2");
    let after = bench.stored::<User>(user.uuid).await;
    let password = after.value.password.expose_secret();
    assert!(password.starts_with("argon2"), "the hash was not replaced");
    assert_eq!(after.version, before.version.next());
    assert_eq!(after.value.attributes["logins"], 1);
    bench.check().await;
}

#[actix::test]
async fn what_cannot_be_saved_raises_a_value_error() {
    let bench = Bench::new().await;
    let user = bench.user("ann", |_| ()).await;
    bench.user("bob", |_| ()).await;
    let source = r#"
def tries(field, value):
    before = getattr(user, field)
    setattr(user, field, value)
    try:
        user.save()
        print(field, "was saved")
    except ValueError as error:
        print(error)
    setattr(user, field, before)
user = ak_user_by(username="ann")
tries("email", "nonsense")
tries("username", "bob")
tries("username", "")
tries("path", "/x")
tries("type", "robot")
tries("is_active", "yes")
tries("pk", 7)
tries("is_superuser", True)
user.attributes["x"] = {1, 2}
try:
    user.save()
except ValueError as error:
    print(error)
return True"#;
    let printed = bench.prints("invalid", source, Some(&user)).await;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 9, "{printed}");
    for (line, field) in lines.iter().zip([
        "email",
        "username",
        "username",
        "path",
        "type",
        "is_active",
        "pk",
        "is_superuser",
        "attributes",
    ]) {
        assert!(line.starts_with(&format!("{field}: ")), "{printed}");
    }
    let stored = bench.stored::<User>(user.uuid).await.value;
    assert_eq!(stored.username, "ann");
    bench.check().await;
}

#[actix::test]
async fn groups_of_a_user_can_be_changed() {
    let bench = Bench::new().await;
    let old = bench.group("old", json!({})).await;
    let new = bench.group("new", json!({})).await;
    let user = bench.user("ann", |user| user.groups = vec![old.pk]).await;
    let source = r#"
from authentik.core.models import Group
request.user.groups.add(Group.objects.get(name="new"))
request.user.groups.remove(Group.objects.get(name="old"))
print([group.name for group in request.user.groups.all()], ak_is_group_member(request.user, name="old"))
return True"#;
    let printed = bench.prints("groups", source, Some(&user)).await;
    assert_eq!(printed, "['new'] False");
    assert_eq!(bench.stored::<User>(user.uuid).await.value.groups, [new.pk]);
    bench.check().await;
}
