//! The document of the operator's console: who gets it, and what it may load.

use super::*;

const CONSOLE: &str = "/if/admin/flows/login?search=a%20b";

#[actix_web::test]
async fn whoever_is_not_logged_in_does_so_and_comes_back() {
    let server = Server::new().await;
    let answer = server.browser().get(CONSOLE).await;
    let login =
        "/flows/-/default/authentication/?next=%2Fif%2Fadmin%2Fflows%2Flogin%3Fsearch%3Da%2520b";
    assert_eq!(answer.is(302).location(), login);
}

#[actix_web::test]
async fn whoever_may_do_nothing_there_is_told_so() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    let answer = browser.get(CONSOLE).await;
    answer.is(403).shows("This is for operators");
    assert!(!answer.body.contains("<script"), "{}", answer.body);
}

#[actix_web::test]
async fn one_permission_is_enough_and_so_is_being_the_administrator() {
    let server = Server::new().await;
    let role = server.role("readers", &["authentik_flows.view_flow"]).await;
    server.holder("bob", &role).await;
    for (name, password) in [("bob", "correct horse"), ("akadmin", "battery staple")] {
        let mut browser = server.browser();
        browser.logs_in(name, password).await.is(200);
        browser.get("/if/admin/").await.is(200).shows(name);
    }
}

#[actix_web::test]
async fn the_document_loads_our_own_files_alone_and_is_never_kept() {
    let server = Server::new().await;
    let mut browser = server.browser();
    browser.logs_in("akadmin", "battery staple").await.is(200);
    let answer = browser.get(CONSOLE).await;
    let policy = answer.is(200).header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|it| it == directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.body.contains("style=") && !answer.body.contains("<style"));
    assert_eq!(answer.body.matches("<script").count(), 1);
    // Templates write a slash as a reference.
    let document = answer.body.replace("&#x2f;", "/");
    let folder = folder(&document);
    for loaded in ["main.js", "admin.css"] {
        let file = browser.get(&format!("{folder}/{loaded}")).await;
        let keep = "public, max-age=31536000, immutable";
        assert_eq!(file.is(200).header("cache-control"), keep);
    }
    // Another version's files are not those of this one.
    let other = "/static/v/0123456789abcdef/dist/assets/admin/main.js";
    browser.get(other).await.is(404);
}

/// The folder of the console's files, of which its address names the version.
fn folder(document: &str) -> &str {
    let from = document.find("src=\"/static/v/").expect("a script") + 5;
    let script = &document[from..];
    let to = script.find("/main.js\"").expect("it is the first");
    &script[..to]
}
