//! `/managed/blueprints/`: blueprints that are kept here or lie in the watched folder, and importing
//! one that is kept nowhere.
//!
//! Whoever has a blueprint applied needs the permissions for all that it may change: it is not the
//! way around them.
//!
//! Source: authentik `blueprints/api.py`.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};
use super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown, found, may};
use super::schema::{Components, reference, request, words};
use crate::blueprint::edit::{Extent, Miss, Model, Object, Staged, fields};
use crate::blueprint::{self, Document, Options};
use crate::catalog::{BlueprintInstance, BlueprintStatus};
use crate::http::Error;
use crate::journal::object::{self, Versioned};

mod drafted;
mod import;
mod own;
mod ready;
mod trust;
mod what_if;

use trust::Untrusted;

static BLUEPRINTS: Resource = Resource {
    path: "/managed/blueprints/",
    prefix: "managed_blueprints",
    key: "instance_uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::BlueprintInstance),
    name: "BlueprintInstance",
    noun: "authentik_blueprints.blueprintinstance",
    search: &["name", "path"],
    filters: &[
        Filter::of("name", Fits::Text),
        Filter::of("path", Fits::Text),
    ],
    order: &["name"],
    closed: &[],
    is_own: None,
    guard: None,
    show,
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let shown = || Content::One("BlueprintInstance".to_owned());
    let mut all = BLUEPRINTS.reading_operations();
    all.extend([
        Operation::new(
            Method::Post,
            "/managed/blueprints/",
            "managed_blueprints_create",
            create,
        )
        .takes(Content::One("BlueprintInstanceRequest".to_owned()))
        .answers(201, shown()),
        one(Method::Put, "", "update", update_whole)
            .takes(Content::One("BlueprintInstanceRequest".to_owned()))
            .answers(200, shown()),
        one(Method::Patch, "", "partial_update", update_part)
            .takes(Content::One("PatchedBlueprintInstanceRequest".to_owned()))
            .answers(200, shown()),
        one(Method::Post, "apply/", "apply_create", apply).answers(200, shown()),
        Operation::new(
            Method::Get,
            "/managed/blueprints/available/",
            "managed_blueprints_available_list",
            available,
        )
        .access(Access::Permitted(
            "authentik_blueprints.view_blueprintinstance",
        ))
        .answers(200, Content::List("BlueprintFile".to_owned())),
    ]);
    all.extend(import::operations());
    all.extend(own::operations());
    all.extend(ready::operations());
    all.extend(what_if::operations());
    all
}

/// An operation on one of them.
fn one<R: Future<Output = Answered> + 'static>(
    method: Method,
    rest: &str,
    name: &str,
    handler: impl Fn(Call) -> R + Send + Sync + 'static,
) -> Operation {
    let id = format!("managed_blueprints_{name}");
    let key = super::schema::uuid();
    Operation::new(method, &BLUEPRINTS.one(rest), &id, handler).key(BLUEPRINTS.key, &key)
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let statuses: Vec<&str> = BlueprintStatus::ALL.iter().map(|it| it.as_str()).collect();
    components.put("BlueprintInstanceStatusEnum", words(&statuses));
    let text = json!({ "type": "string" });
    let read = json!({ "type": "string", "readOnly": true });
    let moment = json!({ "type": "string", "format": "date-time", "readOnly": true });
    let map = json!({ "type": "object", "additionalProperties": {} });
    components.put(
        "BlueprintInstance",
        json!({
            "type": "object",
            "properties": {
                "pk": { "type": "string", "format": "uuid", "readOnly": true },
                "name": text,
                "path": text,
                "context": map,
                "last_applied": moment,
                "last_applied_hash": read,
                "status": {
                    "allOf": [reference("BlueprintInstanceStatusEnum")],
                    "readOnly": true,
                },
                "enabled": { "type": "boolean" },
                "managed_models": { "type": "array", "items": text, "readOnly": true },
                "metadata": { "type": "object", "additionalProperties": {}, "readOnly": true },
                "content": text,
            },
            "required": [
                "last_applied", "last_applied_hash", "managed_models", "metadata", "name", "pk",
                "status",
            ],
        }),
    );
    components.put(
        "Metadata",
        json!({
            "type": "object",
            "properties": { "name": text, "labels": map },
            "required": ["labels", "name"],
        }),
    );
    components.put(
        "BlueprintFile",
        json!({
            "type": "object",
            "properties": {
                "path": text,
                "last_m": { "type": "string", "format": "date-time" },
                "hash": text,
                "meta": { "allOf": [reference("Metadata")], "readOnly": true },
            },
            "required": ["hash", "last_m", "meta", "path"],
        }),
    );
    let written = fields(Model::BlueprintInstance).iter();
    request(components, "BlueprintInstance", written, None);
    import::describe(components);
    own::describe(components);
    ready::describe(components);
    what_if::describe(components);
}

fn show(object: &Object, _: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    match object {
        Object::BlueprintInstance(instance) => Ok(shown(instance)),
        _ => Err(Miss::Wrong("this is no blueprint".to_owned())),
    }
}

fn shown(it: &BlueprintInstance) -> Value {
    json!({
        "pk": it.pk,
        "name": it.name,
        "path": it.path,
        "context": it.context,
        "last_applied": it.last_applied,
        "last_applied_hash": it.last_applied_hash,
        "status": it.status,
        "enabled": it.enabled,
        "managed_models": it.managed_models,
        "metadata": it.metadata,
        "content": it.content,
    })
}

/// `POST /managed/blueprints/`: makes one, and applies it.
async fn create(mut call: Call) -> Answered {
    let granted = &call.caller()?.granted;
    if !granted.may(&BLUEPRINTS.permission("add")) {
        return Err(Error::NotPermitted);
    }
    let fields = call.fields().await?;
    check(&call, fields.get("path"), fields.get("content"))?;
    if let Some(refused) = untrusted(&call, None, &fields)? {
        return Ok(refused);
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let made = edit.create(Model::BlueprintInstance, &fields).await?;
    finish(&call, &made, 201).await
}

/// `PUT /managed/blueprints/{instance_uuid}/`
async fn update_whole(call: Call) -> Answered {
    update(call, Extent::Whole).await
}

/// `PATCH /managed/blueprints/{instance_uuid}/`
async fn update_part(call: Call) -> Answered {
    update(call, Extent::Part).await
}

async fn update(mut call: Call, extent: Extent) -> Answered {
    let object = found(&BLUEPRINTS, &call, &mut Staged::default()).await?;
    if !may(&BLUEPRINTS, &call, "change", &object)? {
        return Err(Error::NotPermitted);
    }
    let fields = call.fields().await?;
    check(&call, fields.get("path"), fields.get("content"))?;
    let instance = current(&call, &object).await?;
    if let Some(refused) = untrusted(&call, Some(&instance.value), &fields)? {
        return Ok(refused);
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let changed = edit
        .update(Model::BlueprintInstance, object.stream(), &fields, extent)
        .await?
        .ok_or(Error::Missing(BLUEPRINTS.name))?;
    finish(&call, &changed, 200).await
}

/// `POST /managed/blueprints/{instance_uuid}/apply/`
async fn apply(call: Call) -> Answered {
    let object = found(&BLUEPRINTS, &call, &mut Staged::default()).await?;
    if !may(&BLUEPRINTS, &call, "change", &object)? {
        return Err(Error::NotPermitted);
    }
    let instance = current(&call, &object).await?;
    let Some(content) = content(&call, &instance.value) else {
        return Ok(HttpResponse::Ok().json(shown(&instance.value)));
    };
    run(&call, instance, &content, 200).await
}

/// `GET /managed/blueprints/available/`: the files of the watched folder.
async fn available(call: Call) -> Answered {
    let files = call.state.library.all().into_iter().map(|(path, file)| {
        let read = Document::read(&file.content, &path).ok();
        let labels = read.as_ref().map(|it| it.labels.clone());
        json!({
            "path": path,
            "last_m": file.modified,
            "hash": file.hash,
            "meta": {
                "name": read.and_then(|it| it.name).unwrap_or_else(|| path.clone()),
                "labels": labels.unwrap_or_default(),
            },
        })
    });
    Ok(HttpResponse::Ok().json(files.collect::<Vec<_>>()))
}

/// Whether the given path is one of the folder, and the given content a blueprint.
fn check(call: &Call, path: Option<&Value>, content: Option<&Value>) -> Result<(), Error> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let (path, content) = (text(path), text(content));
    let complain = |field: &str, lines: Vec<String>| {
        let lines = lines.into_iter();
        Err(Error::Invalid(
            lines.map(|line| (field.to_owned(), line)).collect(),
        ))
    };
    if !path.is_empty() && call.state.library.get(&path).is_none() {
        return complain("path", vec!["Blueprint file does not exist".to_owned()]);
    }
    if content.is_empty() {
        return Ok(());
    }
    if let Err(problems) = blueprint::check(&content, "content") {
        let mut lines = vec!["Failed to validate blueprint".to_owned()];
        lines.extend(problems.iter().map(|problem| format!("- {problem}")));
        return complain("content", lines);
    }
    Ok(())
}

/// The refusal of an instance, as it would become, that holds what its writer may not do. It is not
/// stored then: the server itself applies the files of its folder, with what their instances say.
fn untrusted(
    call: &Call,
    old: Option<&BlueprintInstance>,
    fields: &Map<String, Value>,
) -> Result<Option<HttpResponse>, Error> {
    let of = |name: &str, old: Option<&str>| {
        let given = fields.get(name).and_then(Value::as_str);
        given.or(old).unwrap_or_default().to_owned()
    };
    let path = of("path", old.map(|it| it.path.as_str()));
    let own = of("content", old.map(|it| it.content.as_str()));
    let file = call.state.library.get(&path);
    let content = file.map_or(own, |file| file.content.to_string());
    let granted = &call.caller()?.granted;
    Ok(match Document::read(&content, "content") {
        Ok(document) => trust::check(granted, &document)
            .err()
            .map(|it| refusal(&it)),
        // One that cannot be read is never applied.
        Err(_) => None,
    })
}

/// What an instance has applied: its own content, or what its file holds.
fn content(call: &Call, instance: &BlueprintInstance) -> Option<String> {
    if instance.path.is_empty() {
        return Some(instance.content.clone()).filter(|it| !it.is_empty());
    }
    let file = call.state.library.get(&instance.path);
    file.map(|file| file.content.to_string())
}

/// The instance as it is stored now.
async fn current(call: &Call, object: &Object) -> Result<Versioned<BlueprintInstance>, Error> {
    let id = object.stream().id;
    let found = object::get(&*call.state.journal, id).await?;
    found.ok_or(Error::Missing(BLUEPRINTS.name))
}

/// Applies what was written, if it is to be applied, and shows it.
async fn finish(call: &Call, object: &Object, status: u16) -> Answered {
    let instance = current(call, object).await?;
    match content(call, &instance.value) {
        Some(content) if instance.value.enabled => run(call, instance, &content, status).await,
        _ => Ok(answer(status, &instance.value)),
    }
}

/// Applies on the caller's behalf; what they may not do is left undone, and they are told.
async fn run(
    call: &Call,
    instance: Versioned<BlueprintInstance>,
    content: &str,
    status: u16,
) -> Answered {
    if let Ok(document) = Document::read(content, "content")
        && let Err(untrusted) = trust::check(&call.caller()?.granted, &document)
    {
        return Ok(refusal(&untrusted));
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    // What made or changed the instance was a commit of this request already.
    let options = Options {
        correlation: None,
        ..import::options(&edit, call)?
    };
    let state = &call.state;
    let ran =
        blueprint::run_instance(&*state.journal, &state.clock, instance, content, &options).await;
    let ran = ran.map_err(import::failure)?;
    Ok(answer(status, &ran.instance.value))
}

fn answer(status: u16, instance: &BlueprintInstance) -> HttpResponse {
    match status {
        201 => HttpResponse::Created(),
        _ => HttpResponse::Ok(),
    }
    .json(shown(instance))
}

/// 403 with the entry that the caller may not have applied.
fn refusal(untrusted: &Untrusted) -> HttpResponse {
    let Untrusted { entry, text } = untrusted;
    HttpResponse::Forbidden().json(json!({ entry.as_str(): text }))
}
