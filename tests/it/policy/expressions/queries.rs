//! Queries of users, groups, flows, stages and bindings.

use serde_json::json;

use crate::policy::bench::Bench;

async fn people(bench: &Bench) {
    let staff = bench.group("staff", json!({})).await;
    for (name, email, team) in [
        ("ann", "ann@example.com", "red"),
        ("bob", "bob@example.org", "blue"),
        ("adm-cleo", "Cleo@example.com", "red"),
    ] {
        let groups = if name == "bob" {
            vec![]
        } else {
            vec![staff.pk]
        };
        bench
            .user(name, |user| {
                user.email = email.to_owned();
                user.groups = groups;
                user.is_active = name != "bob";
                user.attributes.insert("team".to_owned(), json!(team));
                user.attributes.insert("size".to_owned(), json!(name.len()));
            })
            .await;
    }
}

#[actix::test]
async fn users_are_found_by_what_they_are() {
    let bench = Bench::new().await;
    people(&bench).await;
    let source = r#"
from authentik.core.models import Group, User
def named(rows):
    return [user.username for user in rows]
find = User.objects
print(named(find.all()), find.count(), find.filter(is_active=True).count())
print(named(find.filter(username="ann")), named(find.filter(username__iexact="ANN")))
print(named(find.filter(username__startswith="adm-")), named(find.filter(email__iexact="cleo@EXAMPLE.com")))
print(named(find.filter(email__endswith="@example.com").exclude(username="ann")))
print(named(find.filter(attributes__team="red")), named(find.filter(attributes__size__gt=3)))
print(named(find.filter(groups__name="staff")), named(find.exclude(groups__name="staff")))
print(named(find.filter(groups__name__icontains="TAF", is_active=True)))
print(named(find.filter(username__in=["ann", "bob", "x"])), named(find.filter(last_login__isnull=False)))
print(named(find.filter(attributes__contains={"team": "blue"})), named(find.filter(attributes__none__isnull=True)))
print(named(find.order_by("-username")), named(find.order_by("attributes__team", "username")))
print(list(find.values_list("username", flat=True)), find.values_list("username", "is_active")[0])
print(find.get(username="ann").email, find.filter(username="x").first(), find.first().username, find.last().username)
print(named(find.filter(groups=Group.objects.get(name="staff"))), find.get(pk=request.user.pk) == request.user)
print(named(find.filter(uuid=request.user.uuid)), [u.username for u in find.all()[:1]])
kept = find.filter(is_active=True)
print(kept.exists(), kept.count(), kept.first().username, len(kept), bool(find.filter(username="x")))
return True"#;
    let me = gatelog::directory::user_by_username(bench.journal.as_ref(), "ann").await;
    let me = me.expect("a read").expect("a user").value;
    let printed = bench.prints("users", source, Some(&me)).await;
    let expected = "['ann', 'bob', 'adm-cleo'] 3 2\n\
        ['ann'] ['ann']\n\
        ['adm-cleo'] ['adm-cleo']\n\
        ['adm-cleo']\n\
        ['ann', 'adm-cleo'] ['adm-cleo']\n\
        ['ann', 'adm-cleo'] ['bob']\n\
        ['ann', 'adm-cleo']\n\
        ['ann', 'bob'] []\n\
        ['bob'] ['ann', 'bob', 'adm-cleo']\n\
        ['bob', 'ann', 'adm-cleo'] ['bob', 'adm-cleo', 'ann']\n\
        ['ann', 'bob', 'adm-cleo'] ('ann', True)\n\
        ann@example.com None ann adm-cleo\n\
        ['ann', 'adm-cleo'] True\n\
        ['ann'] ['ann']\n\
        True 2 ann 2 False";
    assert_eq!(printed, expected);
    bench.check().await;
}

#[actix::test]
async fn a_query_that_makes_no_sense_raises_what_django_raises() {
    let bench = Bench::new().await;
    people(&bench).await;
    let source = r#"
from authentik.core.models import Application, User
try:
    User.objects.get(username="x")
except User.DoesNotExist as error:
    print("missing:", error)
try:
    User.objects.get(is_active=True)
except User.MultipleObjectsReturned as error:
    print("several:", error)
try:
    User.objects.filter(shoe_size=44)
except Exception as error:
    print(error)
try:
    User.objects.create(username="x")
except NotImplementedError as error:
    print(error)
print(ak_user_by(shoe_size=44), ak_user_by(username="x"), ak_user_by(email="ann@example.com").username)
print(ak_user_by(attributes__team="blue").username, Application.objects.filter(slug="a").exists())
return True"#;
    let printed = bench.prints("raises", source, None).await;
    let expected = "missing: User matching query does not exist.\n\
        several: get() returned more than one User -- it returned 2!\n\
        FieldError: Cannot resolve keyword 'shoe_size' into field.\n\
        create() of a query is not available in expressions of this version\n\
        None None ann\n\
        bob False";
    assert_eq!(printed, expected);
    bench.check().await;
}

#[actix::test]
async fn flows_stages_and_bindings_are_found_by_what_they_are() {
    let bench = Bench::new().await;
    bench
        .stage("deny", "no-way", json!({ "deny_message": "Go away" }))
        .await;
    let source = r#"
from authentik.flows.models import Flow, FlowStageBinding, Stage
from authentik.policies.models import PolicyBinding
from authentik.policies.expression.models import ExpressionPolicy
from authentik.stages.deny.models import DenyStage
from authentik.stages.dummy.models import DummyStage
flow = Flow.objects.get(slug="catalog")
print(flow.title, flow.designation, flow.authentication, [stage.name for stage in flow.stages.all()])
print([s.name for s in Stage.objects.filter(name__startswith="catalog")], DummyStage.objects.count())
deny = DenyStage.objects.first()
print(deny.name, deny.deny_message, isinstance(deny, DenyStage), isinstance(deny, DummyStage))
places = FlowStageBinding.objects.filter(target=flow).order_by("-order")
print([(place.order, place.stage.name, place.target.slug) for place in places])
print(request.obj == places[-1], request.obj.stage.name, request.obj.re_evaluate_policies)
bound = PolicyBinding.objects.filter(target=request.obj).first()
print(bound.policy.name, bound.enabled, bound.timeout, bound.user, bound.group)
print(PolicyBinding.objects.filter(policy=bound.policy).exists(), PolicyBinding.objects.filter(target=flow).exists())
print([p.name for p in ExpressionPolicy.objects.all()])
return True"#;
    let printed = bench.prints("catalog", source, None).await;
    let expected = "Welcome authentication none ['catalog-0', 'catalog-1']\n\
        ['catalog-0', 'catalog-1'] 2\n\
        no-way Go away True False\n\
        [(1, 'catalog-1', 'catalog'), (0, 'catalog-0', 'catalog')]\n\
        True catalog-0 True\n\
        catalog True 30 None None\n\
        True False\n\
        ['catalog']";
    assert_eq!(printed, expected);
    bench.check().await;
}
