//! Asks Duo to push, and judges what the user did with it.
//!
//! Two effects: the push, which is never repeated, and the question what became of it, which may be
//! asked as often as need be, also by a server that was started later. Which push it is lies in the
//! context, so that whoever comes back, in whatever tab, joins the wait for the same one.
//!
//! An attempt that failed is over: another push needs another choice, or a page that answers by
//! itself would send one after the other.

use jiff::SignedDuration;
use serde_json::Value;
use uuid::Uuid;

use super::{AuthenticatorValidate, Owner, offered, refused};
use crate::catalog;
use crate::directory::device::{Authenticator, Device, DeviceClass, device_by_pk};
use crate::directory::push_attempts::push_attempts;
use crate::duo::Push;
use crate::flow::context::Value as Known;
use crate::flow::effect::Outcome;
use crate::flow::event::{Event, MfaProblem, errors};
use crate::journal::object::{self, Versioned, put};
use crate::stage::authenticator::duo::{AuthenticatorDuo, STAGE_IS_GONE, refusal};
use crate::stage::duration::after;
use crate::stage::{Error, Response, Turn, Verdict};
use crate::world::{Call, Change};

mod attempt;

use attempt::{Attempt, Phase, Refusal};

/// The field of the answer, and of what is complained of.
const FIELD: &str = "duo";

/// How long a push may wait for its user.
const WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// How long after the push an approval still counts.
const COUNTS: SignedDuration = SignedDuration::from_mins(10);

/// How long whoever answers again by themselves has to wait for the same complaint.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// How often they may do so.
const MOST_REPEATS: u8 = 3;

/// What is read by whoever names a device that is not theirs, or that is not offered.
const INVALID: &str = "Invalid device";

/// What is read by whose user got too many pushes.
const TOO_MANY: &str =
    "Too many Duo pushes went unanswered. Choose another way, or try again later.";

/// What Duo says of a transaction that it does not know any more.
const NO_SUCH_TRANSACTION: u64 = 40002;

/// Whether an answer waits for Duo, or for the time after a refusal.
pub(super) fn is_waiting(turn: &Turn<'_>) -> bool {
    turn.running.wait.is_some() && Attempt::of(turn).is_some()
}

/// Whether an answer takes the place of the one that waits: another proof, or another choice.
pub(super) fn gives_way(response: &Response, turn: &Turn<'_>) -> bool {
    let Some(attempt) = Attempt::of(turn) else {
        return false;
    };
    let chosen = response.object("selected_challenge");
    let is_another = |chosen: &Value| {
        let is_duo = chosen["device_class"] == DeviceClass::Duo.as_str();
        !is_duo || chosen["device_uid"].as_str() != Some(attempt.pk.to_string().as_str())
    };
    response.text("code").is_some()
        || response.has_object("webauthn")
        || response.text("selected_stage").is_some()
        || response.integer(FIELD).is_some_and(|pk| pk != attempt.pk)
        || chosen.is_some_and(is_another)
}

/// The visitor has chosen this device: one that was refused may be tried again.
pub(super) fn chosen(turn: &mut Turn<'_>) {
    let is_over = |it: &Attempt| matches!(it.phase, Phase::Refused { .. });
    if Attempt::of(turn).is_some_and(|it| is_over(&it)) {
        Attempt::forget(turn);
    }
}

/// Sends a push to the device with this number, or joins in waiting for the one that was sent.
/// `anew` says that the very same answer chooses the device.
pub(super) async fn judge(
    stage: &AuthenticatorValidate,
    turn: &mut Turn<'_>,
    pk: i64,
    anew: bool,
) -> Result<Verdict, Error> {
    let Some(device) = device(stage, turn, pk).await? else {
        reject(turn, None, MfaProblem::UnknownDevice);
        return Ok(refused(FIELD, INVALID));
    };
    let attempt = Attempt::of(turn).filter(|it| it.device == device.value.uuid);
    let Some(attempt) = attempt else {
        return send(turn, &device.value).await;
    };
    let pending = |effect: &Uuid| turn.running.effects.contains_key(effect);
    match &attempt.phase {
        Phase::Refused { .. } if anew => send(turn, &device.value).await,
        Phase::Refused { why, repeats } => refuse_again(turn, &attempt, *why, *repeats),
        Phase::Pushing { effect } | Phase::Sent { effect, .. } if pending(effect) => {
            Ok(Verdict::Waits(*effect))
        }
        // Nobody waited when it came to its end.
        Phase::Pushing { .. } => Ok(refuse(turn, attempt, MfaProblem::Unknown)),
        Phase::Sent { transaction, .. } => {
            let transaction = transaction.clone();
            ask(turn, attempt, transaction).await
        }
    }
}

/// Goes on with what came of the push, of the question or of the pause.
pub(super) async fn conclude(
    stage: &AuthenticatorValidate,
    turn: &mut Turn<'_>,
    outcome: &Outcome,
) -> Result<Verdict, Error> {
    let Some(attempt) = Attempt::of(turn) else {
        return Err(Error::Failed("nobody knows what was waited for".to_owned()));
    };
    match &attempt.phase {
        Phase::Pushing { .. } => pushed(turn, attempt, outcome).await,
        Phase::Sent { .. } => decided(stage, turn, attempt, outcome).await,
        Phase::Refused { why, .. } => Ok(why.verdict()),
    }
}

/// The device with this number, if it is the user's and was offered.
async fn device(
    stage: &AuthenticatorValidate,
    turn: &Turn<'_>,
    pk: i64,
) -> Result<Option<Versioned<Device>>, Error> {
    let owner = Owner::of(turn).await?;
    let uid = pk.to_string();
    let is_offered = offered::kept(turn)
        .iter()
        .any(|it| it.device_class == DeviceClass::Duo && it.device_uid == uid);
    let (true, true, Some(user)) = (is_offered, stage.allows(DeviceClass::Duo), owner.id()) else {
        return Ok(None);
    };
    let found = device_by_pk(turn.world.objects(), DeviceClass::Duo, pk).await?;
    Ok(found.filter(|it| it.value.user == user && it.value.confirmed))
}

/// Asks Duo for a push.
async fn send(turn: &mut Turn<'_>, device: &Device) -> Result<Verdict, Error> {
    let now = turn.world.now();
    let mut pushes = push_attempts(turn.world.objects(), device.user).await?;
    if let Some(until) = pushes.value.locked_until(now) {
        reject(turn, Some(device.uuid), MfaProblem::Locked { until });
        return Ok(Verdict::Rejected(errors(FIELD, TOO_MANY, "throttled")));
    }
    let Authenticator::Duo { stage, duo_user_id } = &device.of else {
        return Ok(refused(FIELD, INVALID));
    };
    let Some(settings) = settings(turn, *stage).await? else {
        let attempt = Attempt::new(turn, device, Uuid::nil());
        let problem = STAGE_IS_GONE.to_owned();
        return Ok(refuse(turn, attempt, MfaProblem::Misconfigured { problem }));
    };
    let owner = Owner::of(turn).await?;
    let push = Push {
        account: settings.account(),
        user_id: duo_user_id.clone(),
        username: owner.name().to_owned(),
        address: turn.client.address,
        domain: None,
        application: application(turn),
        kind: format!("{} Login request", turn.brand().await?.branding_title),
    };
    pushes.value.count(now);
    let counted = put(&pushes.value, pushes.version);
    turn.world.change(Change::Write(counted));
    turn.learn(Event::MfaChallenged {
        device: device.uuid,
        class: DeviceClass::Duo.to_string(),
    });
    let call = Call::DuoPush {
        device: device.uuid,
        push: Box::new(push),
        client: Box::new(turn.client.clone()),
    };
    let until = after(now, WITHIN);
    let effect = turn.request_until(call, until)?;
    Attempt::new(turn, device, effect).keep(turn);
    Ok(Verdict::Waits(effect))
}

/// What the user reads beside the push of where they log in to.
fn application(turn: &Turn<'_>) -> Option<String> {
    match turn.running.context.get("application") {
        Some(Known::Json(application)) => application["name"].as_str().map(str::to_owned),
        _ => None,
    }
}

async fn settings(turn: &Turn<'_>, stage: Uuid) -> Result<Option<AuthenticatorDuo>, Error> {
    let found: Option<Versioned<catalog::Stage>> = object::get(turn.world.objects(), stage).await?;
    Ok(found.and_then(|found| AuthenticatorDuo::of(&found.value)))
}

/// The push came to its end: it was sent, or not, or nobody knows.
async fn pushed(
    turn: &mut Turn<'_>,
    attempt: Attempt,
    outcome: &Outcome,
) -> Result<Verdict, Error> {
    let answer = match answered(outcome) {
        Ok(answer) => answer,
        Err(problem) => {
            let was_sent = matches!(problem, MfaProblem::Unknown | MfaProblem::TimedOut);
            if let (false, Some(user)) = (was_sent, Owner::of(turn).await?.id()) {
                forgive(turn, user, &attempt).await?;
            }
            return Ok(refuse(turn, attempt, problem));
        }
    };
    let Some(transaction) = answer["txid"].as_str() else {
        return Ok(refuse(turn, attempt, MfaProblem::Unknown));
    };
    turn.learn(Event::PushSent {
        device: attempt.device,
        transaction: transaction.to_owned(),
    });
    ask(turn, attempt, transaction.to_owned()).await
}

/// Asks what becomes of the push, as long as there is time for it.
async fn ask(
    turn: &mut Turn<'_>,
    mut attempt: Attempt,
    transaction: String,
) -> Result<Verdict, Error> {
    let until = after(attempt.at, WITHIN);
    if until <= turn.world.now() {
        return Ok(refuse(turn, attempt, MfaProblem::TimedOut));
    }
    let Some(settings) = settings(turn, attempt.stage).await? else {
        let problem = STAGE_IS_GONE.to_owned();
        return Ok(refuse(turn, attempt, MfaProblem::Misconfigured { problem }));
    };
    let call = Call::DuoPushStatus {
        stage: attempt.stage,
        account: settings.account(),
        transaction: transaction.clone(),
    };
    let effect = turn.request_until(call, until)?;
    attempt.phase = Phase::Sent {
        effect,
        transaction,
    };
    attempt.keep(turn);
    Ok(Verdict::Waits(effect))
}

/// The user has decided, or the time for it is over.
async fn decided(
    stage: &AuthenticatorValidate,
    turn: &mut Turn<'_>,
    attempt: Attempt,
    outcome: &Outcome,
) -> Result<Verdict, Error> {
    let answer = match answered(outcome) {
        Ok(answer) => answer,
        Err(problem) => return Ok(refuse(turn, attempt, problem)),
    };
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let problem = match text("result").as_str() {
        "allow" if turn.world.now() <= after(attempt.at, COUNTS) => None,
        "allow" => Some(MfaProblem::TimedOut),
        "deny" if text("status") == "timeout" => Some(MfaProblem::TimedOut),
        "deny" => Some(MfaProblem::Denied {
            said: text("status"),
        }),
        _ => Some(MfaProblem::Unreachable {
            problem: "what Duo says of the push makes no sense".to_owned(),
        }),
    };
    if let Some(problem) = problem {
        if matches!(problem, MfaProblem::Denied { .. }) {
            // Whoever guessed the password is somebody to be careful of.
            let owner = Owner::of(turn).await?;
            turn.count(owner.name(), -1);
        }
        return Ok(refuse(turn, attempt, problem));
    }
    // The device may have been removed meanwhile.
    let Some(device) = device(stage, turn, attempt.pk).await? else {
        reject(turn, Some(attempt.device), MfaProblem::UnknownDevice);
        Attempt::forget(turn);
        return Ok(refused(FIELD, INVALID));
    };
    forgive(turn, device.value.user, &attempt).await?;
    Attempt::forget(turn);
    stage.accepted(turn, device).await
}

/// A push that was approved, or never sent, counts no more.
async fn forgive(turn: &Turn<'_>, user: Uuid, attempt: &Attempt) -> Result<(), Error> {
    let mut pushes = push_attempts(turn.world.objects(), user).await?;
    pushes.value.forgive(attempt.at);
    let counted = put(&pushes.value, pushes.version);
    turn.world.change(Change::Write(counted));
    Ok(())
}

/// What Duo answered, or why it did not.
fn answered(outcome: &Outcome) -> Result<&Value, MfaProblem> {
    match outcome {
        Outcome::Answered { answer } => match refusal(answer) {
            None => Ok(answer),
            // It forgets a push some time after it is over.
            Some((Some(NO_SUCH_TRANSACTION), problem)) if problem.contains("txid") => {
                Err(MfaProblem::TimedOut)
            }
            Some((_, problem)) => Err(MfaProblem::Misconfigured {
                problem: problem.to_owned(),
            }),
        },
        Outcome::Failed { problem } => Err(MfaProblem::Unreachable {
            problem: problem.clone(),
        }),
        Outcome::TimedOut => Err(MfaProblem::TimedOut),
        Outcome::Done | Outcome::Unknown => Err(MfaProblem::Unknown),
    }
}

/// Ends an attempt.
fn refuse(turn: &mut Turn<'_>, mut attempt: Attempt, problem: MfaProblem) -> Verdict {
    if let MfaProblem::Misconfigured { problem } = &problem {
        turn.learn(Event::ConfigurationError {
            what: "Failed to ask Duo for a push".to_owned(),
            problem: problem.clone(),
        });
    }
    let why = Refusal::of(&problem);
    reject(turn, Some(attempt.device), problem);
    attempt.phase = Phase::Refused { why, repeats: 0 };
    attempt.keep(turn);
    why.verdict()
}

/// The same answer after a refusal: no push, the same complaint after a while, and an end to it
/// where the user has said no.
fn refuse_again(
    turn: &mut Turn<'_>,
    attempt: &Attempt,
    why: Refusal,
    repeats: u8,
) -> Result<Verdict, Error> {
    let repeats = repeats.saturating_add(1);
    if why == Refusal::Denied && repeats >= MOST_REPEATS {
        turn.refuse("Duo said no, and was to be asked again and again");
        return Ok(Verdict::Denied(why.text().to_owned()));
    }
    let mut attempt = attempt.clone();
    attempt.phase = Phase::Refused { why, repeats };
    attempt.keep(turn);
    let until = after(turn.world.now(), PAUSE);
    Ok(Verdict::Waits(turn.request_until(Call::Pause, until)?))
}

fn reject(turn: &mut Turn<'_>, device: Option<Uuid>, reason: MfaProblem) {
    turn.learn(Event::MfaRejected {
        class: DeviceClass::Duo.to_string(),
        device,
        reason,
    });
}
