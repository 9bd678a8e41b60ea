//! Where an execution stands that is under way, and for what it waits.

use super::ending::Ending;
use super::story::Story;
use super::voice::{Voice, named, purpose, within};
use super::way::Way;
use crate::flow::effect::Effect;
use crate::flow::execution::Running;

/// Where it stands, and what would have to happen.
pub(super) fn of(story: &Story<'_>, running: &Running, voice: Voice) -> Ending {
    let Some(current) = running.plan.current() else {
        return Ending::new(
            Way::Idle,
            "the attempt is under way, and nothing is asked at the moment",
            "to go on, the visitor has to load the page again",
        );
    };
    let at = format!(
        "the stage {}{}",
        named(&current.name),
        purpose(&current.kind)
    );
    let comma = if purpose(&current.kind).is_empty() {
        ""
    } else {
        ","
    };
    if let Some(error) = &running.failure {
        let error = voice.only_operator(|| format!(": {}", within(error)));
        return Ending::new(
            Way::Stuck,
            format!("the attempt stands at {at}{comma} because that could not do its work{error}"),
            "to go on, an administrator has to mend that; then the visitor can load the page again",
        );
    }
    if let Some(wait) = &running.wait {
        if wait.outcome.is_some() {
            return Ending::new(
                Way::NotTakenUp,
                format!(
                    "the attempt is at {at}{comma} and what it waited for has come, but the \
                     visitor has not been there since"
                ),
                "to go on, the visitor has to come back to the page",
            );
        }
        return waits(&at, comma, wait.what.as_ref());
    }
    let is_open = running.links.values().any(|it| !it.used);
    if current.kind == "email" && is_open {
        let ran_out = running
            .links
            .values()
            .all(|it| it.expires <= story.decisive().at);
        let link = if ran_out {
            "has run out"
        } else {
            "has not been confirmed yet"
        };
        return Ending::new(
            Way::AwaitsLink,
            format!("the attempt waits at {at}: the link {link}"),
            "to go on, the visitor has to open the link in the mail and to confirm it, or to ask \
             for another",
        );
    }
    match &running.challenge {
        Some(challenge) => {
            let challenge = voice.only_operator(|| {
                format!(" (challenge {}, {})", challenge.number, challenge.component)
            });
            Ending::new(
                Way::Asked,
                format!("the attempt is under way and waits for an answer at {at}{challenge}"),
                "to go on, the visitor has to answer the question that the page shows",
            )
        }
        None => Ending::new(
            Way::Idle,
            format!("the attempt is under way at {at}{comma} and nothing is asked at the moment"),
            "to go on, the visitor has to load the page again",
        ),
    }
}

fn waits(at: &str, comma: &str, what: Option<&Effect>) -> Ending {
    const SOON: &str = "to go on, that has to come; it usually takes seconds";
    let waits = |way, what: &str, would: &str| {
        Ending::new(
            way,
            format!("the attempt is at {at}{comma} and waits until {what}"),
            would,
        )
    };
    match what {
        Some(Effect::Captcha { .. }) => waits(
            Way::AwaitsCaptcha,
            "the captcha's provider has said whether the visitor is a person",
            SOON,
        ),
        Some(Effect::Sms { .. }) => waits(
            Way::AwaitsMessage,
            "the text message with a code is on its way",
            SOON,
        ),
        Some(Effect::Push { .. }) => waits(Way::AwaitsPush, "Duo has sent a push", SOON),
        Some(Effect::PushStatus { .. }) => waits(
            Way::AwaitsApproval,
            "the user has answered the push by Duo",
            "to go on, the user has to approve it on their telephone, or to choose another way",
        ),
        Some(Effect::DuoEnrolment { .. }) => waits(
            Way::AwaitsEnrolment,
            "Duo has said how the user can be enrolled",
            SOON,
        ),
        Some(Effect::DuoEnrolmentStatus { .. }) => waits(
            Way::AwaitsEnrolled,
            "Duo has said whether the user has enrolled",
            SOON,
        ),
        Some(Effect::Pause) => waits(
            Way::AwaitsPause,
            "a few seconds have passed since Duo said no",
            "to go on, the visitor has to choose a way again",
        ),
        Some(Effect::Mail { .. }) | None => waits(
            Way::AwaitsMail,
            "something that was asked for has come to its end",
            SOON,
        ),
    }
}
