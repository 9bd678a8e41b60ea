//! What is logged and in which form.

use std::fmt;

use tracing_subscriber::filter::LevelFilter;

use super::reader::Reader;

/// `log.*`. The log goes to standard error.
#[derive(Clone, Debug)]
pub struct Log {
    /// The least severity, or a filter of `tracing` such as `info,gatelog::journal=debug`.
    pub level: String,
    /// Text for people or JSON for programs.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text for each entry.
    Text,
    /// One JSON object for each entry.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl Log {
    pub(super) fn read(from: &mut Reader) -> Self {
        let level = |text: &str| {
            // authentik writes "warning", tracing "warn".
            let text = if text == "warning" { "warn" } else { text };
            if let Some(word) = text.split(',').find(|part| is_misspelt(part)) {
                return Err(format!(
                    "{word:?} is no level (error, warn, info, debug, trace)"
                ));
            }
            tracing_subscriber::EnvFilter::try_new(text)
                .map(|_| text.to_owned())
                .map_err(|error| {
                    format!("{text:?} is no level (error, warn, info, debug, trace): {error}")
                })
        };
        let format = |text: &str| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("{text:?} is neither \"text\" nor \"json\"")),
        };
        Self {
            level: from.parsed("log.level", "info".to_owned(), level),
            format: from.parsed("log.format", LogFormat::Text, format),
        }
    }
}

/// To `tracing`, a word that is no level is the name of a part whose every entry is wanted, and
/// of nothing else: a misspelt level would silence the log.
fn is_misspelt(part: &str) -> bool {
    !part.contains(['=', '[']) && part.parse::<LevelFilter>().is_err()
}
