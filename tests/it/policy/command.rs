//! `gatelog policy`.

use crate::handbook::first_block;
use crate::support::{Flow, with_server};

#[test]
fn the_command_line_tells_what_a_policy_says_with_and_without_a_server() {
    with_server(async |server| {
        let source = "ak_message('for ' + str(context.get('plan')))\n\
                      ak_logger.info('looked')\n\
                      return context.get('plan') == 'gold'";
        let flow = Flow::new("gold")
            .dummy("gold-page")
            .expression("gold", source)
            .expression("broken", "ak_logger.info('so far')\nreturn {}['nothing']")
            .asks("gold-page", "gold", serde_json::json!({}));
        server.has_flow(&flow);
        for runs in [true, false] {
            let list = server.gatelog(&["policy", "list"]);
            list.succeeds().prints("gold").prints("expression");
            let gold = ["policy", "test", "gold", "--user", "akadmin"];
            let gold = server.gatelog(&gold);
            gold.succeeds().prints("does not pass for user akadmin");
            gold.prints("says: for None").prints("looked");
            let context = r#"{"plan": "gold"}"#;
            let gold = ["policy", "test", "gold", "--context", context, "--json"];
            let gold = server.gatelog(&gold);
            let said = gold.succeeds().values();
            assert_eq!(said[0]["passing"], true, "{said:?}");
            assert_eq!(said[0]["messages"][0], "for gold");
            assert_eq!(said[0]["error"], serde_json::Value::Null);
            let broken = server.gatelog(&["policy", "test", "broken"]);
            broken
                .fails_with(1)
                .says("could not be evaluated: KeyError: nothing");
            broken.prints("line 2").prints("info: so far");
            if runs {
                server.stop().await;
            }
        }
        server.begin().await;
        assert!(
            server.histories().is_empty(),
            "trying out a policy is no execution"
        );
        server.visitor().opens("gold").await;
    });
}

#[test]
fn what_is_not_there_is_named() {
    with_server(async |server| {
        let policy = server.gatelog(&["policy", "test", "none"]);
        policy.fails_with(1).says("there is no policy \"none\"");
        server.has_flow(&Flow::new("plain").dummy("plain-page").saying("yes", true));
        let user = server.gatelog(&["policy", "test", "yes", "--user", "none"]);
        user.fails_with(1).says("there is no user \"none\"");
        for context in ["{a}", "[]"] {
            let wrong = ["policy", "test", "yes", "--context", context];
            server
                .gatelog(&wrong)
                .fails_with(2)
                .says("the context is no JSON");
        }
        let dummy = server.gatelog(&["policy", "test", "yes"]);
        dummy.succeeds().prints("passes for nobody");
        server.visitor().opens("plain").await;
    });
}

/// The first blueprint of `docs/policies.md`.
fn office() -> String {
    let page = include_str!("../../../docs/policies.md");
    first_block(page, "yaml")
}

#[test]
fn a_policy_about_addresses_is_tried_with_an_address() {
    with_server(async |server| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("office.yaml");
        std::fs::write(&file, office()).expect("writes");
        let file = file.to_str().expect("a path");
        server.gatelog(&["blueprint", "apply", file]).succeeds();
        let asks = |arguments: &[&str]| {
            let test = ["policy", "test", "office-login-outside"];
            server.gatelog(&[&test, arguments].concat())
        };
        let outside = asks(&["--user", "akadmin", "--address", "203.0.113.9"]);
        outside.succeeds().prints("passes for user akadmin");
        for inside in ["10.1.2.3", "::ffff:10.1.2.3"] {
            let inside = asks(&["--address", inside]);
            inside.succeeds().prints("does not pass for nobody");
        }
        // Without a request there is no address, and the policy says so.
        asks(&[]).fails_with(1).says("NameError");
        asks(&["--address", "here"]).fails_with(2);
        asks(&["--host", "id.example"]).fails_with(2);
        let source = "http = request.http_request\n\
                      print(http.get_host(), http.method, http.user.username)\n\
                      return context['geoip'] is None and context['asn'] == 7";
        let flow = Flow::new("seen").dummy("seen-page");
        server.has_flow(&flow.expression("seen", source));
        let seen = server.gatelog(&[
            "policy",
            "test",
            "seen",
            "--user",
            "akadmin",
            "--address",
            "203.0.113.9",
            "--host",
            "id.example",
            "--context",
            r#"{"asn": 7}"#,
        ]);
        seen.succeeds().prints("passes for user akadmin");
        seen.prints("info: id.example GET akadmin");
        server.visitor().opens("seen").await;
    });
}
