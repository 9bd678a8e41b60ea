//! The log: to standard error, as text for people or as JSON for programs.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::settings::{Log, LogFormat};

/// Starts logging. Where a log was started before, in tests, that one stays.
pub fn start(settings: &Log) {
    let filter = match settings.level.as_str() {
        // At this level the web server tells of each of its threads.
        "info" => EnvFilter::new("info,actix_server=warn"),
        level => EnvFilter::new(level),
    };
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that cannot be written would be reported by a panic: with a full disk under the
        // log, or nobody at the other end of the pipe, every request would end in one.
        .log_internal_errors(false)
        .with_ansi(!no_colour && std::io::stderr().is_terminal());
    // The only failure is that there is one already.
    let _ = match settings.format {
        LogFormat::Text => builder.try_init(),
        // The innermost span says all that there is: which request, and which execution.
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init(),
    };
}
