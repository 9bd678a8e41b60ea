//! What objects are called in events: the application and the model of authentik's, and the name.
//!
//! Kinds that are not here are the server's own affair, of which no event tells.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::catalog::{
    Application, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source, SourceKind,
    Stage, WebhookMapping,
};
use crate::directory::{Device, Group, Invitation, Role, Token, User};
use crate::journal::Kind;
use crate::journal::object::Stored;
use crate::{policy, stage};

/// The kinds of which events tell.
pub(super) fn is_told(kind: Kind) -> bool {
    kind == Stage::KIND
        || kind == Policy::KIND
        || kind == Source::KIND
        || kind == Device::KIND
        || plain(kind).is_some()
}

/// The models of the kinds that have one each.
fn plain(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Flow::KIND => "authentik_flows.flow",
        FlowStageBinding::KIND => "authentik_flows.flowstagebinding",
        PolicyBinding::KIND => "authentik_policies.policybinding",
        Prompt::KIND => "authentik_stages_prompt.prompt",
        Brand::KIND => "authentik_brands.brand",
        Application::KIND => "authentik_core.application",
        WebhookMapping::KIND => "authentik_events.notificationwebhookmapping",
        User::KIND => "authentik_core.user",
        Group::KIND => "authentik_core.group",
        Token::KIND => "authentik_core.token",
        Invitation::KIND => "authentik_stages_invitation.invitation",
        Role::KIND => "authentik_rbac.role",
        _ => return None,
    })
}

/// The model of an object, told by its body where the kind does not say it.
fn model(kind: Kind, body: &Value) -> Option<String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match kind {
        Stage::KIND => stage::Kind::from_name(text("kind")).map(|it| it.model().to_owned()),
        Policy::KIND => policy::Kind::from_name(text("kind")).map(|it| it.model().to_owned()),
        Source::KIND => {
            let kind: Option<SourceKind> = text("kind").parse().ok();
            kind.map(|it| it.model().to_owned())
        }
        Device::KIND => {
            let class = text("class");
            (!class.is_empty())
                .then(|| format!("authentik_stages_authenticator_{class}.{class}device"))
        }
        kind => plain(kind).map(ToOwned::to_owned),
    }
}

/// How an event names an object, of which `body` is a revision: `null` where none can be read.
pub(super) fn reference(kind: Kind, id: Uuid, body: &Value) -> Map<String, Value> {
    let model = model(kind, body).unwrap_or_else(|| general(kind).to_owned());
    let (app, name) = model.split_once('.').unwrap_or(("", &model));
    let number = [User::KIND, Device::KIND].contains(&kind);
    let number = body.get("pk").filter(|pk| number && pk.is_i64()).cloned();
    Map::from_iter([
        ("app".to_owned(), app.into()),
        ("model_name".to_owned(), name.into()),
        (
            "pk".to_owned(),
            number.unwrap_or_else(|| id.simple().to_string().into()),
        ),
        ("name".to_owned(), called(kind, id, body).into()),
    ])
}

/// The model of an object of which nothing can be read any more.
fn general(kind: Kind) -> &'static str {
    match kind {
        Stage::KIND => "authentik_flows.stage",
        Policy::KIND => "authentik_policies.policy",
        Source::KIND => "authentik_core.source",
        Device::KIND => "authentik_core.device",
        _ => "",
    }
}

fn called(kind: Kind, id: Uuid, body: &Value) -> String {
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    if body.is_null() {
        return String::new();
    }
    let order = body.get("order").unwrap_or(&Value::Null);
    match kind {
        Brand::KIND => brand(body),
        FlowStageBinding::KIND => format!("Flow-stage binding #{order}"),
        PolicyBinding::KIND => format!("Policy binding #{order}"),
        _ => text("name")
            .or_else(|| text("identifier"))
            .or_else(|| text("username"))
            .unwrap_or_else(|| id.to_string()),
    }
}

fn brand(body: &Value) -> String {
    if body.get("default").and_then(Value::as_bool) == Some(true) {
        return "Default brand".to_owned();
    }
    let domain = body.get("domain").and_then(Value::as_str);
    format!("Brand {}", domain.unwrap_or_default())
}
