//! What a browser gets without scripts.

use super::*;
use crate::directory::{Keeping, Setup, install};

#[actix_web::test]
async fn somebody_logs_in_and_out_with_plain_forms() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    let start = browser.get("/").await;
    let login = "/flows/-/default/authentication/?next=%2F";
    assert_eq!(start.is(302).location(), login);
    let enter = browser.get(login).await;
    let page = "/if/flow/login/?next=%2F";
    assert_eq!(enter.is(302).location(), page);

    let form = browser.get(page).await;
    form.is(200).shows("Username").shows("name=\"uid_field\"");
    let next = browser.fills(page, &form, &[("uid_field", "alice")]).await;
    assert_eq!(next.is(303).location(), page);
    let form = browser.get(page).await;
    form.is(200).shows("current-password").shows("Not you?");
    let wrong = browser.fills(page, &form, &[("password", "wrong")]).await;
    wrong
        .is(200)
        .shows("Invalid password")
        .shows("role=\"alert\"");
    let end = browser
        .fills(page, &wrong, &[("password", "correct horse")])
        .await;
    assert_eq!(end.is(303).location(), "/");
    browser
        .get("/")
        .await
        .is(200)
        .shows("alice")
        .shows("Log out");

    let leave = browser.get("/flows/-/default/invalidation/").await;
    assert_eq!(leave.is(302).location(), "/if/flow/logout/");
    let out = browser.get("/if/flow/logout/").await;
    assert_eq!(out.is(302).location(), "/");
    assert_eq!(browser.get("/").await.is(302).location(), login);
}

#[actix_web::test]
async fn a_page_holds_our_script_unless_its_flow_does_without() {
    let server = Server::new().await;
    let plain = server
        .flow(
            "plain",
            Designation::Authentication,
            &[(Kind::Dummy, json!({}))],
        )
        .await;
    let found: Option<object::Versioned<Flow>> = object::get(&*server.state.journal, plain.pk)
        .await
        .expect("a read");
    let mut plain = found.expect("it is there");
    plain.value.compatibility_mode = true;
    server
        .write(vec![object::put(&plain.value, plain.version)])
        .await;
    for (slug, starts, scripts) in [
        (
            "login",
            "connect-src 'self'; script-src 'self'; default-src 'none';",
            1,
        ),
        ("plain", "default-src 'none';", 0),
    ] {
        let answer = server.browser().get(&format!("/if/flow/{slug}/")).await;
        let policy = answer.is(200).header("content-security-policy");
        assert!(policy.starts_with(starts), "{policy}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.body.matches("<script").count(), scripts);
        assert!(!answer.body.contains("style="));
    }
}

#[actix_web::test]
async fn a_form_of_another_site_is_refused() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let form = browser.get("/if/flow/login/").await;
    for header in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let mut forged = browser.clone().with_header(header.0, header.1);
        let fields = [("uid_field", "alice")];
        let answer = forged.fills("/if/flow/login/", &form, &fields).await;
        answer
            .is(403)
            .shows("did not come from a page of this server");
    }
}

#[actix_web::test]
async fn a_form_with_the_wrong_token_or_no_session_is_shown_again() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let form = browser.get("/if/flow/login/").await;
    let fields = [
        ("component", "ak-stage-identification"),
        ("uid_field", "alice"),
    ];
    let answer = browser.post_form("/if/flow/login/", &fields).await;
    answer.is(200).shows("out of date").shows("alice");
    let mut forgetful = server.browser();
    let answer = forgetful
        .fills("/if/flow/login/", &form, &fields[1..])
        .await;
    answer.is(200).shows("does not accept cookies");
}

#[actix_web::test]
async fn a_redirect_to_another_server_leaves_by_a_page() {
    let server = Server::new().await;
    let target = json!({"mode": "static", "target_static": "https://app.example/x"});
    let stages = [(Kind::Dummy, json!({})), (Kind::Redirect, target)];
    server
        .flow("away", Designation::StageConfiguration, &stages)
        .await;
    let mut browser = server.browser();
    let form = browser.get("/if/flow/away/").await;
    let moved = browser.fills("/if/flow/away/", &form, &[]).await;
    moved
        .is(200)
        .shows("http-equiv=\"refresh\"")
        .shows("app.example");
}

#[actix_web::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let server = Server::new().await;
    let mut browser = server.browser();
    for path in ["/nothing", "/if/flow/nothing/", "/if/flow/login"] {
        let answer = browser.get(path).await;
        answer.is(404).shows("Page not found");
        assert!(answer.body.contains(answer.header("x-authentik-id")));
    }
}

#[actix_web::test]
async fn the_default_flow_is_the_brands_own_and_keeps_the_query() {
    let server = Server::new().await;
    let own = server.flow("own", Designation::Authentication, &[]).await;
    let mut brand = server.brand();
    brand.flow_authentication = Some(own.pk);
    brand.branding_title = "Example Corp".to_owned();
    brand.branding_custom_css = ".card { border: 0 }".to_owned();
    server.put(&brand).await;
    let mut browser = server.browser();
    let enter = browser
        .get("/flows/-/default/authentication/?next=/a%20b&x=(1)")
        .await;
    assert_eq!(
        enter.is(302).location(),
        "/if/flow/own/?next=%2Fa+b&x=%281%29"
    );
    let page = browser.get("/nothing").await;
    page.is(404).shows("Example Corp").shows("brand.css");
    let style = browser.get("/static/brand.css").await;
    style.is(200).shows(".card { border: 0 }");
}

#[actix_web::test]
async fn the_style_rules_of_the_documentation_can_be_saved() {
    let documentation = include_str!("../../../docs/pages.md");
    let rules = documentation.split("```css\n").nth(1);
    let rules = rules.and_then(|it| it.split("```").next());
    let rules = rules.expect("an example").trim();
    assert!(rules.contains('\n'));
    let server = Server::new().await;
    let mut admin = super::blueprints::administrator(&server).await;
    let brand = json!({ "domain": "corp.example", "branding_custom_css": rules });
    let made = admin.post("/api/v3/core/brands/", &brand).await;
    assert_eq!(made.is(201).json()["branding_custom_css"], rules);
}

#[actix_web::test]
async fn without_any_flow_there_is_no_default_one() {
    let server = Server::new().await;
    let flows =
        crate::catalog::flows_by_designation(&*server.state.journal, Designation::Authentication);
    for flow in flows.await.expect("a read") {
        let gone = object::delete::<Flow>(flow.value.pk, flow.version);
        server.write(vec![gone]).await;
    }
    let answer = server
        .browser()
        .get("/flows/-/default/authentication/")
        .await;
    answer.is(404).shows("Page not found");
}

#[actix_web::test]
async fn cancelling_starts_over_and_follows_only_a_safe_next() {
    let server = Server::new().await;
    server.dummies("dummies", 2).await;
    let (one, two) = (
        "/if/flow/dummies/?next=%2Fone",
        "/if/flow/dummies/?next=%2Ftwo",
    );
    let mut browser = server.browser();
    for page in [one, two] {
        let form = browser.get(page).await;
        browser.fills(page, &form, &[]).await.is(303);
        browser.get(page).await.is(200).shows("dummies-1");
    }
    let out = browser.get("/flows/-/cancel/?next=%2Fone").await;
    assert_eq!(out.is(302).location(), "/one");
    browser.get(one).await.is(200).shows("dummies-0");
    browser.get(two).await.is(200).shows("dummies-1");

    let page = format!("http://localhost:8080{two}");
    let mut from_page = browser
        .clone()
        .with_header("host", "localhost:8080")
        .with_header("referer", &page);
    let out = from_page.get("/flows/-/cancel/").await;
    assert_eq!(out.is(302).location(), "/flows/-/default/invalidation/");
    browser.get(two).await.is(200).shows("dummies-0");

    for bad in [
        "%2F%2Fevil.example",
        "https%3A%2F%2Fevil.example",
        "%2F%5Cx",
    ] {
        let out = browser.get(&format!("/flows/-/cancel/?next={bad}")).await;
        assert_eq!(out.is(302).location(), "/flows/-/default/invalidation/");
    }
}

#[actix_web::test]
async fn the_link_of_the_first_start_leads_into_the_flow_until_there_is_a_password() {
    let server = Server::begun(None).await;
    let install = install(&*server.state.journal).await.expect("a read");
    let install = install.expect("the first start made it");
    let Setup::Waiting { token } = &install.value.setup else {
        panic!("it waits for a password");
    };
    let token = secrecy::ExposeSecret::expose_secret(token);
    let mut browser = server.browser();
    assert_eq!(browser.get("/").await.is(302).location(), "/setup");
    browser.get("/setup").await.is(403).shows("Not set up yet");
    browser
        .get("/setup?token=x")
        .await
        .is(403)
        .shows("not valid");
    let gone = browser.get(&format!("/setup?token={token}")).await;
    gone.is(403).shows("gatelog user set-password akadmin");
    // The flow itself has policies, which need the worker processes of the real server.
    let stages = [(Kind::Dummy, json!({}))];
    let designation = Designation::StageConfiguration;
    server.flow("initial-setup", designation, &stages).await;
    let led = browser.get(&format!("/setup?token={token}")).await;
    assert_eq!(led.is(302).location(), "/if/flow/initial-setup/");
    let page = browser.get("/if/flow/initial-setup/").await;
    page.is(200).shows("initial-setup-0");
    let (journal, clock) = (&*server.state.journal, &server.state.clock);
    let encoded = password::hash(&"battery staple".into(), clock);
    setup::set_password(journal, clock, "akadmin", &encoded, Keeping::default())
        .await
        .expect("a new password");
    let used = browser.get(&format!("/setup?token={token}")).await;
    used.is(403).shows("Set up already");
}
