//! Links that lead back to an execution, from any browser: what opening one does, who gets the
//! execution when it is confirmed, and what becomes of everybody else.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, Visitor};
use crate::courier::outbox::Mail;
use crate::directory::User;
use crate::directory::link::{self, Link};
use crate::execution::Cancel;
use crate::flow::event::Event;
use crate::flow::input::Canceller;
use crate::flow::model::Designation;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Journal, Version};
use crate::replay;
use crate::stage::Kind;
use crate::world::record::KIND;

pub(super) const SLUG: &str = "recovery";

/// A recovery: who, a mailed link, a question, and logged in.
fn recovery() -> Vec<(Kind, Value)> {
    vec![
        (
            Kind::Identification,
            json!({"user_fields": ["username"], "show_matched_user": false}),
        ),
        (Kind::Email, json!({"use_global_settings": true})),
        (Kind::Dummy, json!({})),
        (Kind::UserLogin, json!({})),
    ]
}

pub(super) async fn bench() -> (Bench, User) {
    let bench = Bench::new();
    let mut flow = bench.flow(SLUG, &recovery()).await;
    flow.designation = Designation::Recovery;
    bench.write(vec![object::put(&flow, Version(1))]).await;
    let mut user = bench.user("bob", "pw").await;
    let stored: Versioned<User> = bench.stored(user.uuid).await.expect("he is there");
    user.email = "bob@id.example".to_owned();
    bench.write(vec![object::put(&user, stored.version)]).await;
    (bench, user)
}

/// Asks for a link and waits for it.
pub(super) async fn asks<'a>(bench: &'a Bench, name: &str) -> Visitor<'a> {
    let mut visitor = bench.visitor(SLUG);
    visitor.opens().await;
    visitor.answers(json!({ "uid_field": name })).await;
    visitor.sees("ak-stage-email");
    visitor
}

pub(super) async fn mails(bench: &Bench) -> Vec<Mail> {
    let found = Journal::list(bench.journal.as_ref(), Mail::KIND, None, usize::MAX).await;
    let found = found.expect("a list");
    let mut mails: Vec<Mail> = found
        .iter()
        .map(|it| object::open::<Mail>(it).expect("a mail").value)
        .collect();
    mails.sort_by_key(|mail| mail.created);
    mails
}

/// The query string of the link in the latest mail.
pub(super) async fn link(bench: &Bench) -> String {
    let mail = mails(bench).await.pop().expect("a mail");
    let (_, rest) = mail
        .text
        .split_once("https://id.example/if/flow/")
        .expect("a link");
    let link = rest.split_whitespace().next().expect("a link");
    let (slug, query) = link.split_once("/?").expect("a query");
    assert_eq!(slug, SLUG);
    query.to_owned()
}

/// Confirms the link in this browser.
pub(super) async fn confirms(visitor: &mut Visitor<'_>) {
    visitor.opens().await;
    visitor.sees("ak-stage-consent");
    let token = visitor.body()["token"].clone();
    visitor.answers(json!({ "token": token })).await;
}

async fn events(bench: &Bench) -> Vec<Vec<Event>> {
    let streams = bench.journal.streams(KIND, None, usize::MAX).await;
    let mut ids: Vec<Uuid> = streams.expect("streams").iter().map(|it| it.id).collect();
    ids.sort();
    let mut all = Vec::new();
    for id in ids {
        let entries = replay::entries(bench.journal.as_ref(), id).await;
        let entries = entries.expect("entries");
        all.push(replay::events(&entries).into_iter().cloned().collect());
    }
    all
}

#[track_caller]
pub(super) fn is_told(visitor: &Visitor<'_>, text: &str) {
    let told = visitor.sees("ak-stage-access-denied").body()["error_message"].clone();
    let told = told.as_str().unwrap_or_default();
    assert!(told.starts_with(text), "{told}");
}

const ELSEWHERE: &str = "This was continued in another window.";
pub(super) const USED: &str = "Link was already used, please request a new link.";
const INVALID: &str = "This link is invalid or has expired. Please request a new one.";

#[actix::test]
async fn whoever_confirms_the_link_goes_on_and_whoever_asked_gets_nothing_more() {
    let (bench, bob) = bench().await;
    let mut attacker = asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    // The attacker neither sees nor answers what comes now.
    attacker.opens().await;
    is_told(&attacker, ELSEWHERE);
    assert_eq!(attacker.body()["pending_user"], "");
    attacker.answers(json!({})).await;
    is_told(&attacker, ELSEWHERE);
    attacker
        .answers(json!({"component": "ak-stage-dummy"}))
        .await;
    is_told(&attacker, ELSEWHERE);
    his.opens().await;
    his.sees("ak-stage-dummy");
    his.answers(json!({})).await;
    his.is_sent_to("/");
    assert_eq!(his.session_object().await.value.user, Some(bob.uuid));
    assert_eq!(attacker.session_object().await.value.user, None);
    bench.check().await;
}

#[actix::test]
async fn the_browser_that_asked_may_confirm_as_well_and_goes_on_in_both_tabs() {
    let (bench, _) = bench().await;
    let mut first = asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut second = first.tab(SLUG, &query);
    confirms(&mut second).await;
    second.sees("ak-stage-dummy");
    first.opens().await;
    first.sees("ak-stage-dummy");
    first.answers(json!({})).await;
    first.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_program_that_opens_every_link_changes_nothing() {
    let (bench, _) = bench().await;
    let mut asking = asks(&bench, "bob").await;
    let query = link(&bench).await;
    let link_id = link::known(&query).1.expect("a link");
    let before: Versioned<Link> = bench.stored(link_id).await.expect("the link");
    for _ in 0..10 {
        let mut scanner = bench.visitor(SLUG).with_query(&query);
        scanner.opens().await;
        scanner.sees("ak-stage-consent");
        assert_eq!(scanner.body()["permissions"], json!([]));
    }
    let after: Versioned<Link> = bench.stored(link_id).await.expect("the link");
    assert_eq!((before.version, before.value), (after.version, after.value));
    let opened = |event: &Event| matches!(event, Event::LinkOpened { .. });
    let count = events(&bench)
        .await
        .concat()
        .iter()
        .filter(|it| opened(it))
        .count();
    assert_eq!(count, 3, "not more than three times is it noted");
    asking.opens().await;
    asking.sees("ak-stage-email").without_errors();
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn without_the_token_of_the_page_nothing_is_confirmed() {
    let (bench, _) = bench().await;
    asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut his = bench.visitor(SLUG).with_query(&query);
    his.answers(json!({})).await;
    his.sees("ak-stage-consent").with_error("token", "required");
    his.answers(json!({ "token": Uuid::nil() })).await;
    his.sees("ak-stage-consent").with_error("token", "invalid");
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn a_link_works_once() {
    let (bench, _) = bench().await;
    asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    let mut late = bench.visitor(SLUG).with_query(&query);
    late.opens().await;
    is_told(&late, USED);
    his.opens().await;
    his.sees("ak-stage-dummy");
    his.answers(json!({})).await;
    his.is_sent_to("/");
    // Also once all is over.
    late.opens().await;
    is_told(&late, USED);
    bench.check().await;
}

#[actix::test]
async fn a_link_that_ended_or_that_nobody_made_says_so() {
    let (bench, _) = bench().await;
    let mut asking = asks(&bench, "bob").await;
    let query = link(&bench).await;
    bench.clock.advance(Duration::from_mins(32));
    let mut late = bench.visitor(SLUG).with_query(&query);
    late.opens().await;
    is_told(&late, INVALID);
    late.answers(json!({ "token": Uuid::nil() })).await;
    is_told(&late, INVALID);
    let mut wrong = bench.visitor(SLUG).with_query("flow_token=nobody-made-it");
    wrong.opens().await;
    is_told(&wrong, INVALID);
    // Another one can be asked for.
    asking.answers(json!({})).await;
    asking
        .sees("ak-stage-email")
        .with_error("non_field_errors", "email-sent");
    let query = link(&bench).await;
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn the_first_of_several_links_ends_the_others() {
    let (bench, _) = bench().await;
    let mut asking = asks(&bench, "bob").await;
    let first = link(&bench).await;
    bench.clock.advance(Duration::from_secs(1));
    asking.answers(json!({})).await;
    let second = link(&bench).await;
    assert_ne!(first, second);
    let mut his = bench.visitor(SLUG).with_query(&first);
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    let mut other = bench.visitor(SLUG).with_query(&second);
    other.opens().await;
    is_told(&other, USED);
    bench.check().await;
}

#[actix::test]
async fn a_link_of_another_flow_begins_its_own_flow_and_stays_good() {
    let (bench, _) = bench().await;
    bench.flow("other", &[(Kind::Dummy, json!({}))]).await;
    asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut visitor = bench.visitor("other").with_query(&query);
    visitor.opens().await;
    visitor.sees("ak-stage-dummy");
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn the_secret_of_a_link_is_in_no_record() {
    let (bench, _) = bench().await;
    asks(&bench, "bob").await;
    let query = link(&bench).await;
    let (_, secret) = query.split_once("flow_token=").expect("a secret");
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    his.answers(json!({})).await;
    let mut late = bench.visitor(SLUG).with_query(&query);
    late.opens().await;
    assert!(!bench.trail().await.contains(secret));
    bench.check().await;
}

#[actix::test]
async fn a_stranger_sees_the_same_and_a_mail_to_nobody_is_written() {
    let (bench, _) = bench().await;
    let mut seen = Vec::new();
    for name in ["bob", "nobody-at-all"] {
        let mut visitor = asks(&bench, name).await;
        let shown = |visitor: &Visitor<'_>| {
            let text = Value::Object(visitor.body().clone()).to_string();
            text.replace(name, "NAME")
        };
        let mut all = vec![shown(&visitor)];
        visitor.answers(json!({})).await;
        all.push(shown(&visitor));
        visitor.opens().await;
        all.push(shown(&visitor));
        seen.push(all);
    }
    assert_eq!(seen[0], seen[1]);
    let mails = mails(&bench).await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to_address.as_str()).collect();
    assert_eq!(to.iter().filter(|to| to.is_empty()).count(), 2);
    assert_eq!(to.iter().filter(|to| **to == "bob@id.example").count(), 2);
    // As many events of the same kinds, so that neither takes longer.
    let names: Vec<Vec<String>> = events(&bench)
        .await
        .iter()
        .map(|events| events.iter().map(name_of).collect())
        .collect();
    let without = |names: &[String]| -> Vec<String> {
        let differs = ["user_identified", "reputation_changed"];
        let same = names.iter().filter(|it| !differs.contains(&it.as_str()));
        same.cloned().collect()
    };
    assert_eq!(without(&names[0]), without(&names[1]));
    bench.check().await;
}

fn name_of(event: &Event) -> String {
    let value = serde_json::to_value(event).expect("JSON");
    value["event"].as_str().expect("a name").to_owned()
}

#[actix::test]
async fn an_address_gets_only_so_many_mails_whoever_asks() {
    let (bench, _) = bench().await;
    for _ in 0..4 {
        let mut visitor = asks(&bench, "bob").await;
        visitor.answers(json!({})).await;
        visitor.with_error("non_field_errors", "email-sent");
    }
    assert_eq!(mails(&bench).await.len(), 6, "five, and the first one");
    let withheld = |event: &Event| matches!(event, Event::MailWithheld { .. });
    let count = events(&bench)
        .await
        .concat()
        .iter()
        .filter(|it| withheld(it))
        .count();
    assert_eq!(count, 2);
    bench.clock.advance(Duration::from_mins(5));
    asks(&bench, "bob").await;
    assert_eq!(mails(&bench).await.len(), 7);
    bench.check().await;
}

#[actix::test]
async fn whoever_lost_it_to_another_browser_can_begin_anew() {
    let (bench, _) = bench().await;
    let mut asking = asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut his = bench.visitor(SLUG).with_query(&query);
    confirms(&mut his).await;
    asking.opens().await;
    is_told(&asking, ELSEWHERE);
    let session = asking.session.expect("a session");
    let request = asking.request();
    // A browser may also keep to itself from which page it comes.
    let which = Cancel::All;
    bench
        .executions
        .cancel(
            session,
            which,
            Canceller::Visitor,
            &request.client,
            Uuid::nil(),
        )
        .await
        .expect("it is cancelled");
    asking.opens().await;
    asking.sees("ak-stage-identification");
    // What went on elsewhere goes on there.
    his.opens().await;
    his.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn a_restart_of_the_server_changes_none_of_it() {
    let (mut bench, _) = bench().await;
    let asking = asks(&bench, "bob").await;
    let (session, before) = (asking.session, asking.body().clone());
    let query = link(&bench).await;
    bench.restart();
    let mut asking = bench.visitor(SLUG);
    asking.session = session;
    asking.opens().await;
    assert_eq!(*asking.body(), before);
    let mut his = bench.visitor(SLUG).with_query(&query);
    his.opens().await;
    let shown = his.body().clone();
    bench.restart();
    let mut his = bench.visitor(SLUG).with_query(&query);
    his.opens().await;
    assert_eq!(*his.body(), shown);
    confirms(&mut his).await;
    his.sees("ak-stage-dummy");
    let session = his.session;
    bench.restart();
    let mut his = bench.visitor(SLUG).with_query(&query);
    his.session = session;
    his.opens().await;
    his.sees("ak-stage-dummy");
    bench.check().await;
}
