//! Who may start a flow, and what is known before its first stage.

use serde_json::json;
use uuid::Uuid;

use super::{Bench, Visitor, login_stages};
use crate::directory::Group;
use crate::flow::Context;
use crate::flow::context::{Value, key};
use crate::flow::model::{Authentication, DeniedAction, Designation, InvalidResponseAction};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;

/// How somebody comes to a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    Anonymous,
    User,
    Superuser,
    Outpost,
    Restored,
    Redirected,
}

const ALL: [Comes; 6] = [
    Comes::Anonymous,
    Comes::User,
    Comes::Superuser,
    Comes::Outpost,
    Comes::Restored,
    Comes::Redirected,
];

/// A server with one flow for each requirement, and two users.
async fn bench() -> Bench {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("user", "pw").await;
    let root = bench.user("root", "pw").await;
    let mut group = Group::new(&bench.clock, "superusers");
    group.is_superuser = true;
    let stored: Versioned<crate::directory::User> =
        bench.stored(root.uuid).await.expect("the user");
    let mut root = stored.value;
    root.groups.push(group.pk);
    bench
        .write(vec![
            object::put(&group, Version::NONE),
            object::put(&root, stored.version),
        ])
        .await;
    for &requirement in Authentication::ALL {
        let slug = requirement.as_str().replace('_', "-");
        let mut flow = bench.flow(&slug, &[(Kind::Dummy, json!({}))]).await;
        flow.authentication = requirement;
        flow.designation = Designation::StageConfiguration;
        flow.denied_action = DeniedAction::Message;
        bench.write(vec![object::put(&flow, Version(1))]).await;
    }
    bench
}

async fn logs_in(visitor: &mut Visitor<'_>, name: &str) {
    let mut login = visitor.tab("login", "");
    login.opens().await;
    login.answers(json!({ "uid_field": name })).await;
    login.answers(json!({ "password": "pw" })).await;
    login.is_sent_to("/");
    visitor.session = login.session;
}

/// Begins the flow as somebody who comes like this, and says what they see.
async fn seen(bench: &Bench, requirement: Authentication, comes: Comes) -> String {
    let slug = requirement.as_str().replace('_', "-");
    let mut visitor = bench.visitor(&slug);
    visitor.opens().await;
    let mut visitor = visitor.tab(&slug, "next=/somewhere");
    match comes {
        Comes::User => logs_in(&mut visitor, "user").await,
        Comes::Superuser => logs_in(&mut visitor, "root").await,
        _ => {}
    }
    let mut request = visitor.request();
    if comes == Comes::Outpost {
        request.client.outpost = Some("ak-outpost-1".to_owned());
    }
    let mut context = Context::default();
    let mark = match comes {
        Comes::Restored => Some(key::IS_RESTORED),
        Comes::Redirected => Some(key::IS_REDIRECTED),
        _ => None,
    };
    if let Some(mark) = mark {
        context.set(mark, Some(Value::text("what led here")));
    }
    let waits = bench.executions.begin_anew(request.clone(), context).await;
    if waits.expect("a beginning").is_some() {
        return "in".to_owned();
    }
    // Nothing is left of it, so this begins one that is denied for the same reason.
    "next=/elsewhere".clone_into(&mut request.query);
    let reply = bench.executions.visit(request).await.expect("a reply");
    reply.body["error_message"]
        .as_str()
        .unwrap_or("?")
        .to_owned()
}

#[actix::test]
async fn every_requirement_lets_in_whom_it_says() {
    let bench = bench().await;
    let no = "Flow does not apply to current user.";
    let link = "This link is invalid or has expired. Please request a new one.";
    for (requirement, lets_in, says) in [
        (Authentication::None, &ALL[..], no),
        (
            Authentication::RequireAuthenticated,
            &[Comes::User, Comes::Superuser],
            no,
        ),
        (
            Authentication::RequireUnauthenticated,
            &[
                Comes::Anonymous,
                Comes::Outpost,
                Comes::Restored,
                Comes::Redirected,
            ],
            no,
        ),
        (Authentication::RequireSuperuser, &[Comes::Superuser], no),
        (Authentication::RequireRedirect, &[Comes::Redirected], no),
        (Authentication::RequireOutpost, &[Comes::Outpost], no),
        (Authentication::RequireToken, &[Comes::Restored], link),
    ] {
        for comes in ALL {
            let seen = seen(&bench, requirement, comes).await;
            let wanted = if lets_in.contains(&comes) { "in" } else { says };
            assert_eq!(seen, wanted, "{requirement} for {comes:?}");
        }
    }
    bench.check().await;
}

#[actix::test]
async fn what_is_known_before_the_first_stage_is_known_in_it() {
    let mut bench = Bench::new();
    let mut flow = bench.flow("known", &[(Kind::Dummy, json!({}))]).await;
    flow.title = "Hello %(user)s".to_owned();
    bench.write(vec![object::put(&flow, Version(1))]).await;
    let user = bench.user("alice", "pw").await;
    let mut first = bench.visitor("known");
    first.opens().await;
    let session = first.session;
    let mut request = first.request();
    let mut context = Context::default();
    context.set(key::PENDING_USER, Some(Value::User(user.uuid)));
    request.session = session;
    let waits = bench.executions.begin_anew(request, context).await;
    assert!(waits.expect("a beginning").is_some());
    bench.restart();
    let mut visitor = bench.visitor("known");
    visitor.session = session;
    visitor.opens().await.sees("ak-stage-dummy");
    assert_eq!(visitor.body()["flow_info"]["title"], "Hello alice");
    bench.check().await;
}

#[actix::test]
async fn a_flow_that_begins_again_still_knows_how_the_visitor_came() {
    let bench = Bench::new();
    let stages = [(
        Kind::Identification,
        json!({"user_fields": ["username"], "pretend_user_exists": false}),
    )];
    let mut flow = bench.flow("sent", &stages).await;
    flow.authentication = Authentication::RequireRedirect;
    let bindings = crate::catalog::bindings_of(bench.journal.as_ref(), flow.pk).await;
    let mut binding = bindings.expect("bindings").pop().expect("one");
    binding.value.invalid_response_action = InvalidResponseAction::Restart;
    bench
        .write(vec![
            object::put(&flow, Version(1)),
            object::put(&binding.value, binding.version),
        ])
        .await;
    let mut visitor = bench.visitor("sent");
    visitor.opens().await.sees("ak-stage-access-denied");
    let mut context = Context::default();
    context.set(key::IS_REDIRECTED, Some(Value::text("another flow")));
    context.set(key::REDIRECT, Some(Value::text("/told")));
    let begun = bench
        .executions
        .begin_anew(visitor.request(), context)
        .await;
    assert!(begun.expect("a beginning").is_some());
    visitor.opens().await.sees("ak-stage-identification");
    // The answer is refused, so the flow begins again; it must not refuse whom it let in.
    visitor.answers(json!({"uid_field": "nobody"})).await;
    visitor.sees("ak-stage-identification");
    bench.user("alice", "pw").await;
    visitor.answers(json!({"uid_field": "alice"})).await;
    // Everything else is forgotten.
    visitor.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_link_to_another_flow_leaves_the_token_behind_that_led_here() {
    let bench = Bench::new();
    let other = bench.flow("other", &[(Kind::Dummy, json!({}))]).await;
    let stages = [
        (Kind::Dummy, json!({})),
        (
            Kind::Identification,
            json!({
                "user_fields": ["username"],
                "enrollment_flow": other.pk,
                "recovery_flow": other.pk,
                "passwordless_flow": other.pk,
            }),
        ),
    ];
    bench.flow("linked", &stages).await;
    let user = bench.user("alice", "pw").await;
    let visitor = bench.visitor("linked");
    let until = bench.clock.now() + jiff::SignedDuration::from_hours(1);
    let client = visitor.request().client;
    let link = bench
        .executions
        .recovery_link("linked", user.uuid, until, client, Uuid::nil())
        .await
        .expect("a link");
    let path = secrecy::ExposeSecret::expose_secret(&link.path).to_owned();
    let (_, query) = path.split_once('?').expect("a query");
    assert!(query.starts_with("flow_token="), "{query}");
    let mut visitor = visitor.with_query(&format!("{query}&theme=dark"));
    visitor.opens().await.sees("ak-stage-consent");
    // Opening a link makes no session.
    visitor.session = None;
    let confirmed = json!({"token": visitor.body()["token"]});
    visitor.answers(confirmed).await.sees("ak-stage-dummy");
    visitor.answers(json!({})).await;
    visitor.sees("ak-stage-identification");
    for name in ["enroll_url", "recovery_url", "passwordless_url"] {
        visitor.shows(name, "/if/flow/other/?theme=dark");
    }
    bench.check().await;
}
