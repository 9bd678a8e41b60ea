//! Policies and what binds them, in blueprints.

use serde_json::json;

use super::*;
use crate::catalog::{
    Flow, FlowStageBinding, Policy, PolicyBinding, bindings_of, conditions_of, flow_by_slug,
    policy_by_name,
};
use crate::directory::Group;
use crate::journal::object::{self, Versioned};
use crate::policy::Kind;

/// A flow with one stage and a policy, and whatever is to follow.
const GROUND: &str = "
version: 1
entries:
- model: authentik_flows.flow
  id: flow
  identifiers: {slug: f}
  attrs: {name: N, title: T, designation: recovery}
- model: authentik_stages_dummy.dummystage
  id: stage
  identifiers: {name: s}
- model: authentik_flows.flowstagebinding
  id: place
  identifiers: {target: !KeyOf flow, stage: !KeyOf stage, order: 0}
- model: authentik_policies_dummy.dummypolicy
  id: policy
  identifiers: {name: p}
  attrs: {result: true}
- model: authentik_core.group
  id: group
  identifiers: {name: g}
- model: authentik_core.user
  id: user
  identifiers: {username: u}
";

fn with(entries: &str) -> String {
    format!("{GROUND}{entries}")
}

/// The entry of a binding with these identifiers and attributes.
fn binding(identifiers: &str, attrs: &str) -> String {
    format!(
        "- model: authentik_policies.policybinding\n  identifiers: {identifiers}\n  attrs: {attrs}\n"
    )
}

impl Bench {
    async fn the_flow(&self) -> Flow {
        let flow = flow_by_slug(&self.journal, "f").await.expect("readable");
        flow.expect("there").value
    }

    async fn the_place(&self) -> FlowStageBinding {
        let flow = self.the_flow().await;
        let places = bindings_of(&self.journal, flow.pk).await.expect("readable");
        places.into_iter().next().expect("there").value
    }

    pub(super) async fn policy(&self, name: &str) -> Option<Policy> {
        let policy = policy_by_name(&self.journal, name).await.expect("readable");
        policy.map(|policy| policy.value)
    }

    /// What the flow is bound to, and what the stage's place in it is.
    async fn conditions(&self) -> [Vec<PolicyBinding>; 2] {
        let of = async |pbm| {
            let found = conditions_of(&self.journal, pbm).await.expect("readable");
            found.into_iter().map(|it| it.value).collect()
        };
        [
            of(self.the_flow().await.pbm).await,
            of(self.the_place().await.pbm).await,
        ]
    }
}

/// What the kinds cannot be without; each takes what it knows.
const ENOUGH: &str = "expression: return True, action: login, check_ip: true, length_min: 8, \
                      error_message: too short, days: 9";

#[tokio::test]
async fn every_kind_of_policy_has_its_model() {
    for kind in Kind::ALL {
        let source = format!(
            "entries: [{{model: {}, identifiers: {{name: it}}, \
             attrs: {{execution_logging: true, {ENOUGH}}}}}]",
            kind.model()
        );
        let bench = Bench::new();
        let report = bench.apply(&source).await.expect("it can be applied");
        assert_eq!(outcomes(&report), [Outcome::Created], "{}", kind.name());
        let policy = bench.policy("it").await.expect("there");
        assert_eq!(policy.kind, kind.name());
        assert!(policy.execution_logging);
    }
}

#[tokio::test]
async fn a_blueprint_can_ask_which_models_there_are() {
    let bench = Bench::new();
    let source = "
entries:
- model: authentik_policies_dummy.dummypolicy
  identifiers:
    name: !AtIndex [!Context goauthentik.io/rbac/models, expressionpolicy]
";
    bench.apply(source).await.expect("it can be applied");
    assert!(
        bench
            .policy("authentik_policies_expression")
            .await
            .is_some()
    );
}

#[tokio::test]
async fn settings_get_their_defaults_and_unknown_ones_are_named() {
    let bench = Bench::new();
    let source = "
entries:
- model: authentik_policies_dummy.dummypolicy
  identifiers: {name: p}
  attrs: {wait_max: 7, shoe_size: 44}
";
    let report = bench.apply(source).await.expect("it can be applied");
    let policy = bench.policy("p").await.expect("there");
    let settings = json!({ "result": false, "wait_min": 5, "wait_max": 7 });
    assert_eq!(serde_json::Value::Object(policy.settings), settings);
    assert!(!policy.execution_logging);
    assert!(
        report.notes[0].text.ends_with("ignored: shoe_size"),
        "{:?}",
        report.notes
    );
    let again = bench.apply(source).await.expect("applied again");
    assert_eq!(outcomes(&again), [Outcome::Unchanged]);
    let wrong = source.replace("wait_max: 7", "wait_max: soon");
    let problems = bench.problems(&wrong).await;
    assert!(problems[0].contains("wait_max: "), "{problems:?}");
}

#[tokio::test]
async fn a_target_is_known_by_its_own_key_and_by_the_one_that_policies_are_bound_to() {
    let bench = Bench::installed().await;
    bench.apply(GROUND).await.expect("the ground fits");
    let (flow, place) = (bench.the_flow().await, bench.the_place().await);
    let policy = bench.policy("p").await.expect("there").pk;
    for (order, target) in [flow.pk, flow.pbm, place.pk, place.pbm].iter().enumerate() {
        let entry = binding(
            &format!("{{target: {target}, policy: {policy}, order: {order}}}"),
            "{}",
        );
        let source = format!("entries:\n{entry}");
        let report = bench.apply(&source).await.expect("it can be applied");
        assert_eq!(outcomes(&report), [Outcome::Created]);
        let again = bench.apply(&source).await.expect("applied again");
        assert_eq!(outcomes(&again), [Outcome::Unchanged]);
    }
    let [of_flow, of_place] = bench.conditions().await;
    let orders = |of: &[PolicyBinding]| of.iter().map(|it| it.order).collect::<Vec<_>>();
    assert_eq!(orders(&of_flow), [0, 1]);
    assert_eq!(orders(&of_place), [2, 3]);
    let nobody = binding(
        &format!("{{target: {policy}, policy: {policy}, order: 9}}"),
        "{}",
    );
    let problems = bench.problems(&format!("entries:\n{nobody}")).await;
    assert!(
        problems[0].contains(&format!(
            "target: Invalid pk \"{policy}\" - object does not exist."
        )),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_binding_has_its_defaults_and_takes_every_field() {
    let bench = Bench::installed().await;
    let plain = binding(
        "{target: !KeyOf flow, policy: !KeyOf policy, order: 3}",
        "{}",
    );
    let full = binding(
        "{target: !KeyOf place, group: !KeyOf group, order: -1}",
        "{negate: true, enabled: false, timeout: 5, failure_result: true}",
    );
    let user = binding("{target: !KeyOf place, order: 2}", "{user: !KeyOf user}");
    let source = with(&format!("{plain}{full}{user}"));
    bench.apply(&source).await.expect("it can be applied");
    let [of_flow, of_place] = bench.conditions().await;
    let [plain] = of_flow.as_slice() else {
        panic!("one binding: {of_flow:?}")
    };
    assert_eq!(
        plain.policy,
        bench.policy("p").await.map(|policy| policy.pk)
    );
    assert_eq!((plain.group, plain.user), (None, None));
    assert!(plain.enabled && !plain.negate && !plain.failure_result);
    assert_eq!(plain.timeout, 30);
    let [full, user] = of_place.as_slice() else {
        panic!("two bindings: {of_place:?}")
    };
    assert!(full.group.is_some() && full.negate && full.failure_result && !full.enabled);
    assert_eq!((full.timeout, full.order), (5, -1));
    let found = crate::directory::user_by_pk(&bench.journal, 1).await;
    let found = found.expect("readable").expect("there").value.uuid;
    assert_eq!(user.user, Some(found), "a number is the user with it");
    let again = bench.apply(&source).await.expect("applied again");
    assert_eq!(again.count(Outcome::Unchanged), 9, "{:#?}", again.lines());
}

#[tokio::test]
async fn a_binding_asks_exactly_one() {
    let bench = Bench::installed().await;
    let place = "{target: !KeyOf flow, order: 0}";
    let none = "One of 'group', 'policy', 'user' must be set.";
    let both = "Only one of 'group', 'policy', 'user' can be set.";
    for (attrs, text) in [
        ("{}", none),
        ("{policy: null, group: null, user: null}", none),
        ("{policy: !KeyOf policy, group: !KeyOf group}", both),
        ("{group: !KeyOf group, user: !KeyOf user}", both),
        (
            "{policy: !KeyOf policy, timeout: -1}",
            "timeout: Ensure this value is greater than or equal to 0.",
        ),
        (
            "{user: 99}",
            "user: Invalid pk \"99\" - object does not exist.",
        ),
        ("{policy: !KeyOf group}", "object does not exist."),
    ] {
        let problems = bench.problems(&with(&binding(place, attrs))).await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].ends_with(text), "{attrs}: {problems:?}");
    }
    let bare = binding("{policy: !KeyOf policy}", "{}");
    let problems = bench.problems(&with(&bare)).await;
    for (problem, field) in problems.iter().zip(["target", "order"]) {
        let text = format!("{field}: This field is required.");
        assert!(problem.ends_with(&text), "{problems:?}");
    }
}

#[tokio::test]
async fn a_policy_has_one_place_at_a_target() {
    let bench = Bench::installed().await;
    let pk = |digit: &str| format!("{{pk: {}}}", digit.repeat(32));
    let attrs = "{target: !KeyOf flow, policy: !KeyOf policy, order: 0}";
    let entries = format!("{}{}", binding(&pk("1"), attrs), binding(&pk("2"), attrs));
    let problems = bench.problems(&with(&entries)).await;
    assert!(
        problems[0].ends_with("The fields policy, target, order must make a unique set."),
        "{problems:?}"
    );
    // Groups and users may be asked as often as somebody likes.
    let attrs = "{target: !KeyOf flow, group: !KeyOf group, order: 0}";
    let entries = format!("{}{}", binding(&pk("1"), attrs), binding(&pk("2"), attrs));
    bench.apply(&with(&entries)).await.expect("it fits");
    assert_eq!(bench.conditions().await[0].len(), 2);
}

#[tokio::test]
async fn key_of_a_target_is_the_one_that_policies_are_bound_to() {
    let bench = Bench::installed().await;
    let source = with(
        "- model: authentik_policies.policybinding
  identifiers: {target: !KeyOf flow, policy: !KeyOf policy, order: 0}
  conditions:
  - !Find [authentik_flows.flow, [pbm_uuid, !KeyOf flow]]
  - !Condition [NOR, !Find [authentik_flows.flow, [pk, !KeyOf flow]]]
- model: authentik_flows.flow
  identifiers: {slug: g}
  attrs: {name: !KeyOf flow, title: !KeyOf place, designation: recovery}
",
    );
    let report = bench.apply(&source).await.expect("it can be applied");
    assert_eq!(outcomes(&report), [Outcome::Created; 8]);
    let other = flow_by_slug(&bench.journal, "g").await.expect("readable");
    let other = other.expect("there").value;
    assert_eq!(other.name, bench.the_flow().await.pk.to_string());
    assert_eq!(other.title, bench.the_place().await.pk.to_string());
}

#[tokio::test]
async fn policies_and_bindings_are_found_as_the_api_shows_them() {
    let bench = Bench::installed().await;
    let bound = binding(
        "{target: !KeyOf place, policy: !KeyOf policy, order: 4}",
        "{}",
    );
    let asks = binding("{target: !KeyOf flow, order: 5}", "{user: !KeyOf user}");
    let source = with(&format!(
        "{bound}{asks}
- model: authentik_core.group
  identifiers: {{name: seen}}
  attrs:
    attributes:
      policy: !FindObject [authentik_policies_dummy.dummypolicy, [name, p]]
      bound: !FindObject [authentik_policies.policybinding, [policy__name, p]]
      asks: !FindObject [authentik_policies.policybinding, [user__username, u]]
      target: !Find [authentik_policies.policybinding, [target, !KeyOf place], [order, 4]]
      other: !Find [authentik_policies_expression.expressionpolicy, [name, p]]
"
    ));
    bench.apply(&source).await.expect("it can be applied");
    let mut groups: Vec<Versioned<Group>> = Vec::new();
    for stored in bench
        .journal
        .list(<Group as object::Stored>::KIND, None, 10)
        .await
        .expect("readable")
    {
        groups.push(object::open(&stored).expect("a group"));
    }
    let seen = groups.into_iter().find(|it| it.value.name == "seen");
    let seen = serde_json::Value::Object(seen.expect("there").value.attributes);
    let policy = bench.policy("p").await.expect("there").pk.to_string();
    let [of_flow, of_place] = bench.conditions().await;
    assert_eq!(
        seen,
        json!({
            "policy": {
                "pk": policy, "name": "p", "execution_logging": false,
                "result": true, "wait_min": 5, "wait_max": 30,
            },
            "bound": {
                "pk": of_place[0].pk, "policy": policy, "group": null, "user": null,
                "target": bench.the_place().await.pk, "negate": false, "enabled": true,
                "order": 4, "timeout": 30, "failure_result": false,
            },
            "asks": {
                "pk": of_flow[0].pk, "policy": null, "group": null, "user": 1,
                "target": bench.the_flow().await.pk, "negate": false, "enabled": true,
                "order": 5, "timeout": 30, "failure_result": false,
            },
            "target": of_place[0].pk,
            "other": null,
        })
    );
}

#[tokio::test]
async fn states_decide_what_becomes_of_a_policy_and_of_a_binding() {
    let bench = Bench::installed().await;
    bench.apply(GROUND).await.expect("the ground fits");
    let place = "{target: !Find [authentik_flows.flow, [slug, f]], \
                 policy: !Find [authentik_policies_dummy.dummypolicy, [name, p]], order: 0}";
    for (state, outcome) in [
        ("absent", Outcome::Absent),
        ("created", Outcome::Created),
        ("created", Outcome::Unchanged),
        ("present", Outcome::Updated),
        ("absent", Outcome::Deleted),
        ("must_created", Outcome::Created),
    ] {
        let negate = state == "present";
        let bound = binding(place, &format!("{{negate: {negate}}}\n  state: {state}"));
        let policy = format!(
            "- {{model: authentik_policies_dummy.dummypolicy, state: {state}, \
             identifiers: {{name: q}}, attrs: {{result: {negate}}}}}\n"
        );
        let report = bench.apply(&format!("entries:\n{bound}{policy}")).await;
        let report = report.expect("it can be applied");
        assert_eq!(outcomes(&report), [outcome; 2], "{state}");
    }
    let bound = binding(place, "{}\n  state: must_created");
    let problems = bench.problems(&format!("entries:\n{bound}")).await;
    assert!(problems[0].contains("exists already"), "{problems:?}");
}

#[tokio::test]
async fn bindings_go_with_whatever_they_cannot_be_without() {
    let of_flow = "{target: !KeyOf flow, policy: !KeyOf policy, order: 0}";
    let of_place = "{target: !KeyOf place, policy: !KeyOf policy, order: 1}";
    let group = binding("{target: !KeyOf flow, group: !KeyOf group, order: 2}", "{}");
    let user = binding("{target: !KeyOf flow, order: 3}", "{user: !KeyOf user}");
    let source = with(&format!(
        "{}{}{group}{user}",
        binding(of_flow, "{}"),
        binding(of_place, "{}"),
    ));
    for (gone, left) in [
        ("authentik_flows.flow, identifiers: {slug: f}", 0),
        (
            "authentik_stages_dummy.dummystage, identifiers: {name: s}",
            3,
        ),
        (
            "authentik_flows.flowstagebinding, identifiers: {target__slug: f, order: 0}",
            3,
        ),
        (
            "authentik_policies_dummy.dummypolicy, identifiers: {name: p}",
            2,
        ),
        ("authentik_core.group, identifiers: {name: g}", 3),
        ("authentik_core.user, identifiers: {username: u}", 3),
    ] {
        let bench = Bench::installed().await;
        bench.apply(&source).await.expect("it can be applied");
        let absent = format!("entries: [{{state: absent, model: {gone}}}]");
        let report = bench.apply(&absent).await.expect("it can be removed");
        assert_eq!(outcomes(&report), [Outcome::Deleted], "{gone}");
        let bindings = bench
            .journal
            .list(<PolicyBinding as object::Stored>::KIND, None, 10)
            .await;
        assert_eq!(bindings.expect("readable").len(), left, "{gone}");
    }
}
