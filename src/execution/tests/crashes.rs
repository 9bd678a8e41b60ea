//! A crash at every commit of an enrolment and of a recovery: one user, one mail for each time that
//! one was asked for, one invitation that is used up, one login.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::links::{SLUG, link, mails};
use super::{Bench, Visitor};
use crate::catalog::prompt::{Prompt, PromptType};
use crate::directory::User;
use crate::directory::command::prepare;
use crate::directory::invitation::Invitation;
use crate::directory::user::{has_usable_password, users};
use crate::journal::Version;
use crate::journal::faulty::{Fault, Faulty};
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;
use crate::world::record::KIND;

const TYPED: &str = "tK7#pQ2vXz9!mW4r";

/// A server whose commits of executions can be made to fail.
struct Scene {
    bench: Bench,
    faulty: Arc<Faulty>,
    invitation: Option<Uuid>,
}

async fn prompts(bench: &Bench, fields: &[(&str, PromptType)]) -> Value {
    let mut pks = Vec::new();
    for (key, kind) in fields {
        let name = format!("{key}-{}", bench.clock.opaque_id());
        let prompt = Prompt::new(&bench.clock, &name, key, *kind);
        pks.push(prompt.pk);
        bench.write(vec![object::put(&prompt, Version::NONE)]).await;
    }
    json!({ "fields": pks })
}

const PASSWORDS: [(&str, PromptType); 2] = [
    ("password", PromptType::Password),
    ("password_repeat", PromptType::Password),
];

impl Scene {
    async fn new(stages: impl AsyncFnOnce(&Bench) -> Vec<(Kind, Value)>) -> Self {
        let inner = Bench::new();
        let faulty = Faulty::over(Arc::clone(&inner.journal), Some(KIND));
        let bench = Bench::over(faulty.clone(), inner.clock.clone());
        prepare(bench.journal.as_ref(), &bench.clock)
            .await
            .expect("an installation");
        let stages = stages(&bench).await;
        bench.flow(SLUG, &stages).await;
        Self {
            bench,
            faulty,
            invitation: None,
        }
    }

    async fn enrolment() -> Self {
        let mut scene = Self::new(async |bench| {
            let mut fields = vec![
                ("username", PromptType::Username),
                ("email", PromptType::Email),
            ];
            fields.extend(PASSWORDS);
            let write = json!({
                "user_creation_mode": "always_create", "create_users_as_inactive": true,
            });
            let email = json!({"use_global_settings": true, "activate_user_on_success": true});
            vec![
                (Kind::Invitation, json!({})),
                (Kind::Prompt, prompts(bench, &fields).await),
                (Kind::UserWrite, write),
                (Kind::Email, email),
                (Kind::Dummy, json!({})),
                (Kind::UserLogin, json!({})),
            ]
        })
        .await;
        let name = "friends".parse().expect("a slug");
        let mut invitation = Invitation::new(&scene.bench.clock, name);
        invitation.single_use = true;
        let write = object::put(&invitation, Version::NONE);
        scene.bench.write(vec![write]).await;
        scene.invitation = Some(invitation.pk);
        scene
    }

    async fn recovery() -> Self {
        let scene = Self::new(async |bench| {
            vec![
                (Kind::Identification, json!({"user_fields": ["username"]})),
                (Kind::Email, json!({"use_global_settings": true})),
                (Kind::Prompt, prompts(bench, &PASSWORDS).await),
                (
                    Kind::UserWrite,
                    json!({"user_creation_mode": "never_create"}),
                ),
                (Kind::UserLogin, json!({})),
            ]
        })
        .await;
        let mut ann = scene.bench.user("ann", "before").await;
        let stored: Versioned<User> = scene.bench.stored(ann.uuid).await.expect("she is there");
        ann.email = "ann@id.example".to_owned();
        let write = object::put(&ann, stored.version);
        scene.bench.write(vec![write]).await;
        scene
    }

    /// Asks again until there is an answer, after a restart, as a patient browser does.
    async fn insists(&self, visitor: &mut Visitor<'_>, body: Option<Value>) {
        for _ in 0..4 {
            let done = match &body {
                Some(body) => visitor.tries(body.clone()).await,
                None => visitor.tries_to_open().await,
            };
            if done.is_ok() {
                return;
            }
        }
        panic!("nothing is taken any more");
    }

    /// Goes through the flow, with this fault at this commit.
    async fn plays(&mut self, asks: &[Value], answers: &[Value], fault: Fault, at: usize) {
        let faults = std::iter::repeat_n(Fault::None, at).chain([fault]);
        self.faulty.fail(faults);
        let query = self
            .invitation
            .map_or_else(String::new, |it| format!("itoken={it}"));
        let mut asking = self.bench.visitor(SLUG).with_query(&query);
        self.insists(&mut asking, None).await;
        for body in asks {
            self.insists(&mut asking, Some(body.clone())).await;
        }
        asking.sees("ak-stage-email");
        let query = link(&self.bench).await;
        let mut reading = self.bench.visitor(SLUG).with_query(&query);
        self.insists(&mut reading, None).await;
        reading.sees("ak-stage-consent");
        let token = reading.body()["token"].clone();
        self.insists(&mut reading, Some(json!({ "token": token })))
            .await;
        for body in answers {
            self.insists(&mut reading, Some(body.clone())).await;
        }
        reading.is_sent_to("/");
        let session = reading.session_object().await.value;
        let all = users(self.bench.journal.as_ref()).await.expect("a read");
        let [user] = &all[..] else {
            panic!("{fault:?} at {at}: {} users", all.len());
        };
        assert_eq!(session.user, Some(user.value.uuid), "{fault:?} at {at}");
        assert!(user.value.is_active && has_usable_password(&user.value));
        let mails = mails(&self.bench).await;
        assert_eq!(mails.len(), 1, "{fault:?} at {at}");
        if let Some(invitation) = self.invitation {
            let left: Option<Versioned<Invitation>> = self.bench.stored(invitation).await;
            assert!(
                left.is_none(),
                "{fault:?} at {at}: the invitation can be used again"
            );
        }
        assert!(!self.bench.trail().await.contains(TYPED));
        self.bench.check().await;
    }
}

fn passwords() -> Value {
    json!({"password": TYPED, "password_repeat": TYPED})
}

#[actix::test]
async fn a_confirmation_that_somebody_else_overtakes_is_judged_again_and_shows_nothing_unconfirmed()
{
    let scene = Scene::recovery().await;
    let mut asking = scene.bench.visitor(SLUG);
    asking.opens().await;
    asking.answers(json!({"uid_field": "ann"})).await;
    asking.sees("ak-stage-email");
    let query = link(&scene.bench).await;
    let mut reading = scene.bench.visitor(SLUG).with_query(&query);
    reading.opens().await;
    let token = reading.body()["token"].clone();
    scene.faulty.fail([Fault::Moved]);
    reading.answers(json!({ "token": token })).await;
    reading.sees("ak-stage-prompt");
    asking.opens().await;
    asking.sees("ak-stage-access-denied");
    scene.bench.check().await;
}

#[actix::test]
async fn an_enrolment_survives_a_crash_at_each_of_its_commits() {
    let mut form = passwords();
    form["username"] = json!("ann");
    form["email"] = json!("ann@id.example");
    for fault in [Fault::Before, Fault::After] {
        for at in 0..8 {
            let mut scene = Scene::enrolment().await;
            let asks = [form.clone()];
            scene.plays(&asks, &[json!({})], fault, at).await;
        }
    }
}

#[actix::test]
async fn a_recovery_survives_a_crash_at_each_of_its_commits() {
    for fault in [Fault::Before, Fault::After] {
        for at in 0..8 {
            let mut scene = Scene::recovery().await;
            let asks = [json!({"uid_field": "ann"})];
            scene.plays(&asks, &[passwords()], fault, at).await;
        }
    }
}
