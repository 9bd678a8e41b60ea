//! The directory on a journal: what is found, what is refused, what happens at once.

mod access;
mod logins;
mod users;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::session::NetworkBinding;
use super::token::Intent;
use super::*;
use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::journal::memory::MemoryJournal;
use crate::journal::object::{self, Versioned, put};
use crate::journal::{Commit, Durability, Journal, Version, Write};

const HOUR: Duration = Duration::from_hours(1);

async fn commit(journal: &MemoryJournal, writes: Vec<Write>) -> crate::journal::Result<()> {
    let commit = Commit {
        writes,
        durability: Durability::Relaxed,
        fence: None,
        at: Timestamp::UNIX_EPOCH,
        correlation: Uuid::nil(),
    };
    journal.commit(commit).await.map(drop)
}

async fn prepared() -> (Clock, MemoryJournal) {
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let journal = MemoryJournal::new(clock.clone());
    command::prepare(&journal, &clock)
        .await
        .expect("an empty journal can be prepared");
    (clock, journal)
}

async fn user(journal: &MemoryJournal, clock: &Clock, new: NewUser) -> User {
    create_user(journal, clock, new).await.expect("it is valid")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
}

fn anonymous(clock: &Clock) -> Session {
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Session::anonymous(clock, clock.now(), HOUR, ip, "a browser")
}

#[tokio::test]
async fn nobody_is_made_before_the_installation_is_prepared() {
    let clock = Clock::system();
    let journal = MemoryJournal::new(clock.clone());
    let early = create_user(&journal, &clock, NewUser::named("alice")).await;
    assert!(matches!(early, Err(Error::NotInstalled)));
    let first = command::prepare(&journal, &clock).await.expect("made");
    let second = command::prepare(&journal, &clock).await.expect("found");
    assert_eq!(first.value.install_id, second.value.install_id);
    assert!(!first.value.is_set_up());
}

#[tokio::test]
async fn membership_goes_upwards_and_survives_circles() {
    let (clock, journal) = prepared().await;
    let mut admins = Group::new(&clock, "admins");
    let mut staff = Group::new(&clock, "staff");
    let team = Group::new(&clock, "a team");
    admins.is_superuser = true;
    admins.parents = vec![staff.pk];
    staff.parents = vec![admins.pk, Uuid::from_u128(7)];
    let writes = [&admins, &staff, &team].map(|group| put(group, Version::NONE));
    commit(&journal, writes.to_vec())
        .await
        .expect("all are new");
    let mut new = NewUser::named("alice");
    new.groups = vec![staff.pk, team.pk];
    let alice = user(&journal, &clock, new).await;
    let names: Vec<_> = groups_of(&journal, &alice).await.expect("readable");
    let names: Vec<_> = names
        .iter()
        .map(|group| group.value.name.as_str())
        .collect();
    assert_eq!(names, ["a team", "admins", "staff"]);
    assert!(is_superuser(&journal, &alice).await.expect("readable"));
    let bob = user(&journal, &clock, NewUser::named("bob")).await;
    assert!(!is_superuser(&journal, &bob).await.expect("readable"));
    let inside = user::users_in(&journal, staff.pk).await.expect("readable");
    assert_eq!(inside.len(), 1);
}

#[tokio::test]
async fn a_removed_user_leaves_nothing_that_can_be_read() {
    let (clock, journal) = prepared().await;
    let alice = user(&journal, &clock, NewUser::named("alice")).await;
    let mut session = anonymous(&clock);
    session.user = Some(alice.uuid);
    let name = "mail".parse().expect("a slug");
    let token = Token::new(&clock, name, Intent::AppPassword, alice.uuid);
    let former = password_history::Former {
        hash: "a former one".into(),
        created_at: clock.now(),
    };
    let history = PasswordHistory {
        user: alice.uuid,
        former: vec![former],
    };
    let writes = vec![
        put(&session, Version::NONE),
        put(&token, Version::NONE),
        put(&history, Version::NONE),
    ];
    commit(&journal, writes).await.expect("all are new");
    let stored = user_by_pk(&journal, alice.pk).await.expect("readable");
    let writes = command::deletion(&journal, &stored.expect("she exists"), &[]).await;
    commit(&journal, writes.expect("readable"))
        .await
        .expect("nothing moved");
    assert!(users(&journal).await.expect("readable").is_empty());
    let found = session_by_sid(&journal, &session.sid, clock.now()).await;
    assert!(found.expect("readable").is_none());
    let kept = object::get::<PasswordHistory>(&journal, alice.uuid).await;
    assert!(kept.expect("readable").is_none());
    let former = object::get_at::<User>(&journal, alice.uuid, Version(1)).await;
    assert!(former.expect("readable").is_none());
    // The name is free again, the number is not.
    let next = user(&journal, &clock, NewUser::named("alice")).await;
    assert_eq!(next.pk, 2);
}

#[tokio::test]
async fn the_setup_link_is_good_until_it_was_used() {
    let clock = Clock::system();
    let mut install = Install::new(&clock);
    let Setup::Waiting { token } = install.setup.clone() else {
        panic!("it waits");
    };
    assert!(install.setup_token_is(&token));
    assert!(!install.setup_token_is(&"guess".into()));
    install.setup = Setup::Done;
    assert!(!install.setup_token_is(&token) && install.is_set_up());
}
