//! `/core/tokens/`: tokens. Everybody has their own; those of others are for who may see them.
//!
//! Source: authentik `core/api/tokens.py`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::body::wrong;
use super::super::call::Call;
use super::super::operation::Operation;
use super::super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown};
use super::super::schema::{Components, reference, request};
use super::guard::may_act_on;
use super::shown;
use crate::blueprint::edit::{Field, Miss, Model, Object, Staged, fields};
use crate::directory::attributes::merged;
use crate::directory::token::{Intent, LIFETIME};
use crate::directory::{Token, User, groups_of};
use crate::http::Error;
use crate::journal::object::{self, Stored, Versioned};
use crate::stage::duration::span_of;

/// The tokens.
pub(super) static TOKENS: Resource = Resource {
    path: "/core/tokens/",
    prefix: "core_tokens",
    key: "identifier",
    key_field: KeyField::Field("identifier"),
    scope: Scope::Of(Model::Token),
    name: "Token",
    noun: "authentik_core.token",
    search: &["identifier", "intent", "user__username", "description"],
    filters: &[
        Filter::of("description", Fits::Text),
        Filter::of("expires", Fits::Moment),
        Filter::of("expiring", Fits::Flag),
        Filter::of("identifier", Fits::Text),
        Filter::of("intent", Fits::Word(intents)),
        Filter::of("managed", Fits::Text),
        Filter::of("user__username", Fits::Text),
    ],
    order: &["identifier"],
    closed: &["key"],
    is_own: Some(is_own),
    guard: Some(|call, old, fields| Box::pin(check(call, old, fields))),
    show,
};

/// The attribute that says how long an app password may be good.
const LONGEST: &str = "goauthentik.io/user/token-maximum-lifetime";

/// The attribute that says whether a user's tokens end at all.
const EXPIRES: &str = "goauthentik.io/user/token-expires";

fn intents() -> Vec<&'static str> {
    Intent::ALL.iter().map(|it| it.as_str()).collect()
}

fn is_own(object: &Object, user: &User) -> bool {
    matches!(object, Object::Token(token) if token.user == user.uuid)
}

/// The operations on tokens.
pub(super) fn operations() -> Vec<Operation> {
    TOKENS.operations()
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let table: Vec<Field> = fields(Model::Token)
        .iter()
        .filter(|field| field.name != "key")
        .map(|field| Field {
            required: field.name == "identifier",
            ..*field
        })
        .collect();
    request(components, "Token", table.iter(), None);
    components.put(
        "Token",
        json!({
            "type": "object",
            "properties": {
                "pk": { "type": "string", "format": "uuid", "readOnly": true },
                "managed": { "type": ["string", "null"] },
                "identifier": { "type": "string", "maxLength": 255, "pattern": "^[-a-zA-Z0-9_]+$" },
                "intent": reference("IntentEnum"),
                "user": { "type": "integer" },
                "user_obj": reference("User"),
                "description": { "type": "string" },
                "expires": { "type": ["string", "null"], "format": "date-time" },
                "expiring": { "type": "boolean" },
            },
            "required": ["identifier", "pk", "user_obj"],
        }),
    );
}

fn show(object: &Object, staged: &Staged, about: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Token(token) = object else {
        return Err(Miss::Wrong("this is no token".to_owned()));
    };
    let owner = staged.get(User::KIND, token.user)?;
    let Some(Object::User(owner)) = owner else {
        return Err(Miss::Wrong("the token's user is gone".to_owned()));
    };
    let last_login = about.beside("last_login");
    Ok(json!({
        "pk": token.token_uuid,
        "managed": token.managed,
        "identifier": token.identifier,
        "intent": token.intent,
        "user": owner.pk,
        "user_obj": shown::user(owner, staged, about.state, last_login, (true, true))?,
        "description": token.description,
        "expires": token.expires,
        "expiring": token.expiring,
    }))
}

/// Checks what is wanted of a token, and whose it becomes: whoever is no superuser makes tokens for
/// themselves only, and may touch those of others only where they may do whatever those may.
async fn check(
    call: &Call,
    old: Option<&Object>,
    fields: &mut Map<String, Value>,
) -> Result<(), Error> {
    let caller = call.caller()?;
    let old = match old {
        Some(Object::Token(token)) => Some(token),
        _ => None,
    };
    let owner = match old {
        Some(token) => {
            let owner: Option<Versioned<User>> =
                object::get(&*call.state.journal, token.user).await?;
            owner.ok_or(Error::Missing("Token"))?.value
        }
        None => caller.user.value.clone(),
    };
    may_act_on(call, &owner).await?;
    if !caller.granted.is_superuser() || !fields.contains_key("user") {
        fields.insert("user".to_owned(), owner.pk.into());
    }
    if let Some(intent) = fields.get("intent") {
        let known = [Intent::Api, Intent::AppPassword].map(Intent::as_str);
        if !intent
            .as_str()
            .is_some_and(|intent| known.contains(&intent))
        {
            let shown = super::super::text(intent);
            return Err(wrong("intent", format!("Invalid intent {shown}")));
        }
    } else if old.is_none() {
        fields.insert("intent".to_owned(), Intent::Api.as_str().into());
    }
    ends(call, old, &owner, fields).await
}

/// When the token ends. What a superuser says counts; for everybody else a token of the API is good
/// for the usual time, and an app password as long as their attributes allow.
async fn ends(
    call: &Call,
    old: Option<&Token>,
    owner: &User,
    fields: &mut Map<String, Value>,
) -> Result<(), Error> {
    let now = call.state.clock.now();
    let usual = now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    let is_superuser = call.caller()?.granted.is_superuser();
    let intent = fields.get("intent").and_then(Value::as_str);
    let intent = intent.or(old.map(|token| token.intent.as_str()));
    let is_of_api = intent == Some(Intent::Api.as_str());
    if !is_superuser {
        let may_last = owner.attributes.get(EXPIRES) == Some(&Value::Bool(false));
        if is_of_api || !may_last {
            fields.insert("expiring".to_owned(), true.into());
        }
    }
    let expiring = match fields.get("expiring") {
        Some(given) => given.as_bool().unwrap_or(true),
        None => old.is_none_or(|token| token.expiring),
    };
    let had = old.and_then(|token| token.expires);
    let is_given = fields.get("expires").is_some_and(|it| !it.is_null());
    let becomes_one = old.is_some_and(|token| token.intent != Intent::Api);
    let is_bound = !is_superuser && is_of_api && (is_given || had.is_none() || becomes_one);
    let is_left_open = !is_given && (had.is_none() || fields.contains_key("expires"));
    if expiring && (is_bound || is_left_open) {
        fields.insert("expires".to_owned(), usual.to_string().into());
    }
    if !expiring && old.is_none() && !is_given {
        fields.insert("expires".to_owned(), Value::Null);
    }
    if is_superuser || is_of_api {
        return Ok(());
    }
    let journal = &*call.state.journal;
    let brand = call.state.brand(&call.caller()?.client.host).await?;
    let groups = groups_of(journal, owner).await?;
    let attributes = merged(&brand.attributes, &groups, owner);
    let most = attributes.get(LONGEST).and_then(Value::as_str);
    let most = most.and_then(span_of);
    let Some(most) = most.and_then(|span| now.checked_add(span).ok()) else {
        return Ok(());
    };
    let wanted = fields.get("expires").and_then(Value::as_str);
    let wanted: Option<Timestamp> = wanted.and_then(|at| at.parse().ok());
    if wanted.is_some_and(|at| at > most) {
        let problem = format!("Token expires exceeds maximum lifetime ({most} UTC).");
        return Err(wrong("expires", problem));
    }
    Ok(())
}
