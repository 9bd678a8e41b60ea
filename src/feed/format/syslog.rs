//! Each event of an item as one line of RFC 5424, with what there is to filter by as structured
//! data and the event itself, as JSON, as the message.

use std::fmt::Write as _;
use std::net::IpAddr;

use serde_json::Value;
use uuid::Uuid;

use crate::feed::Item;
use crate::feed::item::{What, user_of};

/// Security and authorisation.
const FACILITY: u8 = 10;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
const INFORMATION: u8 = 6;

/// The number that RFC 5612 keeps for examples: there is none of our own.
const ELEMENT: &str = "gatelog@32473";

/// The longest name of a message.
const LONGEST_NAME: usize = 32;

pub(super) fn lines(item: &Item) -> Vec<String> {
    match &item.what {
        What::Execution(record) => {
            let address = Some(record.input.client.address).filter(|it| !it.is_unspecified());
            let user = user_of(record);
            let events = record.events.iter().enumerate();
            events
                .map(|(index, event)| {
                    let event = serde_json::to_value(event).unwrap_or(Value::Null);
                    let name = event["event"].as_str().unwrap_or("event").to_owned();
                    // Where the event names nobody, that is meant.
                    let user = match event.get("user") {
                        Some(named) => named.as_str().and_then(|it| it.parse().ok()),
                        None => user,
                    };
                    line(item, index, &name, user, address, &event)
                })
                .collect()
        }
        What::Change(change) => {
            let author = &change.author;
            let told = serde_json::to_value(change).unwrap_or(Value::Null);
            vec![line(item, 0, "change", author.user, author.address, &told)]
        }
        What::Remark(remark) => {
            let author = &remark.author;
            let told = serde_json::to_value(remark).unwrap_or(Value::Null);
            let name = &remark.action;
            vec![line(item, 0, name, author.user, author.address, &told)]
        }
    }
}

fn line(
    item: &Item,
    index: usize,
    name: &str,
    user: Option<Uuid>,
    address: Option<IpAddr>,
    told: &Value,
) -> String {
    let severity = match name {
        "password_rejected"
        | "mfa_rejected"
        | "denied"
        | "stage_failed"
        | "policy_failed"
        | "configuration_error"
        | "expression_failed" => WARNING,
        "change" | "session_started" | "session_ended" | "user_written" | "user_deleted"
        | "device_enrolled" => NOTICE,
        _ => INFORMATION,
    };
    let mut data = format!(
        "[{ELEMENT} position=\"{}\" index=\"{index}\" id=\"{}\" version=\"{}\" correlation=\"{}\"",
        item.position.0, item.id, item.version, item.correlation
    );
    // Writing to a text cannot fail.
    if let Some(user) = user {
        let _ = write!(data, " user=\"{user}\"");
    }
    if let Some(address) = address {
        let _ = write!(data, " address=\"{}\"", address.to_canonical());
    }
    data.push(']');
    let at = item.at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    let priority = FACILITY * 8 + severity;
    let name: String = name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(LONGEST_NAME)
        .collect();
    let name = if name.is_empty() { "-" } else { &name };
    format!("<{priority}>1 {at} - gatelog - {name} {data} {told}")
}
