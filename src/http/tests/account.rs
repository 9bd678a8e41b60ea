//! The user's page, as far as there is no flow for it.

use super::{ME, Server};
use crate::directory::UserConsent;
use crate::directory::change::{Means, history};
use crate::journal::StreamId;
use crate::journal::object::Stored as _;

const CONSENTS: &str = "/if/user/consents/";

#[actix_web::test]
async fn a_consent_is_taken_back_by_whoever_gave_it() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    server.user("bob", "correct horse").await;
    let consent = UserConsent {
        id: server.state.clock.opaque_id(),
        user: alice.uuid,
        application: "wiki".to_owned(),
        permissions: "profile email".to_owned(),
        expires: None,
    };
    server.put(&consent).await;
    let revoke = format!("{CONSENTS}{}/revoke/", consent.id);
    let mut owner = server.browser();
    owner.logs_in("alice", "correct horse").await.is(200);
    let page = owner.get(CONSENTS).await;
    page.is(200).shows("wiki").shows("email").shows(&revoke);

    let mut other = server.browser();
    other.logs_in("bob", "correct horse").await.is(200);
    let theirs = other.get(CONSENTS).await;
    assert!(!theirs.is(200).body.contains("wiki"));
    let token = other.csrf();
    let forged = other.post_form(&revoke, &[("csrf", &token)]).await;
    forged.is(404);
    owner.post_form(&revoke, &[]).await.is(403).shows("wiki");

    let token = page.hidden("csrf");
    let gone = owner.post_form(&revoke, &[("csrf", &token)]).await;
    assert_eq!(gone.is(303).location(), "/if/user/consents/?done=revoked");
    let page = owner.get(CONSENTS).await;
    page.is(200).shows("No application has asked you yet.");
    owner.post_form(&revoke, &[("csrf", &token)]).await.is(404);
}

#[actix_web::test]
async fn a_consent_that_is_taken_back_is_noted() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let consent = UserConsent {
        id: server.state.clock.opaque_id(),
        user: alice.uuid,
        application: "wiki".to_owned(),
        permissions: String::new(),
        expires: None,
    };
    server.put(&consent).await;
    let mut owner = server.browser();
    owner.logs_in("alice", "correct horse").await.is(200);
    let token = owner.csrf();
    let revoke = format!("{CONSENTS}{}/revoke/", consent.id);
    owner.post_form(&revoke, &[("csrf", &token)]).await.is(303);
    let stream = StreamId::new(UserConsent::KIND, consent.id);
    let told = history(&*server.state.journal, stream).await;
    let told = told.expect("a history");
    let last = told.last().expect("a revision");
    let author = last.change.as_ref().map(|it| it.author.clone());
    let author = author.expect("a note");
    assert_eq!(author.user, Some(alice.uuid));
    assert_eq!(author.means, Means::Page);
    assert_eq!(author.request, Some(format!("POST {revoke}")));
}

#[actix_web::test]
async fn where_the_operator_wants_no_changes_the_page_offers_none() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut owner = server.browser();
    owner.logs_in("alice", "correct horse").await.is(200);
    for path in ["/if/user/", "/if/user/password/"] {
        let page = owner.get(path).await;
        page.is(200).shows("Only an administrator can change");
        assert!(!page.body.contains("<form"), "{}", page.body);
    }
    let token = owner.csrf();
    let fields = [("csrf", token.as_str()), ("name", "Another")];
    owner.post_form("/if/user/", &fields).await.is(200);
    let known = owner.get(ME).await.json();
    assert_eq!(known["user"]["name"], "");
}
