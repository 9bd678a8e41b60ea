//! `/core/tokens/{identifier}/view_key/` and `set_key/`: the secrets of tokens.
//!
//! Source: authentik `core/api/tokens.py`.

use actix_web::HttpResponse;
use actix_web::http::header;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::super::body::{text, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::resource::found;
use super::super::schema::Components;
use super::guard::{may_act_on, permit};
use super::tokens::TOKENS;
use super::{TRIES, contended};
use crate::blueprint::edit::{Extent, Model, Object, Staged};
use crate::directory::change::{self, Did};
use crate::directory::{Token, User};
use crate::http::Error;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Commit, Durability};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::Get,
            "/core/tokens/{identifier}/view_key/",
            "core_tokens_view_key_retrieve",
            view_key,
        )
        .answers(200, Content::One("TokenView".to_owned())),
        Operation::new(
            Method::Post,
            "/core/tokens/{identifier}/set_key/",
            "core_tokens_set_key_create",
            set_key,
        )
        .takes(Content::One("TokenSetKeyRequest".to_owned()))
        .answers(204, Content::Nothing),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.put(
        "TokenView",
        json!({
            "type": "object",
            "properties": { "key": { "type": "string", "readOnly": true } },
            "required": ["key"],
        }),
    );
    components.put(
        "TokenSetKeyRequest",
        json!({
            "type": "object",
            "properties": { "key": { "type": "string", "minLength": 1 } },
            "required": ["key"],
        }),
    );
}

/// The token that the path names, and whether it is the caller's own. One of somebody else is out of
/// reach for whoever may not do what that one may.
async fn token(call: &Call) -> Result<(Token, bool), Error> {
    let object = found(&TOKENS, call, &mut Staged::default()).await?;
    let Object::Token(token) = object else {
        return Err(Error::Missing("Token"));
    };
    let owner: Option<Versioned<User>> = object::get(&*call.state.journal, token.user).await?;
    let owner = owner.ok_or(Error::Missing("Token"))?.value;
    may_act_on(call, &owner).await?;
    let is_own = owner.uuid == call.caller()?.user.value.uuid;
    Ok((token, is_own))
}

/// `GET /core/tokens/{identifier}/view_key/`: who looked is written down before it is shown.
async fn view_key(call: Call) -> Answered {
    let (shown, is_own) = token(&call).await?;
    let may = "authentik_core.view_token_key";
    permit(is_own || call.caller()?.granted.may_of(may, shown.token_uuid))?;
    let journal = &*call.state.journal;
    let stream = object::stream::<Token>(shown.token_uuid);
    for _ in 0..TRIES {
        let (version, _) = journal.head(stream).await?;
        let correlation = call.arrival.id;
        let seen = change::Changed {
            kind: Token::KIND,
            id: shown.token_uuid,
            version,
            did: Did::Viewed,
        };
        let commit = Commit {
            writes: vec![change::noted(vec![seen], &call.author()?, correlation)],
            durability: Durability::Durable,
            fence: None,
            at: call.state.clock.now(),
            correlation,
        };
        match journal.commit(commit).await {
            Ok(_) => {
                let key = shown.key.expose_secret();
                return Ok(HttpResponse::Ok()
                    .insert_header((header::CACHE_CONTROL, "no-store"))
                    .json(json!({ "key": key })));
            }
            Err(journal::Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(contended())
}

/// `POST /core/tokens/{identifier}/set_key/`
async fn set_key(mut call: Call) -> Answered {
    let (token, _) = token(&call).await?;
    let may = "authentik_core.set_token_key";
    permit(call.caller()?.granted.may_of(may, token.token_uuid))?;
    let fields = call.fields().await?;
    let key = text(fields.get("key"), 4096).map_err(|it| wrong("key", it))?;
    let data: Map<String, Value> = Map::from_iter([("key".to_owned(), key.into())]);
    let author = call.author()?;
    let stream = object::stream::<Token>(token.token_uuid);
    let edit = call.edit(&author, call.arrival.id);
    let changed = edit
        .update(Model::Token, stream, &data, Extent::Part)
        .await?;
    changed.ok_or(Error::Missing("Token"))?;
    Ok(HttpResponse::NoContent().finish())
}
