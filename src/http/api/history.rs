//! `/gatelog/history/<kind>/<id>/`: the revisions of an object, and who made each of them.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};
use super::schema::{uuid, words};
use crate::audit::cleanse::MASK;
use crate::catalog::stage::SECRETS;
use crate::catalog::{
    Application, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source, Stage,
    WebhookMapping,
};
use crate::directory::change::{self, Did, Revision};
use crate::directory::{Group, Invitation, Token, User};
use crate::http::{Error, State};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Kind, StreamId, Version};

/// The kinds of which the history is shown, with what one has to be allowed to view. Others hold
/// secrets, or are the server's own affair.
const KINDS: [(Kind, &str); 14] = [
    (Flow::KIND, "authentik_flows.view_flow"),
    (
        FlowStageBinding::KIND,
        "authentik_flows.view_flowstagebinding",
    ),
    (Stage::KIND, "authentik_flows.view_stage"),
    (Policy::KIND, "authentik_policies.view_policy"),
    (PolicyBinding::KIND, "authentik_policies.view_policybinding"),
    (Prompt::KIND, "authentik_stages_prompt.view_prompt"),
    (Brand::KIND, "authentik_brands.view_brand"),
    (Application::KIND, "authentik_core.view_application"),
    (Source::KIND, "authentik_core.view_source"),
    (
        WebhookMapping::KIND,
        "authentik_events.view_notificationwebhookmapping",
    ),
    (User::KIND, "authentik_core.view_user"),
    (Group::KIND, "authentik_core.view_group"),
    (Token::KIND, "authentik_core.view_token"),
    (
        Invitation::KIND,
        "authentik_stages_invitation.view_invitation",
    ),
];

/// `GET /gatelog/history/<kind>/<id>/`
pub(super) fn operations() -> Vec<Operation> {
    let kinds = KINDS.map(|(kind, _)| kind.to_string());
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let path = "/gatelog/history/{kind}/{id}/";
    let show = Operation::new(Method::Get, path, "gatelog_history_retrieve", show)
        .key("kind", &words(&kinds))
        .key("id", &uuid())
        .answers(200, Content::Json(described()));
    vec![show]
}

/// The schema of an answer.
fn described() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "properties": {
            "kind": text,
            "id": uuid(),
            "revisions": { "type": "array", "items": {
                "type": "object",
                "properties": {
                    "version": { "type": "integer" },
                    "at": { "type": "string", "format": "date-time" },
                    "request_id": text,
                    "did": words(&["created", "updated", "deleted"]),
                    "author": { "type": ["object", "null"], "additionalProperties": {} },
                    "object": { "type": ["object", "null"], "additionalProperties": {} },
                },
                "required": ["version", "at", "request_id", "did", "author", "object"],
            } },
        },
        "required": ["kind", "id", "revisions"],
    })
}

async fn show(call: Call) -> Answered {
    let kind = KINDS
        .iter()
        .find(|(known, _)| known.as_str() == call.path("kind"));
    let (kind, permission) = kind.ok_or(Error::NOT_FOUND)?;
    let id: Uuid = call.path("id").parse().map_err(|_| Error::NOT_FOUND)?;
    let granted = &call.caller()?.granted;
    if !granted.may_of(permission, id.to_string()) {
        return Err(Error::NotPermitted);
    }
    Ok(HttpResponse::Ok().json(history(&call.state, *kind, id).await?))
}

/// The revisions of an object, the newest first.
///
/// # Errors
/// 404 when there never was one.
async fn history(state: &State, kind: Kind, id: Uuid) -> Result<Value, Error> {
    let revisions = change::history(&*state.journal, StreamId::new(kind, id)).await?;
    if revisions.is_empty() {
        return Err(Error::NOT_FOUND);
    }
    let mut shown = Vec::with_capacity(revisions.len());
    for revision in revisions.iter().rev() {
        shown.push(of(state, kind, id, revision).await?);
    }
    Ok(json!({ "kind": kind, "id": id, "revisions": shown }))
}

async fn of(state: &State, kind: Kind, id: Uuid, revision: &Revision) -> Result<Value, Error> {
    let change = revision.change.as_ref();
    let noted = change.and_then(|change| {
        let mut objects = change.objects.iter();
        objects.find(|it| it.kind == kind && it.id == id && it.version == revision.version)
    });
    let did = match noted {
        Some(noted) => noted.did,
        None if revision.version == Version(1) => Did::Created,
        None => Did::Updated,
    };
    let author = match change {
        Some(change) => {
            let author = &change.author;
            let user = match author.user {
                Some(user) => Some(person(state, user).await?),
                None => None,
            };
            json!({
                "user": user,
                "token": author.token,
                "means": author.means,
                "address": author.address,
                "request": author.request,
            })
        }
        // An execution wrote it; its trail has the same request.
        None => Value::Null,
    };
    let body = revision.body.as_deref();
    let body = body.and_then(|body| serde_json::from_slice(body).ok());
    Ok(json!({
        "version": revision.version,
        "at": revision.at,
        "request_id": revision.correlation.simple().to_string(),
        "did": did,
        "author": author,
        "object": body.map(|body| without_secrets(kind, body)),
    }))
}

/// Whoever changed something, as they are called now.
async fn person(state: &State, id: Uuid) -> Result<Value, Error> {
    let found: Option<Versioned<User>> = object::get(&*state.journal, id).await?;
    let user = found.map(|it| it.value);
    Ok(json!({
        "uuid": id,
        "pk": user.as_ref().map(|it| it.pk),
        "username": user.map(|it| it.username),
    }))
}

/// What must not be read by anybody is masked.
fn without_secrets(kind: Kind, mut body: Map<String, Value>) -> Value {
    match kind {
        User::KIND => mask(&mut body, &["password"]),
        Token::KIND => mask(&mut body, &["key"]),
        Stage::KIND => {
            if let Some(Value::Object(settings)) = body.get_mut("settings") {
                mask(settings, SECRETS);
            }
        }
        _ => {}
    }
    body.into()
}

fn mask(entries: &mut Map<String, Value>, secrets: &[&str]) {
    for name in secrets {
        if let Some(value) = entries.get_mut(*name)
            && value.as_str() != Some("")
            && !value.is_null()
        {
            *value = MASK.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_an_object_is_masked() {
        let body = |value: Value| value.as_object().cloned().expect("an object");
        let user = json!({ "username": "jane", "password": "argon2" });
        let shown = without_secrets(User::KIND, body(user));
        assert_eq!(shown, json!({ "username": "jane", "password": MASK }));
        let token = json!({ "identifier": "one", "key": "abc" });
        let shown = without_secrets(Token::KIND, body(token));
        assert_eq!(shown, json!({ "identifier": "one", "key": MASK }));
        let stage = json!({ "name": "mail", "settings": { "password": "abc", "host": "h" } });
        let shown = without_secrets(Stage::KIND, body(stage));
        let expected = json!({ "name": "mail", "settings": { "password": MASK, "host": "h" } });
        assert_eq!(shown, expected);
    }

    #[test]
    fn secrets_of_no_other_kind_are_shown() {
        for kind in ["session", "device", "mail", "link", "password_history"] {
            assert!(KINDS.iter().all(|(known, _)| known.as_str() != kind));
        }
    }
}
