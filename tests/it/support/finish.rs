//! What every server is checked for when a test of it is over.

use std::time::Duration;

use serde_json::{Value, json};

use super::TestServer;
use super::server::http;

impl TestServer {
    /// Asks the operator's routes.
    pub(crate) async fn operator(&self, path: &str) -> Value {
        let socket = self.data().join("gatelog.sock");
        let client = http().unix_socket(socket).build().expect("a client");
        let answer = client
            .post(format!("http://localhost/operator/{path}"))
            .timeout(Duration::from_mins(10))
            .json(&json!({}))
            .send()
            .await
            .expect("the operator is answered");
        assert!(answer.status().is_success(), "{answer:?}");
        answer.json().await.expect("JSON")
    }

    /// The events of every execution, the latest execution first.
    pub(crate) fn histories(&self) -> Vec<Vec<Value>> {
        let list = self.gatelog(&["execution", "list", "--json", "--limit", "1000"]);
        let list = list.succeeds().values();
        let ids = list
            .iter()
            .filter(|it| it["state"] != "erased")
            .map(|it| it["execution"].as_str().expect("an id"));
        ids.map(|id| self.history(id)).collect()
    }

    /// The execution that began last.
    pub(crate) fn latest(&self) -> String {
        let list = self.gatelog(&["execution", "list", "--json", "--limit", "1"]);
        let list = list.succeeds().values();
        list[0]["execution"].as_str().expect("an id").to_owned()
    }

    /// The events of an execution.
    pub(crate) fn history(&self, execution: &str) -> Vec<Value> {
        let shown = self.gatelog(&["execution", "show", execution, "--json"]);
        let records = shown.succeeds().values();
        let events = |record: &Value| record["record"]["events"].as_array().cloned();
        records.iter().filter_map(events).flatten().collect()
    }

    /// What every server is checked for when a test is over.
    pub(crate) async fn finish(mut self) {
        if self.process.is_none() {
            self.begin().await;
        }
        self.check_replay().await;
        self.check_journal("while the server runs");
        self.stop().await;
        self.check_journal("after the server stopped");
        self.canaries().search_files(&self.data());
        self.canaries().search_output(self.output().as_bytes());
    }

    /// Every execution folds into what its actor holds, and runs again to the same events.
    pub(crate) async fn check_replay(&self) {
        let verified = self.operator("replay/verify").await;
        for it in verified["executions"].as_array().expect("a list") {
            assert_eq!(it["replay"]["outcome"], "same", "{it:#}");
            let live = &it["live"];
            assert!(live.is_null() || live["outcome"] == "equal", "{it:#}");
        }
    }

    /// Every record is as it was written.
    #[track_caller]
    pub(crate) fn check_journal(&self, when: &str) {
        let ran = self.gatelog(&["journal", "verify", "--json"]);
        assert_eq!(ran.code, Some(0), "{when}: {ran:?}");
        assert_eq!(ran.values()[0]["findings"], json!([]), "{when}");
    }
}
