//! What a change from outside of an execution tells, and what a remark does. Only computes.

use uuid::Uuid;

use super::draft::{Condition, Draft, Origin, Reference, Who, app};
use super::model;
use crate::directory::change::{Change, Changed, Did, Means};
use crate::directory::{Author, Remark, Token, User};
use crate::journal::Version;
use crate::journal::object::Stored;

/// The events of a note, in the order of its objects.
///
/// Of what the server does by itself, and of what files do, none is told: nobody asked for it in a
/// request.
#[must_use]
pub fn events_of(change: &Change) -> (Origin, Vec<Draft>) {
    let author = &change.author;
    let told = matches!(author.means, Means::Api | Means::Page | Means::Operator);
    let objects = change
        .objects
        .iter()
        .filter(|it| told && model::is_told(it.kind));
    let drafts = objects.flat_map(|object| of_object(author, object));
    (Origin::of_author(author), drafts.collect())
}

fn of_object(author: &Author, object: &Changed) -> Vec<Draft> {
    let (action, version) = match object.did {
        Did::Created => ("model_created", object.version),
        Did::Updated => ("model_updated", object.version),
        // By the last name that it had.
        Did::Deleted => ("model_deleted", Version(object.version.0.saturating_sub(1))),
        Did::Viewed => ("secret_view", object.version),
    };
    let mut drafts = Vec::new();
    if object.kind == User::KIND && object.did == Did::Updated {
        let set = Draft::new(Who::User(object.id), "password_set", app::SIGNALS);
        drafts.push(set.only_if(Condition::PasswordSet(object.id, object.version)));
    }
    let draft = Draft::new(who(author), action, app::MODELS);
    let mut draft = draft.of(object.kind, object.id, Some(version));
    if object.did == Did::Viewed {
        draft.called = "secret";
    }
    drafts.push(draft);
    if object.kind == Token::KIND && object.did == Did::Updated {
        let draft = Draft::new(who(author), "secret_rotate", app::MODELS);
        let mut draft = draft.of(object.kind, object.id, Some(version));
        draft.called = "secret";
        drafts.push(draft.only_if(Condition::KeySet(object.id, version)));
    }
    drafts
}

/// The event of a remark.
#[must_use]
pub fn event_of(remark: &Remark) -> (Origin, Draft) {
    let mut draft = Draft::new(who(&remark.author), &remark.action, app::SIGNALS);
    draft.context.clone_from(&remark.context);
    draft.model = remark.object.as_ref().map(|object| Reference {
        kind: object.kind,
        id: object.id,
        version: Some(object.version),
    });
    (Origin::of_author(&remark.author), draft)
}

/// The event of an account that its own user ended. Who that was is nobody's business any more.
#[must_use]
pub fn account_gone(user: Uuid) -> Draft {
    Draft::new(Who::Anonymous, "model_deleted", app::MODELS).of(User::KIND, user, None)
}

fn who(author: &Author) -> Who {
    author.user.map_or(Who::Nobody, Who::User)
}
