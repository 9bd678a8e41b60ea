//! The only place that writes to standard output and standard error.
//!
//! Data may hold anything that a visitor sent, so control characters are made visible before a
//! terminal sees them. A reader that went away ends the command quietly.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use super::exit;

/// Writes what a command has to say.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    colour: bool,
}

/// Whoever read standard output has enough of it.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub(super) struct Closed;

impl Output {
    pub(super) fn new(json: bool) -> Self {
        // https://no-color.org: any value but the empty one.
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json,
            colour: !json && !no_colour && io::stdout().is_terminal(),
        }
    }

    /// Whether data is printed as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether data may have colours.
    pub(super) fn is_coloured(&self) -> bool {
        self.colour
    }

    /// Data: a line that stands out on a terminal.
    pub(super) fn heading(&self, text: &str) -> anyhow::Result<()> {
        let text = visible(text);
        let line = if self.colour {
            format!("\u{1b}[1m{text}\u{1b}[0m\n")
        } else {
            format!("{text}\n")
        };
        data(line.as_bytes())
    }

    /// Data: rows under their headings, in columns as wide as needed.
    pub(super) fn table(&self, headings: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| visible(cell)).collect())
            .collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .chain([headings[column].chars().count()])
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let join = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            padded.join("  ").trim_end().to_owned()
        };
        self.heading(&join(&mut headings.iter().copied()))?;
        for row in &rows {
            print_line(&join(&mut row.iter().map(String::as_str)))?;
        }
        Ok(())
    }

    /// Talk: why the command failed.
    pub(super) fn failure(&self, error: &anyhow::Error, code: u8) {
        if code == exit::OK {
            return;
        }
        let text = told_once(error);
        if self.json {
            talk(&json!({ "error": text, "exit_code": code }).to_string());
        } else {
            talk(&format!("gatelog: {text}"));
        }
    }
}

/// The error and its causes; a cause that the error above it has told already is left out.
pub(super) fn told_once(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Data as it is, such as an export.
pub(super) fn data(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        other => Ok(other?),
    }
}

/// Talk: what is going on, for the person who typed the command.
pub(super) fn talk(text: &str) {
    let lines: Vec<String> = text.lines().map(visible).collect();
    // When nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
}

/// Data: one line of text.
pub(super) fn print_line(text: &str) -> anyhow::Result<()> {
    let mut line = visible(text);
    line.push('\n');
    data(line.as_bytes())
}

/// Data: one JSON value on a line of its own.
pub(super) fn print_value(value: &Value) -> anyhow::Result<()> {
    data(format!("{value}\n").as_bytes())
}

/// The text with control characters, and those that reorder text, spelt out.
pub(super) fn visible(text: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .flat_map(|letter| {
            if hidden(letter) {
                letter.escape_default().collect::<Vec<_>>()
            } else {
                vec![letter]
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let told = anyhow::anyhow!("no such file").context("a.toml: no such file");
        assert_eq!(told_once(&told), "a.toml: no such file");
        let untold = anyhow::anyhow!("no such file").context("starting");
        assert_eq!(told_once(&untold), "starting: no such file");
    }

    #[test]
    fn what_a_visitor_sent_cannot_steer_the_terminal() {
        assert_eq!(visible("a\u{1b}[2Jb\nü"), "a\\u{1b}[2Jb\\nü");
    }
}
