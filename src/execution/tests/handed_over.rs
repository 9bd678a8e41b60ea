//! Links that an operator hands over, and what those get who have no part in an execution.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::links::{SLUG, USED, asks, bench, confirms, is_told, link, mails};
use crate::directory::User;
use crate::execution::Secret;
use crate::flow::input::Canceller;
use crate::journal::object::Versioned;
use crate::stage::Kind;

#[actix::test]
async fn an_operators_link_lets_somebody_in_without_a_mail() {
    let (bench, bob) = bench().await;
    let until = bench.clock.now() + Duration::from_hours(1);
    let make = || async {
        let client = crate::flow::client::Client::nobody();
        let made = bench
            .executions
            .recovery_link(SLUG, bob.uuid, until, client, Uuid::nil())
            .await;
        let made = made.expect("a link");
        let path = secrecy::ExposeSecret::expose_secret(&made.path).to_owned();
        let (_, query) = path.split_once('?').expect("a query");
        query.to_owned()
    };
    let first = make().await;
    let second = make().await;
    let mut late = bench.visitor(SLUG).with_query(&first);
    late.opens().await;
    is_told(&late, USED);
    let mut his = bench.visitor(SLUG).with_query(&second);
    confirms(&mut his).await;
    // The identification is the first stage of this flow; its e-mail stage is passed.
    his.sees("ak-stage-identification");
    his.answers(json!({"uid_field": "bob"})).await;
    his.sees("ak-stage-dummy");
    assert!(mails(&bench).await.is_empty());
    bench.check().await;
}

#[actix::test]
async fn one_users_link_is_no_proof_of_another() {
    let (bench, bob) = bench().await;
    bench.user("eve", "pw").await;
    let until = bench.clock.now() + Duration::from_hours(1);
    let client = crate::flow::client::Client::nobody();
    let eve: Versioned<User> = {
        let found = crate::directory::user_by_username(bench.journal.as_ref(), "eve").await;
        found.expect("a read").expect("she is there")
    };
    let made = bench
        .executions
        .recovery_link(SLUG, eve.value.uuid, until, client, Uuid::nil())
        .await
        .expect("a link");
    let path = secrecy::ExposeSecret::expose_secret(&made.path).to_owned();
    let (_, query) = path.split_once('?').expect("a query");
    let mut hers = bench.visitor(SLUG).with_query(query);
    confirms(&mut hers).await;
    hers.sees("ak-stage-identification");
    hers.answers(json!({ "uid_field": bob.username })).await;
    hers.sees("ak-stage-email");
    assert_eq!(mails(&bench).await.len(), 1, "he is asked himself");
    bench.check().await;
}

/// What an actor says to a command that waited in line while the execution moved.
#[actix::test]
async fn a_request_that_waited_while_it_moved_gets_nothing_of_it() {
    use crate::execution::actor::{Asker, Handle};
    use crate::flow::input::Request as Asked;

    let (bench, _) = bench().await;
    let asking = asks(&bench, "bob").await;
    let own = asking.session.expect("a session");
    let found = crate::execution::unfinished::of_session(bench.journal.as_ref(), own).await;
    let id = found.expect("a read")[0].value.execution;
    let query = link(&bench).await;
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    let waited = |asked: Asked, typed: Option<Value>| Handle {
        typed,
        asker: Some(Asker {
            session: own,
            sid: None,
        }),
        ..bench.executions.handle(&asking.request(), asked)
    };
    let answer = Asked::Answer { challenge: None };
    for (asked, typed) in [
        (Asked::Visit, None),
        (answer.clone(), Some(json!({}))),
        (answer, Some(json!({"component": "ak-stage-dummy"}))),
    ] {
        let answered = bench.executions.send(id, waited(asked, typed)).await;
        let answered = answered.expect("an answer");
        let crate::stage::Reply::Aside { body } = answered.reply else {
            panic!("{answered:?}");
        };
        assert_eq!(body["component"], "ak-stage-access-denied");
        assert_ne!(answered.secret, Secret::New);
    }
    let by = Canceller::Visitor;
    let cancelled = bench
        .executions
        .send(id, waited(Asked::Cancel { by }, None))
        .await;
    assert!(cancelled.is_ok());
    his.opens().await;
    his.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn mails_that_could_not_be_written_keep_nobody_from_getting_theirs() {
    let (bench, _) = bench().await;
    let settings = json!({"use_global_settings": true, "template": "email/none.html"});
    let stages = [
        (Kind::Identification, json!({"user_fields": ["username"]})),
        (Kind::Email, settings),
    ];
    bench.flow("broken", &stages).await;
    for _ in 0..8 {
        let mut visitor = bench.visitor("broken");
        visitor.opens().await;
        visitor.answers(json!({"uid_field": "bob"})).await;
        visitor.sees("ak-stage-access-denied");
    }
    asks(&bench, "bob").await;
    assert_eq!(mails(&bench).await.len(), 1);
    bench.check().await;
}
