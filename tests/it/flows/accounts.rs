//! What people do with their own accounts: details, the password, and an end of it.

use serde_json::json;

use super::{PROMPT, changes_user, is_refused, listed, me, messages, types_password};
use crate::support::{Person, random, with_server};

const SETTINGS: &str = "default-user-settings-flow";
const PASSWORD: &str = "default-password-change";
const END: &str = "default-unenrollment-flow";

fn details(person: &Person) -> serde_json::Value {
    json!({
        "username": person.username,
        "name": person.name,
        "email": person.mail,
        "attributes.settings.locale": "de",
    })
}

#[test]
fn people_see_what_is_known_of_them_and_correct_it() {
    with_server(async |server| {
        let mut person = server.person();
        let mut visitor = server.visitor();
        let stranger = visitor.opens(SETTINGS).await;
        stranger.sees("ak-stage-access-denied");
        visitor.logs_in(&person).await;
        let default = visitor.gets("/flows/-/default/stage_configuration/").await;
        default.leads_to(&format!("/if/flow/{SETTINGS}/"));
        let shown = visitor.opens(SETTINGS).await;
        shown.sees(PROMPT).shows(&person.name).shows(&person.mail);
        person.name = format!("Name {}", random(16));
        let done = visitor.answers(details(&person)).await;
        done.is_redirected_to("/");
        assert_eq!(me(&visitor).await["name"], person.name.as_str());
        assert_eq!(me(&visitor).await["settings"]["locale"], "de");
    });
}

#[test]
fn an_address_changes_only_where_an_operator_allows_it() {
    with_server(async |server| {
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        visitor.opens(SETTINGS).await.sees(PROMPT);
        let other = Person {
            mail: "somebody@else.example".to_owned(),
            ..person.clone()
        };
        let refused = visitor.answers(details(&other)).await;
        refused.sees(PROMPT);
        assert_eq!(
            messages(&refused),
            ["You cannot change your e-mail address yourself."]
        );
        let allowed = json!({ "goauthentik.io/user/can-change-email": true });
        changes_user(server, &person, &json!({ "attributes": allowed }));
        let done = visitor.answers(details(&other)).await;
        done.is_redirected_to("/");
        assert_eq!(me(&visitor).await["email"], other.mail.as_str());
    });
}

#[test]
fn whoever_has_no_address_corrects_the_rest_and_an_address_is_not_taken_away() {
    with_server(async |server| {
        let mut person = server.person();
        let mail = json!({ "goauthentik.io/user/can-change-email": true });
        changes_user(server, &person, &json!({ "attributes": mail }));
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        visitor.opens(SETTINGS).await.sees(PROMPT);
        let without = Person {
            mail: String::new(),
            ..person.clone()
        };
        let refused = visitor.answers(details(&without)).await;
        assert_eq!(messages(&refused), ["Your e-mail address cannot be empty."]);
        changes_user(server, &person, &json!({ "email": "" }));
        visitor.opens(SETTINGS).await.sees(PROMPT);
        person.mail = String::new();
        person.name = format!("Name {}", random(16));
        let done = visitor.answers(details(&person)).await;
        done.is_redirected_to("/");
        assert_eq!(me(&visitor).await["name"], person.name.as_str());
    });
}

#[test]
fn a_password_is_changed_by_whoever_is_logged_in() {
    with_server(async |server| {
        let mut person = server.person();
        let mut visitor = server.visitor();
        let stranger = visitor.opens(PASSWORD).await;
        stranger.sees("ak-stage-access-denied");
        visitor.logs_in(&person).await;
        visitor.opens(PASSWORD).await.sees(PROMPT);
        let weak = types_password(&mut visitor, "aaaaaaaaaaaa").await;
        weak.sees(PROMPT);
        let former = person.clone();
        person.password = random(20);
        server.canaries().secret("a new password", &person.password);
        let done = types_password(&mut visitor, &person.password).await;
        done.is_redirected_to("/");
        assert_eq!(me(&visitor).await["username"], person.username.as_str());
        is_refused(server, &former).await;
        server.visitor().logs_in(&person).await;
    });
}

#[test]
fn an_account_is_deleted_by_its_owner_who_says_so_with_the_password() {
    with_server(async |server| {
        server
            .gatelog(&["blueprint", "enable", "unenrollment"])
            .succeeds();
        let (person, other) = (server.person(), server.person());
        let mut visitor = server.visitor();
        visitor.opens(END).await.sees("ak-stage-access-denied");
        visitor.logs_in(&person).await;
        let default = visitor.gets("/flows/-/default/unenrollment/").await;
        default.leads_to(&format!("/if/flow/{END}/"));
        visitor.opens(END).await.sees(PROMPT);
        visitor.answers(json!({})).await.sees("ak-stage-password");
        let wrong = json!({ "password": other.password });
        visitor.answers(wrong).await.sees("ak-stage-password");
        assert!(listed(server, &person).is_some());
        let right = json!({ "password": person.password });
        visitor.answers(right).await.is_redirected_to("/");
        assert!(listed(server, &person).is_none());
        assert!(listed(server, &other).is_some());
        visitor.gets("/api/v3/core/users/me/").await.has_status(403);
    });
}
