//! Executions run again: in the journal, and as bundles on another machine.

use std::path::Path;

use serde_json::Value;

use crate::support::TestServer;
use crate::support::command::{self, Ran};

mod bundles;
mod gate;
mod golden;

/// Writes the latest execution as a bundle into this folder.
#[track_caller]
fn bundles_latest(server: &TestServer, folder: &Path, name: &str) -> Value {
    let file = folder.join(format!("{name}.bundle"));
    let out = file.to_str().expect("a plain path");
    let made = server.gatelog(&["execution", "bundle", &server.latest(), "--out", out]);
    assert_eq!(made.succeeds().stderr, "", "{name}");
    serde_json::from_slice(&std::fs::read(file).expect("the file")).expect("JSON")
}

/// Runs bundles again where there is no server and no journal.
fn verifies_elsewhere(folder: &Path, more: &[&str]) -> Ran {
    let empty = tempfile::tempdir().expect("a directory");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|it| it.expect("an entry").path().display().to_string())
        .filter(|it| it.ends_with(".bundle"))
        .collect();
    files.sort();
    let mut arguments = vec!["replay", "verify", "--file"];
    arguments.extend(files.iter().map(String::as_str));
    arguments.extend(more);
    let data = empty.path().join("data").display().to_string();
    let ran = command::run(&arguments, &[("GATELOG_DATA".to_owned(), data.clone())], "");
    assert!(!Path::new(&data).exists(), "nothing is made");
    ran
}
