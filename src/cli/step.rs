//! `gatelog execution step`: one run of a flow, event by event, with the state after each.
//!
//! On a terminal it is stepped through with keys; where standard output is none, everything is
//! printed one after another.

use anyhow::Context;
use serde_json::{Value, json};

use super::output::{Output, print_line, print_value};
use crate::replay::{self, Change, Entry, How, Node, Place, State};

mod screen;
mod terminal;
#[cfg(test)]
mod tests;

pub(super) use terminal::Ended;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    /// The event, or the name of a part.
    Heading,
    /// Anything.
    Plain,
    /// What matters less.
    Quiet,
    /// What is new or went well.
    Good,
    /// What is gone or went wrong.
    Bad,
}

/// One line of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    tone: Tone,
    text: String,
}

fn line(tone: Tone, text: impl Into<String>) -> Line {
    Line {
        tone,
        text: text.into(),
    }
}

/// Shows the records that the server answered with.
pub(super) fn run(records: &Value, output: &Output) -> anyhow::Result<()> {
    let entries: Vec<Entry> = serde_json::from_value(records.clone())
        .context("the records cannot be read; is the server of another version?")?;
    let states = replay::states(&entries);
    if output.is_json() {
        return states.iter().try_for_each(|it| print_value(&json!(it)));
    }
    if let Some(terminal) = terminal::Terminal::take()? {
        return screen::run(&terminal, &states, output.is_coloured());
    }
    for (place, state) in states.iter().enumerate() {
        for line in lines(state, place, states.len()) {
            if line.tone == Tone::Heading {
                output.heading(&line.text)?;
            } else {
                print_line(&line.text)?;
            }
        }
        print_line("")?;
    }
    Ok(())
}

/// A state as it is read.
fn lines(state: &State, place: usize, of: usize) -> Vec<Line> {
    let mut lines = vec![line(
        Tone::Heading,
        format!(
            "{}/{of}  {}  {:.3}  {}",
            place + 1,
            written(state.place),
            state.at,
            state
                .event
                .as_ref()
                .map_or("nothing happened", |it| &*it.kind),
        ),
    )];
    let told = state.event.iter().flat_map(|it| &it.lines);
    lines.extend(told.map(|it| line(Tone::Plain, format!("  {it}"))));
    let detail = if state.detail.is_empty() {
        String::new()
    } else {
        format!(": {}", state.detail)
    };
    lines.push(line(
        Tone::Plain,
        format!("  stands: {}{detail}", state.state),
    ));
    part(
        &mut lines,
        "changed",
        state.changes.iter().flat_map(changed).collect(),
    );
    part(
        &mut lines,
        "way",
        state.way.iter().flat_map(stage).collect(),
    );
    let known = state.context.iter().map(|it| {
        let by = it.by.as_ref().zip(it.since);
        let by = by.map(|(by, since)| format!("  ({by}, at {})", written(since)));
        let text = format!("{} = {}{}", it.key, it.text, by.unwrap_or_default());
        line(Tone::Plain, text)
    });
    part(&mut lines, "known", known.collect());
    part(&mut lines, "before the visitor", shown(state));
    let waits = state.waits.iter().map(|it| {
        let until = it.until.map(|until| format!(", until {until:.0}"));
        line(
            Tone::Plain,
            format!("{}{}", it.what, until.unwrap_or_default()),
        )
    });
    part(&mut lines, "open", waits.collect());
    lines
}

/// A place as it is written: the record and the event within it.
fn written(place: Place) -> String {
    format!("{}.{}", place.version, place.event)
}

fn part(lines: &mut Vec<Line>, name: &str, inside: Vec<Line>) {
    if inside.is_empty() {
        return;
    }
    lines.push(line(Tone::Quiet, format!("  {name}")));
    lines.extend(inside.into_iter().map(|it| Line {
        text: format!("    {}", it.text),
        ..it
    }));
}

fn changed(change: &Change) -> Vec<Line> {
    let what = &change.what;
    match (&change.was, &change.is) {
        (None, Some(is)) => vec![line(Tone::Good, format!("+ {what}: {is}"))],
        (Some(was), None) => vec![line(Tone::Bad, format!("- {what}: {was}"))],
        (Some(was), Some(is)) => vec![
            line(Tone::Bad, format!("- {what}: {was}")),
            line(Tone::Good, format!("+ {what}: {is}")),
        ],
        (None, None) => Vec::new(),
    }
}

fn stage(node: &Node) -> Vec<Line> {
    let (sign, tone, said) = match node.how {
        How::Flow => ("▸", Tone::Plain, "flow"),
        How::Passed => ("✓", Tone::Good, "passed"),
        How::Skipped => ("⊘", Tone::Quiet, "left out"),
        How::Here => ("▶", Tone::Plain, "here"),
        How::Failed => ("!", Tone::Bad, "failed"),
        How::Denied => ("✕", Tone::Bad, "refused here"),
        How::Left => ("–", Tone::Quiet, "left"),
        How::Ahead => ("○", Tone::Quiet, "ahead"),
    };
    let mut text = format!("{sign} {} ({said}", node.name);
    if let Some(by) = &node.by {
        text += ", put there by ";
        text += by;
    }
    match node.refused {
        0 => {}
        1 => text += ", one answer refused",
        many => text.extend([", ", &many.to_string(), " answers refused"]),
    }
    text.push(')');
    let reasons = node
        .reasons
        .iter()
        .map(|it| line(Tone::Quiet, format!("    {it}")));
    std::iter::once(line(tone, text)).chain(reasons).collect()
}

/// What the visitor had before them, field by field.
fn shown(state: &State) -> Vec<Line> {
    let Some(shown) = &state.shown else {
        return Vec::new();
    };
    let number = shown.number.map(|it| format!("challenge {it}, "));
    let head = format!("{}{}", number.unwrap_or_default(), shown.component);
    let fields = shown.fields.as_object();
    let mut fields: Vec<_> = fields.into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| *name);
    let fields = fields.into_iter().map(|(name, value)| match value {
        Value::String(text) => line(Tone::Plain, format!("  {name}: {text}")),
        value => line(Tone::Plain, format!("  {name}: {}", sorted(value))),
    });
    let errors = shown.errors.iter().flatten();
    let errors = errors.flat_map(|(field, errors)| {
        errors
            .iter()
            .map(move |it| line(Tone::Bad, format!("  ✕ {field}: {}", it.string)))
    });
    std::iter::once(line(Tone::Plain, head))
        .chain(fields)
        .chain(errors)
        .collect()
}

/// JSON with its keys in order, so that it reads the same everywhere.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entries = entries.iter().map(|(name, value)| {
                let name = Value::from(name.as_str());
                format!("{name}:{}", sorted(value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(sorted).collect::<Vec<_>>().join(",")
            )
        }
        other => other.to_string(),
    }
}
