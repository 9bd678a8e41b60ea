//! Blueprints as authentik's users publish them can be read.
//!
//! They are not part of this project: `GATELOG_REFERENCE` names a directory that has some, and
//! without it there is nothing to test.

use std::path::PathBuf;

use crate::support::{files, with_server};

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn published_blueprints_can_be_read() {
    let Some(directory) = std::env::var_os("GATELOG_REFERENCE").map(PathBuf::from) else {
        eprintln!("skipped: GATELOG_REFERENCE names no directory with blueprints");
        return;
    };
    with_server(async |server| {
        let mut found = files(&directory);
        found.retain(|path| {
            let kind = path.extension().unwrap_or_default();
            ["yaml", "akflow"].iter().any(|it| kind == *it)
        });
        found.sort();
        assert!(
            !found.is_empty(),
            "no blueprints in {}",
            directory.display()
        );
        let mut refused = Vec::new();
        for path in found {
            let path = path.to_str().expect("a plain name").to_owned();
            let check = ["blueprint", "check", "--skip-unsupported", &path];
            let ran = server.gatelog(&check);
            if ran.code != Some(0) {
                refused.push(format!("{path}: {}", ran.stderr));
            }
        }
        assert!(refused.is_empty(), "\n{}", refused.join("\n"));
    });
}
