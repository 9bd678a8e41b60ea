//! Takes an invitation and what is in it. Source: authentik `stages/invitation`.
//!
//! One that is good for a single user is kept for this execution from the visitor's first answer
//! on: programs that look into mails open links as well. It ends in the commit that writes the
//! user, or at the end of a flow that writes none: it is used up together with what it was for, or
//! not at all.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::directory::invitation::{Invitation as Invited, PASSWORD};
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::journal::object::{self, Versioned, delete};
use crate::world::Change;

/// The settings of an invitation stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = InvitationStage)]
pub struct Invitation {
    /// Whether the flow goes on for those who have none.
    pub continue_flow_without_invitation: bool,
}

/// The message of the refusal, whatever is wrong with the invitation.
pub(super) const NOT_FOUND: &str = "Invalid invite/invite not found";

/// The entries of the context that this stage writes.
const IN_EFFECT: &str = "invitation_in_effect";
const INVITATION: &str = "invitation";

/// Said in the trail of one that is not there.
const UNKNOWN: &str = "there is no such invitation, or no longer";

/// The part of the invitation's entry that later answers cannot change.
const FIXED: &str = "fixed_data";

impl Invitation {
    /// The invitation that the visitor has; the inner error is why they have none that is good.
    async fn find(turn: &Turn<'_>) -> Result<Result<Invited, &'static str>, Error> {
        let query = turn.query.get("itoken").or_else(|| turn.query.get("token"));
        let Some(token) = query.map(str::to_owned).or_else(|| typed(turn)) else {
            return Ok(Err("the visitor has no invitation"));
        };
        let Ok(id) = token.parse::<Uuid>() else {
            return Ok(Err("what the visitor has is no key of an invitation"));
        };
        let found: Option<Versioned<Invited>> = object::get(turn.world.objects(), id).await?;
        let Some(Versioned { value: found, .. }) = found else {
            return Ok(Err(UNKNOWN));
        };
        // What is in the first one counts already, and only one is used up.
        let in_effect = turn.running.invitation.or_else(|| known(turn));
        if in_effect.is_some_and(|other| other != id) {
            return Ok(Err("another invitation is in effect already"));
        }
        if found.flow.is_some_and(|flow| flow != turn.running.flow.id) {
            return Ok(Err("the invitation is for another flow"));
        }
        let refuses = found.refuses(turn.running.execution, turn.world.now());
        Ok(refuses.map_or(Ok(found), Err))
    }

    /// What is in the invitation; a password lies in the vault from here on.
    fn fixed(turn: &Turn<'_>, invited: &Invited) -> Result<BTreeMap<String, Known>, Error> {
        let mut fixed = BTreeMap::new();
        for (key, value) in &invited.fixed_data {
            let value = match value {
                Value::String(text) if key == PASSWORD => {
                    Known::Secret(turn.world.keep(SecretString::from(text.clone()))?)
                }
                other => Known::Json(other.clone()),
            };
            fixed.insert(key.clone(), value);
        }
        Ok(fixed)
    }
}

/// The invitation that is in effect.
fn known(turn: &Turn<'_>) -> Option<Uuid> {
    let shown = turn.running.context.get(INVITATION)?.entries()?;
    match shown.get("pk")? {
        Known::Json(Value::String(pk)) => pk.parse().ok(),
        _ => None,
    }
}

/// The token that was typed into a prompt.
fn typed(turn: &Turn<'_>) -> Option<String> {
    let data = turn.running.context.get(key::PROMPT_DATA)?.entries()?;
    match data.get("token")? {
        Known::Json(Value::String(token)) => Some(token.clone()),
        _ => None,
    }
}

/// The invitation for a single user that is in effect here, if this execution can still use it up.
/// Why it cannot is in the trail.
pub(super) async fn own(
    turn: &mut Turn<'_>,
    id: Uuid,
) -> Result<Option<Versioned<Invited>>, Error> {
    let found: Option<Versioned<Invited>> = object::get(turn.world.objects(), id).await?;
    let (own, now) = (turn.running.execution, turn.world.now());
    let refuses = match &found {
        Some(found) => found.value.refuses(own, now),
        None => Some(UNKNOWN),
    };
    match refuses {
        Some(why) => {
            turn.refuse(why);
            Ok(None)
        }
        None => Ok(found),
    }
}

/// Uses up the invitation for a single user that is in effect, if there is one; whether it was
/// still there.
pub(super) async fn consume(turn: &mut Turn<'_>) -> Result<bool, Error> {
    let Some(id) = turn.running.invitation else {
        return Ok(true);
    };
    let Some(found) = own(turn, id).await? else {
        return Ok(false);
    };
    let write = delete::<Invited>(id, found.version);
    turn.world.change(Change::Write(write));
    turn.learn(Event::InvitationUsed {
        invitation: id,
        consumed: true,
        reserved: false,
    });
    Ok(true)
}

/// What `prompt_data` becomes when it is to hold `value`, as long as an invitation is in effect:
/// what is fixed there stays.
pub(super) fn held(turn: &Turn<'_>, value: Known) -> Known {
    let fixed = turn.running.context.get(INVITATION);
    let fixed = fixed.and_then(Known::entries);
    match fixed.and_then(|mut entries| entries.remove(FIXED)) {
        Some(fixed) => over(&value, &fixed),
        None => value,
    }
}

/// `value` with all of `fixed` in it. A list keeps what else is in it.
fn over(value: &Known, fixed: &Known) -> Known {
    if let (Some(mut entries), Some(fixed)) = (value.entries(), fixed.entries()) {
        for (key, fixed) in fixed {
            let merged = match entries.remove(&key) {
                Some(value) => over(&value, &fixed),
                None => fixed,
            };
            entries.insert(key, merged);
        }
        return Known::map(entries);
    }
    if let (Some(mut items), Some(fixed)) = (items(value), items(fixed)) {
        let missing = fixed.into_iter().filter(|item| !items.contains(item));
        let missing: Vec<_> = missing.collect();
        items.extend(missing);
        return Known::list(items);
    }
    fixed.clone()
}

/// What was typed before with what is in the invitation: mappings go into each other, lists one
/// behind the other, all else is the invitation's.
fn merged(value: &Known, fixed: Known) -> Known {
    if let (Some(mut entries), Some(fixed)) = (value.entries(), fixed.entries()) {
        for (key, fixed) in fixed {
            let both = match entries.remove(&key) {
                Some(value) => merged(&value, fixed),
                None => fixed,
            };
            entries.insert(key, both);
        }
        return Known::map(entries);
    }
    if let (Some(mut items), Some(fixed)) = (items(value), items(&fixed)) {
        items.extend(fixed);
        return Known::list(items);
    }
    fixed
}

fn items(value: &Known) -> Option<Vec<Known>> {
    match value {
        Known::List(items) => Some(items.clone()),
        Known::Json(Value::Array(items)) => Some(items.iter().cloned().map(Known::Json).collect()),
        _ => None,
    }
}

#[async_trait(?Send)]
impl Stage for Invitation {
    const COMPONENT: &'static str = "ak-stage-invitation";

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let found = match Self::find(turn).await? {
            Ok(found) => found,
            Err(_) if self.continue_flow_without_invitation => return Ok(Entered::Passed),
            Err(why) => {
                turn.refuse(why);
                return Ok(Entered::Denied(NOT_FOUND.to_owned()));
            }
        };
        let fixed = Self::fixed(turn, &found)?;
        let Invited { pk, single_use, .. } = found;
        let shown = json!({
            "pk": pk,
            "name": found.name,
            "expires": found.expires,
            "single_use": single_use,
            "flow": found.flow,
        });
        let mut shown = Known::Json(shown).entries().unwrap_or_default();
        let fixed = Known::map(fixed);
        shown.insert(FIXED.to_owned(), fixed.clone());
        let before = turn.running.context.get(key::PROMPT_DATA).cloned();
        let before = before.unwrap_or_else(|| Known::Json(json!({})));
        turn.set(IN_EFFECT, Some(Known::Json(true.into())));
        turn.set(INVITATION, Some(Known::map(shown)));
        // A flow that begins again must not put the same lists behind each other.
        let is_known = known(turn) == Some(pk);
        let data = if is_known {
            over(&before, &fixed)
        } else {
            merged(&before, fixed)
        };
        turn.set(key::PROMPT_DATA, Some(data));
        turn.learn(Event::InvitationUsed {
            invitation: pk,
            consumed: false,
            reserved: single_use,
        });
        Ok(Entered::Passed)
    }

    async fn challenge(&self, _: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        Ok(Map::new())
    }

    async fn judge(&self, _: Response, _: &mut Turn<'_>) -> Result<Verdict, Error> {
        Ok(Verdict::Passed)
    }
}

#[cfg(test)]
mod tests;
