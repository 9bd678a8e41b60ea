//! Why an execution came to where it is, in one paragraph: which check stopped it, which binding,
//! which policy, which answer, and what would have had to differ.
//!
//! It is told from what the execution recorded. Of everything else, only the revision of the flow
//! is looked at that the execution is pinned to: it says whom the flow is for.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::summary::{logged_in, standing as standing_of};
use super::{Entry, Error};
use crate::catalog::Flow;
use crate::flow::event::Event;
use crate::flow::model::Authentication;
use crate::flow::plan::Pinned;
use crate::flow::{Execution, code};
use crate::journal::object::{self, Versioned};
use crate::journal::{Journal, Version};

mod ending;
mod factor;
mod note;
mod opening;
mod refusal;
mod standing;
mod story;
mod telling;
#[cfg(test)]
pub(crate) mod tests;
mod verdict;
mod voice;
mod way;

pub use way::Way;

use ending::Ending;
use story::Story;
use voice::Voice;

/// More sentences than these about what happened on the way are only counted.
const MOST_NOTES: usize = 16;

/// Why an execution came to where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    /// The execution.
    pub execution: Uuid,
    /// Its short code.
    pub code: String,
    /// The flow that it is in, by its slug.
    pub flow: String,
    /// How it stands: one of [`super::STATES`].
    pub ended: &'static str,
    /// In which way it ended, or for what it waits.
    pub way: Way,
    /// The check that refused, as the event has it.
    pub check: Option<String>,
    /// The stage at which it ended or stands.
    pub stage: Option<Named>,
    /// The binding by which that stage is in the flow or, where policies refused, that of the
    /// first policy that said no.
    pub binding: Option<Pinned>,
    /// The first policy that said no, where policies refused.
    pub policy: Option<Named>,
    /// The answer that decided, where one did.
    pub input: Option<Answer>,
    /// All that the text speaks of.
    pub ways: Vec<Way>,
    /// What would have had to differ, or what has to happen now. Empty where nothing would.
    pub would_have: String,
    /// The whole of it, for the operator.
    pub text: String,
    /// The whole of it without names, addresses, identifiers, and what was typed.
    pub help_desk: String,
}

/// A stage or a policy, in the revision that counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its identifier.
    pub id: Uuid,
    /// Its revision.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// Its kind, such as `password`.
    pub kind: String,
}

/// An answer of the visitor. What was typed is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The record in which it was taken.
    pub version: Version,
    /// When.
    pub at: Timestamp,
    /// The number of the challenge that it was to.
    pub challenge: u64,
    /// The names of its fields.
    pub fields: Vec<String>,
}

/// Tells why, with what the journal knows of the flow. `None` for an execution that never began.
///
/// # Errors
/// What the journal said.
pub async fn explain(journal: &dyn Journal, entries: &[Entry]) -> Result<Option<Why>, Error> {
    let (_, state) = super::fold(entries);
    let Some(latest) = state.latest() else {
        return Ok(None);
    };
    let Pinned { id, version } = latest.flow;
    let flow: Option<Versioned<Flow>> = object::get_at(journal, id, Version(version)).await?;
    Ok(why(entries, flow.map(|it| it.value.authentication)))
}

/// Tells why; `wants` is what the flow requires of whoever comes, where that is known.
#[must_use]
pub fn why(entries: &[Entry], wants: Option<Authentication>) -> Option<Why> {
    let first = entries.first()?;
    let mut story = Story::of(entries);
    story.forget_what_it_stands_for();
    let latest = story.state.latest()?;
    let operator = ending::of(&story, wants, Voice::Operator);
    let help_desk = ending::of(&story, wants, Voice::HelpDesk);
    let logged_in = logged_in(latest, first);
    let tell = |ending: &Ending, voice| {
        let begun = opening::of(&story, logged_in.as_deref(), voice);
        paragraph(&story, begun, ending, voice)
    };
    let refuses = story
        .verdict
        .as_ref()
        .filter(|_| operator.way == Way::FlowPolicies);
    let policy = refuses.and_then(verdict::first_no);
    let stage = story.current().filter(|_| latest.planned);
    let mut ways: Vec<Way> = story.notes.iter().map(|it| it.what.way()).collect();
    ways.insert(0, operator.way);
    ways.dedup();
    Some(Why {
        execution: latest.execution,
        code: code(latest.execution).to_string(),
        flow: latest.slug.clone(),
        ended: standing_of(&story.state).0,
        way: operator.way,
        check: check(&story),
        binding: policy.and_then(bound).or(stage.map(|it| it.binding)),
        stage: stage.map(|it| Named {
            id: it.stage.id,
            version: it.stage.version,
            name: it.name.clone(),
            kind: it.kind.clone(),
        }),
        policy: policy.and_then(policy_of),
        input: answer(&story),
        ways,
        text: tell(&operator, Voice::Operator),
        help_desk: tell(&help_desk, Voice::HelpDesk),
        would_have: voice::sentence(&operator.would_have),
    })
}

/// Everything in one paragraph.
fn paragraph(story: &Story<'_>, begun: Vec<String>, ending: &Ending, voice: Voice) -> String {
    let mut sentences = begun;
    let notes = story.notes.iter().take(MOST_NOTES);
    sentences.extend(notes.map(|it| telling::told(it, voice)));
    if let Some(more) = story
        .notes
        .len()
        .checked_sub(MOST_NOTES)
        .filter(|it| *it > 0)
    {
        sentences.push(format!("{more} more such things happened"));
    }
    sentences.extend(passed(story));
    sentences.push(ending.told.clone());
    sentences.extend(when(story, voice));
    sentences.push(ending.would_have.clone());
    let sentences: Vec<String> = sentences
        .iter()
        .map(|it| voice::sentence(it))
        .filter(|it| !it.is_empty())
        .collect();
    sentences.join(" ")
}

/// The stages that were passed.
fn passed(story: &Story<'_>) -> Option<String> {
    let path = &story.state.latest()?.path;
    let is_completed = matches!(story.state, Execution::Ended(_)) && story.check().is_none();
    let names: Vec<String> = path.iter().map(|it| voice::named(it)).collect();
    let stages = match names.len() {
        0 => return None,
        1 => "stage",
        _ => "stages",
    };
    let until = if is_completed { "" } else { " until then" };
    Some(format!(
        "passed{until}: the {stages} {}",
        voice::joined(&names, "and")
    ))
}

/// When it ended, and by what that was brought about.
fn when(story: &Story<'_>, voice: Voice) -> Option<String> {
    let at = voice.moment(story.ended_at()?);
    let what = match answer(story) {
        Some(answer) => voice.or(
            || {
                format!(
                    ", by the answer to challenge {} with {} (record {})",
                    answer.challenge,
                    fields(&answer.fields),
                    answer.version.0
                )
            },
            ", by what the visitor had answered",
        ),
        None => voice.only_operator(|| format!(" (record {})", story.decisive().version.0)),
    };
    Some(format!("that was on {at}{what}"))
}

fn fields(names: &[String]) -> String {
    match names {
        [] => "no fields".to_owned(),
        [only] => format!("the field {only}"),
        several => format!("the fields {}", voice::joined(several, "and")),
    }
}

fn check(story: &Story<'_>) -> Option<String> {
    let (check, _) = story.check()?;
    let word = serde_json::to_value(check).ok()?;
    word["check"].as_str().map(ToOwned::to_owned)
}

/// The answer that decided: one of the deciding record, or the one whose judgement was taken up.
fn answer(story: &Story<'_>) -> Option<Answer> {
    let decisive = story.end?;
    let takes_up = |it: &Event| matches!(it, Event::Resumed { .. });
    let waited = decisive.record.events.iter().any(takes_up);
    let before = story.entries.iter().rev();
    let mut before = before.skip_while(|it| it.version > decisive.version);
    let own = before.find_map(|entry| {
        let event = entry
            .record
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::ResponseReceived { number, fields } => Some((*number, fields.clone())),
                _ => None,
            });
        event.map(|it| (entry, it))
    });
    let (entry, (challenge, fields)) = own?;
    let answer = Answer {
        version: entry.version,
        at: entry.at,
        challenge,
        fields,
    };
    (entry.version == decisive.version || waited).then_some(answer)
}

fn bound(answer: &Event) -> Option<Pinned> {
    match answer {
        Event::PolicyEvaluated(it) => it.binding,
        Event::PolicyFailed(it) => it.binding,
        _ => None,
    }
}

fn policy_of(answer: &Event) -> Option<Named> {
    let (policy, name, kind) = match answer {
        Event::PolicyEvaluated(it) => (it.policy, &it.name, &it.kind),
        Event::PolicyFailed(it) => (it.policy, &it.name, &it.kind),
        _ => return None,
    };
    Some(Named {
        id: policy.id,
        version: policy.version,
        name: name.clone(),
        kind: kind.clone(),
    })
}
