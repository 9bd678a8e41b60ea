//! `/stages/invitation/invitations/`: invitations into flows, and mails that bring them.
//!
//! Source: authentik `stages/invitation/api.py`.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};
use super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown, found, may, text};
use super::schema::{Components, reference, request, uuid};
use super::{body, flows, partial};
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields, show};
use crate::catalog::{Brand, Flow};
use crate::courier::letter::Person;
use crate::directory::{Invitation, User};
use crate::http::Error;
use crate::journal::object::{self, Stored, Versioned};
use crate::world::{Letter, Recipient};

/// The most mails of one request.
const MOST: usize = 100;

static INVITATIONS: Resource = Resource {
    path: "/stages/invitation/invitations/",
    prefix: "stages_invitation_invitations",
    key: "invite_uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::Invitation),
    name: "Invitation",
    noun: "authentik_stages_invitation.invitation",
    search: &["name", "created_by__username", "expires", "flow__slug"],
    filters: &[
        text("created_by__username"),
        Filter::of("expires", Fits::Moment),
        text("flow__slug"),
        text("name"),
    ],
    order: &["-expires"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_invitation,
};

/// The operations on them.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = INVITATIONS.operations();
    let id = "stages_invitation_invitations_send_email_create";
    all.push(
        Operation::new(Method::Post, &INVITATIONS.one("send_email/"), id, send)
            .key("invite_uuid", &uuid())
            .takes(Content::One("InvitationSendEmailRequest".to_owned()))
            .answers(204, Content::Nothing),
    );
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let own = fields(Model::Invitation).iter();
    request(components, "Invitation", own, None);
    let body = components.get("InvitationRequest").cloned();
    let mut shown = body.unwrap_or_default();
    shown["properties"]["pk"] = uuid();
    shown["properties"]["pk"]["readOnly"] = true.into();
    shown["properties"]["created_by"] = json!({
        "allOf": [reference("PartialUser")],
        "readOnly": true,
    });
    shown["properties"]["flow_obj"] = json!({
        "oneOf": [{ "type": "null" }, reference("Flow")],
        "readOnly": true,
    });
    shown["required"] = json!(["created_by", "flow_obj", "name", "pk"]);
    components.put("Invitation", shown);
    let addresses = json!({ "type": "array", "items": { "type": "string" }, "maxItems": MOST });
    components.put(
        "InvitationSendEmailRequest",
        json!({
            "type": "object",
            "properties": {
                "email_addresses": addresses,
                "cc_addresses": addresses,
                "bcc_addresses": addresses,
                "template": { "type": "string", "minLength": 1, "default": "email/invitation.html" },
            },
            "required": ["email_addresses"],
        }),
    );
}

fn show_invitation(object: &Object, staged: &Staged, about: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Invitation(invitation) = object else {
        return Err(Miss::Wrong("this is no invitation".to_owned()));
    };
    let mut shown = show(object, staged)?.fields;
    let creator = match invitation.created_by {
        Some(id) => staged.get(User::KIND, id)?,
        None => None,
    };
    let creator = match creator {
        Some(Object::User(user)) => partial::user(user, about.state.install_id),
        _ => partial::nobody(),
    };
    let flow = match invitation.flow {
        Some(id) => staged.get(Flow::KIND, id)?,
        None => None,
    };
    let flow = match flow {
        Some(flow) => flows::show_flow(flow, staged, about)?,
        None => Value::Null,
    };
    shown.insert("created_by".to_owned(), json!(creator));
    shown.insert("flow_obj".to_owned(), flow);
    Ok(shown.into())
}

/// What is asked of a mail.
struct Asked {
    to: Vec<String>,
    template: String,
}

/// `POST /stages/invitation/invitations/<uuid>/send_email/`: everybody gets a mail of their own, so
/// that nobody learns of the others.
async fn send(mut call: Call) -> Answered {
    let mut staged = Staged::default();
    let object = found(&INVITATIONS, &call, &mut staged).await?;
    if !may(&INVITATIONS, &call, "change", &object)? {
        return Err(Error::NotPermitted);
    }
    let Object::Invitation(invitation) = object else {
        return Err(Error::Missing("Invitation"));
    };
    let body = call.json().await?;
    let asked = asked(&body)?;
    let flow = flow(&call, &invitation).await?;
    let path = invitation.path(&flow);
    let brand = call.state.brand(&call.caller()?.client.host).await?;
    let letters = letters(&call, &asked, &invitation, &brand)?;
    let author = call.author()?;
    let posted = call
        .state
        .executions
        .post(&letters, &path, &author, call.arrival.id)
        .await?;
    posted.map_err(|problem| Error::Fields(BTreeMap::from([("error", problem)])))?;
    Ok(HttpResponse::NoContent().finish())
}

/// The slug of the flow that an invitation leads into.
async fn flow(call: &Call, invitation: &Invitation) -> Result<String, Error> {
    let flow: Option<Versioned<Flow>> = match invitation.flow {
        Some(id) => object::get(&*call.state.journal, id).await?,
        None => None,
    };
    let flow = flow.ok_or_else(|| body::wrong("error", "Invitation has no associated flow"))?;
    Ok(flow.value.slug.to_string())
}

fn asked(body: &Value) -> Result<Asked, Error> {
    let fields = body::fields(body)?;
    let mut to = Vec::new();
    for name in ["email_addresses", "cc_addresses", "bcc_addresses"] {
        match fields.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for item in items {
                    let address = item.as_str().map(str::trim);
                    let address = address.filter(|it| is_address(it));
                    let wrong = || body::wrong(name, "Enter a valid email address.");
                    to.push(address.ok_or_else(wrong)?.to_owned());
                }
            }
            Some(_) => return Err(body::wrong(name, "Expected a list of items.")),
        }
    }
    let first = fields.get("email_addresses").and_then(Value::as_array);
    if first.is_none_or(Vec::is_empty) {
        return Err(body::wrong("error", "No email addresses provided"));
    }
    if to.len() > MOST {
        let text = format!("Ensure this field has no more than {MOST} elements.");
        return Err(body::wrong("email_addresses", text));
    }
    let template = match fields.get("template") {
        None => "email/invitation.html",
        Some(Value::String(name)) if name == "invitation" => "email/invitation.html",
        Some(Value::String(name)) if !name.trim().is_empty() => name,
        Some(_) => return Err(body::wrong("template", "Not a valid string.")),
    };
    Ok(Asked {
        to,
        template: template.to_owned(),
    })
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    let is_plain = !text.contains(|letter: char| letter.is_control() || letter.is_whitespace());
    is_plain && parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
}

fn letters(
    call: &Call,
    asked: &Asked,
    invitation: &Invitation,
    brand: &Brand,
) -> Result<Vec<Letter>, Error> {
    let client = &call.caller()?.client;
    let letter = |address: &String| Letter {
        template: asked.template.clone(),
        subject: format!("You have been invited to {}", client.host),
        to: Some(Recipient {
            name: String::new(),
            address: address.clone(),
        }),
        user: Person::default(),
        client: client.clone(),
        brand: brand.branding_title.clone(),
        from: None,
        server: None::<Uuid>,
        language: client.language.clone(),
        link: None,
        code: None,
        text: None,
        more: serde_json::Map::new(),
        expires: invitation.expires.unwrap_or(Timestamp::MAX),
    };
    Ok(asked.to.iter().map(letter).collect())
}
