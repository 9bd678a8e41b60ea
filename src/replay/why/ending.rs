//! How an execution ended, and what would have had to differ.

use super::story::Story;
use super::verdict;
use super::voice::{Voice, named, number, purpose};
use super::way::Way;
use super::{refusal, standing};
use crate::flow::Execution;
use crate::flow::event::{Check, Event};
use crate::flow::execution::{End, Ended};
use crate::flow::input::{Canceller, DeadLink, Request};
use crate::flow::model::Authentication;

/// How it ended or stands: the word, a sentence, and what would have had to differ.
pub(super) struct Ending {
    pub(super) way: Way,
    pub(super) told: String,
    pub(super) would_have: String,
}

impl Ending {
    pub(super) fn new(way: Way, told: impl Into<String>, would_have: impl Into<String>) -> Self {
        Self {
            way,
            told: told.into(),
            would_have: would_have.into(),
        }
    }
}

/// Tells how it ended, or how it stands.
pub(super) fn of(story: &Story<'_>, wants: Option<Authentication>, voice: Voice) -> Ending {
    match &story.state {
        Execution::Unstarted => Ending::new(Way::Idle, "nothing has happened", ""),
        Execution::Running(running) => standing::of(story, running, voice),
        Execution::Ended(ended) => how(story, ended, wants, voice),
    }
}

fn how(story: &Story<'_>, ended: &Ended, wants: Option<Authentication>, voice: Voice) -> Ending {
    match &ended.how {
        End::Completed { destination } => completed(ended, destination, voice),
        End::Denied { check, .. } => denied(story, check, wants, voice),
        End::Cancelled => cancelled(story, canceller(story)),
        End::Expired => expired(story),
    }
}

fn canceller(story: &Story<'_>) -> Canceller {
    let events = story.end.map(|it| it.record.events.as_slice());
    let by = events.unwrap_or_default().iter().find_map(|it| match it {
        Event::Cancelled { by } => Some(*by),
        _ => None,
    });
    by.unwrap_or(Canceller::Visitor)
}

fn completed(ended: &Ended, destination: &str, voice: Voice) -> Ending {
    let to = voice.or(
        || format!("sent on to {}", named(destination)),
        "sent on to where they wanted to go",
    );
    if ended.last.planned {
        let told = format!("every stage was passed, and the visitor was {to}");
        return Ending::new(Way::Completed, told, "");
    }
    Ending::new(
        Way::AlreadyLoggedIn,
        format!("no stage was shown, because the visitor was logged in already; they were {to}"),
        "to be asked to log in, they would have had to log out before",
    )
}

fn denied(story: &Story<'_>, check: &Check, wants: Option<Authentication>, voice: Voice) -> Ending {
    match check {
        Check::Requirement => requirement(wants),
        Check::Policies => policies(story, voice),
        Check::Stage { stage } => refusal::of(story, stage, voice),
        Check::Next => Ending::new(
            Way::UnsafeNext,
            format!(
                "every stage was passed, but the attempt was refused at its very end, because the \
                 address to go to afterwards leads away from this server{}",
                next(story, voice)
            ),
            "to get through, the link by which the visitor came would have had to name a page of \
             this server as “next”",
        ),
        Check::FlowDeleted => Ending::new(
            Way::FlowDeleted,
            "the attempt was ended, because the flow or the stage at which the visitor was had \
             been deleted meanwhile",
            "to get through, both would have had to stay until the end",
        ),
        Check::UserInactive => Ending::new(
            Way::UserInactive,
            "the attempt was ended, because the account had been made inactive or deleted while \
             it was under way",
            "to get through, the account would have had to stay active",
        ),
        Check::PasswordChanged => Ending::new(
            Way::PasswordChanged,
            "the attempt was ended, because the password with which it had been made was changed \
             meanwhile, so that it proves nothing any more",
            "to get through, the visitor has to begin again with the new password",
        ),
        Check::Attempts => attempts(story),
        Check::Link => link(story),
    }
}

fn next(story: &Story<'_>, voice: Voice) -> String {
    let query = &story.decisive().record.input.query;
    let query = crate::flow::query::Query::parse(query);
    match query.next() {
        Some(next) => voice.only_operator(|| format!(" ({})", named(next))),
        None => String::new(),
    }
}

/// What a flow asks of everybody who comes.
fn requirement(wants: Option<Authentication>) -> Ending {
    let refused = |way, wants: &str, would| {
        let told = format!("the attempt was refused before its first stage, because {wants}");
        Ending::new(way, told, would)
    };
    match wants {
        Some(Authentication::RequireToken) => refused(
            Way::RequirementLink,
            "the flow is only for whoever comes by a valid link, and the visitor came without one",
            "to be let in, they would have had to open a link that was sent to them and is still good",
        ),
        Some(Authentication::RequireAuthenticated) => refused(
            Way::RequirementLogin,
            "the flow is only for whoever is logged in, and the visitor was not",
            "to be let in, they would have had to log in before",
        ),
        Some(Authentication::RequireUnauthenticated) => refused(
            Way::RequirementNoLogin,
            "the flow is only for whoever is not logged in, and the visitor was",
            "to be let in, they would have had to log out before",
        ),
        Some(Authentication::RequireSuperuser) => refused(
            Way::RequirementSuperuser,
            "the flow is only for administrators, and the visitor was not logged in as one",
            "to be let in, they would have had to be logged in as a superuser",
        ),
        Some(Authentication::RequireRedirect) => refused(
            Way::RequirementRedirect,
            "the flow is only for whoever another flow sends there, and the visitor came directly",
            "to be let in, they would have had to begin with the flow that leads there",
        ),
        Some(Authentication::RequireOutpost) => refused(
            Way::RequirementOutpost,
            "the flow is only for outposts, and the visitor was none",
            "to be let in, the request would have had to come with the key of an outpost",
        ),
        Some(Authentication::None) | None => refused(
            Way::Requirement,
            "the visitor did not meet what the flow requires of everybody who comes",
            "to be let in, they would have had to meet the flow's authentication requirement",
        ),
    }
}

fn policies(story: &Story<'_>, voice: Voice) -> Ending {
    let Some(verdict) = &story.verdict else {
        return Ending::new(
            Way::FlowPolicies,
            "the attempt was refused before its first stage, because the flow's policies said no",
            "to be let in, the flow's policies would have had to say yes",
        );
    };
    Ending::new(
        Way::FlowPolicies,
        format!(
            "the attempt was refused before its first stage, because {}",
            verdict::why_not(verdict, voice)
        ),
        format!("to be let in, {}", verdict::would_have(verdict, voice)),
    )
}

/// Which of the limits it was that keep somebody from going on for ever.
fn attempts(story: &Story<'_>) -> Ending {
    let refused = |way, told: String, would| {
        Ending::new(way, format!("the attempt was ended, because {told}"), would)
    };
    let events = &story.decisive().record.events;
    let entered = events
        .iter()
        .filter(|it| matches!(it, Event::StageEntered { .. }));
    let last = story.state.latest();
    let restarts = last.map_or(0, |it| it.restarts);
    let answers = last.map_or(0, |it| it.answers);
    let decisions = last.map_or(0, |it| it.decisions);
    let many = |count: usize| count > 100;
    if many(entered.count()) || many(changes(events)) {
        return refused(
            Way::TooManyTurns,
            "stage after stage came up without anybody being asked, as when a policy puts a \
             stage in front of its own for ever"
                .to_owned(),
            "to get through, the policies of the flow would have had to come to an end with \
             changing it",
        );
    }
    if answers >= 500 {
        return refused(
            Way::TooManyAnswers,
            format!(
                "the visitor had given {answers} answers, which is as many as one attempt may have"
            ),
            "to get through, they would have had to answer rightly before; they can begin again",
        );
    }
    if decisions >= 2_000 {
        return refused(
            Way::TooManyDecisions,
            format!(
                "its policies had been asked {decisions} times, which is as often as one attempt may ask"
            ),
            "to get through, the page would have had to be loaded less often, or the policies \
             to say the same thing each time",
        );
    }
    refused(
        Way::TooManyRestarts,
        format!(
            "the flow had begun again {} times, which is as often as one attempt may",
            number(restarts)
        ),
        "to get through, the stage that wants the flow to begin again would have had to be passed",
    )
}

fn changes(events: &[Event]) -> usize {
    let changes = events.iter();
    changes
        .filter(|it| matches!(it, Event::PlanChanged { .. }))
        .count()
}

/// What was wrong with the link, or with the invitation, that led there.
fn link(story: &Story<'_>) -> Ending {
    let dead = match &story.decisive().record.input.request {
        Request::Begin { dead_link, .. } => *dead_link,
        _ => None,
    };
    match dead {
        Some(DeadLink::Used) => Ending::new(
            Way::LinkUsed,
            "the attempt was refused at once, because the link by which the visitor came had been \
             used already, and a link is good once",
            "to be let in, they would have had to ask for another link",
        ),
        Some(DeadLink::Unknown) => Ending::new(
            Way::LinkUnknown,
            "the attempt was refused at once, because the link by which the visitor came had run \
             out, or was never made here",
            "to be let in, they would have had to ask for another link, and to open it in time",
        ),
        None => Ending::new(
            Way::InvitationGone,
            format!(
                "the attempt was refused, because the invitation by which the visitor came could \
                 no longer be used{}",
                refusal::reason(story)
            ),
            "to get through, they would have had to come by an invitation that is still good, or \
             to be faster than whoever else has the same one",
        ),
    }
}

fn at_stage(story: &Story<'_>) -> String {
    let at = story.current();
    at.map_or_else(String::new, |it| {
        format!(" at the stage {}{}", named(&it.name), purpose(&it.kind))
    })
}

fn cancelled(story: &Story<'_>, by: Canceller) -> Ending {
    let at = at_stage(story);
    let at = if at.is_empty() { at } else { format!("{at},") };
    match by {
        Canceller::Visitor => Ending::new(
            Way::GivenUp,
            format!(
                "{at} the visitor gave up, by the link that cancels or by beginning something else"
            ),
            "to get through, they would have had to go on instead",
        ),
        Canceller::Logout => Ending::new(
            Way::LoggedOut,
            format!(
                "{at} the attempt was ended, because the browser was logged out in the meantime"
            ),
            "to get through, the visitor would have had to finish before logging out",
        ),
        Canceller::Binding => Ending::new(
            Way::UsedElsewhere,
            format!(
                "{at} the attempt was ended, because the browser's session was used from a \
                 network or a place to which it is not bound"
            ),
            "to get through, the visitor would have had to stay in the same network and place, or \
             to log in again from the new one",
        ),
        Canceller::Operator => Ending::new(
            Way::Replaced,
            format!(
                "{at} the attempt was ended, because an administrator made another one in its place, such as a newer link"
            ),
            "to get through, the visitor has to use the newer one",
        ),
    }
}

fn expired(story: &Story<'_>) -> Ending {
    let at = at_stage(story);
    let at = if at.is_empty() { at } else { format!("{at},") };
    // What runs out is ended by the server itself, what is in the way by whoever came then.
    let client = &story.decisive().record.input.client;
    if client.address.is_unspecified() {
        return Ending::new(
            Way::Expired,
            format!("{at} the attempt ran out, because nobody came back to it in time"),
            "to get through, the visitor would have had to answer sooner; they can begin again",
        );
    }
    Ending::new(
        Way::Expelled,
        format!(
            "{at} the attempt was ended, because nobody had answered anything in it and too many \
             others were begun"
        ),
        "to get through, the visitor would have had to answer the first question before; they \
         can begin again",
    )
}
