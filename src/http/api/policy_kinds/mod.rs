//! Policies: those of each kind, and all of them together.
//!
//! Source: authentik `policies/api/policies.py`, `policies/*/api.py`.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::call::Call;
use super::kind::{self, Sort};
use super::operation::{Access, Answered, Content, Method, Operation};
use super::resource::{Resource, Shown};
use super::schema::Components;
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields};
use crate::catalog::{self, PolicyBinding, Stage};
use crate::journal::object::Stored as _;
use crate::policy::Kind;
use crate::policy::geoip::countries;

mod table;

use table::{ALL, KINDS};

/// What policies of all kinds have.
#[derive(Serialize, ToSchema)]
pub(super) struct Policy {
    #[schema(read_only)]
    pk: Uuid,
    name: String,
    /// Whether each evaluation is also written into the server's log.
    #[schema(required = false)]
    execution_logging: bool,
    /// What edits it in authentik's interface.
    #[schema(read_only)]
    component: &'static str,
    #[schema(read_only)]
    verbose_name: String,
    #[schema(read_only)]
    verbose_name_plural: String,
    #[schema(read_only)]
    meta_model_name: &'static str,
    /// How many bindings and prompt stages ask it.
    #[schema(read_only)]
    bound_to: usize,
}

/// How much of something is kept to answer faster.
#[derive(Serialize, ToSchema)]
pub(super) struct Cache {
    #[schema(read_only)]
    count: u32,
}

/// The operations on all of them.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = ALL.reading_operations();
    all.extend(KINDS.iter().flat_map(Resource::operations));
    let get = |path, id, handler| Operation::new(Method::Get, path, id, handler);
    let types = get("/policies/all/types/", "policies_all_types_list", types);
    all.push(types.answers(200, Content::List("TypeCreate".to_owned())));
    let path = "/policies/all/cache_info/";
    all.push(
        Operation::new(Method::Get, path, "policies_all_cache_info_retrieve", cache)
            .access(Access::Permitted("authentik_policies.view_policy_cache"))
            .answers(200, Content::One("Cache".to_owned())),
    );
    let path = "/policies/all/cache_clear/";
    all.push(
        Operation::new(Method::Post, path, "policies_all_cache_clear_create", clear)
            .access(Access::Permitted("authentik_policies.clear_policy_cache"))
            .answers(204, Content::Nothing),
    );
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.add::<Policy>();
    components.add::<Cache>();
    let base = components.get("Policy").cloned().unwrap_or_default();
    for kind in Kind::ALL {
        let own = fields(Model::Policy(*kind));
        let more = more_schemas(*kind);
        kind::describe(components, &base, own, kind.described(), &more);
    }
}

/// What policies of a kind show besides what can be set.
fn more_schemas(kind: Kind) -> Vec<(&'static str, Value)> {
    let text = json!({ "type": "string" });
    let country = json!({
        "type": "object",
        "properties": { "code": text, "name": text },
        "required": ["code", "name"],
    });
    match kind {
        Kind::GeoIp => vec![(
            "countries_obj",
            json!({ "type": "array", "items": country }),
        )],
        _ => Vec::new(),
    }
}

fn show(object: &Object, staged: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    whole(object, staged)
}

/// A policy with its settings, as it is shown by itself and within other objects.
///
/// # Errors
/// What has to be read first.
pub(super) fn whole(object: &Object, staged: &Staged) -> Result<Value, Miss> {
    let Object::Policy(policy) = object else {
        return Err(Miss::Wrong("this is no policy".to_owned()));
    };
    let kind = Kind::from_name(&policy.kind);
    let title = match kind {
        Some(kind) => kind.title(),
        None => policy.kind.as_str(),
    };
    let plural = title.strip_suffix('y').map(|stem| format!("{stem}ies"));
    let mut shown = json!(Policy {
        pk: policy.pk,
        name: policy.name.clone(),
        execution_logging: policy.execution_logging,
        component: kind.map_or("", form),
        verbose_name: title.to_owned(),
        verbose_name_plural: plural.unwrap_or_else(|| title.to_owned()),
        meta_model_name: kind.map_or("authentik_policies.policy", Kind::model),
        bound_to: bound_to(policy, staged)?,
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(policy.settings.clone());
        if kind == Some(Kind::GeoIp) {
            let codes = policy.settings.get("countries").and_then(Value::as_array);
            let codes = codes.into_iter().flatten().filter_map(Value::as_str);
            shown.insert("countries_obj".to_owned(), codes.map(country).collect());
        }
    }
    Ok(shown)
}

fn country(code: &str) -> Value {
    let known = countries::COUNTRIES
        .iter()
        .find(|(known, _)| *known == code);
    json!({ "code": code, "name": known.map_or(code, |(_, name)| *name) })
}

/// How many bindings and prompt stages ask a policy.
fn bound_to(policy: &catalog::Policy, staged: &Staged) -> Result<usize, Miss> {
    let id = policy.pk.to_string();
    let bindings = staged.all(PolicyBinding::KIND)?.into_iter();
    let prompting = staged.all(Stage::KIND)?.into_iter();
    let asks = |object: &&Object| match object {
        Object::PolicyBinding(binding) => binding.policy == Some(policy.pk),
        Object::Stage(stage) => {
            let asked = stage.settings.get("validation_policies");
            let asked = asked.and_then(Value::as_array);
            asked.is_some_and(|all| all.iter().any(|it| it.as_str() == Some(&id)))
        }
        _ => false,
    };
    Ok(bindings.chain(prompting).filter(asks).count())
}

/// What edits policies of a kind in authentik's interface.
const fn form(kind: Kind) -> &'static str {
    match kind {
        Kind::Dummy => "ak-policy-dummy-form",
        Kind::EventMatcher => "ak-policy-event-matcher-form",
        Kind::ExpressionPolicy => "ak-policy-expression-form",
        Kind::PasswordPolicy => "ak-policy-password-form",
        Kind::PasswordExpiryPolicy => "ak-policy-password-expiry-form",
        Kind::UniquePasswordPolicy => "ak-policy-password-uniqueness-form",
        Kind::GeoIp => "ak-policy-geoip-form",
        Kind::Reputation => "ak-policy-reputation-form",
    }
}

/// `GET /policies/all/types/`: the kinds, by name. The dummy is only for tries, and not among them.
async fn types(_: Call) -> Answered {
    let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Dummy);
    let sorts = kinds.map(|kind| Sort {
        name: kind.title(),
        description: about(*kind),
        component: form(*kind).to_owned(),
        model_name: kind::noun(kind.model()),
        requires_enterprise: false,
        deprecated: false,
    });
    Ok(HttpResponse::Ok().json(kind::sorted(sorts)))
}

/// What a policy of this kind does, for whoever chooses one.
const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Dummy => "Says what it is told to, for tries.",
        Kind::EventMatcher => "Passes where an event is of the kind that it looks for.",
        Kind::ExpressionPolicy => "Passes where an expression gives something true.",
        Kind::PasswordPolicy => "Passes where a password is good enough.",
        Kind::PasswordExpiryPolicy => "Passes where a password is not too old.",
        Kind::UniquePasswordPolicy => "Passes where a password is none of the last ones.",
        Kind::GeoIp => "Passes where a request comes from a place that it may come from.",
        Kind::Reputation => "Passes where too many attempts went wrong.",
    }
}

/// `GET /policies/all/cache_info/`: an answer of a policy is never kept for another question.
async fn cache(_: Call) -> Answered {
    Ok(HttpResponse::Ok().json(Cache { count: 0 }))
}

/// `POST /policies/all/cache_clear/`
async fn clear(_: Call) -> Answered {
    Ok(HttpResponse::NoContent().finish())
}
