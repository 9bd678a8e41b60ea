//! People whose second factor is a push: they log in through any node again and again, and approve each push at once.

use serde_json::{Value, json};

use super::Town;
use super::dice::Dice;
use super::guest::{Came, End, Guest, VALIDATE};
use crate::soak::ledger::challenge;
use crate::support::duo::Duo;
use crate::support::{Answer, Flow, Person, TestServer};

/// The flow that logs in with a push.
const LOGIN: &str = "login-with-push";

/// The flow that enrols a device.
const SETUP: &str = "push-setup";

/// What is said where nobody knows whether there was a push: it takes another choice to get another one.
const UNKNOWN: &str = "unknown";

/// Makes the flows, and gives so many people a device.
pub(super) async fn people(node: &TestServer, duo: &Duo, count: usize) -> Vec<Person> {
    node.has_flow(
        &Flow::new(SETUP)
            .with("designation", "stage_configuration")
            .stage("authenticator_duo", "push-enrols", duo.settings()),
    );
    let validates = json!({ "not_configured_action": "deny" });
    node.has_flow(
        &Flow::new(LOGIN)
            .identification_and_password()
            .stage("authenticator_validate", "push-validates", validates)
            .stage("user_login", "push-logs-in", json!({})),
    );
    let mut people = Vec::new();
    for _ in 0..count {
        let person = node.person();
        let mut visitor = node.visitor();
        visitor.logs_in(&person).await;
        let shown = visitor.opens(SETUP).await;
        shown.sees("ak-stage-authenticator-duo");
        duo.enrolled("success");
        visitor.answers(json!({})).await.is_redirected_to("/");
        people.push(person);
    }
    duo.lets_everybody_in();
    people
}

impl Town {
    /// Somebody logs in with a push until nothing is killed any more, or until so many pushes were lost that
    /// they get no more for a while.
    pub(super) async fn keeps_approving(&self, person: &Person, mut dice: Dice) {
        while !self.is_over.get() {
            let mut guest = Guest::new(self, &mut dice);
            match guest.visits(LOGIN, "", person).await {
                End::In | End::Gone => {}
                End::Enough => return,
                other => panic!("logging in ended with {other:?}"),
            }
        }
    }
}

impl Guest<'_> {
    /// Asks for a push, and goes on asking until the login goes on.
    pub(super) async fn asks_for_push(&mut self, mut shown: Answer) -> Came {
        let begun = challenge(&shown).expect("an execution");
        loop {
            let Some(body) = asked(&shown) else {
                return Came::ToNoMore;
            };
            let told = match self.posts(&body, &[]).await {
                Some(told) => told,
                None => self.looks().await,
            };
            let now = challenge(&told);
            if now.as_ref().is_none_or(|(same, _)| *same != begun.0) {
                return self.through(&begun, told);
            }
            assert_eq!(told.component(), VALIDATE, "it went back: {told:?}");
            shown = told;
        }
    }
}

/// What is sent for a push; `None` where there will be none, since too many came to nothing.
fn asked(shown: &Answer) -> Option<Value> {
    let said = shown.json();
    let uid = said["device_challenges"][0]["device_uid"].as_str();
    let uid = uid.expect("a device");
    let push: i64 = uid.parse().expect("a number");
    let mut body = json!({ "component": VALIDATE, "duo": push });
    match said["response_errors"]["duo"][0]["code"].as_str() {
        None => {}
        Some(UNKNOWN) => {
            body["selected_challenge"] = json!({
                "device_class": "duo", "device_uid": uid, "challenge": {}, "last_used": null,
            });
        }
        Some(_) => return None,
    }
    Some(body)
}
