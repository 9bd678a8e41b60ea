//! Stages: those of each kind with their settings, and all of them together.
//!
//! Source: authentik `flows/api/stages.py`, `stages/*/api.py`.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::kind::{self, Sort};
use super::operation::{Answered, Content, Method, Operation};
use super::resource::{Resource, Shown};
use super::schema::Components;
use super::stage_base::{self, form};
use super::{email_templates, key_models};
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields};
use crate::catalog::stage::SECRETS;
use crate::stage::Kind;

mod table;
#[cfg(test)]
mod tests;

use table::{ALL, KINDS};

/// The operations on all of them.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = ALL.reading_operations();
    all.extend(KINDS.iter().flat_map(Resource::operations));
    let types = Operation::new(
        Method::Get,
        "/stages/all/types/",
        "stages_all_types_list",
        types,
    );
    all.push(types.answers(200, Content::List("TypeCreate".to_owned())));
    all.push(email_templates::operation());
    all.extend(key_models::operations());
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.add::<stage_base::Stage>();
    components.add::<key_models::DeviceType>();
    components.add::<Sort>();
    let base = components.get("Stage").cloned().unwrap_or_default();
    for kind in Kind::ALL {
        let own = fields(Model::Stage(*kind));
        let more = more_schemas(*kind);
        kind::describe(components, &base, own, kind.described(), &more);
    }
}

/// What stages of a kind show besides what can be set, and what it looks like.
fn more_schemas(kind: Kind) -> Vec<(&'static str, Value)> {
    let models =
        || json!({ "type": "array", "items": super::schema::reference("WebAuthnDeviceType") });
    match kind {
        Kind::AuthenticatorValidate => vec![("webauthn_allowed_device_types_obj", models())],
        Kind::AuthenticatorWebauthn => vec![("device_type_restrictions_obj", models())],
        // Clients cannot do without it, so it is there and says nothing.
        Kind::AuthenticatorSms => vec![("auth", json!({ "type": "string", "maxLength": 0 }))],
        _ => Vec::new(),
    }
}

/// A stage with its settings, as it is shown by itself and within other objects.
///
/// # Errors
/// What has to be read first.
pub(super) fn show(object: &Object, staged: &Staged, shown: &Shown<'_>) -> Result<Value, Miss> {
    let mut all = show_base(object, staged, shown)?;
    if let (Object::Stage(stage), Some(all)) = (object, all.as_object_mut()) {
        all.extend(settings(&stage.settings));
        all.extend(more(&stage.kind, &stage.settings));
    }
    Ok(all)
}

/// The settings that may be shown.
fn settings(settings: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    let shown = settings.iter();
    let shown = shown.filter(|(name, _)| !SECRETS.contains(&name.as_str()) && *name != "link_only");
    shown.map(|(name, value)| (name.clone(), value.clone()))
}

/// What stages of a kind show besides their settings; see [`more_schemas`].
fn more(kind: &str, settings: &Map<String, Value>) -> Vec<(String, Value)> {
    let models = |name: &str| {
        let listed = settings.get(name).and_then(Value::as_array);
        let ids = listed.into_iter().flatten().filter_map(Value::as_str);
        let shown = ids.filter_map(|id| id.parse().ok()).map(key_models::shown);
        (format!("{name}_obj"), shown.collect())
    };
    match Kind::from_name(kind) {
        Some(Kind::AuthenticatorValidate) => vec![models("webauthn_allowed_device_types")],
        Some(Kind::AuthenticatorWebauthn) => vec![models("device_type_restrictions")],
        Some(Kind::AuthenticatorSms) => vec![("auth".to_owned(), "".into())],
        _ => Vec::new(),
    }
}

/// A stage without its settings.
fn show_base(object: &Object, staged: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Stage(stage) = object else {
        return Err(Miss::Wrong("this is no stage".to_owned()));
    };
    Ok(json!(stage_base::shown(stage, staged)?))
}

/// `GET /stages/all/types/`: the kinds, by name. The dummy is only for tries, and not among them.
async fn types(_: Call) -> Answered {
    let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Dummy);
    let sorts = kinds.map(|kind| Sort {
        name: kind.title(),
        description: about(*kind),
        component: form(kind.name()),
        model_name: kind::noun(kind.model()),
        requires_enterprise: false,
        deprecated: false,
    });
    Ok(HttpResponse::Ok().json(kind::sorted(sorts)))
}

/// What a stage of this kind does, for whoever chooses one.
const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::AuthenticatorDuo => "Lets people set up Duo, which asks them on their telephone.",
        Kind::AuthenticatorEmail => "Lets people set up an address to which codes are mailed.",
        Kind::AuthenticatorSms => "Lets people set up a telephone to which codes are sent.",
        Kind::AuthenticatorStatic => {
            "Gives people codes to write down, each of which is good once."
        }
        Kind::AuthenticatorTotp => "Lets people set up a generator of codes that go by the time.",
        Kind::AuthenticatorValidate => "Asks for a second factor.",
        Kind::AuthenticatorWebauthn => "Lets people set up a security key or a passkey.",
        Kind::Captcha => "Keeps programs out by a provider's puzzle.",
        Kind::Consent => "Asks whether an application may know who they are.",
        Kind::Deny => "Lets nobody through.",
        Kind::Dummy => "Shows a page that does nothing, for tries.",
        Kind::Email => "Mails a link, and waits until it is opened.",
        Kind::Identification => "Asks who somebody is.",
        Kind::Invitation => "Lets in whoever was invited.",
        Kind::Password => "Asks for the password.",
        Kind::Prompt => "Asks for whatever its prompts say.",
        Kind::Redirect => "Leads to an address or into another flow.",
        Kind::UserDelete => "Deletes the account.",
        Kind::UserLogin => "Logs in.",
        Kind::UserLogout => "Logs out.",
        Kind::UserWrite => "Writes what was asked for into an account, old or new.",
    }
}
