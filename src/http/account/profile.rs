//! What is known of somebody, and how they change it: by the brand's own flow for that, whose rules
//! decide. Where that flow asks for nothing but what the page knows, the page asks for it and answers
//! in the flow; else it leads there.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::details::{DETAILS, Detail, LANGUAGE, Way, rules, way};
use super::owner::next;
use super::{Form, Owner, setting_up};
use crate::catalog::Flow;
use crate::execution::{Presence, Reply, Request};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::http::Error;
use crate::http::location::redirect;
use crate::http::session::{add, set_cookies};
use crate::stage::Stage as _;
use crate::stage::prompt::Prompt;
use crate::web::Language;
use crate::web::account::{Field, Profile, Topic, locales};

/// What shows the prompts of a flow.
const PROMPTS: &str = Prompt::COMPONENT;

/// What the flow complained of, by field.
type Complaints = Map<String, Value>;

/// `GET /if/user/`, with what was typed before.
pub(super) async fn show(owner: &Owner<'_>, typed: Option<&Form>) -> Result<HttpResponse, Error> {
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
    for detail in DETAILS
        .iter()
        .filter(|it| keys.iter().any(|key| key == it.key))
    {
        let typed = form.get(detail.name).filter(|_| detail.may_change(&rules));
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
        let mut saved = Owner::done("", "saved");
        speaks(owner, form, &mut saved)?;
        saved
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

/// Whoever chose another language sees the pages in it at once.
fn speaks(owner: &Owner<'_>, form: &Form, answer: &mut HttpResponse) -> Result<(), Error> {
    let known = DETAILS.iter().find(|it| it.name == LANGUAGE);
    let known = known.map(|it| it.value(&owner.user.value));
    let chosen = form.get(LANGUAGE).filter(|it| known.as_deref() != Some(it));
    let Some(language) = chosen.and_then(Language::of) else {
        return Ok(());
    };
    let secure = owner.visitor.client.secure;
    let cookie = owner.state.cookies.language(language.code(), secure);
    add(&[cookie], answer)
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
        trace: owner.arrival.trace,
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
        let may_change = keys.iter().any(|it| it == detail.key) && detail.may_change(&rules);
        let typed = typed.and_then(|form| form.get(detail.name));
        let typed = typed.filter(|_| may_change).map(str::to_owned);
        let value = typed.unwrap_or_else(|| detail.value(&owner.user.value));
        Field {
            name: detail.name,
            choices: match detail.name {
                LANGUAGE => locales(&value),
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
