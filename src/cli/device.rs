//! `gatelog user devices` and `gatelog user remove-device`: what somebody shows besides the password.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::settings::Settings;

use super::client::{once, segment};
use super::output::{Output, print_value, talk};

/// Lists the devices of a user.
pub(super) async fn list(
    username: &str,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let path = format!("users/{}/devices", segment(username));
    let answer = once(settings, &path, None).await?;
    let devices = all(&answer);
    if output.is_json() {
        return devices.iter().try_for_each(print_value);
    }
    let keys = [
        "class",
        "number",
        "name",
        "confirmed",
        "created",
        "last_used",
        "locked_until",
    ];
    let rows: Vec<Vec<String>> = devices
        .iter()
        .map(|device| keys.iter().map(|key| text(&device[key])).collect())
        .collect();
    let headings = [
        "CLASS",
        "NUMBER",
        "NAME",
        "CONFIRMED",
        "CREATED",
        "LAST USED",
        "LOCKED UNTIL",
    ];
    output.table(&headings, &rows)
}

/// Removes one device of a user, or all.
pub(super) async fn remove(
    username: &str,
    device: Option<&str>,
    yes: bool,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let (body, what) = match device {
        Some(device) => {
            let (class, number) = read(device)?;
            let body = json!({ "device": [class, number] });
            (body, format!("the device {device} of {username}"))
        }
        None => (json!({ "all": true }), format!("all devices of {username}")),
    };
    if !yes && !agreed(&format!("Remove {what}? It cannot be undone. [y/N] "))? {
        bail!("nothing was removed");
    }
    let path = format!("users/{}/devices/remove", segment(username));
    let answer = once(settings, &path, Some(&body)).await?;
    let removed = all(&answer);
    if output.is_json() {
        return removed.iter().try_for_each(print_value);
    }
    for device in removed {
        talk(&format!(
            "Removed {}/{} ({}).",
            text(&device["class"]),
            text(&device["number"]),
            text(&device["name"])
        ));
    }
    if removed.is_empty() {
        talk(&format!("{username} has no devices."));
    }
    Ok(())
}

fn all(answer: &Value) -> &[Value] {
    answer["devices"].as_array().map_or(&[], Vec::as_slice)
}

fn read(device: &str) -> anyhow::Result<(&str, i64)> {
    let (class, number) = device
        .split_once('/')
        .with_context(|| format!("{device:?} is no device, such as totp/1234"))?;
    let number = number
        .parse()
        .with_context(|| format!("{number:?} is no number of a device"))?;
    Ok((class, number))
}

/// Whether the person at the terminal agrees. Where there is none, nobody does.
pub(super) fn agreed(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nobody is there to agree: add --yes");
    }
    let mut shown = io::stderr().lock();
    shown.write_all(question.as_bytes())?;
    shown.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    let answer = answer.trim().to_ascii_lowercase();
    Ok(["y", "yes"].contains(&answer.as_str()))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}
