//! What `docs/deploy/` has for installing the server: looked at, and used as far as this machine allows.

mod compose;
mod image;
mod package;
mod standby;
mod unit;
pub(crate) mod yaml;

use std::path::PathBuf;

use crate::support::command::run;

/// A file of `docs/deploy/`.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("docs/deploy")
        .join(name)
}

/// What is in it.
pub(crate) fn file(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The program takes these arguments, whose command is not carried out.
#[track_caller]
fn is_taken(arguments: &[&str]) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--help"]).collect();
    run(&arguments, &[], "").succeeds().prints("Usage: gatelog");
}

/// The program can work with these settings.
#[track_caller]
fn are_settings(environment: Vec<(String, String)>) -> gatelog::settings::Settings {
    let sources = gatelog::settings::Sources {
        environment,
        ..gatelog::settings::Sources::default()
    };
    let loaded = gatelog::settings::load(&sources);
    loaded
        .unwrap_or_else(|error| panic!("{error:?} of {:?}", sources.environment))
        .settings
}
