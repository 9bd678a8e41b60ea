//! What holds whatever visitors, operators and the power supply do, in whatever order.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Bench, Visitor, login_stages};
use crate::catalog::Stage;
use crate::catalog::binding::{FlowStageBinding, bindings_of};
use crate::catalog::stage::stage_by_name;
use crate::directory::{User, user_by_username};
use crate::execution::{Cancel, Limits};
use crate::flow::input::Canceller;
use crate::flow::model::InvalidResponseAction;
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;

/// Typed as secrets, rightly or wrongly; none of them may ever be read in a record.
const RIGHT: &str = "correct-h0rse-battery";
const SECRETS: [&str; 5] = [RIGHT, "wr0ng-guess", "tr1ckled", "nested-s3cret", "   \t  "];

/// Something that somebody does.
#[derive(Clone, Debug)]
enum Act {
    Open,
    Name(&'static str),
    Password(&'static str),
    BothAtOnce,
    Garbage(usize),
    Stale,
    Doubled,
    Cancel,
    Logout,
    Restart,
    Wait(u64),
    Activate(bool),
    EditStage,
    EditBinding(InvalidResponseAction),
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Open),
        4 => prop::sample::select(vec!["alice", "ALICE", "nobody", " ", "\u{fffd}\u{202e}"]).prop_map(Act::Name),
        5 => prop::sample::select(vec![RIGHT, RIGHT, SECRETS[1], SECRETS[4]]).prop_map(Act::Password),
        1 => Just(Act::BothAtOnce),
        3 => (0usize..9).prop_map(Act::Garbage),
        1 => Just(Act::Stale),
        2 => Just(Act::Doubled),
        1 => Just(Act::Cancel),
        1 => Just(Act::Logout),
        2 => Just(Act::Restart),
        1 => (1u64..30).prop_map(Act::Wait),
        2 => any::<bool>().prop_map(Act::Activate),
        1 => Just(Act::EditStage),
        1 => prop::sample::select(InvalidResponseAction::ALL).prop_map(Act::EditBinding),
    ]
}

fn garbage(which: usize) -> Value {
    let long = "x".repeat(5000);
    match which {
        0 => Value::Null,
        1 => json!(SECRETS[2]),
        2 => json!([SECRETS[2], {"password": SECRETS[2]}]),
        3 => json!({"password": [SECRETS[3]], "uid_field": {"password": SECRETS[3]}}),
        4 => json!({"password": {"password": SECRETS[3]}, "passwort": SECRETS[2]}),
        5 => json!({"password": format!("{}{long}", SECRETS[2]), "uid_field": long}),
        6 => json!({"password": "\u{0}", "uid_field": "a\u{0}b", "remember_me": "perhaps"}),
        7 => json!({"component": 7, "password": SECRETS[2]}),
        _ => json!({"passkey": {"secret": SECRETS[3]}, "captcha_token": SECRETS[2]}),
    }
}

/// A server with two flows, and a user who may be logged in to it.
async fn house() -> Bench {
    let bench = Bench::with(Limits {
        unanswered_per_address: 3,
        ..Limits::default()
    });
    let mut stages = login_stages();
    let asks = json!({"session_duration": "hours=2", "remember_me_offset": "hours=1"});
    stages[2] = (Kind::UserLogin, asks);
    stages.insert(1, (Kind::Dummy, json!({})));
    bench.flow("login", &stages).await;
    bench.flow("logout", &[(Kind::UserLogout, json!({}))]).await;
    bench.user("alice", RIGHT).await;
    bench
}

async fn alice(bench: &Bench) -> Versioned<User> {
    let found = user_by_username(bench.journal.as_ref(), "alice").await;
    found.expect("a read").expect("alice")
}

async fn edit_stage(bench: &Bench) {
    let stage = stage_by_name(bench.journal.as_ref(), "login-1").await;
    let mut stage: Versioned<Stage> = stage.expect("a read").expect("the stage");
    let fails = stage.value.settings.get("throw_error") == Some(&Value::Bool(true));
    let settings = &mut stage.value.settings;
    settings.insert("throw_error".to_owned(), (!fails).into());
    bench
        .write(vec![object::put(&stage.value, stage.version)])
        .await;
}

async fn edit_bindings(bench: &Bench, action: InvalidResponseAction) {
    let flow = crate::catalog::flow::flow_by_slug(bench.journal.as_ref(), "login").await;
    let flow = flow.expect("a read").expect("the flow").value.pk;
    let bindings = bindings_of(bench.journal.as_ref(), flow).await;
    let put = |mut it: Versioned<FlowStageBinding>| {
        it.value.invalid_response_action = action;
        object::put(&it.value, it.version)
    };
    let writes = bindings.expect("a read").into_iter().map(put).collect();
    bench.write(writes).await;
}

/// Whatever comes of it; only that it comes to something matters here.
async fn act(visitor: &mut Visitor<'_>, act: &Act) {
    let bench = visitor.bench;
    match act {
        Act::Open => {
            visitor.opens().await;
        }
        Act::Name(name) => {
            visitor.answers(json!({"uid_field": name})).await;
        }
        Act::Password(typed) => {
            let body = json!({"password": typed, "remember_me": "on", "other": typed});
            visitor.answers(body).await;
        }
        Act::BothAtOnce => {
            let body = json!({"uid_field": "alice", "password": RIGHT});
            visitor.answers(body).await;
        }
        Act::Garbage(which) => {
            visitor.answers(garbage(*which)).await;
        }
        Act::Stale => {
            let mut request = visitor.request();
            request.challenge = Some(format!("{}-1", uuid::Uuid::nil().simple()));
            let reply = bench.executions.answer(request, json!({})).await;
            visitor.keep(reply.expect("a reply"));
        }
        Act::Doubled => {
            let (one, two) = tokio::join!(
                bench.executions.answer(visitor.request(), json!({})),
                bench.executions.answer(visitor.request(), json!({})),
            );
            one.expect("a reply");
            visitor.keep(two.expect("a reply"));
        }
        Act::Cancel => {
            let Some(session) = visitor.session else {
                return;
            };
            let client = visitor.request().client;
            let (by, id) = (Canceller::Visitor, uuid::Uuid::nil());
            let cancelled = bench
                .executions
                .cancel(session, Cancel::All, by, &client, id);
            cancelled.await.expect("cancelled");
        }
        Act::Logout => {
            visitor.tab("logout", "").opens().await;
        }
        Act::Wait(hours) => {
            bench.clock.advance(Duration::from_hours(*hours));
            bench.executions.sweep().await.expect("a sweep");
        }
        Act::Activate(active) => {
            let mut user = alice(bench).await;
            user.value.is_active = *active;
            let put = object::put(&user.value, user.version);
            bench.write(vec![put]).await;
        }
        Act::EditStage => edit_stage(bench).await,
        Act::EditBinding(action) => edit_bindings(bench, *action).await,
        Act::Restart => {}
    }
}

async fn play(script: Vec<(usize, Act)>) {
    let mut bench = house().await;
    let mut session = None;
    for (tab, what) in script {
        if matches!(what, Act::Restart) {
            bench.restart();
        }
        // A browser drops the cookie of a session that is no more.
        if let Some(id) = session {
            let stored = bench.stored::<crate::directory::Session>(id).await;
            let now = bench.clock.now();
            session = stored.filter(|it| !it.value.is_expired(now)).map(|_| id);
        }
        let query = ["", "next=%2Fhome", "next=//evil.example"][tab];
        let mut visitor = bench.visitor("login").with_query(query);
        visitor.session = session;
        act(&mut visitor, &what).await;
        session = visitor.session;
    }
    bench.check_if_any().await;
    let trail = bench.trail().await;
    for secret in SECRETS {
        assert!(!trail.contains(secret), "{secret:?} is in a record");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn folding_is_living_and_the_second_run_is_the_first_whatever_happens(
        script in prop::collection::vec((0usize..3, acts()), 1..24),
    ) {
        actix::System::new().block_on(play(script));
    }
}
