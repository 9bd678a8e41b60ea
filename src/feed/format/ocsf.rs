//! What OCSF 1.3 has a class for: logins and their failures, logouts and second factors as
//! Authentication (3002), users and passwords that were changed as Account Change (3001). What it
//! has none for is left out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::directory::User;
use crate::directory::change::{Author, Did};
use crate::feed::Item;
use crate::feed::item::{What, user_of};
use crate::flow::client::Client;
use crate::flow::event::Event;
use crate::journal::object::Stored;
use crate::world::Record;

/// The version of the schema.
const SCHEMA: &str = "1.3.0";

const AUTHENTICATION: u32 = 3002;
const ACCOUNT_CHANGE: u32 = 3001;

const LOGON: (u32, &str) = (1, "Logon");
const LOGOFF: (u32, &str) = (2, "Logoff");
const PREAUTH: (u32, &str) = (6, "Preauth");

const CREATE: (u32, &str) = (1, "Create");
const PASSWORD_CHANGE: (u32, &str) = (3, "Password Change");
const DELETE: (u32, &str) = (6, "Delete");
const FACTOR_ENABLE: (u32, &str) = (10, "MFA Factor Enable");
const UPDATE: (u32, &str) = (99, "Update");

pub(super) fn lines(item: &Item) -> Vec<String> {
    let told = match &item.what {
        What::Execution(record) => of_execution(item, record),
        What::Change(change) => {
            let users = change.objects.iter();
            let users = users.filter(|it| it.kind == User::KIND && it.did != Did::Viewed);
            users
                .enumerate()
                .map(|(index, object)| {
                    let activity = match object.did {
                        Did::Created => CREATE,
                        Did::Updated | Did::Viewed => UPDATE,
                        Did::Deleted => DELETE,
                    };
                    let mut told = event(item, index, ACCOUNT_CHANGE, activity, true);
                    told.insert("user".to_owned(), user(object.id));
                    author(&change.author, &mut told);
                    told
                })
                .collect()
        }
        What::Remark(_) => Vec::new(),
    };
    told.into_iter()
        .map(|told| Value::Object(told).to_string())
        .collect()
}

fn of_execution(item: &Item, record: &Record) -> Vec<Map<String, Value>> {
    let mut told = Vec::new();
    for (index, happened) in record.events.iter().enumerate() {
        let rest = &record.events[index + 1..];
        if let Some(mut event) = of_event(item, record, index, happened, rest) {
            client(&record.input.client, &mut event);
            told.push(event);
        }
    }
    told
}

fn of_event(
    item: &Item,
    record: &Record,
    index: usize,
    happened: &Event,
    rest: &[Event],
) -> Option<Map<String, Value>> {
    let authentication =
        |activity, succeeded| event(item, index, AUTHENTICATION, activity, succeeded);
    let change = |activity| event(item, index, ACCOUNT_CHANGE, activity, true);
    let mut put = Map::new();
    let mut told = match happened {
        Event::SessionStarted {
            session,
            user: who,
            expires,
            ..
        } => {
            put.insert("user".to_owned(), user(*who));
            let session = json!({ "uid": session, "expiration_time": millis(*expires) });
            put.insert("session".to_owned(), session);
            authentication(LOGON, true)
        }
        Event::PasswordRejected { user: who, reason } => {
            let typed = rest.iter().find_map(|event| match event {
                Event::ReputationChanged { identifier, .. } => Some(identifier.as_str()),
                _ => None,
            });
            put.insert("user".to_owned(), somebody(*who, typed));
            let reason = serde_json::to_value(reason).unwrap_or(Value::Null);
            put.insert("status_detail".to_owned(), reason);
            authentication(LOGON, false)
        }
        Event::SessionEnded {
            session,
            user: Some(who),
        } => {
            put.insert("user".to_owned(), user(*who));
            put.insert("session".to_owned(), json!({ "uid": session }));
            authentication(LOGOFF, true)
        }
        Event::MfaVerified { class, .. } => {
            put.insert("user".to_owned(), somebody(user_of(record), None));
            put.insert("is_mfa".to_owned(), true.into());
            put.insert("auth_factors".to_owned(), factors(class));
            authentication(PREAUTH, true)
        }
        Event::MfaRejected { class, reason, .. } => {
            put.insert("user".to_owned(), somebody(user_of(record), None));
            put.insert("is_mfa".to_owned(), true.into());
            put.insert("auth_factors".to_owned(), factors(class));
            let reason = serde_json::to_value(reason).unwrap_or(Value::Null);
            put.insert("status_detail".to_owned(), reason["because"].clone());
            authentication(PREAUTH, false)
        }
        Event::UserWritten {
            user: who,
            created,
            fields,
            ..
        } => {
            put.insert("user".to_owned(), user(*who));
            let has_password = fields.iter().any(|field| field == "password");
            change(match (created, has_password) {
                (true, _) => CREATE,
                (false, true) => PASSWORD_CHANGE,
                (false, false) => UPDATE,
            })
        }
        Event::UserChanged { user: who, .. } => {
            put.insert("user".to_owned(), user(*who));
            change(UPDATE)
        }
        Event::DeviceEnrolled {
            user: who, class, ..
        } => {
            put.insert("user".to_owned(), user(*who));
            put.insert("auth_factors".to_owned(), factors(class));
            change(FACTOR_ENABLE)
        }
        _ => return None,
    };
    told.extend(put);
    Some(told)
}

fn event(
    item: &Item,
    index: usize,
    class: u32,
    (activity, name): (u32, &str),
    succeeded: bool,
) -> Map<String, Value> {
    let class_name = if class == AUTHENTICATION {
        "Authentication"
    } else {
        "Account Change"
    };
    let (severity, severity_name) = if succeeded {
        (1, "Informational")
    } else {
        (2, "Low")
    };
    let told = json!({
        "activity_id": activity,
        "activity_name": name,
        "category_uid": 3,
        "category_name": "Identity & Access Management",
        "class_uid": class,
        "class_name": class_name,
        "type_uid": class * 100 + activity,
        "severity_id": severity,
        "severity": severity_name,
        "status_id": if succeeded { 1 } else { 2 },
        "status": if succeeded { "Success" } else { "Failure" },
        "time": millis(item.at),
        "metadata": {
            "version": SCHEMA,
            "uid": format!("{}.{index}", item.position.0),
            "sequence": item.position,
            "correlation_uid": item.correlation,
            "product": {
                "name": "Gatelog",
                "vendor_name": "Gatelog",
                "version": env!("CARGO_PKG_VERSION"),
            },
        },
    });
    let Value::Object(mut told) = told else {
        return Map::new();
    };
    if class == AUTHENTICATION {
        told.insert("service".to_owned(), json!({ "name": "Gatelog" }));
    }
    told
}

fn client(client: &Client, told: &mut Map<String, Value>) {
    if client.address.is_unspecified() {
        return;
    }
    let ip = client.address.to_canonical();
    told.insert("src_endpoint".to_owned(), json!({ "ip": ip }));
    let agent = json!({ "user_agent": client.user_agent });
    told.insert("http_request".to_owned(), agent);
}

fn author(author: &Author, told: &mut Map<String, Value>) {
    if let Some(who) = author.user {
        told.insert("actor".to_owned(), json!({ "user": user(who) }));
    }
    if let Some(address) = author.address {
        let ip = address.to_canonical();
        told.insert("src_endpoint".to_owned(), json!({ "ip": ip }));
    }
}

fn user(id: Uuid) -> Value {
    json!({ "uid": id })
}

/// A user who may not be known, or not exist.
fn somebody(id: Option<Uuid>, typed: Option<&str>) -> Value {
    match (id, typed) {
        (Some(id), _) => user(id),
        (None, Some(typed)) => json!({ "name": typed }),
        (None, None) => json!({ "type_id": 0, "name": "Unknown" }),
    }
}

fn factors(class: &str) -> Value {
    let (id, name) = match class {
        "sms" => (1, "SMS"),
        "duo" => (5, "Push Notification"),
        "totp" | "static" | "code" => (7, "OTP"),
        "email" => (8, "Email"),
        "webauthn" => (10, "WebAuthn"),
        other => (99, other),
    };
    json!([{ "factor_type_id": id, "factor_type": name }])
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}
