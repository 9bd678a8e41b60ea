//! `ak_send_email`. Source: authentik `lib/expression/evaluator.py`.
//!
//! The mail is written once the evaluation has ended well, and sent with the commit: of one that
//! failed, or was only a test, nothing is sent.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

use super::{Answers, Row};
use crate::expression::{Call, Failure, Value};
use crate::flow::client::Client;
use crate::policy::Effect;
use crate::world::{Letter, Recipient, person};

/// How long a mail is tried.
const TRIED: SignedDuration = SignedDuration::from_hours(24);

fn wrong(text: &str) -> Failure {
    Failure::raise("ValueError", text)
}

/// The server that a mail goes by, and whom it comes from.
struct Way {
    server: Option<uuid::Uuid>,
    from: Option<String>,
}

impl Answers<'_> {
    /// `ak_send_email(address, subject, body=None, stage=None, template=None, context=None,
    /// cc=None, bcc=None)`. Everybody gets a mail of their own.
    pub(super) async fn send_email(&self, call: &Call) -> Result<Value, Failure> {
        let given = |position, name| match call.argument(position, name) {
            None | Some(Value::None) => None,
            Some(value) => Some(value),
        };
        let (body, template) = (given(2, "body"), given(4, "template"));
        let (template, text) = match (body, template) {
            (Some(_), Some(_)) => {
                return Err(wrong("body and template parameters are mutually exclusive"));
            }
            (None, None) => {
                return Err(wrong("Either body or template parameter must be provided"));
            }
            (Some(body), None) => (String::new(), Some(body.displayed())),
            (None, Some(template)) => (template.displayed(), None),
        };
        let mut to = match given(0, "address") {
            Some(address) => addresses(address)?,
            None => return Err(wrong(NO_ADDRESSES)),
        };
        for (position, name) in [(6, "cc"), (7, "bcc")] {
            if let Some(others) = given(position, name) {
                to.extend(addresses(others)?);
            }
        }
        let subject = match given(1, "subject") {
            Some(subject) => subject.displayed(),
            None => return Err(Failure::raise("TypeError", "a mail has a subject")),
        };
        let is_address = |address: &String| {
            let parts = address.trim().rsplit_once('@');
            parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        };
        if !to.iter().all(is_address) {
            return Ok(Value::Bool(false));
        }
        let Way { server, from } = self.way(given(3, "stage")).await?;
        let more = match given(5, "context").map(Value::to_json) {
            Some(Json::Object(more)) => more,
            _ => Map::new(),
        };
        let (world, visit) = (self.request.world, self.request.visit);
        let user = self.request.subject.user();
        let user = user.map(|user| person(&user.value)).unwrap_or_default();
        let client = visit.map_or_else(Client::nobody, |visit| visit.client.clone());
        let letter = Letter {
            template,
            subject,
            to: None,
            user,
            language: client.language.clone(),
            client,
            brand: self.brand().await?.branding_title,
            from,
            server,
            link: None,
            code: None,
            text,
            more,
            expires: world.now().checked_add(TRIED).unwrap_or(Timestamp::MAX),
        };
        for address in to {
            let to = Recipient {
                name: String::new(),
                address: address.trim().to_owned(),
            };
            self.request.scope.wish(Effect::Post(Box::new(Letter {
                to: Some(to),
                ..letter.clone()
            })));
        }
        Ok(Value::Bool(true))
    }

    /// The way of an e-mail stage; without one, that of the settings.
    async fn way(&self, stage: Option<&Value>) -> Result<Way, Failure> {
        let global = Way {
            server: None,
            from: None,
        };
        let Some(given) = stage else {
            return Ok(global);
        };
        let row = match given {
            Value::Object(object) => self.row(object).await?,
            _ => None,
        };
        let Some(Row::Stage(stage)) = row.as_deref() else {
            return Err(Failure::raise("TypeError", "stage is an e-mail stage"));
        };
        let settings = &stage.value.settings;
        let own = settings.get("use_global_settings");
        match own.and_then(Json::as_bool) {
            Some(false) => Ok(Way {
                server: Some(stage.value.pk),
                from: settings["from_address"].as_str().map(str::to_owned),
            }),
            Some(true) => Ok(global),
            None => Err(Failure::raise("TypeError", "stage is an e-mail stage")),
        }
    }
}

const NO_ADDRESSES: &str = "Address must be a string or list of strings";

/// One address, or several.
fn addresses(given: &Value) -> Result<Vec<String>, Failure> {
    let items = match given {
        Value::Text(address) => return Ok(vec![address.clone()]),
        Value::List(items) => items,
        _ => return Err(wrong(NO_ADDRESSES)),
    };
    if items.is_empty() {
        return Err(wrong("Address list cannot be empty"));
    }
    let texts = items.iter().map(|item| item.as_text().map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    texts.ok_or_else(|| wrong(NO_ADDRESSES))
}
