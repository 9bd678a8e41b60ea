//! `gatelog blueprint diff`: what applying files would change, before it does.

use serde_json::{Value, json};

use crate::cli::client;
use crate::cli::exit;
use crate::cli::output::{Output, print_line, print_value, talk};
use crate::settings::Settings;

/// Something would change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct Differs(String);

/// Whether something would change cannot be said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct Undecided(String);

pub(super) async fn run(
    files: &super::Files,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    match compare(files, settings, output).await {
        Err(error) if exit::code(&error) == exit::FAILURE && !error.is::<Differs>() => {
            Err(Undecided(format!("{error:#}")).into())
        }
        told => told,
    }
}

async fn compare(files: &super::Files, settings: &Settings, output: &Output) -> anyhow::Result<()> {
    let bodies = super::files::bodies(&files.files)?;
    let body = json!({ "files": bodies, "skip_unsupported": files.skip_unsupported });
    let answer = client::once(settings, "blueprints/diff", Some(&body)).await;
    let answer = answer.map_err(super::refused)?;
    let changes = super::items(&answer["changes"]);
    for change in changes {
        if output.is_json() {
            print_value(change)?;
        } else {
            lines(change).iter().try_for_each(|line| print_line(line))?;
        }
    }
    for note in super::items(&answer["notes"]) {
        let text = note["text"].as_str().unwrap_or_default();
        let file = note["file"].as_str().unwrap_or_default();
        talk(&format!("{file}:{}: {text}", note["span"]["line"]));
    }
    let summary = summary(changes, super::items(&answer["entries"]));
    if changes.is_empty() {
        talk(&format!("Nothing would change: {summary}."));
        Ok(())
    } else {
        Err(Differs(format!("something would change: {summary}")).into())
    }
}

/// How many objects would become what.
fn summary(changes: &[Value], entries: &[Value]) -> String {
    let count = |wanted: &str| changes.iter().filter(|it| it["outcome"] == wanted).count();
    let unchanged = entries.iter().filter(|it| it["outcome"] == "unchanged");
    let counted = [
        (count("created"), "created"),
        (count("updated"), "updated"),
        (count("deleted"), "deleted"),
        (unchanged.count(), "unchanged"),
    ];
    let counted = counted.map(|(number, what)| format!("{number} {what}"));
    counted.join(", ")
}

/// An object, and below it each of its fields.
fn lines(change: &Value) -> Vec<String> {
    let (sign, is_new) = match change["outcome"].as_str() {
        Some("created") => ('+', true),
        Some("deleted") => ('-', false),
        _ => ('~', false),
    };
    let text = |field: &str| change[field].as_str().unwrap_or_default();
    let mut lines = vec![format!("{sign} {} {}", text("model"), text("name"))];
    for field in super::items(&change["fields"]) {
        let name = field["field"].as_str().unwrap_or_default();
        let (from, to) = (&field["from"], &field["to"]);
        if field["secret"] == true {
            lines.push(format!("    {name}: another secret"));
        } else if is_new {
            lines.push(format!("    {name}: {to}"));
        } else if let (Some(from), Some(to)) = (prose(from), prose(to)) {
            lines.push(format!("    {name}:"));
            lines.extend(differing(from, to).iter().map(|line| format!("    {line}")));
        } else {
            lines.push(format!("    {name}: {from} -> {to}"));
        }
    }
    lines
}

/// A text of several lines.
fn prose(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| text.trim_end().contains('\n'))
}

/// The lines that differ, between those that are alike at the beginning and at the end.
fn differing(from: &str, to: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let alike = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[alike..], &new[alike..]);
    let ends = old.iter().rev().zip(new.iter().rev());
    let ends = ends.take_while(|(a, b)| a == b).count();
    let mut lines = vec![format!("@ line {}", alike + 1)];
    lines.extend(
        old[..old.len() - ends]
            .iter()
            .map(|line| format!("- {line}")),
    );
    lines.extend(
        new[..new.len() - ends]
            .iter()
            .map(|line| format!("+ {line}")),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_told_field_by_field() {
        let change = json!({
            "outcome": "updated", "model": "authentik_flows.flow", "name": "welcome",
            "fields": [
                {"field": "title", "from": "a", "to": "b", "secret": false},
                {"field": "code", "from": "x\ny\nz", "to": "x\nw\nz", "secret": false},
                {"field": "client_secret", "from": null, "to": null, "secret": true},
            ],
        });
        let told = lines(&change).join("\n");
        let expected = "~ authentik_flows.flow welcome\n    title: \"a\" -> \"b\"\n    code:\n    \
                        @ line 2\n    - y\n    + w\n    client_secret: another secret";
        assert_eq!(told, expected);
    }

    #[test]
    fn lines_that_were_added_or_removed_are_told_alone() {
        assert_eq!(differing("a\nb", "a\nb\nc"), ["@ line 3", "+ c"]);
        assert_eq!(differing("a\na\nb", "a\nb"), ["@ line 2", "- a"]);
    }
}
