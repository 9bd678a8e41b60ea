//! Logins: how many are kept, and that two at once are not in each other's way.

use super::login::{KEPT, remember};
use super::*;
use crate::geoip::Place;
use crate::journal::Error;

fn now(clock: &Clock, user: &User) -> Login {
    clock.advance(Duration::from_secs(1));
    Login {
        id: clock.ordered_id(),
        user: user.uuid,
        at: clock.now(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        place: Place::default(),
    }
}

async fn writes(journal: &MemoryJournal, login: &Login) -> Vec<Write> {
    remember(journal, login).await.expect("readable")
}

#[tokio::test]
async fn the_newest_fifty_are_kept_or_a_few_more() {
    let (clock, journal) = prepared().await;
    let alice = user(&journal, &clock, NewUser::named("alice")).await;
    let bob = user(&journal, &clock, NewUser::named("bob")).await;
    let other = now(&clock, &bob);
    commit(&journal, writes(&journal, &other).await)
        .await
        .expect("it is new");
    let mut all = Vec::new();
    for count in 1..=150 {
        let login = now(&clock, &alice);
        commit(&journal, writes(&journal, &login).await)
            .await
            .expect("it is new");
        all.push(login);
        let known = logins_of(&journal, alice.uuid).await.expect("readable");
        assert!(known.len() >= count.min(KEPT) && known.len() < KEPT + 10);
        let newest = all.iter().rev().take(known.len());
        assert!(known.iter().map(|it| &it.value).eq(newest));
    }
    let known = logins_of(&journal, bob.uuid).await.expect("readable");
    assert_eq!(known.len(), 1, "somebody else's login went");
}

#[tokio::test]
async fn two_logins_at_once_meet_only_where_old_ones_go() {
    let (clock, journal) = prepared().await;
    let alice = user(&journal, &clock, NewUser::named("alice")).await;
    let mut met = 0;
    for _ in 0..100 {
        let (one, other) = (now(&clock, &alice), now(&clock, &alice));
        let (first, second) = (writes(&journal, &one).await, writes(&journal, &other).await);
        commit(&journal, first).await.expect("nobody was before it");
        match commit(&journal, second).await {
            Ok(()) => {}
            Err(Error::Conflict { .. }) => {
                met += 1;
                let again = writes(&journal, &other).await;
                commit(&journal, again).await.expect("it looked again");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!((1..=20).contains(&met), "{met} of 100 met");
}
