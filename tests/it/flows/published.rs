//! Flow files as others published them, where somebody has them: `GATELOG_REFERENCE` names the
//! folder. They are not part of this project.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{EMAIL, Link, PROMPT, goes_to, listed, me, types_password, with_mail};
use crate::support::{App, LOGIN, Person, TestServer, files, random, with_server};

/// Applies a published file; what became of its entries. `None` where nobody has it.
fn applied(server: &TestServer, name: &str) -> Option<Vec<Value>> {
    let Some(folder) = std::env::var_os("GATELOG_REFERENCE") else {
        // Data of another project, and no tool that could be installed: nobody has to have it.
        let message = "skipped: GATELOG_REFERENCE names no folder with blueprints";
        let _ = writeln!(std::io::stderr(), "{message}");
        return None;
    };
    let found = files(Path::new(&folder));
    let path = found.iter().find(|path| path.ends_with(name));
    let path = path.unwrap_or_else(|| panic!("no {name} in {}", Path::new(&folder).display()));
    let path = path.to_str().expect("a path of letters");
    let ran = server.gatelog(&["blueprint", "apply", "--json", path]);
    let told = ran.succeeds().values().remove(0);
    let entries = told["result"]["entries"].as_array().cloned();
    Some(entries.expect("entries"))
}

fn credentials(person: &Person) -> Value {
    json!({
        "username": person.username,
        "password": person.password,
        "password_repeat": person.password,
    })
}

fn details(person: &Person) -> Value {
    json!({ "name": person.name, "email": person.mail })
}

#[test]
fn the_published_enrollment_ends_with_a_user_whose_address_is_confirmed() {
    with_mail(async |server, sink| {
        if applied(server, "flows-enrollment-email-verification.yaml").is_none() {
            return;
        }
        let person = Person::new(server.canaries());
        let mut visitor = server.visitor();
        visitor.opens("default-enrollment-flow").await.sees(PROMPT);
        visitor.answers(credentials(&person)).await.sees(PROMPT);
        visitor.answers(details(&person)).await.sees(EMAIL);
        let made = listed(server, &person).expect("they are written");
        assert_eq!(made["is_active"], false);
        let mails = sink.wait_for(1).await;
        goes_to(&mails[0], &person);
        let link = Link::of(&mails[0], server);
        link.confirmed_by(&mut visitor).await.is_redirected_to("/");
        assert_eq!(me(&visitor).await["email"], person.mail.as_str());
        server.visitor().logs_in(&person).await;
    });
}

#[test]
fn the_published_recovery_ends_with_a_new_password() {
    with_mail(async |server, sink| {
        if applied(server, "flows-recovery-email-verification.yaml").is_none() {
            return;
        }
        let mut person = server.person();
        let mut visitor = server.visitor();
        let asked = visitor.opens("default-recovery-flow").await;
        asked.sees("ak-stage-identification");
        let who = json!({ "uid_field": person.mail });
        visitor.answers(who).await.sees(EMAIL);
        let link = Link::of(&sink.wait_for(1).await[0], server);
        let mut reader = server.visitor();
        link.confirmed_by(&mut reader).await.sees(PROMPT);
        person.password = random(20);
        server.canaries().secret("a new password", &person.password);
        let done = types_password(&mut reader, &person.password).await;
        done.is_redirected_to("/");
        assert_eq!(me(&reader).await["username"], person.username.as_str());
        server.visitor().logs_in(&person).await;
    });
}

#[test]
fn the_published_invitations_lead_to_users_of_their_kind() {
    with_mail(async |server, _| {
        let Some(entries) = applied(server, "flows-invitation-enrollment.yaml") else {
            return;
        };
        let cases = [
            (
                "external",
                "example-external-basic-invitation",
                "external",
                false,
            ),
            (
                "external",
                "example-external-prefilled-email-invitation",
                "external",
                true,
            ),
            (
                "internal",
                "example-internal-prefilled-invitation",
                "internal",
                true,
            ),
            (
                "internal",
                "example-internal-department-invitation",
                "internal",
                false,
            ),
            (
                "internal-engineering",
                "example-engineering-team-invitation",
                "internal",
                false,
            ),
        ];
        for (flow, invitation, kind, is_single) in cases {
            let flow = format!("invitation-enrollment-flow-{flow}");
            let made = entries.iter().find(|entry| entry["name"] == invitation);
            let token = made.and_then(|entry| entry["pk"].as_str());
            let token = token.unwrap_or_else(|| panic!("no {invitation}"));
            let query = format!("itoken={token}");
            let person = Person::new(server.canaries());
            let mut visitor = server.visitor();
            let stranger = visitor.opens(&flow).await;
            stranger.sees("ak-stage-access-denied");
            let mut visitor = server.visitor();
            visitor.opens_with(&flow, &query).await.sees(PROMPT);
            visitor.answers(credentials(&person)).await.sees(PROMPT);
            let done = visitor.answers(details(&person)).await;
            done.is_redirected_to("/");
            let known = me(&visitor).await;
            assert_eq!(known["username"], person.username.as_str());
            assert_eq!(known["type"], kind, "{invitation}: {known}");
            if flow.ends_with("engineering") {
                assert_eq!(known["groups"][0]["name"], "engineering-team", "{known}");
            }
            let mut late = server.visitor();
            let again = late.opens_with(&flow, &query).await;
            let seen = if is_single {
                "ak-stage-access-denied"
            } else {
                PROMPT
            };
            again.sees(seen);
        }
    });
}

/// Takes the login away that comes with the server, which another file brings anew.
fn loses_its_login(server: &TestServer) {
    server.apply(&format!(
        "version: 1\nentries:\n- model: authentik_flows.flow\n  state: absent\n  \
         identifiers: {{slug: {LOGIN}}}\n"
    ));
}

#[test]
fn the_published_login_asks_for_a_second_factor_from_whoever_has_one() {
    with_server(async |server| {
        let person = server.person();
        let mut first = server.visitor();
        first.logs_in(&person).await;
        let shown = first.opens("default-authenticator-totp-setup").await;
        let address = shown.json()["config_url"].clone();
        let app = App::of(address.as_str().expect("an address"), server.canaries());
        let code = json!({ "code": app.code(-1) });
        first.answers(code).await.is_redirected_to("/");
        loses_its_login(server);
        if applied(server, "flows-login-2fa.yaml").is_none() {
            return;
        }
        let plain = server.person();
        server.visitor().logs_in(&plain).await;
        let mut second = server.visitor();
        second.opens(LOGIN).await.sees("ak-stage-identification");
        let who = json!({ "uid_field": person.username });
        second.answers(who).await.sees("ak-stage-password");
        let what = json!({ "password": person.password });
        let asked = second.answers(what).await;
        asked.sees("ak-stage-authenticator-validate");
        let code = json!({ "code": app.code(0) });
        second.answers(code).await.is_redirected_to("/");
        assert_eq!(me(&second).await["username"], person.username.as_str());
    });
}

#[test]
fn the_published_setup_flows_give_out_apps_and_codes() {
    with_server(async |server| {
        let person = server.person();
        for file in [
            "flow-default-authenticator-totp-setup.yaml",
            "flow-default-authenticator-static-setup.yaml",
        ] {
            if applied(server, file).is_none() {
                return;
            }
        }
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let shown = visitor.opens("default-authenticator-totp-setup").await;
        shown.sees("ak-stage-authenticator-totp");
        let address = shown.json()["config_url"].clone();
        let app = App::of(address.as_str().expect("an address"), server.canaries());
        let code = json!({ "code": app.code(0) });
        visitor.answers(code).await.is_redirected_to("/");
        let shown = visitor.opens("default-authenticator-static-setup").await;
        shown.sees("ak-stage-authenticator-static");
        assert_eq!(shown.json()["codes"].as_array().map(Vec::len), Some(6));
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}
