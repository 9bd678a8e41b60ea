//! Whatever an expression does, its evaluation is ended in time, the trail says so, and everybody
//! else is served meanwhile.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Flow, TestServer, with_server};

/// Each of them wants more than it may have, or what it may not.
const HOSTILE: [(&str, &str); 7] = [
    ("loop", "while True: pass"),
    ("text", "return \"a\" * 10**10"),
    ("list", "x = []\nwhile True:\n    x.append(\"a\" * 1000)"),
    ("recursion", "def f(n):\n    return f(n + 1)\nreturn f(0)"),
    (
        "backtracking",
        "import re\nreturn re.match(\"^(?=a)(a+)+\\\\1$\", \"a\" * 64 + \"!\").group(0)",
    ),
    ("import", "return __import__(\"os\").system(\"true\")"),
    (
        "swallowing",
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
    ),
];

/// What a stage is shown for although its policy fails.
fn flow(slug: &str, expression: &str) -> Flow {
    let (policy, stage) = (format!("{slug}-policy"), format!("{slug}-stage"));
    let attrs = json!({ "failure_result": true, "timeout": 5 });
    Flow::new(slug)
        .expression(&policy, expression)
        .dummy(&stage)
        .asks(&stage, &policy, attrs)
}

/// The failures that the trail of the newest execution of this flow tells of.
fn failures(server: &TestServer, slug: &str) -> Vec<Value> {
    let listed = server
        .gatelog(&["execution", "list", "--limit", "500", "--json"])
        .stdout;
    let id = listed.lines().find_map(|line| {
        let one: Value = serde_json::from_str(line).expect("JSON");
        (one["flow"] == slug).then(|| one["execution"].as_str().expect("an id").to_owned())
    });
    let id = id.expect("an execution of the flow");
    let shown = server.gatelog(&["execution", "show", &id, "--json"]).stdout;
    let records = shown
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    records
        .flat_map(|it| {
            it["record"]["events"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .filter(|event| event["event"] == "policy_failed")
        .collect()
}

#[test]
fn every_hostile_expression_ends_in_the_trail_and_holds_up_nobody() {
    with_server(async |server| {
        for (slug, expression) in HOSTILE {
            server.has_flow(&flow(slug, expression));
        }
        server.has_flow(&Flow::new("plain").dummy("plain-stage"));
        let attacks = HOSTILE.map(|(slug, _)| {
            let mut visitor = server.visitor();
            async move { visitor.opens(slug).await }
        });
        let others = async {
            for _ in 0..30 {
                let mut visitor = server.visitor();
                let shown = visitor.opens("plain");
                let shown = tokio::time::timeout(Duration::from_secs(5), shown).await;
                shown.expect("others are served").sees("ak-stage-dummy");
            }
        };
        let (answers, ()) = tokio::join!(futures_util::future::join_all(attacks), others);
        for ((slug, _), answer) in HOSTILE.iter().zip(answers) {
            // The binding lets pass whoever cannot be judged.
            answer.with("name", format!("{slug}-stage"));
            let failures = failures(server, slug);
            assert_eq!(failures.len(), 1, "{slug}: {failures:?}");
            let micros = failures[0]["micros"].as_u64().expect("a number");
            assert!(micros < 6_000_000, "{slug}: {failures:?}");
            assert!(
                failures[0]["error"]
                    .as_str()
                    .is_some_and(|it| !it.is_empty())
            );
        }
        // What it said until its time was over is in the trail, and a replay knows it again.
        let source = "ak_logger.info(\"so far\")\nak_message(\"hello\")\nwhile True: pass";
        server.has_flow(&flow("chatty", source));
        server
            .visitor()
            .opens("chatty")
            .await
            .with("name", "chatty-stage");
        let log = json!([
            { "level": "info", "text": "so far" },
            { "level": "info", "text": "ak_message: hello" },
        ]);
        assert_eq!(failures(server, "chatty")[0]["log"], log);
        // Workers that had to be killed are there again.
        server.has_flow(&flow("well", "ak_message(\"fine\")\nreturn True"));
        server
            .visitor()
            .opens("well")
            .await
            .with("name", "well-stage");
        assert_eq!(failures(server, "well"), Vec::<Value>::new());
    });
}
