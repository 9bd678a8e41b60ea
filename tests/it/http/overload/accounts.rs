//! One account gets too many wrong passwords.

use serde_json::{Value, json};

use super::{is_refused_as_json, is_refused_as_page};
use crate::support::{Answer, LOGIN, Options, Person, TestServer, Visitor, with_server_of};

fn three() -> Options {
    Options::default()
        .with("GATELOG_EXECUTION__WRONG_PASSWORDS_AT_ONCE", "3")
        .with("GATELOG_EXECUTION__WRONG_PASSWORDS_PER_HOUR", "1")
}

/// Somebody new types this password for this name.
async fn tries(server: &TestServer, name: &str, password: &str) -> Answer {
    types(&mut server.visitor(), name, password).await
}

async fn types(visitor: &mut Visitor, name: &str, password: &str) -> Answer {
    visitor.opens(LOGIN).await.sees("ak-stage-identification");
    visitor.answers(json!({ "uid_field": name })).await;
    visitor.answers(json!({ "password": password })).await
}

/// How many wrong passwords the journal tells of.
fn rejected(server: &TestServer) -> usize {
    let events: Vec<Value> = server.histories().into_iter().flatten().collect();
    let is_one = |event: &&Value| event["event"] == "password_rejected";
    events.iter().filter(is_one).count()
}

async fn uses_up(server: &TestServer, name: &str) {
    for _ in 0..3 {
        let wrong = tries(server, name, "not-the-password").await;
        wrong.with_error("password", "invalid");
    }
}

#[test]
fn an_account_gets_so_many_wrong_passwords_wherever_they_come_from() {
    with_server_of(three(), async |server| {
        let (ann, bob) = (server.person(), server.person());
        uses_up(server, &ann.username).await;
        let wrong = tries(server, &ann.username, "not-the-password").await;
        is_refused_as_json(&wrong, 429);
        let right = tries(server, &ann.username, &ann.password).await;
        is_refused_as_json(&right, 429);
        assert_eq!(rejected(server), 3, "a refusal was carried out");
        // That her other name is refused as well would tell that she has an account.
        let other = tries(server, &ann.mail, &ann.password).await;
        other.is_redirected_to("/");
        let other = tries(server, &bob.username, &bob.password).await;
        other.is_redirected_to("/");
    });
}

#[test]
fn a_name_that_nobody_has_is_counted_alike() {
    with_server_of(three(), async |server| {
        let nobody = Person::new(server.canaries());
        uses_up(server, &nobody.username).await;
        let name = nobody.username.to_uppercase();
        let wrong = tries(server, &name, "not-the-password").await;
        is_refused_as_json(&wrong, 429);
    });
}

#[test]
fn whoever_logged_in_from_there_before_is_not_kept_out_by_others() {
    with_server_of(three(), async |server| {
        let ann = server.person();
        let home = [0x2001, 0x0db8, 0xa, 0xa];
        server.visitor_at(&home).logs_in(&ann).await;
        uses_up(server, &ann.username).await;
        is_refused_as_json(&tries(server, &ann.username, &ann.password).await, 429);
        let mut own = server.visitor_at(&home);
        let in_again = types(&mut own, &ann.username, &ann.password).await;
        in_again.is_redirected_to("/");
    });
}

#[test]
fn whoever_is_logged_in_there_is_not_kept_out_after_a_restart_either() {
    with_server_of(three(), async |server| {
        let ann = server.person();
        let home = [0x2001, 0x0db8, 0xa, 0xb];
        server.visitor_at(&home).logs_in(&ann).await;
        server.restart().await;
        uses_up(server, &ann.username).await;
        is_refused_as_json(&tries(server, &ann.username, &ann.password).await, 429);
        let mut own = server.visitor_at(&home);
        let in_again = types(&mut own, &ann.username, &ann.password).await;
        in_again.is_redirected_to("/");
    });
}

#[test]
fn people_read_why_and_can_go_on_where_they_were() {
    with_server_of(three(), async |server| {
        let ann = server.person();
        let visitor = server.visitor();
        let page = format!("/if/flow/{LOGIN}/");
        let form = visitor.form_at(&page).await;
        let form = form.fill("uid_field", &ann.username);
        visitor.submits(&form).await.leads_to(&page);
        uses_up(server, &ann.username).await;
        let form = visitor.form_at(&page).await;
        let form = form.fill("password", &ann.password);
        let refused = visitor.submits(&form).await;
        is_refused_as_page(&refused, 429, "Too many attempts");
        refused.shows("Too many wrong passwords");
        // The question is still there, for when the time has come.
        let again = visitor.form_at(&page).await;
        assert!(again.value("password").is_some(), "{again:?}");
    });
}
