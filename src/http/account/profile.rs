//! What is known of somebody, and how they change it: by the brand's own flow for that, whose rules
//! decide. Where that flow asks for nothing but what the page knows, the page asks for it and answers
//! in the flow; else it leads there.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::owner::next;
use super::{Form, Owner, setting_up};
use crate::catalog::{Flow, Stage, bindings_of, prompts};
use crate::directory::attributes::merged;
use crate::directory::{User, groups_of};
use crate::execution::{Presence, Reply, Request};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::http::Error;
use crate::http::location::redirect;
use crate::http::session::set_cookies;
use crate::journal::object::{self, Versioned};
use crate::stage::prompt::Prompt;
use crate::stage::{Kind, Stage as _};
use crate::web::account::{Field, Profile, Topic, locales};

/// A field of the page.
struct Detail {
    name: &'static str,
    /// What a prompt for it puts its answer under.
    key: &'static str,
    /// The attribute that lets people change it, and what counts where nobody says. Source:
    /// authentik `core/models.py`.
    allowed_by: Option<(&'static str, bool)>,
}

const DETAILS: [Detail; 4] = [
    Detail {
        name: "username",
        key: "username",
        allowed_by: Some(("goauthentik.io/user/can-change-username", false)),
    },
    Detail {
        name: "name",
        key: "name",
        allowed_by: Some(("goauthentik.io/user/can-change-name", true)),
    },
    Detail {
        name: "email",
        key: "email",
        allowed_by: Some(("goauthentik.io/user/can-change-email", false)),
    },
    Detail {
        name: "language",
        key: "attributes.settings.locale",
        allowed_by: None,
    },
];

impl Detail {
    fn value(&self, user: &User) -> String {
        match self.name {
            "username" => user.username.clone(),
            "name" => user.name.clone(),
            "email" => user.email.clone(),
            _ => {
                let settings = user.attributes.get("settings");
                let locale = settings.and_then(|it| it["locale"].as_str());
                locale.unwrap_or_default().to_owned()
            }
        }
    }
}

/// What shows the prompts of a flow.
const PROMPTS: &str = Prompt::COMPONENT;

/// How the details are changed.
enum Way {
    /// On the page: these keys are what the flow asks for.
    Here(Flow, Vec<String>),
    /// In the flow, which asks for more.
    There(Flow),
    /// Not by the user.
    None,
}

/// What the flow complained of, by field.
type Complaints = Map<String, Value>;

/// `GET /if/user/`, with what was typed before.
pub(super) async fn show(
    owner: &Owner<'_>,
    typed: Option<&Form>,
) -> Result<HttpResponse, Error> {
    let way = way(owner).await?;
    shown(owner, &way, typed, &Complaints::new()).await
}

/// `POST /if/user/`: answers in the flow.
pub(super) async fn save(owner: &mut Owner<'_>, form: &Form) -> Result<HttpResponse, Error> {
    let way = way(owner).await?;
    let Way::Here(flow, keys) = &way else {
        return shown(owner, &way, Some(form), &Complaints::new()).await;
    };
    let rules = rules(owner).await?;
    let mut answer = Map::from_iter([("component".to_owned(), json!(PROMPTS))]);
    for detail in DETAILS.iter().filter(|it| keys.iter().any(|key| key == it.key)) {
        let typed = form.get(detail.name).filter(|_| may_change(detail, &rules));
        let value = typed.map_or_else(|| detail.value(&owner.user.value), str::to_owned);
        answer.insert(detail.key.to_owned(), value.into());
    }
    let page = || redirect(StatusCode::SEE_OTHER, &setting_up::page(flow, ""));
    let Some(reply) = answered(owner, flow, answer).await? else {
        return Ok(page());
    };
    let (is_asked, is_over) = match reply.body["component"].as_str() {
        Some("xak-flow-redirect") => (false, true),
        Some("ak-stage-access-denied") => (true, false),
        other => (other == Some(PROMPTS), false),
    };
    let mut to = if is_over {
        Owner::done("", "saved")
    } else if is_asked {
        let said = reply.body["error_message"].as_str();
        if let Some(said) = said.filter(|it| !it.is_empty()) {
            owner.say(said);
        }
        let errors = reply.body["response_errors"].as_object().cloned();
        shown(owner, &way, Some(form), &errors.unwrap_or_default()).await?
    } else {
        page()
    };
    set_cookies(owner.state, &owner.visitor, &reply, &mut to).await?;
    Ok(to)
}

/// Begins the flow and answers its first challenge; `None` where that is none that the page can
/// answer.
async fn answered(
    owner: &Owner<'_>,
    flow: &Flow,
    answer: Map<String, Value>,
) -> Result<Option<Reply>, Error> {
    let executions = &owner.state.executions;
    let mut question = Request {
        session: Some(owner.session.id),
        sid: owner.visitor.sid.clone(),
        slug: flow.slug.to_string(),
        query: next(""),
        client: owner.visitor.client.clone(),
        challenge: None,
        received: owner.arrival.at,
        correlation: owner.arrival.id,
        presence: Presence::default(),
    };
    let mut context = Context::default();
    let user = Known::User(owner.user.value.uuid);
    context.set(key::PENDING_USER, Some(user));
    let begun = executions.begin_anew(question.clone(), context).await?;
    let Some(begun) = begun.filter(|it| it.body["component"] == PROMPTS) else {
        return Ok(None);
    };
    question.challenge = begun.challenge;
    question.correlation = owner.state.clock.ordered_id();
    let reply = executions.answer(question, answer.into()).await?;
    Ok(Some(reply))
}

/// How the brand lets people change their details.
async fn way(owner: &Owner<'_>) -> Result<Way, Error> {
    let journal = owner.journal();
    let brand = owner.state.brand(&owner.visitor.client.host).await?;
    let Some(flow) = brand.flow_user_settings else {
        return Ok(Way::None);
    };
    let flow: Option<Versioned<Flow>> = object::get(journal, flow).await?;
    let Some(Versioned { value: flow, .. }) = flow else {
        return Ok(Way::None);
    };
    let bindings = bindings_of(journal, flow.pk).await?;
    let first: Option<Versioned<Stage>> = match bindings.first() {
        Some(binding) => object::get(journal, binding.value.stage).await?,
        None => None,
    };
    let first = first.filter(|stage| Kind::from_name(&stage.value.kind) == Some(Kind::Prompt));
    let asked = first.and_then(|stage| stage.value.settings.get("fields").cloned());
    let asked: Vec<_> = serde_json::from_value(asked.unwrap_or_default()).unwrap_or_default();
    let asked = prompts(journal, &asked).await?;
    let keys: Vec<String> = asked.into_iter().map(|it| it.value.field_key).collect();
    let is_known = |key: &String| DETAILS.iter().any(|it| it.key == key);
    Ok(if !keys.is_empty() && keys.iter().all(is_known) {
        Way::Here(flow, keys)
    } else {
        Way::There(flow)
    })
}

/// The attributes of brand, groups and user together.
async fn rules(owner: &Owner<'_>) -> Result<Map<String, Value>, Error> {
    let user = &owner.user.value;
    let groups = groups_of(owner.journal(), user).await?;
    let brand = owner.state.brand(&owner.visitor.client.host).await?;
    Ok(merged(&brand.attributes, &groups, user))
}

fn may_change(detail: &Detail, rules: &Map<String, Value>) -> bool {
    let Some((attribute, otherwise)) = detail.allowed_by else {
        return true;
    };
    // What Python takes for true, as the flow's policy does.
    match rules.get(attribute) {
        None => otherwise,
        Some(Value::Bool(may)) => *may,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(other) => !other.is_null(),
    }
}

async fn shown(
    owner: &Owner<'_>,
    way: &Way,
    typed: Option<&Form>,
    complaints: &Complaints,
) -> Result<HttpResponse, Error> {
    let rules = rules(owner).await?;
    let keys: &[String] = match way {
        Way::Here(_, keys) => keys,
        Way::There(_) | Way::None => &[],
    };
    let field = |detail: &Detail| {
        let may_change = keys.iter().any(|it| it == detail.key) && may_change(detail, &rules);
        let typed = typed.and_then(|form| form.get(detail.name));
        let typed = typed.filter(|_| may_change).map(str::to_owned);
        let value = typed.unwrap_or_else(|| detail.value(&owner.user.value));
        Field {
            name: detail.name,
            choices: match detail.name {
                "language" => locales(&value),
                _ => Vec::new(),
            },
            errors: said(complaints.get(detail.key)),
            value,
            may_change,
        }
    };
    let fields: Vec<Field> = DETAILS.iter().map(field).collect();
    let of_none = complaints
        .iter()
        .filter(|(key, _)| !DETAILS.iter().any(|it| it.key == key.as_str()));
    let topic = Topic::Profile(Profile {
        is_form: fields.iter().any(|it| it.may_change),
        fields,
        errors: of_none.flat_map(|(_, all)| said(Some(all))).collect(),
        elsewhere: match way {
            Way::There(flow) => Some(setting_up::page(flow, "")),
            Way::Here(..) | Way::None => None,
        },
    });
    owner.page(&topic).await
}

/// The texts of complaints.
fn said(complaints: Option<&Value>) -> Vec<String> {
    let all = complaints.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|it| Some(it["string"].as_str()?.to_owned()))
        .collect()
}
