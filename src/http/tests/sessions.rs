//! Cookies and the sessions behind them.

use super::*;
use crate::directory::session::NetworkBinding;
use crate::directory::{Keeping, sessions_of};

#[actix_web::test]
async fn a_login_rotates_the_cookie_and_is_known_from_then_on() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    let refused = browser.get(ME).await;
    assert_eq!(
        refused.is(403).json()["detail"],
        "Authentication credentials were not provided."
    );
    browser.get(LOGIN).await.is(200);
    let (before, token) = (browser.session().cloned(), browser.csrf());
    let wrong = browser.logs_in("alice", "wrong").await.is(200).json();
    assert_eq!(wrong["response_errors"]["password"][0]["code"], "invalid");
    let end = browser
        .post(LOGIN, &json!({"password": "correct horse"}))
        .await;
    assert_eq!(end.is(200).json()["to"], "/");
    assert_ne!(browser.session().cloned(), before);
    assert_ne!(browser.csrf(), token);
    let me = browser.get(ME).await.is(200).json();
    assert_eq!(me["user"]["username"], "alice");
}

#[actix_web::test]
async fn a_late_request_keeps_the_login_of_its_own_browser_alone() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.get(LOGIN).await.is(200);
    let mut late = browser.clone();
    browser.logs_in("alice", "correct horse").await.is(200);

    let mut planted = late.clone();
    planted.address = "203.0.113.66".to_owned();
    planted.get(ME).await.is(403);
    planted.get(LOGIN).await.is(200);
    assert_ne!(planted.session(), browser.session());
    planted.get(ME).await.is(403);

    // The same browser, as far as can be seen; but somebody may look like it.
    let before = late.session().cloned();
    late.get(ME).await.is(403);
    late.get(LOGIN).await.is(200);
    late.get("/if/flow/login/").await;
    assert_eq!(late.session().cloned(), before, "it gets no other cookie");
    late.get("/if/user/").await.is(302);
    browser.get(ME).await.is(200);
}

#[actix_web::test]
async fn a_login_that_is_posted_twice_logs_in_once() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser
        .post(LOGIN, &json!({"uid_field": "alice"}))
        .await
        .is(200);
    let mut twin = browser.clone();
    let password = json!({"password": "correct horse"});
    let (one, two) = tokio::join!(browser.post(LOGIN, &password), twin.post(LOGIN, &password));
    for answer in [one, two] {
        let component = answer.is(200).json()["component"].clone();
        assert_ne!(component, "ak-stage-flow-error");
    }
    let sessions = sessions_of(&*server.state.journal, alice.uuid).await;
    let sessions = sessions.expect("a read");
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].value.generation, 1);
    browser.get(ME).await.is(200);
    twin.get(ME).await.is(200);
}

#[actix_web::test]
async fn a_session_that_somebody_else_began_does_not_let_them_in() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut stranger = server.browser();
    stranger.address = "203.0.113.66".to_owned();
    stranger.get(LOGIN).await.is(200);
    let mut victim = server.browser();
    victim.cookies.clone_from(&stranger.cookies);
    victim.logs_in("alice", "correct horse").await.is(200);
    stranger.get(ME).await.is(403);
    stranger.get(LOGIN).await.is(200);
    stranger.get(ME).await.is(403);
    victim.get(ME).await.is(200);
    let sessions = sessions_of(&*server.state.journal, alice.uuid).await;
    let session = &sessions.expect("a read")[0].value;
    assert_eq!(session.last_ip.to_string(), victim.address);
    assert_eq!(session.last_user_agent, "browser/1");
}

#[actix_web::test]
async fn the_former_secret_ends_after_ten_seconds() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.get(LOGIN).await.is(200);
    let mut late = browser.clone();
    browser.logs_in("alice", "correct horse").await.is(200);
    server.state.clock.advance(Duration::from_secs(11));
    late.get(ME).await.is(403);
    assert_ne!(late.session(), browser.session());
    browser.get(ME).await.is(200);
}

#[actix_web::test]
async fn a_session_ends_unless_it_is_used() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    for _ in 0..4 {
        server.state.clock.advance(Duration::from_hours(20));
        browser.get(ME).await.is(200);
    }
    server.state.clock.advance(Duration::from_hours(25));
    browser.get(ME).await.is(403);
}

#[actix_web::test]
async fn a_cookie_that_this_server_did_not_sign_is_none() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    let mut forged = browser.clone();
    let sid = "authentik_session".to_owned();
    let value = Signer::new(&[8; 32]).sign(&"x".to_owned().into(), Some("alice"));
    let value = secrecy::ExposeSecret::expose_secret(&value).to_owned();
    forged.cookies.insert(sid, value);
    forged.get(ME).await.is(403);
}

#[actix_web::test]
async fn somebody_who_is_not_active_is_not_logged_in() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    let found = object::get::<User>(&*server.state.journal, alice.uuid).await;
    let mut found = found.expect("a read").expect("alice");
    found.value.is_active = false;
    server
        .write(vec![object::put(&found.value, found.version)])
        .await;
    browser.get(ME).await.is(403);
}

#[actix_web::test]
async fn a_session_bound_to_its_network_ends_elsewhere() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    let mut sessions = sessions_of(&*server.state.journal, alice.uuid)
        .await
        .expect("a read");
    let mut session = sessions.remove(0);
    session.value.network_binding = NetworkBinding::BindAsnNetworkIp;
    server
        .write(vec![object::put(&session.value, session.version)])
        .await;
    browser.get(ME).await.is(200);
    let mut elsewhere = browser.clone();
    elsewhere.address = "203.0.113.66".to_owned();
    let answer = elsewhere.get(ME).await;
    assert_eq!(
        answer.is(302).location(),
        "/flows/-/default/authentication/?next=%2Fapi%2Fv3%2Fcore%2Fusers%2Fme%2F"
    );
    browser.get(ME).await.is(403);
}

#[actix_web::test]
async fn whoever_planted_the_cookie_cannot_finish_the_login_after_the_password() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let stages = [
        (Kind::Identification, json!({"user_fields": ["username"]})),
        (
            Kind::Password,
            json!({"backends": ["authentik.core.auth.InbuiltBackend"]}),
        ),
        (Kind::UserLogin, json!({"remember_me_offset": "days=1"})),
    ];
    server
        .flow("asks", Designation::Authentication, &stages)
        .await;
    let path = "/api/v3/flows/executor/asks/?query=";
    let mut planted = server.browser();
    planted.get(path).await.is(200);
    let mut victim = planted.clone();
    planted.address = "203.0.113.66".to_owned();
    victim.post(path, &json!({"uid_field": "alice"})).await;
    let password = json!({"password": "correct horse"});
    let asked = victim.post(path, &password).await.is(200).json();
    assert_eq!(asked["component"], "ak-stage-user-login");
    let remember = json!({"remember_me": true});
    let refused = planted.post(path, &remember).await.is(200).json();
    assert_eq!(refused["component"], "ak-stage-identification");
    planted.get(ME).await.is(403);
    let end = victim.post(path, &remember).await.is(200).json();
    assert_eq!(end["component"], "xak-flow-redirect");
    victim.get(ME).await.is(200);
}

#[actix_web::test]
async fn another_password_set_by_the_operator_ends_the_sessions() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    server.user("bob", "correct horse").await;
    let (mut alice, mut bob) = (server.browser(), server.browser());
    alice.logs_in("alice", "correct horse").await.is(200);
    bob.logs_in("bob", "correct horse").await.is(200);
    let (journal, clock) = (&*server.state.journal, &server.state.clock);
    let encoded = password::hash(&"another one".into(), clock);
    setup::set_password(journal, clock, "alice", &encoded, Keeping::default())
        .await
        .expect("she exists");
    alice.get(ME).await.is(403);
    bob.get(ME).await.is(200);
}

#[actix_web::test]
async fn a_picture_on_another_site_logs_nobody_out() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    let mut embedded = browser
        .clone()
        .with_header("sec-fetch-site", "cross-site")
        .with_header("sec-fetch-dest", "image");
    embedded.get("/if/flow/logout/").await.is(403);
    let logout = "/api/v3/flows/executor/logout/?query=";
    let refused = embedded.get(logout).await.is(200).json();
    assert_eq!(refused["component"], "ak-stage-flow-error");
    browser.get(ME).await.is(200);
    let mut link = browser
        .clone()
        .with_header("sec-fetch-site", "cross-site")
        .with_header("sec-fetch-dest", "document");
    link.get("/if/flow/logout/").await.is(302);
    browser.get(ME).await.is(403);
}
