//! Duo, against a server that speaks its protocol: enrolment, pushes, and what outlives a crash.

use std::time::Duration;

use gatelog::clock::Clock;
use serde_json::{Value, json};

use crate::support::duo::Duo;
use crate::support::{Answer, Flow, Options, Person, TestServer, Visitor, block_on};

mod enrolment;
mod kill;
mod leaving;
mod oncall;
mod refusals;
mod waiting;

/// The flow that logs in with a push.
pub(super) const LOGIN: &str = "duo-login";

/// The flow that enrols a device.
const SETUP: &str = "duo-setup";

/// Where browsers reach the server, as its operator says.
const PUBLIC_URL: &str = "https://login.example.org/";

/// A server, Duo, and somebody who has enrolled a device.
pub(super) struct Scene {
    pub(super) server: TestServer,
    pub(super) duo: Duo,
    pub(super) alice: Person,
}

impl Scene {
    pub(super) async fn start() -> Self {
        let options = Options::default().with("GATELOG_WEB__PUBLIC_URL", PUBLIC_URL);
        let server = TestServer::start(options).await;
        let duo = Duo::start(server.canaries()).await;
        server.has_flow(
            &Flow::new(SETUP)
                .with("designation", "stage_configuration")
                .stage("authenticator_duo", "duo-enrols", duo.settings()),
        );
        let validates = json!({ "not_configured_action": "deny" });
        let login = json!({ "remember_me_offset": "days=7" });
        server.has_flow(
            &Flow::new(LOGIN)
                .identification_and_password()
                .stage("authenticator_validate", "duo-validates", validates)
                .stage("user_login", "duo-logs-in", login),
        );
        let alice = server.person();
        let scene = Self { server, duo, alice };
        scene.enrols(&scene.alice).await;
        scene
    }

    /// Somebody logs in with a password alone, and enrols a device.
    pub(super) async fn enrols(&self, person: &Person) {
        let mut visitor = self.server.visitor();
        visitor.logs_in(person).await;
        let shown = visitor.opens(SETUP).await;
        shown.sees("ak-stage-authenticator-duo");
        self.duo.enrolled("success");
        visitor.answers(json!({})).await.is_redirected_to("/");
    }

    /// Somebody who has typed the password and is asked for a push; what a push is asked for with.
    pub(super) async fn at_push(&self) -> (Visitor, Value) {
        let mut visitor = self.server.visitor();
        visitor.opens(LOGIN).await;
        let who = json!({ "uid_field": self.alice.username });
        visitor.answers(who).await.sees("ak-stage-password");
        let what = json!({ "password": self.alice.password });
        let shown = visitor.answers(what).await;
        shown.sees("ak-stage-authenticator-validate");
        let offer = shown.json()["device_challenges"][0].clone();
        assert_eq!(offer["device_class"], "duo", "{shown:?}");
        let uid = offer["device_uid"].as_str().expect("a number");
        let pk: i64 = uid.parse().expect("a number");
        (visitor, json!({ "duo": pk }))
    }

    /// The same, who has chosen the device once more.
    pub(super) fn chosen(push: &Value) -> Value {
        let uid = push["duo"].to_string();
        let offer = json!({
            "device_class": "duo", "device_uid": uid, "challenge": {}, "last_used": null,
        });
        json!({ "selected_challenge": offer, "duo": push["duo"] })
    }

    /// Somebody asks for a push, and does not wait for anything once Duo is asked what becomes of it.
    pub(super) async fn asks_and_goes(&self, visitor: &Visitor, push: &Value) {
        tokio::select! {
            answer = visitor.try_to_answer(push, &[]) => panic!("nobody decided: {answer:?}"),
            () = async {
                self.duo.has_pushed(1).await;
                self.duo.is_asked().await;
            } => {}
        }
    }

    /// Exactly one push was sent, ever.
    #[track_caller]
    pub(super) fn pushed_once(&self) {
        assert_eq!(self.duo.pushes().len(), 1);
    }

    /// How often something of this name happened, in all executions.
    pub(super) fn count(&self, name: &str) -> usize {
        let histories = self.server.histories();
        let events = histories.iter().flatten();
        events.filter(|event| event["event"] == name).count()
    }

    /// Why second factors were refused, the latest execution first.
    pub(super) fn reasons(&self) -> Vec<String> {
        let histories = self.server.histories();
        let refused = histories
            .iter()
            .flatten()
            .filter(|event| event["event"] == "mfa_rejected");
        let because = |event: &Value| event["reason"]["because"].as_str().map(str::to_owned);
        refused.filter_map(because).collect()
    }
}

/// Runs a scenario, and then everything that every server is checked for.
fn with_duo(scenario: impl AsyncFnOnce(&mut Scene)) {
    block_on(async {
        let mut scene = Scene::start().await;
        scenario(&mut scene).await;
        scene.duo.pushes();
        scene.server.finish().await;
    });
}

/// Looks until there is something else to see than the question for a push.
async fn looks_until_it_goes_on(visitor: &mut Visitor) -> Answer {
    for _ in 0..100 {
        let shown = visitor.looks().await;
        if shown.component() != "ak-stage-authenticator-validate" {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the login does not go on");
}

/// The login is through, once it is said whether the browser is to be remembered.
async fn is_logged_in(visitor: &mut Visitor, shown: &Answer) {
    shown.sees("ak-stage-user-login");
    let end = visitor.answers(json!({ "remember_me": false })).await;
    end.is_redirected_to("/");
}

/// How long something takes.
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let clock = Clock::system();
    let begun = clock.monotonic();
    let done = work.await;
    (done, clock.monotonic() - begun)
}
