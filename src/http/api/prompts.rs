//! `/stages/prompt/prompts/`: what prompt stages ask for.
//!
//! Source: authentik `stages/prompt/api.py`.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::body::wrong;
use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};
use super::resource::{KeyField, Resource, Scope, Shown, text, word};
use super::schema::{Components, reference, request, uuid};
use super::stage_kinds;
use crate::blueprint::edit::{Miss, Model, Object, Refusal, Staged, fields, show};
use crate::catalog::{PromptType, Stage};
use crate::flow::field::Invalid;
use crate::flow::query::Query;
use crate::http::Error;
use crate::journal::object::Stored as _;

static PROMPTS: Resource = Resource {
    path: "/stages/prompt/prompts/",
    prefix: "stages_prompt_prompts",
    key: "prompt_uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::Prompt),
    name: "Prompt",
    noun: "authentik_stages_prompt.prompt",
    search: &["field_key", "name", "label", "type", "placeholder"],
    filters: &[
        text("field_key"),
        text("label"),
        text("name"),
        text("placeholder"),
        word("type", || {
            PromptType::ALL.iter().map(|it| it.as_str()).collect()
        }),
    ],
    order: &["field_key", "name"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_prompt,
};

/// The operations on them.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = PROMPTS.operations();
    let path = "/stages/prompt/prompts/preview/";
    all.push(
        Operation::new(
            Method::Post,
            path,
            "stages_prompt_prompts_preview_create",
            preview,
        )
        .takes(Content::One("PromptRequest".to_owned()))
        .answers(200, Content::One("PromptChallenge".to_owned())),
    );
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    request(components, "Prompt", fields(Model::Prompt).iter(), None);
    let body = components.get("PromptRequest").cloned();
    let mut shown = body.unwrap_or_default();
    let mut key = uuid();
    key["readOnly"] = true.into();
    shown["properties"]["pk"] = key;
    shown["properties"]["prompt_stages_obj"] = json!({
        "type": "array",
        "items": reference("PromptStage"),
        "readOnly": true,
    });
    let required = [
        "field_key",
        "label",
        "name",
        "pk",
        "prompt_stages_obj",
        "type",
    ];
    shown["required"] = json!(required);
    components.put("Prompt", shown);
}

fn show_prompt(object: &Object, staged: &Staged, about: &Shown<'_>) -> Result<Value, Miss> {
    let mut shown = show(object, staged)?.fields;
    let id = object.pk();
    let mut asking = Vec::new();
    for stage in staged.all(Stage::KIND)? {
        let Object::Stage(it) = stage else {
            continue;
        };
        let asks = it.settings.get("fields").and_then(Value::as_array);
        if it.kind == "prompt" && asks.is_some_and(|asked| asked.contains(&id)) {
            asking.push(stage_kinds::show(stage, staged, about)?);
        }
    }
    shown.insert("prompt_stages_obj".to_owned(), asking.into());
    Ok(shown.into())
}

/// `POST /stages/prompt/prompts/preview/`: what a prompt would look like. Nothing is kept, and what
/// expressions want to change is not.
async fn preview(mut call: Call) -> Answered {
    let granted = &call.caller()?.granted;
    // What is shown may be an expression of the caller's own, which sees what prompts see.
    let writes = ["add_prompt", "change_prompt"];
    if !writes
        .iter()
        .any(|it| granted.may(&format!("authentik_stages_prompt.{it}")))
    {
        return Err(Error::NotPermitted);
    }
    let mut fields: Map<String, Value> = call.fields().await?;
    // It gets no name of its own, and so none that is taken.
    let name = call.state.clock.opaque_id().to_string();
    fields.insert("name".to_owned(), name.into());
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let drafted = edit.draft(Model::Prompt, &fields).await;
    let Object::Prompt(prompt) = drafted.map_err(of_nothing)? else {
        return Err(Error::Missing("Prompt"));
    };
    let caller = call.caller()?;
    let query = Query::parse(call.request.query_string());
    let asker = call.asker(&query, caller.user.clone())?;
    let shown = call.state.executions.preview(prompt, asker).await?;
    let field = shown.map_err(|problem| wrong(Invalid::ALL_FIELDS, problem))?;
    Ok(HttpResponse::Ok().json(json!({ "component": "ak-stage-prompt", "fields": [field] })))
}

/// An expression that is not understood is a fault of the whole, as one that fails is.
fn of_nothing(refusal: Refusal) -> Refusal {
    let Refusal::Fields(mut fields) = refusal else {
        return refusal;
    };
    for (field, text) in &mut fields {
        if text.starts_with("Expression Syntax Error") {
            Invalid::ALL_FIELDS.clone_into(field);
        }
    }
    Refusal::Fields(fields)
}
