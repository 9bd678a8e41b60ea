//! `gatelog replay verify`: the exit codes, the counts, and what is said of a difference.

use serde_json::{Value, json};

use super::{bundles_latest, verifies_elsewhere};
use crate::support::{Flow, with_server};

#[test]
fn what_this_version_recorded_it_comes_to_again_with_the_server_up_and_down() {
    with_server(async |server| {
        let person = server.person();
        server.visitor().logs_in(&person).await;
        server.visitor().logs_in(&person).await;
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            for which in [
                &["--all"][..],
                &["--since", "1h"],
                &["--all", "--jobs", "1"],
            ] {
                let mut arguments = vec!["replay", "verify", "--json"];
                arguments.extend(which);
                let ran = server.gatelog(&arguments);
                let count = ran.succeeds().values().remove(0);
                assert_eq!(count["executions"], 2, "{count}");
                assert_eq!(count["same"], 2, "{count}");
                assert_eq!(count["diverged"], 0, "{count}");
                assert!(count["records"].as_u64() >= Some(6), "{count}");
            }
        }
        let future = [
            "replay",
            "verify",
            "--json",
            "--since",
            "2100-01-01T00:00:00Z",
        ];
        let none = server.gatelog(&future);
        none.fails_with(2).says("nothing was compared");
        assert_eq!(none.values()[0]["executions"], 0);
        server.gatelog(&["replay", "verify"]).fails_with(2);
        let nonsense = server.gatelog(&["replay", "verify", "--since", "yesterday"]);
        nonsense.fails_with(2).says("7d");
    });
}

#[test]
fn a_difference_is_told_with_its_place_and_both_sides() {
    with_server(async |server| {
        let person = server.person();
        server.visitor().logs_in(&person).await;
        let folder = tempfile::tempdir().expect("a directory");
        let bundle = bundles_latest(server, folder.path(), "login");
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut bundle = bundle.clone();
            change(&mut bundle);
            std::fs::write(folder.path().join("login.bundle"), bundle.to_string()).expect("a file");
            verifies_elsewhere(folder.path(), &[])
        };
        // A definition that is not the one that was gone by.
        let ran = changed(&|bundle| {
            let policy = object(
                bundle,
                "policy",
                "default-authentication-flow-password-stage",
            );
            policy["body"]["settings"]["expression"] = "return False".into();
        });
        ran.fails_with(1)
            .prints("login.bundle differs at record 2, event ")
            .prints("at the policy \"default-authentication-flow-password-stage\" (expression, ")
            .prints("version 1)")
            .prints("does not pass")
            .says("an execution comes to something else now");
        // An event that nobody would have come to.
        let ran = changed(&|bundle| {
            let event = event(bundle, "challenge_issued", 1);
            event["fields"]["recovery_url"] = "/elsewhere".into();
        });
        ran.fails_with(1)
            .prints("at the stage \"default-authentication-password\" (password, ")
            .prints("recorded: with fields.recovery_url \"/elsewhere\"");
        // An answer of the world that is missing.
        let ran = changed(&|bundle| {
            for record in bundle["records"].as_array_mut().expect("records") {
                let notes = record["record"]["observations"].as_array_mut();
                notes.expect("notes").retain(|it| it["saw"] != "password");
            }
        });
        ran.fails_with(1)
            .prints("at the stage \"default-authentication-password\"")
            .prints("now: it asks for the password of user");
        // What the expression was is not known, so nobody can say.
        let ran = changed(&|bundle| {
            let objects = bundle["objects"].as_array_mut().expect("objects");
            objects.retain(|it| it["kind"] != "policy");
        });
        ran.fails_with(2)
            .prints("could not be run again")
            .prints("it saw policy/");
        std::fs::write(folder.path().join("login.bundle"), "{}").expect("a file");
        let ran = verifies_elsewhere(folder.path(), &[]);
        ran.fails_with(2).prints("no bundle");
        let newer = json!({ "format": 2, "gatelog": "9.0.0" }).to_string();
        std::fs::write(folder.path().join("login.bundle"), newer).expect("a file");
        let ran = verifies_elsewhere(folder.path(), &[]);
        ran.fails_with(2).prints("gatelog 9.0.0");
    });
}

#[test]
fn an_expression_whose_process_dies_is_no_difference() {
    with_server(async |server| {
        let person = server.person();
        let slug = "greedy";
        let flow = Flow::new(slug)
            .dummy("greedy-dummy")
            .expression("greedy-policy", "return len('x' * 1000000) > 0")
            .asks("greedy-dummy", "greedy-policy", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        visitor.opens(slug).await.sees("ak-stage-dummy");
        let folder = tempfile::tempdir().expect("a directory");
        let mut bundle = bundles_latest(server, folder.path(), "greedy");
        let policy = object(&mut bundle, "policy", "greedy-policy");
        policy["body"]["settings"]["expression"] = "return len('x' * 10**12) > 0".into();
        std::fs::write(folder.path().join("greedy.bundle"), bundle.to_string()).expect("a file");
        let ran = verifies_elsewhere(folder.path(), &[]);
        ran.fails_with(2).prints("could not be run again");
    });
}

/// The object of this kind with this name.
fn object<'a>(bundle: &'a mut Value, kind: &str, name: &str) -> &'a mut Value {
    let mut objects = bundle["objects"]
        .as_array_mut()
        .expect("objects")
        .iter_mut();
    let found = objects.find(|it| it["kind"] == kind && it["body"]["name"] == name);
    found.expect("it is in the bundle")
}

/// The event of this sort that comes after so many.
fn event<'a>(bundle: &'a mut Value, event: &str, after: usize) -> &'a mut Value {
    let records = bundle["records"]
        .as_array_mut()
        .expect("records")
        .iter_mut();
    let events = records.flat_map(|it| it["record"]["events"].as_array_mut().expect("events"));
    let mut found = events.filter(|it| it["event"] == event);
    found.nth(after).expect("it happened")
}
