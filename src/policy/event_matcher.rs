//! Compares the event in the context with what it may be. Source: authentik
//! `policies/event_matcher`.
//!
//! The event is a mapping under `event`, as events are sent over the API.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Judged, Policy, Request, context};
use crate::flow::field::{Invalid, Problem};

pub mod action;
mod query;

use action::{ACTIONS, CUSTOM};
use query::Query;

/// The settings of a policy about events. What is absent or empty is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = EventMatcherPolicy)]
pub struct EventMatcher {
    /// What happened, such as `login`.
    #[schema(value_type = Option<action::Action>)]
    pub action: Option<String>,
    /// From which address; compared as text.
    #[schema(min_length = 1)]
    pub client_ip: Option<String>,
    /// Which part of the server made the event, such as `authentik.core`.
    pub app: Option<String>,
    /// What it is about, such as `authentik_core.user`.
    pub model: Option<String>,
    /// A condition in the language of event searches.
    #[schema(min_length = 1)]
    pub query: Option<String>,
}

#[async_trait(?Send)]
impl Policy for EventMatcher {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let event = context::entry(request, "event").filter(|event| !event.is_null());
        let Some(event) = event else {
            return Ok(Judged::new(false));
        };
        let mut judged = Judged::new(true);
        if let Some(query) = wanted(self.query.as_ref()) {
            let query: Query = query
                .parse()
                .map_err(|problem| Error::failed(format!("the query is wrong: {problem}")))?;
            judged.passing &= query.matches(&event);
            judged = judged.saying("Query matched.");
        }
        let model = model_of(&event);
        for (wanted, found, message) in [
            (
                wanted(self.action.as_ref()),
                event["action"].as_str(),
                "Action matched.",
            ),
            (
                wanted(self.client_ip.as_ref()),
                event["client_ip"].as_str(),
                "Client IP matched.",
            ),
            (
                wanted(self.app.as_ref()),
                event["app"].as_str(),
                "App matched.",
            ),
            (
                wanted(self.model.as_ref()),
                model.as_deref(),
                "Model matched.",
            ),
        ] {
            if let Some(wanted) = wanted {
                judged.passing &= found == Some(wanted);
                // Said in either case, as in authentik.
                judged = judged.saying(message);
            }
        }
        Ok(judged)
    }

    fn problems(&self) -> Vec<Invalid> {
        let criteria = [
            &self.action,
            &self.client_ip,
            &self.app,
            &self.model,
            &self.query,
        ];
        let sent = criteria.iter().any(|it| it.is_some());
        if sent && criteria.iter().all(|it| wanted(it.as_ref()).is_none()) {
            let text = "At least one criteria must be set.";
            return vec![Invalid::new(Invalid::ALL_FIELDS, Problem::Other(text))];
        }
        let mut problems = Vec::new();
        if let Some(action) = wanted(self.action.as_ref())
            && !ACTIONS.contains(&action)
            && !action.starts_with(CUSTOM)
        {
            let problem = Problem::NotAChoice(action.to_owned());
            problems.push(Invalid::new("action", problem));
        }
        if let Some(query) = wanted(self.query.as_ref())
            && let Err(problem) = query.parse::<Query>()
        {
            let problem = Problem::Said(problem.to_string());
            problems.push(Invalid::new("query", problem));
        }
        problems
    }
}

/// What is to be compared, if anything is.
fn wanted(criterion: Option<&String>) -> Option<&str> {
    criterion
        .map(String::as_str)
        .filter(|text| !text.is_empty())
}

/// What the event is about: `authentik_core.user`.
fn model_of(event: &Value) -> Option<String> {
    let model = &event["context"]["model"];
    let (app, name) = (model["app"].as_str()?, model["model_name"].as_str()?);
    Some(format!("{app}.{name}"))
}

#[cfg(test)]
mod tests;
