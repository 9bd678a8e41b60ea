//! Flows as plain pages: forms and cookies, without a line of JavaScript.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    Flow, Form, Person, TestServer, Visitor, addresses, forms, text_of, with_server,
};

const PAGE: &str = "/if/flow/default-authentication-flow/?next=%2F";

/// Types a name into the first page, and returns the form for the password.
async fn names(visitor: &Visitor, person: &Person) -> Form {
    let form = visitor.form_at(PAGE).await;
    let form = form.fill("uid_field", &person.username);
    let sent = visitor.submits(&form).await;
    sent.has_status(303).leads_to(PAGE);
    visitor.form_at(PAGE).await
}

async fn logs_in(server: &TestServer, visitor: &Visitor) -> Person {
    let alice = server.person();
    let form = names(visitor, &alice).await;
    let form = form.fill("password", &alice.password);
    let sent = visitor.submits(&form).await;
    sent.has_status(303).leads_to("/");
    alice
}

#[test]
fn somebody_logs_in_and_out_with_forms_alone() {
    with_server(async |server| {
        let alice = server.person();
        let visitor = server.visitor();
        let home = visitor.gets("/").await;
        home.leads_to("/flows/-/default/authentication/?next=%2F");
        let login = visitor.gets(home.header("location")).await;
        login.leads_to(PAGE);
        let form = names(&visitor, &alice).await;

        let wrong = form.clone().fill("password", "not-the-password");
        let shown = visitor.submits(&wrong).await;
        shown
            .has_status(200)
            .shows("role=\"alert\"")
            .shows("Invalid password")
            .hides("not-the-password");
        let again = forms(&shown.text).remove(0);
        assert_eq!(again.value("password"), Some(""));

        let right = again.fill("password", &alice.password);
        let sent = visitor.submits(&right).await;
        sent.has_status(303).leads_to("/");
        let home = visitor.gets("/").await;
        home.has_status(200);
        let text = text_of(&home.text);
        for known in [&alice.username, &alice.name, &alice.mail] {
            assert!(text.contains(known), "{text}");
        }

        let out = visitor.gets("/flows/-/default/invalidation/").await;
        let out = visitor.gets(out.header("location")).await;
        out.has_status(302).leads_to("/");
        visitor.gets("/").await.has_status(302);
    });
}

#[test]
fn a_form_without_its_token_is_not_taken() {
    with_server(async |server| {
        let alice = server.person();
        let visitor = server.visitor();
        let form = names(&visitor, &alice).await;
        let form = form.fill("password", &alice.password);
        let mut bare = form.clone();
        bare.fields.retain(|(name, _)| name != "csrf");
        for forged in [bare, form.clone().fill("csrf", "not-the-token")] {
            let shown = visitor.submits(&forged).await;
            shown.has_status(200).shows("This page was out of date");
            visitor.gets("/").await.has_status(302);
        }
        visitor.submits(&form).await.leads_to("/");
    });
}

#[test]
fn a_form_on_another_site_is_refused() {
    with_server(async |server| {
        let alice = server.person();
        let visitor = server.visitor();
        let form = names(&visitor, &alice).await;
        let form = form.fill("password", &alice.password);
        for origin in ["https://evil.example", "null"] {
            let header = [("origin", origin)];
            let sent = visitor.submits_with(&form, &header).await;
            sent.has_status(403);
        }
        visitor.gets("/").await.has_status(302);
    });
}

#[test]
fn a_browser_without_cookies_is_told_so() {
    with_server(async |server| {
        let alice = server.person();
        let form = server.visitor().form_at(PAGE).await;
        let form = form.fill("uid_field", &alice.username);
        let forgetful = server.visitor();
        let shown = forgetful.submits(&form).await;
        shown.has_status(200).shows("cookies");
        assert!(forms(&shown.text)[0].value("uid_field").is_some());
    });
}

#[test]
fn a_stale_page_shows_the_current_challenge() {
    with_server(async |server| {
        server.has_flow(&Flow::new("three").dummy("a").dummy("b").dummy("c"));
        let visitor = server.visitor();
        let path = "/if/flow/three/";
        let stale = visitor.form_at(path).await;
        visitor.submits(&stale).await.leads_to(path);
        // The back button, and the same form once more.
        visitor.submits(&stale).await.leads_to(path);
        visitor.gets(path).await.shows("<p class=\"lead\">b</p>");
    });
}

#[test]
fn a_doubled_click_passes_one_stage() {
    with_server(async |server| {
        server.has_flow(&Flow::new("three").dummy("a").dummy("b").dummy("c"));
        let visitor = server.visitor();
        let form = visitor.form_at("/if/flow/three/").await;
        tokio::join!(visitor.submits(&form), visitor.submits(&form));
        let page = visitor.gets("/if/flow/three/").await;
        page.shows("<p class=\"lead\">b</p>");
    });
}

#[test]
fn what_was_typed_is_shown_as_text() {
    with_server(async |server| {
        let visitor = server.visitor();
        let typed = "\"><script>alert('gotcha')</script>";
        let form = visitor.form_at(PAGE).await;
        visitor.submits(&form.fill("uid_field", typed)).await;
        let page = visitor.gets(PAGE).await;
        page.has_status(200).hides("<script>");
        assert!(text_of(&page.text).contains(typed), "{page:?}");
    });
}

#[test]
fn pages_run_our_scripts_alone_and_stand_in_no_frame() {
    with_server(async |server| {
        let plain = Flow::new("plain").with("compatibility_mode", true);
        server.has_flow(&plain.identification_and_password());
        let visitor = server.visitor();
        for (path, scripts) in [
            (PAGE, 1),
            ("/if/flow/plain/", 0),
            ("/nothing-of-the-kind", 0),
            ("/setup?token=wrong", 0),
        ] {
            let page = visitor.gets(path).await;
            page.hides("style=");
            assert_eq!(page.text.matches("<script").count(), scripts, "{path}");
            let loaded = addresses(&page.text);
            let ours = |it: &&String| it.starts_with("/static/dist/assets/flow.js?v=");
            assert_eq!(loaded.iter().filter(ours).count(), scripts, "{path}");
            let policy = page.header("content-security-policy");
            let allows = policy.contains("script-src 'self';");
            assert_eq!(allows, scripts > 0, "{policy}");
            assert_eq!(policy.contains("script-src"), scripts > 0, "{policy}");
            assert!(policy.contains("default-src 'none'"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert!(page.header("cache-control").contains("no-store"));
        }
    });
}

#[test]
fn nothing_shown_to_a_person_says_authentik() {
    with_server(async |server| {
        let visitor = server.visitor();
        let alice = server.person();
        let first = visitor.gets(PAGE).await;
        names(&visitor, &alice).await;
        let second = visitor.gets(PAGE).await;
        for page in [first, second] {
            let text = text_of(&page.text).to_lowercase();
            assert!(!text.contains("authentik"), "{text}");
        }
    });
}

#[test]
fn the_pictures_and_styles_that_pages_name_are_there() {
    with_server(async |server| {
        let visitor = server.visitor();
        let page = visitor.gets(PAGE).await;
        let mut paths = addresses(&page.text);
        paths.retain(|it| it.starts_with("/static/"));
        assert!(paths.len() >= 3, "{paths:?}");
        for picture in ["flow_background.jpg", "user_default.png"] {
            paths.push(format!("/static/dist/assets/images/{picture}"));
        }
        for path in paths {
            let head = visitor.sends(Method::HEAD, &path, &[], "").await;
            head.has_status(200);
            assert!(!head.header("content-type").is_empty(), "{path}");
        }
    });
}

#[test]
fn a_form_that_is_too_large_is_refused() {
    with_server(async |server| {
        let visitor = server.visitor();
        let form = visitor.form_at(PAGE).await;
        let large = form.fill("uid_field", &"x".repeat(300 << 10));
        visitor.submits(&large).await.has_status(413);
        let long = visitor.form_at(PAGE).await;
        let long = long.fill("uid_field", &"x".repeat(100 << 10));
        let shown = visitor.submits(&long).await;
        shown.has_status(200).shows("role=\"alert\"");
    });
}

#[test]
fn not_you_leads_back_to_the_beginning() {
    with_server(async |server| {
        let visitor = server.visitor();
        names(&visitor, &server.person()).await;
        let page = visitor.gets(PAGE).await;
        page.shows("Not you?");
        let cancel = "/flows/-/cancel/?next=%2F";
        assert!(addresses(&page.text).iter().any(|it| it == cancel));
        visitor.gets(cancel).await.leads_to("/");
        let form = visitor.form_at(PAGE).await;
        assert!(form.value("uid_field").is_some());
    });
}

#[test]
fn a_page_and_a_program_share_one_execution() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        let alice = server.person();
        let form = names(&visitor, &alice).await;
        let shown = visitor
            .opens_with("default-authentication-flow", "next=%2F")
            .await;
        shown.sees("ak-stage-password");
        let id = shown.header("x-gatelog-challenge");
        assert_eq!(form.value("challenge"), Some(id));
        let end = visitor.answers(json!({ "password": alice.password })).await;
        end.is_redirected_to("/");
    });
}

#[test]
fn being_remembered_is_a_question_with_two_buttons() {
    with_server(async |server| {
        let flow = Flow::new("stay").identification_and_password();
        let attrs = json!({ "remember_me_offset": "days=7" });
        server.has_flow(&flow.stage("user_login", "stay-login", attrs));
        let alice = server.person();
        let visitor = server.visitor();
        let path = "/if/flow/stay/";
        let form = visitor.form_at(path).await;
        let form = form.fill("uid_field", &alice.username);
        visitor.submits(&form).await.leads_to(path);
        let form = visitor.form_at(path).await;
        let form = form.fill("password", &alice.password);
        visitor.submits(&form).await.leads_to(path);
        let mut form = visitor.form_at(path).await;
        form.fields.push(("remember_me".into(), "true".into()));
        let sent = visitor.submits(&form).await;
        sent.leads_to("/");
        let cookie = sent.cookie("authentik_session").expect("a session");
        assert!(cookie.contains("Max-Age="), "{cookie}");
    });
}

#[test]
fn the_start_page_is_for_its_visitor_alone() {
    with_server(async |server| {
        let visitor = server.visitor();
        let alice = logs_in(server, &visitor).await;
        visitor.gets("/").await.shows(&alice.username);
        let other = server.visitor();
        other.gets("/").await.has_status(302).hides(&alice.username);
    });
}

#[test]
fn a_visitor_chooses_another_language_and_stays_where_they_are() {
    with_server(async |server| {
        let alice = server.person();
        let visitor = server.visitor();
        names(&visitor, &alice).await;
        let page = visitor.gets(PAGE).await;
        page.shows("<html lang=\"en\"").shows(">Password</label>");
        let switch = addresses(&page.text);
        let mut switch = switch.iter().filter(|it| it.starts_with("/language/"));
        let switch = switch.next().expect("a way to German");
        let chosen = visitor.gets(switch).await;
        chosen.has_status(303).leads_to(PAGE);
        let cookie = chosen.cookie("authentik_language").expect("a cookie");
        assert!(cookie.contains("Max-Age=31536000"), "{cookie}");
        assert!(cookie.contains("SameSite=Lax") && cookie.contains("Path=/"));
        let page = visitor.gets(PAGE).await;
        page.shows("<html lang=\"de\"").shows(">Passwort</label>");
        let form = forms(&page.text)
            .remove(0)
            .fill("password", "not-the-password");
        let wrong = visitor.submits(&form).await;
        wrong.shows("Das Passwort ist falsch.");
        // Nobody is led to another server.
        for next in ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example"] {
            let chosen = visitor.gets(&format!("/language/en/?next={next}")).await;
            chosen.leads_to("/");
        }
        visitor.gets("/language/xx/").await.has_status(404);
    });
}

#[test]
fn a_browser_is_spoken_to_in_the_language_that_it_asks_for() {
    with_server(async |server| {
        let visitor = server.visitor();
        let header = [("accept-language", "fr, de-AT;q=0.8, en;q=0.5")];
        let page = visitor.sends(Method::GET, PAGE, &header, "").await;
        page.has_status(200).shows("<html lang=\"de\"");
        // Programs are told what they compare.
        let api = "/api/v3/flows/executor/default-authentication-flow/?query=";
        let told = visitor.sends(Method::GET, api, &header, "").await;
        let told = told.has_status(200).json();
        assert_eq!(told["primary_action"], "Log in");
    });
}

#[test]
fn a_denial_names_its_execution_by_a_short_code() {
    with_server(async |server| {
        let denies = json!({ "deny_message": "Not today" });
        server.has_flow(&Flow::new("closed").stage("deny", "closed-deny", denies));
        let page = server.visitor().gets("/if/flow/closed/").await;
        page.has_status(200).shows("Not today").shows("Start again");
        let code = page.text.split("<strong class=\"code\">").nth(1);
        let code = code
            .and_then(|rest| rest.split('<').next())
            .expect("a code");
        assert_eq!(code.len(), 11, "{code}");
    });
}
