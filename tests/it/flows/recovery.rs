//! A forgotten password.

use serde_json::json;

use super::{
    EMAIL, Link, PROMPT, changes_user, goes_to, is_refused, listed, me, messages, types_password,
    with_mail,
};
use crate::support::{LOGIN, MailSink, Person, TestServer, Visitor, random, with_server};

const FLOW: &str = "default-recovery-flow";

/// Somebody asks for a mail.
async fn asks_for(server: &TestServer, name: &str) -> Visitor {
    let mut visitor = server.visitor();
    visitor.opens(FLOW).await.sees("ak-stage-identification");
    let asked = visitor.answers(json!({ "uid_field": name })).await;
    asked.sees(EMAIL);
    visitor
}

async fn first_link(server: &TestServer, sink: &MailSink) -> Link {
    Link::of(&sink.wait_for(1).await[0], server)
}

#[test]
fn switching_it_on_leads_people_to_it_and_says_what_it_needs() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        let before = visitor.opens(LOGIN).await;
        assert!(before.json().get("recovery_url").is_none(), "{before:?}");
        let on = server.gatelog(&["blueprint", "enable", "recovery"]);
        on.succeeds().says("no mail server").says(FLOW);
        let mut visitor = server.visitor();
        let after = visitor.opens(LOGIN).await;
        let url = after.json()["recovery_url"].clone();
        assert!(url.as_str().is_some_and(|it| it.contains(FLOW)), "{url}");
        let default = visitor.gets("/flows/-/default/recovery/").await;
        default.leads_to(&format!("/if/flow/{FLOW}/"));
        let again = server.gatelog(&["blueprint", "enable", "recovery"]);
        again.succeeds().says("there already");
        let shown = server.gatelog(&["blueprint", "show", "recovery"]);
        shown.succeeds().prints(FLOW);
        server.apply(&shown.stdout);
        let unknown = server.gatelog(&["blueprint", "enable", "nonsense"]);
        assert_ne!(unknown.code, Some(0));
    });
}

#[test]
fn a_forgotten_password_is_set_by_a_mail_and_ends_other_sessions() {
    with_mail(async |server, sink| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let mut person = server.person();
        let mut thief = server.visitor();
        thief.logs_in(&person).await;
        let mut visitor = asks_for(server, &person.mail).await;
        let mail = sink.wait_for(1).await.remove(0);
        goes_to(&mail, &person);
        let link = Link::of(&mail, server);
        let shown = link.confirmed_by(&mut visitor).await;
        shown.sees(PROMPT);

        let weak = types_password(&mut visitor, "password1234").await;
        weak.sees(PROMPT);
        assert!(!messages(&weak).is_empty(), "{weak:?}");
        let short = types_password(&mut visitor, "x7!Qz").await;
        short.sees(PROMPT);
        assert!(messages(&short)[0].contains("12 characters"), "{short:?}");

        let former = person.clone();
        person.password = random(20);
        server.canaries().secret("a new password", &person.password);
        let done = types_password(&mut visitor, &person.password).await;
        done.is_redirected_to("/");
        assert_eq!(me(&visitor).await["username"], person.username.as_str());
        thief.gets("/api/v3/core/users/me/").await.has_status(403);
        is_refused(server, &former).await;
        server.visitor().logs_in(&person).await;
    });
}

#[test]
fn a_used_link_says_so_and_opening_one_changes_nothing() {
    with_mail(async |server, sink| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let person = server.person();
        asks_for(server, &person.username).await;
        let link = first_link(server, sink).await;
        for _ in 0..3 {
            let mut scanner = server.visitor();
            link.opened_by(&mut scanner).await.sees("ak-stage-consent");
        }
        let mut visitor = server.visitor();
        link.confirmed_by(&mut visitor).await.sees(PROMPT);
        let mut late = server.visitor();
        let refused = link.opened_by(&mut late).await;
        refused.is_denied("Link was already used, please request a new link.");
    });
}

#[test]
fn whoever_asked_for_the_mail_gets_nothing_once_it_is_confirmed_elsewhere() {
    with_mail(async |server, sink| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let person = server.person();
        let mut stranger = asks_for(server, &person.username).await;
        let link = first_link(server, sink).await;
        let mut visitor = server.visitor();
        link.confirmed_by(&mut visitor).await.sees(PROMPT);
        let seen = stranger.looks().await;
        seen.sees("ak-stage-access-denied").hides(&person.username);
        let tried = types_password(&mut stranger, &random(20)).await;
        tried.sees("ak-stage-access-denied");
        server.visitor().logs_in(&person).await;
    });
}

#[test]
fn somebody_without_an_account_sees_the_same_and_gets_no_mail() {
    with_mail(async |server, sink| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let person = server.person();
        let stranger = Person::new(server.canaries());
        let pages = async |name: &str| {
            let mut visitor = server.visitor();
            visitor.opens(FLOW).await;
            let shown = visitor.answers(json!({ "uid_field": name })).await;
            shown.sees(EMAIL);
            shown.json()
        };
        let unknown = pages(&stranger.mail).await;
        let known = pages(&person.mail).await;
        assert_eq!(unknown, known);
        let mails = sink.wait_for(1).await;
        goes_to(&mails[0], &person);
        assert_eq!(sink.taken().len(), 1);
    });
}

#[test]
fn whom_an_operator_deactivated_stays_so_whatever_link_they_hold() {
    with_mail(async |server, sink| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let person = server.person();
        asks_for(server, &person.username).await;
        let link = first_link(server, sink).await;
        changes_user(server, &person, &json!({ "is_active": false }));
        let mut visitor = server.visitor();
        let opened = link.opened_by(&mut visitor).await;
        if opened.component() == "ak-stage-consent" {
            let token = opened.json()["token"].clone();
            let confirmed = visitor.answers(json!({ "token": token })).await;
            confirmed.sees("ak-stage-access-denied");
        }
        let found = listed(server, &person).expect("they are there");
        assert_eq!(found["is_active"], false, "{found}");
    });
}

#[test]
fn the_link_of_an_operator_asks_neither_who_it_is_nor_for_a_mail() {
    with_mail(async |server, sink| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let mut person = server.person();
        let made = server.gatelog(&["user", "recovery-link", &person.username, "--json"]);
        let made = made.succeeds().values().remove(0);
        let path = made["path"].as_str().expect("a path").to_owned();
        let (_, secret) = path.split_once("flow_token=").expect("a secret");
        server.canaries().shown_secret("an operator's link", secret);
        let link = Link {
            slug: FLOW.to_owned(),
            query: format!("flow_token={secret}"),
        };
        let mut visitor = server.visitor();
        link.confirmed_by(&mut visitor).await.sees(PROMPT);
        person.password = random(20);
        server.canaries().secret("a new password", &person.password);
        let done = types_password(&mut visitor, &person.password).await;
        done.is_redirected_to("/");
        server.visitor().logs_in(&person).await;
        assert!(sink.taken().is_empty());
    });
}
