//! Invitations that are made and mailed through the API.

use reqwest::Method;
use serde_json::json;

use super::acting::Administrator;
use crate::support::{Flow, MailSink, Options, with_server_of};

const INVITATIONS: &str = "/api/v3/stages/invitation/invitations/";

#[test]
fn everybody_who_is_invited_gets_a_mail_of_their_own_with_a_link_that_works() {
    let sink = MailSink::start();
    with_server_of(sink.serves(Options::default()), async |server| {
        let flow = Flow::new("join")
            .stage("invitation", "join-invitation", json!({}))
            .dummy("join-ask");
        server.has_flow(&flow);
        let admin = Administrator::of(server).await;
        let flow = admin.gets("/api/v3/flows/instances/join/").await;
        let body = json!({ "name": "friends", "flow": flow["pk"] });
        let made = admin.makes(INVITATIONS, &body).await;
        assert_eq!(made["created_by"]["username"], "akadmin");
        assert_eq!(made["flow_obj"]["slug"], "join");
        let key = made["pk"].as_str().expect("a key");
        let path = format!("{INVITATIONS}{key}/send_email/");
        let none = admin
            .is_refused(&path, &json!({ "email_addresses": [] }))
            .await;
        assert_eq!(none, json!({ "error": ["No email addresses provided"] }));
        let to = json!({
            "email_addresses": ["ann@example.org", "bob@example.org"],
            "cc_addresses": ["carol@example.org"],
            "template": "invitation",
        });
        let sent = admin.acts(Method::POST, &path, &to).await;
        sent.has_status(204);
        let taken = sink.wait_for(3).await;
        let mut recipients: Vec<String> = taken.iter().flat_map(|it| it.to.clone()).collect();
        recipients.sort_unstable();
        let all = ["ann@example.org", "bob@example.org", "carol@example.org"];
        assert_eq!(recipients, all);
        for taken in &taken {
            let letter = taken.letter();
            assert!(
                letter
                    .header("Subject")
                    .starts_with("You have been invited to ")
            );
            let raw = String::from_utf8_lossy(&taken.raw).into_owned();
            let others = all.iter().filter(|it| raw.contains(**it)).count();
            assert_eq!(others, 1, "nobody learns of the others");
        }
        let link = format!("/if/flow/join/?itoken={key}");
        let sent = taken[0].letter().link();
        assert!(sent.ends_with(&link), "{sent}");
        let mut visitor = server.visitor();
        let query = format!("itoken={key}");
        visitor
            .opens_with("join", &query)
            .await
            .sees("ak-stage-dummy");
    });
}
