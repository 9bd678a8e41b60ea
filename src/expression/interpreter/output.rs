//! What an expression says: messages, log lines, and what it prints.

use std::borrow::Cow;

use monty_types::{MontyException, PrintWriterCallback};

use super::mask::Mask;
use crate::expression::evaluation::{Level, LogLine};

/// Collects up to a number of bytes; the rest is cut off, and a last line says so.
pub(super) struct Output {
    left: usize,
    cut: bool,
    messages: Vec<String>,
    log: Vec<LogLine>,
    /// The line that is being printed.
    line: String,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            left: limit,
            cut: false,
            messages: Vec::new(),
            log: Vec::new(),
            line: String::new(),
        }
    }

    pub(super) fn message(&mut self, text: String) {
        if self.spend(text.len() + 1) {
            self.messages.push(text);
        }
    }

    pub(super) fn log(&mut self, level: Level, text: String) {
        if self.spend(text.len() + 1) {
            self.log.push(LogLine { level, text });
        }
    }

    fn spend(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) if !self.cut => {
                self.left = left;
                true
            }
            _ => {
                self.cut = true;
                false
            }
        }
    }

    fn end_of_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.log(Level::Info, line);
    }

    /// The messages and the log, without secrets.
    pub(super) fn finish(mut self, mask: &Mask) -> (Vec<String>, Vec<LogLine>) {
        if !self.line.is_empty() {
            self.end_of_line();
        }
        let messages = self.messages.into_iter().map(|text| mask.hide(text));
        let log = self.log.into_iter().map(|line| LogLine {
            text: mask.hide(line.text),
            ..line
        });
        let cut = self.cut.then(|| LogLine {
            level: Level::Warning,
            text: "The rest of the output was cut off.".to_owned(),
        });
        (messages.collect(), log.chain(cut).collect())
    }
}

impl PrintWriterCallback for Output {
    fn stdout_write(&mut self, output: Cow<'_, str>) -> Result<(), MontyException> {
        if self.line.len() + output.len() <= self.left {
            self.line.push_str(&output);
        } else {
            self.cut = true;
        }
        Ok(())
    }

    fn stdout_push(&mut self, end: char) -> Result<(), MontyException> {
        match end {
            '\n' => self.end_of_line(),
            _ if self.line.len() < self.left => self.line.push(end),
            _ => self.cut = true,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_beyond_the_limit_is_cut_off_and_said_to_be() {
        let mut output = Output::new(10);
        output.message("12345678".into());
        output.log(Level::Info, "lost".into());
        output.log(Level::Info, String::new());
        let (messages, log) = output.finish(&Mask::default());
        assert_eq!(messages, ["12345678"]);
        assert_eq!(log.len(), 1);
        assert!(log[0].text.contains("cut off"));
    }

    #[test]
    fn what_is_printed_becomes_lines() {
        let mut output = Output::new(100);
        output.stdout_write("a b".into()).expect("writes");
        output.stdout_push('\n').expect("pushes");
        output.stdout_write("c".into()).expect("writes");
        let (_, log) = output.finish(&Mask::default());
        let lines: Vec<_> = log.into_iter().map(|line| line.text).collect();
        assert_eq!(lines, ["a b", "c"]);
    }
}
