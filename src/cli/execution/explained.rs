//! Prints why an execution came to where it is, what is different from another one, and what became
//! of an entry of its context.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{items, moment, named};
use crate::cli::output::{Output, print_line, print_value, talk};

/// The paragraph, or all that it is made of. For the help desk, also the latter is that alone.
pub(super) fn why(answer: &Value, help_desk: bool, output: &Output) -> anyhow::Result<()> {
    let form = if help_desk { "help_desk" } else { "text" };
    match (output.is_json(), help_desk) {
        (true, false) => print_value(answer),
        (true, true) => print_value(&json!({ "code": answer["code"], "help_desk": answer[form] })),
        (false, _) => print_line(answer[form].as_str().unwrap_or_default()),
    }
}

/// The path that compares two points.
pub(super) fn comparing(left: &str, right: &str) -> anyhow::Result<String> {
    let (one, version) = point(left)?;
    let (other, with_version) = point(right)?;
    let mut path = format!("executions/{one}/diff?with={other}");
    if let Some(version) = version {
        path += "&version=";
        path += &version.to_string();
    }
    if let Some(version) = with_version {
        path += "&with_version=";
        path += &version.to_string();
    }
    Ok(path)
}

/// An execution, and the version behind its `@`.
fn point(text: &str) -> anyhow::Result<(String, Option<u64>)> {
    let Some((name, version)) = text.split_once('@') else {
        return Ok((named(text)?, None));
    };
    let version = version.parse().with_context(|| {
        format!("{version:?} is no version: it is the number before each record")
    })?;
    Ok((named(name)?, Some(version)))
}

/// Prints what is different: 0 lines of events where all are alike.
pub(super) fn diff(answer: &Value, all: bool, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return print_value(answer);
    }
    for (side, sign) in [("left", '-'), ("right", '+')] {
        let point = &answer[side];
        let text = |name: &str| point[name].as_str().unwrap_or_default();
        output.heading(&format!(
            "{sign} {} version {}: flow {}, {} {}",
            text("code"),
            point["place"]["version"],
            text("flow"),
            text("state"),
            text("detail"),
        ))?;
    }
    if answer["is_same"] == true {
        talk("Nothing is different.");
        return Ok(());
    }
    let first = &answer["first"];
    if first.is_null() {
        print_line("The events are alike.")?;
    } else {
        print_line(&format!(
            "Alike: the first {} events. Then:",
            answer["alike"]
        ))?;
        pair(first)?;
    }
    let facts = items(&answer["facts"]);
    if !facts.is_empty() {
        output.heading("Different where they stand")?;
        let rows: Vec<Vec<String>> = facts
            .iter()
            .map(|fact| {
                let text = |name: &str| fact[name].as_str().unwrap_or("-").to_owned();
                vec![text("what"), text("was"), text("is")]
            })
            .collect();
        output.table(&["WHAT", "-", "+"], &rows)?;
    }
    let events: Vec<&Value> = items(&answer["events"])
        .iter()
        .filter(|it| all || it["is_alike"] != true)
        .collect();
    if !events.is_empty() {
        output.heading("Events side by side")?;
    }
    events.into_iter().try_for_each(pair)
}

/// An event of the one, an event of the other, or one that both have.
fn pair(pair: &Value) -> anyhow::Result<()> {
    let is_alike = pair["is_alike"] == true;
    for (side, sign) in [("left", '-'), ("right", '+')] {
        let seen = &pair[side];
        if seen.is_null() || (is_alike && side == "right") {
            continue;
        }
        let sign = if is_alike { ' ' } else { sign };
        let place = format!("{}.{}", seen["place"]["version"], seen["place"]["event"]);
        for (number, line) in items(&seen["lines"]).iter().enumerate() {
            let place = if number == 0 { place.as_str() } else { "" };
            let line = line.as_str().unwrap_or_default();
            print_line(&format!("{sign} {place:>6}  {line}"))?;
        }
    }
    Ok(())
}

/// Prints who wrote an entry, oldest first.
pub(super) fn watch(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let writes = items(&answer["writes"]);
    let key = answer["key"].as_str().unwrap_or_default();
    if writes.is_empty() {
        let known = items(&answer["keys"]).iter();
        let known: Vec<&str> = known.filter_map(Value::as_str).collect();
        let known = if known.is_empty() {
            "it knew nothing at all".to_owned()
        } else {
            format!("it knew {}", known.join(", "))
        };
        bail!("the execution never knew {key}; {known}");
    }
    if output.is_json() {
        return writes.iter().try_for_each(print_value);
    }
    let rows: Vec<Vec<String>> = writes
        .iter()
        .map(|write| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            vec![
                format!("{}.{}", write["place"]["version"], write["place"]["event"]),
                moment(write["at"].as_str().unwrap_or("?"), 3),
                text(&write["stage"]),
                text(&write["by"]),
                text(&write["before"]["text"]),
                text(&write["after"]["text"]),
            ]
        })
        .collect();
    output.table(&["AT", "TIME", "STAGE", "BY", "BEFORE", "AFTER"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_behind_the_sign() {
        let id = "019abcde-f012-7345-89ab-cdef01234567";
        let path = comparing(&format!("{id}@3"), id).expect("two points");
        assert_eq!(path, format!("executions/{id}/diff?with={id}&version=3"));
        assert!(comparing(&format!("{id}@x"), id).is_err());
        assert!(comparing("nobody", id).is_err());
    }
}
