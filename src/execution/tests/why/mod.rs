//! Executions that come to their end in each way, and why they did.

mod skipped;
mod standing;

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, Visitor, login_stages};
use crate::catalog::{Flow, FlowStageBinding, Policy, PolicyBinding, bindings_of};
use crate::directory::User;
use crate::execution::Cancel;
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::flow::input::Canceller;
use crate::flow::model::{Authentication, Designation, InvalidResponseAction, PolicyEngineMode};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::replay::{self, why::Way, why::tests::golden};
use crate::stage::Kind;
use crate::world::record::KIND;

impl Bench {
    /// Compares what the latest execution is told of with the text of its way, and checks all.
    async fn tells(&self, way: Way) {
        let streams = self.journal.streams(KIND, None, usize::MAX).await;
        let mut streams: Vec<Uuid> = streams.expect("streams").iter().map(|it| it.id).collect();
        streams.sort();
        let mut found = None;
        for stream in streams {
            let entries = replay::entries(self.journal.as_ref(), stream).await;
            let entries = entries.expect("entries");
            let why = replay::why::explain(self.journal.as_ref(), &entries).await;
            let why = why.expect("a read").expect("it began");
            if why.ways.contains(&way) {
                found = Some(why);
            }
        }
        golden(way, &found.expect("an execution that came to it"));
        self.check().await;
    }

    async fn password_login(&self) {
        self.flow("login", &login_stages()).await;
        self.user("alice", "correct horse").await;
    }

    /// Changes a flow that was just made.
    async fn changes(&self, mut flow: Flow, change: impl Fn(&mut Flow)) {
        change(&mut flow);
        self.write(vec![object::put(&flow, Version(1))]).await;
    }

    /// Binds a policy that always says the same to what it may be bound to.
    async fn says(&self, pbm: Uuid, order: i32, result: bool) {
        let kind = crate::policy::Kind::Dummy;
        let settings = json!({ "result": result });
        let settings = kind.validate(settings.as_object().expect("an object"));
        let (name, settings) = (format!("says {result}"), settings.expect("good settings"));
        let policy = Policy::new(&self.clock, kind.name(), &name, settings);
        let mut condition = PolicyBinding::new(&self.clock, pbm, order);
        condition.policy = Some(policy.pk);
        self.write(vec![
            object::put(&policy, Version::NONE),
            object::put(&condition, Version::NONE),
        ])
        .await;
    }

    /// Changes the place of a stage in a flow; what policies are bound to there.
    async fn place(&self, flow: &Flow, order: i32, change: impl Fn(&mut FlowStageBinding)) -> Uuid {
        let bindings = bindings_of(self.journal.as_ref(), flow.pk).await;
        let mut bindings = bindings.expect("bindings").into_iter();
        let found = bindings.find(|it| it.value.order == order);
        let Versioned { version, mut value } = found.expect("a stage there");
        change(&mut value);
        self.write(vec![object::put(&value, version)]).await;
        value.pbm
    }

    async fn is_inactive(&self, user: &User) {
        let stored: Versioned<User> = self.stored(user.uuid).await.expect("a user");
        let mut user = stored.value;
        user.is_active = false;
        self.write(vec![object::put(&user, stored.version)]).await;
    }
}

impl Visitor<'_> {
    async fn names(&mut self, name: &str) -> &mut Self {
        self.bench.clock.advance(Duration::from_secs(5));
        self.answers(json!({ "uid_field": name })).await
    }

    async fn types_password(&mut self, password: &str) -> &mut Self {
        self.bench.clock.advance(Duration::from_secs(5));
        self.answers(json!({ "password": password })).await
    }

    /// Comes to the flow as this user, whom something else knows.
    async fn comes_as(&mut self, user: &User) -> &mut Self {
        let mut context = Context::default();
        context.set(key::PENDING_USER, Some(Known::User(user.uuid)));
        self.begins_in(context).await
    }

    async fn gives_up(&self, by: Canceller) {
        let request = self.request();
        let session = request.session.expect("a session");
        let executions = &self.bench.executions;
        let (client, correlation) = (&request.client, request.correlation);
        let cancelled = executions.cancel(session, Cancel::All, by, client, correlation);
        cancelled.await.expect("it is cancelled");
    }
}

#[actix::test]
async fn a_login_after_two_wrong_passwords() {
    let bench = Bench::new();
    bench.password_login().await;
    let mut alice = bench.visitor("login").with_query("next=%2Fhome");
    alice.opens().await;
    alice.names("alice").await;
    alice.types_password("wrong").await;
    alice.types_password("wonderland").await;
    alice
        .types_password("correct horse")
        .await
        .is_sent_to("/home");
    bench.tells(Way::Completed).await;
    bench.clock.advance(Duration::from_secs(5));
    let mut again = alice.tab("login", "");
    bench
        .changes(flow_of(&bench, "login").await, |flow| {
            flow.authentication = Authentication::RequireUnauthenticated;
        })
        .await;
    again.opens().await.is_sent_to("/");
    bench.tells(Way::AlreadyLoggedIn).await;
}

async fn flow_of(bench: &Bench, slug: &str) -> Flow {
    let found = crate::catalog::flow_by_slug(bench.journal.as_ref(), slug).await;
    found.expect("a read").expect("the flow").value
}

#[actix::test]
async fn whoever_does_not_meet_the_requirement() {
    for (way, wants) in [
        (Way::RequirementLink, Authentication::RequireToken),
        (Way::RequirementLogin, Authentication::RequireAuthenticated),
        (Way::RequirementSuperuser, Authentication::RequireSuperuser),
        (Way::RequirementRedirect, Authentication::RequireRedirect),
        (Way::RequirementOutpost, Authentication::RequireOutpost),
    ] {
        let bench = Bench::new();
        let flow = bench.flow("settings", &[(Kind::Dummy, json!({}))]).await;
        bench
            .changes(flow, |flow| flow.authentication = wants)
            .await;
        bench.visitor("settings").opens().await;
        bench.tells(way).await;
    }
    let bench = Bench::new();
    bench.password_login().await;
    let flow = bench.flow("join", &[(Kind::Dummy, json!({}))]).await;
    bench
        .changes(flow, |flow| {
            flow.authentication = Authentication::RequireUnauthenticated;
            flow.designation = Designation::Enrollment;
        })
        .await;
    let mut alice = bench.visitor("login");
    alice.names("alice").await;
    alice.types_password("correct horse").await.is_sent_to("/");
    alice.tab("join", "").opens().await;
    bench.tells(Way::RequirementNoLogin).await;
}

#[actix::test]
async fn whom_the_flows_policies_do_not_let_in() {
    let bench = Bench::new();
    let flow = bench.flow("login", &login_stages()).await;
    bench.says(flow.pbm, 0, true).await;
    bench.says(flow.pbm, 1, false).await;
    bench
        .changes(flow, |flow| flow.policy_engine_mode = PolicyEngineMode::All)
        .await;
    bench.visitor("login").opens().await;
    bench.tells(Way::FlowPolicies).await;
}

#[actix::test]
async fn passwords_that_were_refused() {
    let bench = Bench::new();
    bench.password_login().await;
    let mut alice = bench.visitor("login");
    alice.names("alice").await;
    for _ in 0..5 {
        alice.types_password("wrong").await;
    }
    alice.is_denied("Invalid password");
    bench.tells(Way::PasswordAttempts).await;

    let bench = Bench::new();
    bench.password_login().await;
    let mut alice = bench.visitor("login");
    alice.names("alice").await;
    alice.types_password("wrong").await;
    bench.tells(Way::PasswordWrong).await;

    let bench = Bench::new();
    bench.password_login().await;
    let mut stranger = bench.visitor("login");
    stranger.names("whiterabbit").await;
    stranger.types_password("wrong").await;
    bench.tells(Way::PasswordUnknownUser).await;

    let bench = Bench::new();
    bench.password_login().await;
    let bob = bench.user("bob", "correct horse").await;
    bench.is_inactive(&bob).await;
    let mut visitor = bench.visitor("login");
    visitor.names("bob").await;
    visitor.types_password("correct horse").await;
    bench.tells(Way::PasswordInactiveUser).await;

    let bench = Bench::new();
    let stages = [
        (Kind::Identification, json!({"user_fields": ["username"]})),
        (
            Kind::Password,
            json!({"backends": ["authentik.core.auth.TokenBackend"]}),
        ),
    ];
    bench.flow("login", &stages).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.names("alice").await;
    alice.types_password("correct horse").await;
    bench.tells(Way::PasswordUnusable).await;
}

#[actix::test]
async fn stages_that_need_somebody() {
    let bench = Bench::new();
    bench.flow("login", &[(Kind::UserLogin, json!({}))]).await;
    bench.visitor("login").opens().await;
    bench.tells(Way::NobodyNamed).await;

    let bench = Bench::new();
    let who = (Kind::Identification, json!({"user_fields": ["username"]}));
    bench
        .flow("login", &[who, (Kind::UserLogin, json!({}))])
        .await;
    let bob = bench.user("bob", "correct horse").await;
    bench.visitor("login").names("whiterabbit").await;
    bench.tells(Way::UnknownName).await;
    bench.is_inactive(&bob).await;
    bench.clock.advance(Duration::from_secs(5));
    bench.visitor("login").names("bob").await;
    bench.tells(Way::InactiveUser).await;
}

#[actix::test]
async fn stages_that_let_nobody_through() {
    let bench = Bench::new();
    let deny = json!({"deny_message": "Not on a Sunday, alice."});
    let flow = bench
        .flow("login", &[(Kind::Dummy, json!({})), (Kind::Deny, deny)])
        .await;
    let place = bench
        .place(&flow, 1, |it| it.re_evaluate_policies = true)
        .await;
    bench.says(place, 0, true).await;
    let mut visitor = bench.visitor("login");
    visitor.opens().await;
    visitor.answers(json!({})).await;
    bench.tells(Way::DenyStage).await;

    let bench = Bench::new();
    bench.flow("join", &[(Kind::Invitation, json!({}))]).await;
    bench.visitor("join").opens().await;
    bench.tells(Way::NoInvitation).await;

    let bench = Bench::new();
    bench.user("alice", "x").await;
    let stages = [(Kind::Dummy, json!({})), (Kind::UserWrite, json!({}))];
    bench.flow("join", &stages).await;
    let mut visitor = bench.visitor("join");
    let data = json!({ "prompt_data": { "username": "alice" } });
    visitor.begins_with(data).await.answers(json!({})).await;
    bench.tells(Way::NotWritten).await;

    let bench = Bench::new();
    let target = bench.flow("target", &[(Kind::Dummy, json!({}))]).await;
    let settings = json!({"mode": "flow", "target_flow": target.pk});
    bench.flow("first", &[(Kind::Redirect, settings)]).await;
    bench
        .write(vec![object::delete::<Flow>(target.pk, Version(1))])
        .await;
    bench.visitor("first").opens().await;
    bench.tells(Way::NoTarget).await;
}

#[actix::test]
async fn what_is_wrong_with_where_they_go_or_came_from() {
    let bench = Bench::new();
    bench.flow("one", &[(Kind::Dummy, json!({}))]).await;
    let mut visitor = bench
        .visitor("one")
        .with_query("next=https%3A%2F%2Fevil.example");
    visitor.opens().await;
    visitor.answers(json!({})).await;
    bench.tells(Way::UnsafeNext).await;

    let (bench, _) = super::links::bench().await;
    super::links::asks(&bench, "bob").await;
    let query = super::links::link(&bench).await;
    let mut his = bench.visitor(super::links::SLUG).with_query(&query);
    super::links::confirms(&mut his).await;
    his.answers(json!({})).await.is_sent_to("/");
    bench.clock.advance(Duration::from_secs(5));
    let mut late = bench.visitor(super::links::SLUG).with_query(&query);
    late.opens().await;
    bench.tells(Way::LinkUsed).await;
    bench.clock.advance(Duration::from_secs(5));
    let mut wrong = bench
        .visitor(super::links::SLUG)
        .with_query("flow_token=nonsense");
    wrong.opens().await;
    bench.tells(Way::LinkUnknown).await;
}

#[actix::test]
async fn what_changed_while_it_was_under_way() {
    let bench = Bench::new();
    let flow = bench.flow("one", &[(Kind::Dummy, json!({}))]).await;
    let mut visitor = bench.visitor("one");
    visitor.opens().await;
    bench
        .write(vec![object::delete::<Flow>(flow.pk, Version(1))])
        .await;
    // The flow is not there to be asked for, but the execution is answered.
    let _gone = visitor.tries(json!({})).await;
    bench.tells(Way::FlowDeleted).await;

    let bench = Bench::new();
    bench.password_login().await;
    let mut alice = bench.visitor("login");
    alice.names("alice").await;
    let user = crate::directory::user_by_username(bench.journal.as_ref(), "alice").await;
    let user = user.expect("a read").expect("she is there").value;
    bench.is_inactive(&user).await;
    alice.types_password("correct horse").await;
    bench.tells(Way::UserInactive).await;

    let bench = Bench::new();
    let mut stages = login_stages();
    stages.insert(2, (Kind::Dummy, json!({})));
    bench.flow("login", &stages).await;
    let user = bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.names("alice").await;
    alice.types_password("correct horse").await;
    bench.clock.advance(Duration::from_secs(5));
    let encoded = crate::directory::password::hash(&"another".into(), &bench.clock);
    let keeping = crate::directory::Keeping::default();
    let journal = bench.journal.as_ref();
    let set = crate::directory::set_password(journal, &bench.clock, user.uuid, encoded, keeping);
    set.await.expect("it is set");
    alice.answers(json!({})).await;
    bench.tells(Way::PasswordChanged).await;
}

#[actix::test]
async fn a_flow_that_begins_again_and_again() {
    let bench = Bench::new();
    let flow = bench.flow("one", &[(Kind::Deny, json!({}))]).await;
    let again = |it: &mut FlowStageBinding| {
        it.invalid_response_action = InvalidResponseAction::Restart;
    };
    bench.place(&flow, 0, again).await;
    bench.visitor("one").opens().await;
    bench.tells(Way::TooManyRestarts).await;
}

#[actix::test]
async fn executions_that_nobody_finished() {
    for (way, by) in [
        (Way::GivenUp, Canceller::Visitor),
        (Way::LoggedOut, Canceller::Logout),
    ] {
        let bench = Bench::new();
        bench.password_login().await;
        let mut alice = bench.visitor("login");
        alice.names("alice").await;
        alice.gives_up(by).await;
        bench.tells(way).await;
    }
    let bench = Bench::new();
    bench.password_login().await;
    bench.visitor("login").names("alice").await;
    bench.clock.advance(Duration::from_hours(24 * 40));
    bench.executions.sweep().await.expect("a sweep");
    bench.tells(Way::Expired).await;
}

/// Whatever an end, a check or a reason is called, it has a text of its own: a new one does not
/// compile before it is given one here.
#[test]
fn every_end_every_check_and_every_reason_to_leave_a_stage_out_has_a_way() {
    use crate::flow::event::Check;
    use crate::flow::execution::End;
    use crate::flow::verdict::When;

    let ways = |end: &End| -> Vec<Way> {
        match end {
            End::Completed { .. } => vec![Way::Completed, Way::AlreadyLoggedIn],
            End::Cancelled => vec![
                Way::GivenUp,
                Way::LoggedOut,
                Way::UsedElsewhere,
                Way::Replaced,
            ],
            End::Expired => vec![Way::Expired, Way::Expelled],
            End::Denied { check, .. } => match check {
                Check::Requirement => vec![Way::Requirement],
                Check::Policies => vec![Way::FlowPolicies],
                Check::Stage { .. } => vec![Way::StageRefused, Way::DenyStage],
                Check::Next => vec![Way::UnsafeNext],
                Check::FlowDeleted => vec![Way::FlowDeleted],
                Check::UserInactive => vec![Way::UserInactive],
                Check::PasswordChanged => vec![Way::PasswordChanged],
                Check::Attempts => vec![
                    Way::TooManyAnswers,
                    Way::TooManyRestarts,
                    Way::TooManyTurns,
                    Way::TooManyDecisions,
                ],
                Check::Link => vec![Way::LinkUnknown, Way::LinkUsed, Way::InvitationGone],
            },
        }
    };
    let skipped = |when: When| match when {
        When::Plan => Way::LeftOutOfPlan,
        When::Run => Way::SkippedByPolicies,
    };
    let mut all = ways(&End::Expired);
    all.extend([skipped(When::Plan), skipped(When::Run)]);
    for check in [
        Check::Requirement,
        Check::Policies,
        Check::Stage {
            stage: String::new(),
        },
        Check::Next,
        Check::FlowDeleted,
        Check::UserInactive,
        Check::PasswordChanged,
        Check::Attempts,
        Check::Link,
    ] {
        let message = String::new();
        all.extend(ways(&End::Denied { check, message }));
    }
    all.extend(ways(&End::Cancelled));
    all.extend(ways(&End::Completed {
        destination: String::new(),
    }));
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/why");
    for way in all {
        let path = directory.join(format!("{way}.txt"));
        assert!(path.exists(), "{} is missing", path.display());
    }
}

fn who() -> (Kind, Value) {
    (Kind::Identification, json!({"user_fields": ["username"]}))
}
