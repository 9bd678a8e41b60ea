//! The user's page: what somebody sees of what is theirs, and does with it, by forms alone.

use serde_json::{Value, json};

use crate::support::{
    Answer, App, Form, Person, TestServer, Visitor, addresses, forms, random, text_of, with_server,
};

const PROFILE: &str = "/if/user/";
const DEVICES: &str = "/if/user/devices/";
const SESSIONS: &str = "/if/user/sessions/";
const ME: &str = "/api/v3/core/users/me/";

/// The form of a page that is sent to an address with this end.
#[track_caller]
fn form(page: &Answer, end: &str) -> Form {
    let mut all = forms(&page.text).into_iter();
    let found = all.find(|form| form.action.ends_with(end));
    found.unwrap_or_else(|| panic!("no form for {end}: {page:?}"))
}

/// Where a link of a page leads whose address has this part.
#[track_caller]
fn link(page: &Answer, part: &str) -> String {
    let mut all = addresses(&page.text).into_iter();
    let found = all.find(|address| address.contains(part));
    found.unwrap_or_else(|| panic!("no link to {part}: {page:?}"))
}

async fn sets_up(server: &TestServer, visitor: &mut Visitor, flow: &str) -> Option<App> {
    let shown = visitor.opens(flow).await.json();
    let app = shown["config_url"].as_str();
    let app = app.map(|it| App::of(it, server.canaries()));
    for code in shown["codes"].as_array().into_iter().flatten() {
        let code = code.as_str().expect("a text");
        server.canaries().secret("a code to write down", code);
    }
    let answer = app.as_ref().map(|it| json!({ "code": it.code(0) }));
    let done = visitor.answers(answer.unwrap_or_else(|| json!({}))).await;
    done.is_redirected_to("/");
    app
}

async fn sets_up_app(server: &TestServer, visitor: &mut Visitor) {
    sets_up(server, visitor, "default-authenticator-totp-setup").await;
}

async fn logs_in(server: &TestServer) -> (Person, Visitor) {
    let person = server.person();
    let mut visitor = server.visitor();
    visitor.logs_in(&person).await;
    (person, visitor)
}

#[test]
fn whoever_is_not_logged_in_logs_in_and_comes_back() {
    with_server(async |server| {
        let stranger = server.visitor();
        for page in ["", "password/", "devices/", "sessions/", "consents/"] {
            let path = format!("{PROFILE}{page}");
            let sent = stranger.gets(&path).await;
            let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
            sent.leads_to(&format!("/flows/-/default/authentication/?next={next}"));
        }
        let (_, visitor) = logs_in(server).await;
        for page in ["", "password/", "devices/", "sessions/", "consents/"] {
            let shown = visitor.gets(&format!("{PROFILE}{page}")).await;
            shown.has_status(200).shows("aria-current=\"page\"");
        }
        visitor.gets("/if/user/nothing/").await.has_status(404);
    });
}

#[test]
fn somebody_corrects_their_name_and_is_told_what_is_wrong_with_it() {
    with_server(async |server| {
        let (person, visitor) = logs_in(server).await;
        let page = visitor.gets(PROFILE).await;
        let text = text_of(&page.text);
        assert!(text.contains(&person.username) && text.contains(&person.mail));
        let form = form(&page, PROFILE);
        assert_eq!(form.value("name"), Some(person.name.as_str()));
        // By the rules of the flow that comes with it, nobody changes these two by themselves.
        assert_eq!((form.value("username"), form.value("email")), (None, None));

        let empty = visitor.submits(&form.clone().fill("name", "")).await;
        empty.has_status(200).shows("aria-invalid=\"true\"");
        empty.shows("error-name");
        let other = format!("Name {}", random(16));
        server.canaries().personal("a name", &other);
        let saved = visitor.submits(&form.clone().fill("name", &other)).await;
        saved.has_status(303).leads_to("/if/user/?done=saved");
        visitor.gets("/if/user/?done=saved").await.shows(&other);
        assert_eq!(visitor.gets(ME).await.json()["user"]["name"], other);

        // What the page does not offer is not changed either.
        let mut forged = form.fill("name", &other);
        let mail = ("email".to_owned(), "else@where.example".to_owned());
        forged.fields.push(mail);
        visitor.submits(&forged).await.has_status(303);
        let known = visitor.gets(ME).await.json();
        assert_eq!(known["user"]["email"], person.mail.as_str());
    });
}

#[test]
fn the_password_is_changed_in_its_flow_which_comes_back() {
    with_server(async |server| {
        let (_, visitor) = logs_in(server).await;
        let page = visitor.gets("/if/user/password/").await;
        let begun = visitor.gets(&link(&page, "/flows/-/configure/")).await;
        let flow =
            "/if/flow/default-password-change/?next=%2Fif%2Fuser%2Fpassword%2F%3Fdone%3Dchanged";
        begun.leads_to(flow);
        let mut form = visitor.form_at(flow).await;
        let other = random(20);
        server.canaries().secret("a new password", &other);
        for (name, value) in &mut form.fields {
            if name.starts_with("secret:") {
                value.clone_from(&other);
            }
        }
        let done = visitor.submits(&form).await;
        done.has_status(303)
            .leads_to("/if/user/password/?done=changed");
        let said = visitor.gets("/if/user/password/?done=changed").await;
        said.shows("Your password is changed.");
    });
}

#[test]
fn a_device_gets_another_name_and_is_removed_after_a_warning() {
    with_server(async |server| {
        let (_, mut visitor) = logs_in(server).await;
        let none = visitor.gets(DEVICES).await;
        let offer = link(&none, "/flows/-/configure/");
        assert!(
            offer.ends_with("?next=%2Fif%2Fuser%2Fdevices%2F"),
            "{offer}"
        );
        sets_up_app(server, &mut visitor).await;
        let listed = visitor.gets(DEVICES).await;
        let remove = link(&listed, "/remove/");
        let one = remove.trim_end_matches("remove/").to_owned();

        let form = visitor.form_at(&one).await;
        let too_long = "x".repeat(65);
        let refused = visitor.submits(&form.clone().fill("name", &too_long)).await;
        refused.has_status(200).shows(&too_long).shows("64");
        let named = visitor.submits(&form.fill("name", " My <phone> ")).await;
        named
            .has_status(303)
            .leads_to("/if/user/devices/?done=renamed");
        let listed = visitor.gets(DEVICES).await;
        assert!(text_of(&listed.text).contains("My <phone> "), "{listed:?}");

        let asked = visitor.gets(&remove).await;
        asked.has_status(200).shows("only second factor");
        sets_up(server, &mut visitor, "default-authenticator-static-setup").await;
        visitor.gets(&remove).await.shows("recovery codes is left");
        let removed = visitor.submits(&form_of(&asked)).await;
        removed.leads_to("/if/user/devices/?done=removed");
        visitor.gets(&remove).await.has_status(404);
        let log = server.output();
        assert!(log.contains("a device was renamed") && log.contains("a device was removed"));
    });
}

/// The only form of a page.
fn form_of(page: &Answer) -> Form {
    form(page, "")
}

#[test]
fn a_session_that_is_ended_is_logged_out_at_once() {
    with_server(async |server| {
        let (person, here) = logs_in(server).await;
        let [mut there, mut elsewhere] = [server.visitor(), server.visitor()];
        there.logs_in(&person).await;
        let listed = here.gets(SESSIONS).await;
        listed.shows("This one");
        let one = form(&listed, "/end/");
        let ended = here.submits(&one).await;
        ended
            .has_status(303)
            .leads_to("/if/user/sessions/?done=ended");
        there.gets(ME).await.has_status(403);
        there.gets(SESSIONS).await.has_status(302);
        here.gets(ME).await.has_status(200);
        here.submits(&one).await.has_status(404);

        there.logs_in(&person).await;
        elsewhere.logs_in(&person).await;
        let listed = here.gets(SESSIONS).await;
        let others = here.submits(&form(&listed, "/end-others/")).await;
        others.leads_to("/if/user/sessions/?done=ended-others");
        there.gets(ME).await.has_status(403);
        elsewhere.gets(ME).await.has_status(403);
        let listed = here.gets(SESSIONS).await;
        listed.has_status(200).hides("/end/").hides("/end-others/");
    });
}

#[test]
fn nobody_comes_to_what_is_another_s() {
    with_server(async |server| {
        let (_, mut owner) = logs_in(server).await;
        sets_up_app(server, &mut owner).await;
        let remove = link(&owner.gets(DEVICES).await, "/remove/");
        let (_, other) = logs_in(server).await;
        let own = form(&other.gets(PROFILE).await, PROFILE);
        let session = owner.gets("/api/v3/core/authenticated_sessions/").await;
        let session = session.json()["results"][0]["uuid"].clone();
        let session = session.as_str().expect("an identifier").to_owned();
        let one = remove.trim_end_matches("remove/");
        for path in [one, &remove] {
            other.gets(path).await.has_status(404);
        }
        for action in [one.to_owned(), remove, format!("{SESSIONS}{session}/end/")] {
            let forged = Form {
                action,
                ..own.clone()
            };
            other.submits(&forged).await.has_status(404);
        }
        owner.gets(ME).await.has_status(200);
        owner.gets(DEVICES).await.shows("/remove/");
    });
}

#[test]
fn a_form_that_is_not_ours_does_nothing() {
    with_server(async |server| {
        let (person, mut here) = logs_in(server).await;
        let mut there = server.visitor();
        there.logs_in(&person).await;
        sets_up_app(server, &mut here).await;
        let remove = link(&here.gets(DEVICES).await, "/remove/");
        let profile = form(&here.gets(PROFILE).await, PROFILE);
        let all = [
            form(&here.gets(SESSIONS).await, "/end/"),
            form(&here.gets(SESSIONS).await, "/end-others/"),
            form_of(&here.gets(&remove).await),
            profile.clone().fill("name", "Somebody Else"),
        ];
        for ours in all {
            let mut bare = ours.clone();
            bare.fields.retain(|(name, _)| name != "csrf");
            for forged in [bare, ours.clone().fill("csrf", "not-the-token")] {
                let shown = here.submits(&forged).await;
                shown.has_status(403).shows("This page was out of date");
            }
            for origin in ["https://evil.example", "null"] {
                let sent = here.submits_with(&ours, &[("origin", origin)]).await;
                sent.has_status(403);
            }
        }
        // What was typed is still there.
        let stale = profile.fill("name", "Somebody Else").fill("csrf", "old");
        let shown = here.submits(&stale).await;
        assert_eq!(form(&shown, PROFILE).value("name"), Some("Somebody Else"));
        there.gets(ME).await.has_status(200);
        here.gets(&remove).await.has_status(200);
        let known: Value = here.gets(ME).await.json();
        assert_eq!(known["user"]["name"], person.name.as_str());
    });
}

#[test]
fn the_page_speaks_german_to_whoever_asks_for_it() {
    with_server(async |server| {
        let (_, visitor) = logs_in(server).await;
        let german = [("accept-language", "de-CH, de;q=0.9")];
        let page = visitor
            .sends(reqwest::Method::GET, SESSIONS, &german, "")
            .await;
        page.shows("lang=\"de\"")
            .shows("Sitzungen")
            .shows("Diese hier");
    });
}
