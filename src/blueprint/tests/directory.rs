//! Users, groups and tokens in blueprints.

use secrecy::ExposeSecret;

use super::*;
use crate::directory::{group_by_name, token_by_identifier, user_by_username};

const PEOPLE: &str = "
entries:
- model: authentik_core.group
  id: admins
  identifiers: {name: Admins}
  attrs: {is_superuser: true, attributes: {a: 1}}
- model: authentik_core.user
  id: anna
  identifiers: {username: anna}
  attrs:
    name: Anna
    email: anna@example.com
    password: correct horse
    groups: [!KeyOf admins]
- model: authentik_core.token
  identifiers: {identifier: annas}
  attrs: {user: !KeyOf anna, intent: api, key: s3cr3t-k3y, expiring: false}
";

#[tokio::test]
async fn people_are_made_once_with_their_passwords_and_groups() {
    let bench = Bench::installed().await;
    let report = bench.apply(PEOPLE).await.expect("it can be applied");
    assert_eq!(report.count(Outcome::Created), 3);
    let anna = user_by_username(&bench.journal, "anna").await;
    let anna = anna.expect("readable").expect("there").value;
    let admins = group_by_name(&bench.journal, "Admins").await;
    assert_eq!(
        anna.groups,
        [admins.expect("readable").expect("there").value.pk]
    );
    assert_eq!(anna.pk, 1);
    let right = bench
        .pool
        .verify("correct horse".into(), anna.password.clone())
        .await;
    assert!(matches!(
        right,
        Ok(crate::directory::password::Verdict::Accepted { .. })
    ));
    let now = bench.clock.now();
    let token = token_by_identifier(&bench.journal, "annas", now).await;
    let token = token.expect("readable").expect("there").value;
    assert_eq!(token.key.expose_secret(), "s3cr3t-k3y");
    assert_eq!(token.user, anna.uuid);

    let records = bench.records();
    let again = bench.apply(PEOPLE).await.expect("it can be applied again");
    assert_eq!(again.count(Outcome::Unchanged), 3, "{:?}", again.lines());
    assert_eq!(bench.records(), records);

    let other = PEOPLE.replace("correct horse", "battery staple");
    let report = bench.apply(&other).await.expect("it can be applied");
    assert_eq!(report.count(Outcome::Updated), 1);
}

#[tokio::test]
async fn a_report_and_a_problem_tell_no_secret() {
    let bench = Bench::installed().await;
    let report = bench.apply(PEOPLE).await.expect("it can be applied");
    let mut told = format!("{report:?}{:?}", report.lines());
    let bad = PEOPLE.replace("intent: api", "intent: nonsense");
    told.push_str(
        &bench
            .problems(&bad.replace("email: anna@", "email: anna "))
            .await
            .join("\n"),
    );
    for secret in ["correct horse", "s3cr3t-k3y"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test]
async fn the_members_of_a_group_can_be_given_with_the_group() {
    let bench = Bench::installed().await;
    let source = "
entries:
- {model: authentik_core.user, id: a, identifiers: {username: a}}
- {model: authentik_core.user, id: b, identifiers: {username: b}}
- model: authentik_core.group
  identifiers: {name: g}
  attrs: {users: [!KeyOf b]}
";
    let groups_of = async |name: &str| {
        let user = user_by_username(&bench.journal, name)
            .await
            .expect("readable");
        user.expect("there").value.groups.len()
    };
    bench.apply(source).await.expect("it can be applied");
    assert_eq!((groups_of("a").await, groups_of("b").await), (0, 1));
    let swapped = source.replace("KeyOf b", "KeyOf a");
    let report = bench.apply(&swapped).await.expect("it can be applied");
    assert_eq!(report.count(Outcome::Updated), 1);
    assert_eq!((groups_of("a").await, groups_of("b").await), (1, 0));
    let removed = "entries: [{model: authentik_core.group, identifiers: {name: g}, state: absent}]";
    bench.apply(removed).await.expect("it can be applied");
    assert_eq!((groups_of("a").await, groups_of("b").await), (0, 0));
}

#[tokio::test]
async fn a_removed_user_takes_the_tokens_along() {
    let bench = Bench::installed().await;
    bench.apply(PEOPLE).await.expect("it can be applied");
    let source =
        "entries: [{model: authentik_core.user, identifiers: {username: anna}, state: absent}]";
    bench.apply(source).await.expect("it can be applied");
    let token = token_by_identifier(&bench.journal, "annas", bench.clock.now()).await;
    assert!(token.expect("readable").is_none());
    let report = bench.apply(PEOPLE).await.expect("it can be applied");
    assert_eq!(report.count(Outcome::Created), 2, "{:?}", report.lines());
    let anna = user_by_username(&bench.journal, "anna").await;
    assert_eq!(
        anna.expect("readable").expect("there").value.pk,
        2,
        "no number is used twice"
    );
}

#[tokio::test]
async fn password_and_hash_exclude_each_other_and_a_hash_has_to_be_one() {
    let bench = Bench::installed().await;
    let user = |attrs: &str| {
        format!(
            "entries: [{{model: authentik_core.user, identifiers: {{username: u}}, attrs: {attrs}}}]"
        )
    };
    for (attrs, part) in [
        ("{password: a, password_hash: b}", "Cannot set both"),
        ("{password_hash: plain}", "Invalid password hash format."),
        ("{password: ''}", "may not be blank"),
        ("{email: nobody}", "Enter a valid email address."),
        ("{groups: [x]}", "is not a valid UUID"),
        ("{path: /x}", "No leading or trailing slashes"),
    ] {
        let problems = bench.problems(&user(attrs)).await;
        assert!(problems[0].contains(part), "{problems:?}");
    }
}

#[tokio::test]
async fn users_are_not_made_before_there_is_an_installation() {
    let bench = Bench::new();
    let problems = bench.problems(PEOPLE).await;
    assert!(
        problems[0].contains("once the server has been started"),
        "{problems:?}"
    );
}

const ROLES: &str = "
entries:
- model: authentik_flows.flow
  id: flow
  identifiers: {slug: f}
  attrs: {name: F, title: F, designation: authorization}
- model: authentik_rbac.role
  id: viewers
  identifiers: {name: Viewers}
  attrs:
    permissions: [authentik_flows.view_flow, authentik_core.view_application]
- model: authentik_core.group
  identifiers: {name: Staff}
  attrs: {roles: [!KeyOf viewers]}
- model: authentik_core.user
  id: anna
  identifiers: {username: anna}
  attrs:
    name: Anna
    roles: [!KeyOf viewers]
    permissions: [authentik_core.view_user]
- model: authentik_flows.flow
  identifiers: {slug: f}
  permissions:
  - {permission: export_flow, role: !KeyOf viewers}
  - {permission: authentik_flows.inspect_flow, user: !KeyOf anna}
";

#[tokio::test]
async fn roles_permit_what_a_blueprint_gives_them() {
    let bench = Bench::installed().await;
    let report = bench.apply(ROLES).await.expect("it can be applied");
    assert!(report.notes.is_empty(), "{:?}", report.lines());
    let anna = || async {
        let found = user_by_username(&bench.journal, "anna").await;
        found.expect("readable").expect("there").value
    };
    let flow = uuid(report.entries[0].pk.as_ref().expect("it has a key"));
    let granted = async |user: &crate::directory::User| {
        let granted = crate::directory::granted(&bench.journal, user).await;
        granted.expect("readable")
    };
    let may = granted(&anna().await).await;
    assert!(may.may("authentik_flows.view_flow") && may.may("authentik_core.view_user"));
    assert!(may.may_of("authentik_flows.export_flow", flow));
    assert!(may.may_of("authentik_flows.inspect_flow", flow));
    assert!(!may.may("authentik_flows.export_flow") && !may.may("authentik_core.change_user"));
    assert_eq!(anna().await.roles.len(), 2, "and a role of her own");
    let group = group_by_name(&bench.journal, "Staff").await;
    let group = group.expect("readable").expect("there").value;
    assert_eq!(group.roles.len(), 1);

    let records = bench.records();
    let again = ROLES.replace("    roles: [!KeyOf viewers]\n", "");
    let report = bench.apply(&again).await.expect("it can be applied again");
    assert_eq!(report.count(Outcome::Unchanged), 5, "{:?}", report.lines());
    assert_eq!(bench.records(), records);

    let gone = "entries:
- {model: authentik_flows.flow, identifiers: {slug: f}, state: absent}
- {model: authentik_core.user, identifiers: {username: anna}, attrs: {permissions: []}}";
    bench.apply(gone).await.expect("it can be applied");
    let may = granted(&anna().await).await;
    assert!(!may.may_any("authentik_flows.export_flow"));
    assert!(!may.may_any("authentik_flows.inspect_flow"));
    assert!(!may.may("authentik_core.view_user") && may.may("authentik_flows.view_flow"));
    let gone = "entries:
- {model: authentik_rbac.role, identifiers: {name: Viewers}, state: absent}";
    bench.apply(gone).await.expect("it can be applied");
    assert_eq!(anna().await.roles.len(), 1);
    let gone = "entries:
- {model: authentik_core.user, identifiers: {username: anna}, state: absent}";
    bench.apply(gone).await.expect("it can be applied");
    let roles = crate::directory::role::roles(&bench.journal).await;
    assert!(roles.expect("readable").is_empty());
}

#[tokio::test]
async fn a_permission_that_there_is_not_is_an_error_with_its_place() {
    let bench = Bench::installed().await;
    let wrong = [
        (
            "authentik_flows.view_flow,",
            "authentik_flows.view_flw,",
            "\"authentik_flows.view_flw\" is not a permission.",
        ),
        (
            "authentik_core.view_application",
            "authentik_sparkle.view_it",
            "is not a permission.",
        ),
        (
            "export_flow",
            "view_user",
            "\"view_user\" is not a permission on objects of authentik_flows.flow.",
        ),
        (
            "name: Viewers",
            "name: ak-managed-role--user-1",
            "looks after",
        ),
    ];
    for (right, typed, told) in wrong {
        let problems = bench.problems(&ROLES.replacen(right, typed, 1)).await;
        assert!(problems[0].contains(told), "{problems:?}");
    }
    assert_eq!(
        bench
            .apply(ROLES)
            .await
            .expect("it can be applied")
            .count(Outcome::Created),
        4
    );
}
