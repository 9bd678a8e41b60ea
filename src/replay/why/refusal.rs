//! Why a stage refused a visitor, and what would have had to differ.

use super::ending::Ending;
use super::story::Story;
use super::voice::{Voice, named, number, purpose, within};
use super::way::Way;
use crate::flow::context::{Value, key};
use crate::flow::event::Event;

/// Why the stage of this name refused.
pub(super) fn of(story: &Story<'_>, stage: &str, voice: Voice) -> Ending {
    let current = story.current();
    let kind = current.map_or("", |it| it.kind.as_str());
    let name = format!("the stage {}{}", named(stage), purpose(kind));
    let comma = if purpose(kind).is_empty() { "" } else { "," };
    let because = |way, why: String, would: &str| {
        let told = format!("the attempt was refused by {name}{comma} because {why}");
        Ending::new(way, told, would)
    };
    if let Some(problem) = misconfigured(story) {
        let problem = voice.only_operator(|| format!(": {}", within(problem)));
        let why = format!("something is set up wrongly{problem}");
        let would = "to get through, an administrator would have had to mend that before";
        return because(Way::Misconfigured, why, would);
    }
    match kind {
        "deny" => deny(story, stage, voice),
        "identification" | "password" if has(story, is_password) => {
            let failures = story.state.latest().map_or(0, |it| it.password_failures);
            let word = if failures == 1 {
                "password was"
            } else {
                "passwords were"
            };
            let why = format!("{} {word} refused, and it allows no more", number(failures));
            let would = "to get through, the right password of an active account would have had \
                         to be typed before that; the visitor can begin again";
            because(Way::PasswordAttempts, why, would)
        }
        "authenticator_validate" if has(story, is_refused) => because(
            Way::DuoSaidNo,
            "Duo was told no, and was to be asked again and again".to_owned(),
            "to get through, the user would have had to approve the push on their telephone, or \
             to choose another way",
        ),
        "authenticator_validate" => because(
            Way::NoFactor,
            "the account has no second factor that counts there".to_owned(),
            "to get through, a second factor of a kind that the stage accepts would have had to \
             be set up before",
        ),
        "authenticator_webauthn" if has(story, is_factor) => because(
            Way::KeyAttempts,
            "the security key or passkey was refused as often as the stage allows".to_owned(),
            "to get through, a key or passkey that the stage accepts would have had to be shown \
             before that",
        ),
        "user_write" => written(story, because),
        "invitation" => because(
            Way::NoInvitation,
            format!("there was no invitation that counts{}", reason(story)),
            "to get through, the visitor would have had to come by the link of an invitation that \
             is still good and is for this flow",
        ),
        "redirect" => because(
            Way::NoTarget,
            "there is nowhere it leads to".to_owned(),
            "to get through, the stage would have had to name a flow that exists, or an address",
        ),
        kind if kind.starts_with("authenticator_") => setup(story, voice, because),
        "user_login" | "user_delete" | "email" | "password" => somebody(story, because),
        _ => because(
            Way::StageRefused,
            format!("it said no{}", said(story, voice)),
            "to get through, the stage would have had to be passed",
        ),
    }
}

/// What a visitor read, where it is not the sentence that says nothing.
fn said(story: &Story<'_>, voice: Voice) -> String {
    let message = story.check().map_or("", |(_, message)| message);
    if message.is_empty() || message == "Unknown error" {
        return String::new();
    }
    voice.only_operator(|| format!("; the page said “{}”", within(message)))
}

/// Why the stage noted that it refused, as a part of a sentence.
pub(super) fn reason(story: &Story<'_>) -> String {
    let events = &story.decisive().record.events;
    let why = events.iter().rev().find_map(|it| match it {
        Event::Refused { why } => Some(why),
        _ => None,
    });
    why.map_or_else(String::new, |why| format!(": {}", within(why)))
}

fn misconfigured<'a>(story: &Story<'a>) -> Option<&'a str> {
    let events = &story.decisive().record.events;
    events.iter().rev().find_map(|it| match it {
        Event::ConfigurationError { problem, .. } => Some(problem.as_str()),
        _ => None,
    })
}

fn has(story: &Story<'_>, is: fn(&Event) -> bool) -> bool {
    story.decisive().record.events.iter().any(is)
}

fn is_password(event: &Event) -> bool {
    matches!(event, Event::PasswordRejected { .. })
}

fn is_factor(event: &Event) -> bool {
    matches!(event, Event::MfaRejected { .. })
}

fn is_refused(event: &Event) -> bool {
    matches!(event, Event::Refused { .. })
}

/// A stage that lets nobody through: what led to it matters more than what it did.
fn deny(story: &Story<'_>, stage: &str, voice: Voice) -> Ending {
    let told = format!(
        "the attempt was refused by the stage {}, which lets nobody through{}",
        named(stage),
        said(story, voice)
    );
    let is_bound = story.verdict.as_ref().is_some_and(|verdict| {
        let target = &verdict.decided.target;
        let current = story.current().map(|it| it.binding.id);
        matches!(target, crate::flow::verdict::Target::Binding { binding, .. } if Some(*binding) == current)
    });
    let would = if is_bound {
        "to get through, the policies of that stage would have had to say no, so that it is left out"
    } else {
        "to get through, the stage would have had to be left out: nobody passes it"
    };
    Ending::new(Way::DenyStage, told, would)
}

/// A stage needs a user, and there is none of whom it could be.
fn somebody(story: &Story<'_>, because: impl Fn(Way, String, &str) -> Ending) -> Ending {
    let context = story.state.latest().map(|it| &it.context);
    match context.and_then(|it| it.get(key::PENDING_USER)) {
        None => because(
            Way::NobodyNamed,
            "nobody had been named until then".to_owned(),
            "to get through, a stage before it would have had to ask who the visitor is",
        ),
        Some(Value::Stranger { .. }) => because(
            Way::UnknownName,
            "no account has the name that was given".to_owned(),
            "to get through, the visitor would have had to give the name of an account",
        ),
        Some(_) => because(
            Way::InactiveUser,
            "the account is not active, or is gone".to_owned(),
            "to get through, the account would have had to be there and active",
        ),
    }
}

fn written(story: &Story<'_>, because: impl Fn(Way, String, &str) -> Ending) -> Ending {
    let reason = reason(story);
    if reason.is_empty() {
        return because(
            Way::NotWritten,
            "nothing had been typed that could be written".to_owned(),
            "to get through, a stage before it would have had to ask for something",
        );
    }
    because(
        Way::NotWritten,
        format!("the user could not be written{reason}"),
        "to get through, that would have had to be otherwise; the visitor can begin again and \
         fill the form in differently",
    )
}

/// An authenticator could not be set up.
fn setup(story: &Story<'_>, voice: Voice, because: impl Fn(Way, String, &str) -> Ending) -> Ending {
    let context = story.state.latest().map(|it| &it.context);
    let pending = context.and_then(|it| it.get(key::PENDING_USER));
    let message = story.check().map_or("", |(_, message)| message);
    if matches!(pending, Some(Value::Stranger { .. })) {
        return because(
            Way::UnknownName,
            "no account has the name that was given".to_owned(),
            "to get through, the visitor would have had to give the name of an account",
        );
    }
    if message.contains("already") {
        return because(
            Way::HasFactor,
            "the account has such an authenticator already".to_owned(),
            "to get through, the visitor has to log in again and to use the one that is there, or \
             to have that removed before",
        );
    }
    if message == "Unknown error" && !has(story, is_refused) {
        return because(
            Way::NobodyNamed,
            "nobody had been named until then".to_owned(),
            "to get through, the visitor would have had to be logged in, or to be asked who they are",
        );
    }
    because(
        Way::SetupFailed,
        format!(
            "the authenticator could not be set up{}{}",
            reason(story),
            said(story, voice)
        ),
        "to get through, the other side would have had to confirm it; the visitor can begin again",
    )
}
