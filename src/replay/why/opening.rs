//! How an execution began, and whom it is about.

use super::story::{How, Naming, Story};
use super::voice::{Voice, named};
use crate::flow::event::Event;
use crate::flow::input::Request;

/// Names that were given before the last ones are only counted.
const MOST_NAMES: usize = 3;

/// The first sentences.
pub(super) fn of(story: &Story<'_>, logged_in: Option<&str>, voice: Voice) -> Vec<String> {
    let mut sentences = vec![began(story, logged_in, voice)];
    let more = story.names.len().saturating_sub(MOST_NAMES);
    if more > 0 {
        sentences.push(format!("other names were given before, {more} in all"));
    }
    sentences.extend(story.names.iter().skip(more).map(|it| naming(*it, voice)));
    sentences
}

fn began(story: &Story<'_>, logged_in: Option<&str>, voice: Voice) -> String {
    let first = &story.entries[0];
    let client = &first.record.input.client;
    let flow = first.record.events.iter().find_map(|event| match event {
        Event::Started { slug, flow, .. } => Some((slug, flow.version)),
        _ => None,
    });
    let (slug, version) = flow.map_or(("", 0), |(slug, version)| (slug.as_str(), version));
    let version = voice.only_operator(|| format!(" (version {version})"));
    let from = voice.only_operator(|| format!(" at {}", client.address));
    let who = match logged_in {
        Some(user) => voice.or(
            || format!("user {user}, who was logged in already,"),
            "somebody who was logged in already",
        ),
        None => "somebody".to_owned(),
    };
    let link = match &first.record.input.request {
        Request::Begin {
            link_until: Some(_),
            ..
        } => " by a link that an administrator had made",
        _ => "",
    };
    format!(
        "on {} {who}{from} began the flow {}{version}{link}",
        voice.moment(first.at),
        named(slug)
    )
}

fn naming(naming: Naming<'_>, voice: Voice) -> String {
    let Naming { how, user, active } = naming;
    let whose = |user: uuid::Uuid| voice.only_operator(|| format!(" of user {user}"));
    let state = if active {
        "an active account"
    } else {
        "an account that is not active"
    };
    match (how, user) {
        (How::Typed(typed), None) => {
            let typed = voice.only_operator(|| format!(" {}", named(typed)));
            format!("they gave the name{typed}, which no account has")
                .replace("the name,", "a name,")
        }
        (How::Typed(typed), Some(user)) => voice.or(
            || {
                let inactive = if active { "" } else { ", who is not active" };
                format!(
                    "they gave the name {}, which is that of user {user}{inactive}",
                    named(typed)
                )
            },
            &format!("they gave the name of {state}"),
        ),
        (How::Passkey, Some(user)) => {
            format!(
                "they showed a passkey, which is that of {state}{}",
                whose(user)
            )
        }
        (How::Known, Some(user)) => {
            format!(
                "from what led there it was known that it is about {state}{}",
                whose(user)
            )
        }
        (How::Passkey | How::Known, None) => {
            "from what led there it was known that it is about nobody who has an account".to_owned()
        }
    }
}
