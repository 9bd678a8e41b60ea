//! The golden journals: executions that an earlier version recorded, which this one comes to again.
//!
//! They are made by `GATELOG_GOLDEN=1 cargo test --features shifted-clock,otel --test it
//! a_bundle_holds_nothing`. Whoever makes them anew says that executions recorded until then need
//! not be run again to the same; `docs/contributing.md` has more.

use std::path::{Path, PathBuf};

use super::verifies_elsewhere;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journals")
}

/// Keeps these bundles instead of those that there were.
pub(super) fn keep(made: &Path) {
    std::fs::create_dir_all(folder()).expect("a directory");
    for file in crate::support::files(&folder()) {
        std::fs::remove_file(file).expect("it goes");
    }
    for file in crate::support::files(made) {
        let name = file.file_name().expect("a name");
        std::fs::copy(&file, folder().join(name)).expect("it is kept");
    }
}

#[test]
fn this_version_comes_to_what_was_recorded_by_earlier_ones() {
    let ran = verifies_elsewhere(&folder(), &["--json"]);
    let count = ran.succeeds().values().remove(0);
    assert_eq!(count["same"], count["executions"], "{count}");
    assert!(count["executions"].as_u64() >= Some(9), "{count}");
}
