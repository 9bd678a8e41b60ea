//! The browser's request, as Django shows it.

use super::{Answers, no_method};
use crate::expression::{Call, Failure, Object, Value};
use crate::policy::context;
use crate::policy::request::Visit;

/// Where authentik keeps the parameters of the browser's address.
const PARAMETERS: &str = "authentik/flows/get";

impl Answers<'_> {
    pub(super) async fn http_attribute(&self, name: &str) -> Result<Option<Value>, Failure> {
        let Some(visit) = self.request.visit else {
            return Ok(None);
        };
        Ok(Some(match name {
            "path" | "path_info" => Value::text(&visit.path),
            "method" => Value::text(method(visit)),
            "scheme" => Value::text(scheme(visit)),
            "META" => meta(visit),
            "headers" => headers(visit),
            "GET" => {
                let mut parameters = parameters(visit);
                let text = visit.query.encode();
                parameters.retain(|(name, _)| name.as_text() != Some("query"));
                parameters.push((Value::text("query"), Value::Text(text)));
                Value::Dict(parameters)
            }
            // What was typed is the stage's alone, and cookies are secrets.
            "POST" | "COOKIES" => Value::Dict(Vec::new()),
            "session" => Value::dict([(PARAMETERS, Value::Dict(parameters(visit)))]),
            "brand" => {
                let brand = self.brand().await?;
                let is_made_up = brand.brand_uuid.is_nil();
                let id = (!is_made_up).then(|| brand.brand_uuid.to_string());
                if !is_made_up {
                    self.seen(super::Row::Brand(brand));
                }
                Object::new("Brand", id.unwrap_or_default()).into()
            }
            "tenant" => Object::new("Tenant", "").into(),
            "user" => match &visit.user {
                Some(user) => match self.user(user.value.uuid).await? {
                    Some(row) => self.handle(&row).into(),
                    None => Value::None,
                },
                None => Object::new(context::ANONYMOUS, "").into(),
            },
            _ => return Ok(None),
        }))
    }

    pub(super) fn http_method(&self, call: &Call) -> Result<Value, Failure> {
        let visit = self.request.visit;
        let visit = visit.ok_or_else(|| no_method("HttpRequest", &call.name))?;
        match call.name.as_str() {
            "get_host" => Ok(Value::text(&visit.client.host)),
            "get_full_path" => Ok(Value::Text(full_path(visit))),
            "is_secure" => Ok(Value::Bool(visit.client.secure)),
            "build_absolute_uri" => {
                let base = format!("{}{}", visit.client.origin(), full_path(visit));
                let address = match call.argument(0, "location") {
                    Some(Value::Text(place)) => {
                        let base = url::Url::parse(&base).ok();
                        let joined = base.and_then(|base| base.join(place).ok());
                        joined.map_or_else(|| place.clone(), String::from)
                    }
                    _ => base,
                };
                Ok(Value::Text(address))
            }
            name => Err(no_method("HttpRequest", name)),
        }
    }
}

fn method(visit: &Visit<'_>) -> &'static str {
    if visit.is_answer { "POST" } else { "GET" }
}

fn scheme(visit: &Visit<'_>) -> &'static str {
    if visit.client.secure { "https" } else { "http" }
}

/// The query string of the API's address, which holds that of the browser's.
fn query_string(visit: &Visit<'_>) -> String {
    let text = visit.query.encode();
    format!("query={}", crate::flow::query::encode(&text))
}

fn full_path(visit: &Visit<'_>) -> String {
    format!("{}?{}", visit.path, query_string(visit))
}

fn parameters(visit: &Visit<'_>) -> Vec<(Value, Value)> {
    let text = visit.query.encode();
    let mut parameters: Vec<(Value, Value)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        // Django gives the last of several values.
        let name = Value::text(name);
        parameters.retain(|(other, _)| *other != name);
        parameters.push((name, Value::text(value)));
    }
    parameters
}

fn headers(visit: &Visit<'_>) -> Value {
    let client = visit.client;
    let language = client.language.as_deref();
    let known = [
        ("Host", Some(client.host.as_str())),
        ("User-Agent", Some(client.user_agent.as_str())),
        ("Accept-Language", language),
    ];
    let known = known.into_iter();
    Value::dict(known.filter_map(|(name, value)| Some((name, Value::text(value?)))))
}

fn meta(visit: &Visit<'_>) -> Value {
    let client = visit.client;
    let mut known = vec![
        ("REMOTE_ADDR", client.address.to_string()),
        ("HTTP_HOST", client.host.clone()),
        ("HTTP_USER_AGENT", client.user_agent.clone()),
        ("REQUEST_METHOD", method(visit).to_owned()),
        ("PATH_INFO", visit.path.clone()),
        ("QUERY_STRING", query_string(visit)),
    ];
    known.extend(
        client
            .language
            .clone()
            .map(|it| ("HTTP_ACCEPT_LANGUAGE", it)),
    );
    Value::dict(
        known
            .into_iter()
            .map(|(name, value)| (name, Value::Text(value))),
    )
}
