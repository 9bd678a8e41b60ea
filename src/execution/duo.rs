//! Asks Duo on behalf of executions, and says what came of it in the form that the trail keeps.
//!
//! A refusal is an answer too: it says that the operator has to mend something.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::unfinished::Unfinished;
use super::work::Unreadable;
use super::{Error, Executions, Shared, vault, work};
use crate::catalog;
use crate::directory::{Session, User};
use crate::duo::{self, Account, Duo, Push};
use crate::flow::effect::{Effect, Outcome};
use crate::journal::object::{self, Versioned};
use crate::journal::{self, Key};
use crate::stage::authenticator::duo::{AuthenticatorDuo, Codes, Enrolling, STAGE_IS_GONE};
use crate::world::Call;

/// What came of a question, with what `shown` keeps of the answer.
fn outcome<T>(said: Result<T, duo::Error>, shown: impl FnOnce(T) -> Value) -> Outcome {
    match said {
        Ok(said) => Outcome::Answered {
            answer: shown(said),
        },
        Err(duo::Error::Refused { code, message }) => Outcome::Answered {
            answer: json!({ "refused": message, "code": code }),
        },
        Err(error @ duo::Error::Unreachable(_)) => {
            tracing::warn!(%error, "Duo could not be asked");
            Outcome::Failed {
                problem: error.to_string(),
            }
        }
        Err(error @ duo::Error::Broken(_)) => {
            tracing::warn!(%error, "Duo was asked, and did not say anything");
            Outcome::Unknown
        }
    }
}

/// Sends a push.
pub(super) async fn push(duo: &Duo, push: &Push) -> Outcome {
    outcome(
        duo.push(push).await,
        |transaction| json!({ "txid": transaction }),
    )
}

/// Waits until somebody has decided about a push, as long as there is a user who may be let in.
pub(super) async fn fate(
    shared: &Shared,
    execution: Uuid,
    account: &Account,
    transaction: &str,
) -> Outcome {
    tokio::select! {
        said = shared.outside.duo.fate(account, transaction) => outcome(
            said,
            |fate| json!({ "result": fate.result, "status": fate.status, "status_msg": fate.message }),
        ),
        () = user_leaves(shared, execution) => Outcome::Failed {
            problem: "the user is gone or not active any more, so nobody is asked".to_owned(),
        },
    }
}

/// How often it is looked whether the user is still there.
const LOOKS: Duration = Duration::from_secs(10);

/// Returns when whoever goes through an execution is deleted, or not active any more. What cannot
/// be read for the moment says nothing.
async fn user_leaves(shared: &Shared, execution: Uuid) {
    let mut user = None;
    loop {
        tokio::time::sleep(LOOKS).await;
        if user.is_none() {
            user = match user_of(shared, execution).await {
                Ok(user) => user,
                Err(Unreadable::Erased) => return,
                Err(Unreadable::Failed(_)) => None,
            };
        }
        let Some(id) = user else { continue };
        let found: journal::Result<Option<Versioned<User>>> =
            object::get(shared.journal.as_ref(), id).await;
        if found.is_ok_and(|found| found.is_none_or(|user| !user.value.is_active)) {
            return;
        }
    }
}

/// Asks whether a user has enrolled a device.
pub(super) async fn enrolment_status(
    duo: &Duo,
    account: &Account,
    user_id: &str,
    activation_code: &SecretString,
) -> Outcome {
    let said = duo.enrolment_status(account, user_id, activation_code);
    outcome(said.await, Value::from)
}

/// Enrols a user. The codes go into the vault of the execution, which the trail does not show.
pub(super) async fn enrol(
    shared: &Shared,
    execution: Uuid,
    account: &Account,
    username: &str,
) -> Outcome {
    let said = shared.outside.duo.enrol(account, username).await;
    let enrolment = match said {
        Ok(enrolment) => enrolment,
        refused => return outcome(refused, |_| Value::Null),
    };
    let codes = Codes::new(&enrolment);
    let secret = serde_json::to_string(&codes).expect("texts are JSON");
    match vault::keep(shared, execution, secret.into()).await {
        Ok(handle) => Outcome::Answered {
            answer: json!({ "user_id": enrolment.user_id, "codes": handle }),
        },
        Err(error) => {
            tracing::warn!(%execution, %error, "what Duo enrolled could not be kept");
            Outcome::Unknown
        }
    }
}

/// The question what became of a push, from what the trail says of it.
///
/// # Errors
/// What came of it, where nobody can be asked any more. That the stage whose account was used is
/// gone is for the operator to mend, as a refusal of Duo's is.
pub(super) async fn again(shared: &Shared, what: &Effect) -> Result<Call, Outcome> {
    let Effect::PushStatus { stage, transaction } = what else {
        return Err(Outcome::Unknown);
    };
    let found: journal::Result<Option<Versioned<catalog::Stage>>> =
        object::get(shared.journal.as_ref(), *stage).await;
    let found = found.map_err(|error| {
        tracing::error!(%error, "the account of a push cannot be read");
        Outcome::Unknown
    })?;
    let settings = found.and_then(|found| AuthenticatorDuo::of(&found.value));
    let settings = settings.ok_or_else(|| Outcome::Answered {
        answer: json!({ "refused": STAGE_IS_GONE, "code": null }),
    })?;
    Ok(Call::DuoPushStatus {
        stage: *stage,
        account: settings.account(),
        transaction: transaction.clone(),
    })
}

/// Whoever goes through an execution or, where that is nobody, is logged in.
async fn user_of(shared: &Shared, execution: Uuid) -> Result<Option<Uuid>, Unreadable> {
    let loaded = work::load(shared, execution).await?;
    let Some(latest) = loaded.state.latest() else {
        return Ok(None);
    };
    if let Some(user) = latest.context.pending_user() {
        return Ok(Some(user));
    }
    let session: Option<Versioned<Session>> =
        object::get(shared.journal.as_ref(), latest.session).await?;
    Ok(session.and_then(|session| session.value.user))
}

impl Executions {
    /// Whether the browser with this session, which enrols a device by this stage, has done so:
    /// what Duo says of it. `None` where it does not enrol any.
    ///
    /// # Errors
    /// What the journal said. The inner error is Duo's.
    pub async fn duo_enrolment_status(
        &self,
        session: Uuid,
        stage: &catalog::Stage,
    ) -> Result<Option<Result<String, duo::Error>>, Error> {
        let shared = &self.shared;
        let (Some(settings), Some((execution, enrolling))) = (
            AuthenticatorDuo::of(stage),
            enrolling(shared, session, stage.pk).await?,
        ) else {
            return Ok(None);
        };
        let kept = vault::open(shared.journal.as_ref(), execution, enrolling.codes).await?;
        let Some(codes) = kept.as_ref().and_then(Codes::read) else {
            return Ok(None);
        };
        let (account, code) = (settings.account(), codes.activation_code.into());
        let said = shared
            .outside
            .duo
            .enrolment_status(&account, &enrolling.user_id, &code)
            .await;
        Ok(Some(said))
    }

    /// Who asks Duo.
    #[must_use]
    pub fn duo(&self) -> &Duo {
        &self.shared.outside.duo
    }
}

/// The execution of a session that is at this stage, and what it enrols there.
async fn enrolling(
    shared: &Shared,
    session: Uuid,
    stage: Uuid,
) -> Result<Option<(Uuid, Enrolling)>, Error> {
    let objects = shared.journal.as_ref();
    let own: Vec<Versioned<Unfinished>> =
        object::scan(objects, Key::new("session", session)).await?;
    for found in own {
        let execution = found.value.execution;
        // One that cannot be read enrols nobody.
        let Ok(loaded) = work::load(shared, execution).await else {
            continue;
        };
        let Some(running) = loaded.state.running() else {
            continue;
        };
        let is_here = running
            .plan
            .current()
            .is_some_and(|it| it.stage.id == stage);
        if running.session != session || !is_here {
            continue;
        }
        if let Some(enrolling) = Enrolling::of(&running.context) {
            return Ok(Some((execution, enrolling)));
        }
    }
    Ok(None)
}
