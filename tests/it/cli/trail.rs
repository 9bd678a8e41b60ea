//! What the command line tells about executions, with the server up and down.

use std::path::Path;

use serde_json::json;

use crate::support::{LOGIN, skip, with_server};

#[test]
fn an_execution_is_listed_and_shown_in_words() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        visitor
            .answers(json!({ "password": "not-the-password" }))
            .await;
        visitor.answers(json!({ "password": alice.password })).await;
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            let list = server.gatelog(&["execution", "list"]);
            list.succeeds()
                .prints(LOGIN)
                .prints(&alice.username)
                .prints("completed");
            let list = server.gatelog(&["execution", "list", "--json"]);
            let list = list.succeeds().values();
            assert_eq!(list.len(), 1);
            assert_eq!(list[0]["state"], "completed");
            let id = list[0]["execution"].as_str().expect("an id");
            let shown = server.gatelog(&["execution", "show", id]);
            shown.succeeds();
            let words = shown.stdout.to_lowercase();
            for told in [
                "password",
                "logged user",
                "default-authentication-identification",
            ] {
                assert!(words.contains(told), "no {told:?} in {}", shown.stdout);
            }
            let again = server.gatelog(&["execution", "verify", id]);
            again.succeeds();
            let steps = server.gatelog(&["execution", "step", id]);
            steps
                .succeeds()
                .prints("stands: completed")
                .prints("+ context pending_user: user ")
                .prints("✕ password: Invalid password")
                .prints("✓ default-authentication-password (passed, one answer refused)");
            let states = server.gatelog(&["execution", "step", id, "--json"]);
            let states = states.succeeds().values();
            assert_eq!(states[0]["event"]["kind"], "started");
            assert_eq!(states[states.len() - 1]["state"], "completed");
        }
    });
}

#[test]
fn an_execution_is_explained_compared_and_followed() {
    with_server(async |server| {
        let alice = server.person();
        for password in [&alice.password, "not-the-password"] {
            let mut visitor = server.visitor();
            visitor.opens(LOGIN).await;
            visitor
                .answers(json!({ "uid_field": alice.username }))
                .await;
            visitor.answers(json!({ "password": password })).await;
        }
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            let list = server.gatelog(&["execution", "list", "--json"]);
            let list = list.succeeds().values();
            let code = |at: usize| list[at]["code"].as_str().expect("a code").to_owned();
            let (stuck, done) = (code(0), code(1));
            let why = server.gatelog(&["execution", "why", &done]);
            why.succeeds()
                .prints(&alice.username)
                .prints("Every stage was passed");
            let why = server.gatelog(&["execution", "why", &stuck]);
            why.succeeds()
                .prints("a wrong password was typed once")
                .prints("waits for an answer at the stage “default-authentication-password”");
            let told = server.gatelog(&["execution", "why", &stuck, "--help-desk"]);
            told.succeeds().prints("a wrong password was typed once");
            for personal in [&alice.username, "127.0.0.1", &alice.password] {
                assert!(!told.stdout.contains(personal), "{}", told.stdout);
            }
            let told = server.gatelog(&["execution", "why", &stuck, "--help-desk", "--json"]);
            let told = &told.succeeds().values()[0];
            assert_eq!(told.as_object().expect("an object").len(), 2, "{told}");

            let diff = server.gatelog(&["execution", "diff", &done, &stuck]);
            diff.succeeds()
                .prints("password of user")
                .prints("refused: it is not the user's")
                .prints("Different where they stand");
            let begun = format!("{stuck}@1");
            let diff = server.gatelog(&["execution", "diff", &begun, &stuck, "--json"]);
            let diff = &diff.succeeds().values()[0];
            assert_eq!(diff["left"]["place"]["version"], 1);
            assert_eq!(diff["first"]["left"], json!(null));
            let same = server.gatelog(&["execution", "diff", &stuck, &stuck]);
            assert!(same.succeeds().stderr.contains("Nothing is different."));

            let watch = server.gatelog(&["execution", "watch", &done, "pending_user"]);
            watch
                .succeeds()
                .prints("default-authentication-identification")
                .prints("user ");
            let none = server.gatelog(&["execution", "watch", &done, "colour"]);
            assert_eq!(none.code, Some(1), "{}", none.stderr);
            assert!(none.stderr.contains("pending_user"), "{}", none.stderr);
        }
    });
}

#[test]
fn an_execution_is_stepped_through_on_a_terminal() {
    with_server(async |server| {
        if !Path::new("/usr/bin/script").exists() {
            skip("script(1)");
            return;
        }
        server.visitor().opens(LOGIN).await;
        let list = server.gatelog(&["execution", "list", "--json"]).values();
        let id = list[0]["execution"].as_str().expect("an id");
        // On, what the keys do, back from that, to the last, and enough.
        let seen = server.gatelog_at_terminal(&["execution", "step", id], "j?kGq");
        seen.succeeds()
            .prints("\u{1b}[?1049h")
            .prints("stands: running")
            .prints("\u{1b}[?25h\u{1b}[?1049l");
        let is_at_the_end = seen.stdout.contains("challenge_issued");
        assert!(is_at_the_end, "the last event is shown: {seen:?}");
    });
}

#[test]
fn whoever_ends_the_stepper_with_a_signal_gets_the_terminal_back() {
    with_server(async |server| {
        if !Path::new("/usr/bin/script").exists() {
            skip("script(1)");
            return;
        }
        server.visitor().opens(LOGIN).await;
        let list = server.gatelog(&["execution", "list", "--json"]).values();
        let id = list[0]["execution"].as_str().expect("an id");
        let seen = server.gatelog_signalled_at_terminal(&["execution", "step", id]);
        seen.prints("\u{1b}[?1049h")
            .prints("\u{1b}[?25h\u{1b}[?1049l")
            .prints("code=143")
            .prints(" icanon");
    });
}

#[test]
fn a_name_leads_to_the_executions_of_a_user() {
    with_server(async |server| {
        let (alice, bob) = (server.person(), server.person());
        server.visitor().logs_in(&alice).await;
        server.visitor().logs_in(&bob).await;
        server.visitor().opens(LOGIN).await;
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            let found = |more: &[&str]| {
                let all = [&["execution", "list", "--json"], more].concat();
                server.gatelog(&all).succeeds().values()
            };
            let hers = found(&["--user", &alice.username]);
            assert_eq!(hers.len(), 1, "{hers:?}");
            assert_eq!(hers[0]["username"], json!(alice.username));
            assert_eq!(found(&["--state", "completed"]).len(), 2);
            assert_eq!(
                found(&["--state", "running,completed", "--limit", "2"]).len(),
                2
            );
            assert_eq!(found(&["--flow", "no-such-flow"]).len(), 0);
            assert_eq!(found(&["--flow", LOGIN, "--since", "1h"]).len(), 3);
            assert_eq!(found(&["--since", "2100-01-01T00:00:00Z"]).len(), 0);
            let wrong = server.gatelog(&["execution", "list", "--state", "ended"]);
            wrong.fails_with(2);
        }
        let why = server.gatelog(&["execution", "why", &alice.username]);
        why.fails_with(1).says("execution list --user");
    });
}

#[test]
fn users_are_listed_for_programs() {
    with_server(async |server| {
        let alice = server.person();
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            let users = server.gatelog(&["user", "list", "--json"]);
            let users = users.succeeds().values();
            assert_eq!(users.len(), 2);
            let found = users.iter().find(|it| it["username"] == alice.username);
            let found = found.expect("she is listed");
            assert_eq!(found["name"], alice.name);
            assert_eq!(found["email"], alice.mail);
            assert_eq!(found["is_superuser"], false);
        }
    });
}

#[test]
fn a_password_that_was_set_on_the_command_line_counts_at_once() {
    with_server(async |server| {
        let mut alice = server.person();
        alice.password.push_str(" and more");
        server
            .canaries()
            .secret("another password", &alice.password);
        let set = ["user", "set-password", &alice.username, "--password-stdin"];
        server.gatelog_reading(&set, &alice.password).succeeds();
        server.visitor().logs_in(&alice).await;
    });
}

#[test]
fn an_unknown_variable_is_named_with_the_nearest_that_exists() {
    with_server(async |server| {
        server.sets("GATELOG_LISTN", "127.0.0.1:1");
        let refused = server.gatelog(&["config", "check"]);
        refused
            .fails_with(78)
            .says("GATELOG_LISTN")
            .says("GATELOG_LISTEN");
        server.unsets("GATELOG_LISTN");
        server.gatelog(&["config", "check"]).succeeds();
    });
}
