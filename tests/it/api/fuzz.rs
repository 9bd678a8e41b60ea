//! An `OpenAPI` fuzzer over the served description: whatever it sends, there is no error of the
//! server, and no answer that the description does not have. `.ci/test` installs it.

use std::process::Command;

use super::clients::with_token;
use crate::support::{installed, skip};

/// How long it may look, in seconds.
const SECONDS: &str = "60";

/// What it may not do: take its own way in away.
const SPARED: &str = "^core_(users|tokens)_.*(destroy|update|set_key|set_password|impersonate)";

/// What an answer has to be.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
     response_headers_conformance,response_schema_conformance";

#[test]
fn whatever_is_sent_the_answer_is_one_that_the_description_has() {
    let fuzzer = installed("python/bin/schemathesis");
    if !installed("python/installed").exists() {
        return skip("schemathesis");
    }
    with_token(async |server, token| {
        let folder = tempfile::tempdir().expect("a directory");
        // It takes all that it gets; tests that measure time run beside it.
        let ran = Command::new("nice")
            .args(["-n", "19"])
            .arg(&fuzzer)
            .current_dir(folder.path())
            .env("HYPOTHESIS_STORAGE_DIRECTORY", folder.path())
            .arg("run")
            .arg(format!("{}/api/v3/schema/?format=json", server.base()))
            .args(["--origin", server.base()])
            .args(["--header", &format!("Authorization: Bearer {token}")])
            .args(["--phases", "coverage,fuzzing,stateful"])
            .args(["--checks", CHECKS])
            .args(["--max-time", SECONDS, "--max-examples", "10"])
            .args(["--exclude-operation-id-regex", SPARED])
            .args(["--seed", "1", "--workers", "1", "--request-timeout", "30"])
            .args(["--no-shrink", "--continue-on-failure", "--no-color"])
            .args(["--generation-database", "none"])
            .args(["--warnings", "off", "--suppress-health-check", "all"])
            .output()
            .expect("the fuzzer can be started");
        let said = String::from_utf8_lossy(&ran.stdout);
        let complained = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{}\n{said}\n{complained}", ran.status);
    });
}
