//! `gatelog policy`.

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
            .expression("broken", "a = 1\nreturn a / 0")
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
            broken.fails_with(1).says("could not be evaluated");
            broken.prints("line 2");
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
