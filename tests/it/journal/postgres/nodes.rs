//! Two nodes on one database.

use std::time::Duration;

use futures_util::StreamExt as _;
use gatelog::journal::{
    Commit, Durability, Error, Journal, KeyId, Lease, Position, StreamId, Version, Write,
};
use uuid::Uuid;

use super::super::contract::{append, append_under, lamp, named, put, run};
use super::Database;
use gatelog::journal::postgres::PostgresJournal;

const ALICE: KeyId = KeyId(Uuid::from_u128(1));
const LOGIN: KeyId = KeyId(Uuid::from_u128(2));

struct Two {
    one: PostgresJournal,
    other: PostgresJournal,
    database: Database,
}

async fn two() -> Option<Two> {
    let database = Database::new()?;
    // They are started together on an empty database.
    let (one, other) = tokio::join!(database.open(), database.open());
    Some(Two {
        one: one.expect("the journal opens"),
        other: other.expect("the journal opens"),
        database,
    })
}

impl Two {
    fn commit_of(&self, writes: Vec<Write>, fence: Option<Lease>) -> Commit {
        Commit {
            writes,
            durability: Durability::Durable,
            fence,
            at: self.database.clock.now(),
            correlation: Uuid::from_u128(7),
        }
    }

    async fn on(&self, node: &PostgresJournal, writes: Vec<Write>) -> Result<Position, Error> {
        node.commit(self.commit_of(writes, None)).await
    }
}

async fn bodies(node: &PostgresJournal, stream: StreamId) -> Vec<Option<Vec<u8>>> {
    let read = node.read(stream, Version::NONE).await;
    let read = read.expect("the journal can be read");
    read.into_iter().map(|envelope| envelope.body).collect()
}

#[tokio::test]
async fn what_one_node_wrote_the_other_reads_at_once() {
    let Some(two) = two().await else { return };
    for version in 0..10 {
        let (from, reader) = if version % 2 == 0 {
            (&two.one, &two.other)
        } else {
            (&two.other, &two.one)
        };
        let body = format!("{version}");
        let writes = vec![
            append(run(1), version, &body),
            put(lamp(1), version, &body, "hall"),
        ];
        two.on(from, writes).await.expect("it is allowed");
        let (head, _) = reader.head(run(1)).await.expect("the journal can be read");
        assert_eq!(head, Version(version + 1));
        let found = reader.find(lamp(1).kind, named(&body)).await;
        assert!(found.expect("the journal can be read").is_some());
    }
}

#[tokio::test]
async fn what_another_node_wrote_first_is_a_conflict() {
    let Some(two) = two().await else { return };
    two.on(&two.one, vec![append(run(1), 0, "one")])
        .await
        .expect("it is allowed");
    let refused = two.on(&two.other, vec![append(run(1), 0, "other")]).await;
    assert!(
        matches!(
            refused,
            Err(Error::Conflict {
                actual: Version(1),
                ..
            })
        ),
        "{refused:?}"
    );
    two.on(&two.one, vec![put(lamp(1), 0, "a", "hall")])
        .await
        .expect("it is allowed");
    let refused = two.on(&two.other, vec![put(lamp(2), 0, "a", "hall")]).await;
    assert!(matches!(refused, Err(Error::Taken { .. })), "{refused:?}");
}

#[tokio::test]
async fn of_two_nodes_one_wins_each_version_and_both_follow_the_same_order() {
    const EACH: u64 = 60;
    let Some(two) = two().await else { return };
    let two = std::sync::Arc::new(two);
    let followers = [&two.one, &two.other].map(|node| node.follow(Position(0)));
    let write = |is_one: bool| {
        let two = std::sync::Arc::clone(&two);
        async move {
            let node = if is_one { &two.one } else { &two.other };
            let mut expected = Version::NONE;
            let mut won = 0;
            while won < EACH {
                // A second stream, so that some commits are in nobody's way.
                let own = run(if is_one { 8 } else { 9 });
                let writes = vec![append(run(1), expected.0, "x"), append(own, won, "own")];
                match two.on(node, writes).await {
                    Ok(_) => {
                        expected = expected.next();
                        won += 1;
                    }
                    Err(Error::Conflict { actual, stream, .. }) if stream == run(1) => {
                        expected = actual;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
    };
    let follow = |followed: futures_util::stream::BoxStream<'static, _>| async move {
        let all = followed.take(usize::try_from(4 * EACH).expect("it is small"));
        let all = tokio::time::timeout(Duration::from_mins(1), all.collect::<Vec<_>>());
        let all = all.await.expect("all of it comes");
        all.into_iter()
            .map(|it: Result<_, Error>| it.expect("the record can be read"))
            .map(|(position, it): (Position, gatelog::journal::Envelope)| {
                (position, it.stream, it.version, it.hash.0)
            })
            .collect::<Vec<_>>()
    };
    let [first, second] = followers.map(follow);
    let (first, second, (), ()) = tokio::join!(first, second, write(true), write(false));
    let positions: Vec<u64> = first.iter().map(|it| it.0.0).collect();
    assert_eq!(positions, (1..=4 * EACH).collect::<Vec<_>>(), "no gap");
    assert_eq!(first, second);
    let versions = first.iter().filter(|it| it.1 == run(1)).map(|it| it.2.0);
    assert_eq!(
        versions.collect::<Vec<_>>(),
        (1..=2 * EACH).collect::<Vec<_>>()
    );
    let report = two.one.verify(&[]).await.expect("the database can be read");
    assert!(report.is_sound(), "{:?}", report.findings);
}

#[tokio::test]
async fn a_key_that_one_node_made_opens_on_the_other_until_either_destroys_it() {
    let Some(two) = two().await else { return };
    let create = |id, under| Write::CreateKey { id, under };
    let made = vec![create(ALICE, KeyId::SYSTEM), create(LOGIN, ALICE)];
    two.on(&two.one, made).await.expect("it is allowed");
    let writes = vec![append_under(LOGIN, run(1), 0, "login")];
    two.on(&two.other, writes).await.expect("the key is found");
    for node in [&two.one, &two.other] {
        assert_eq!(bodies(node, run(1)).await, [Some(b"login".to_vec())]);
        let wrapper = node.wrapper(LOGIN).await.expect("the journal can be read");
        assert_eq!(wrapper, Some(ALICE));
        let under = node.keys_under(ALICE).await;
        assert_eq!(under.expect("the journal can be read"), [LOGIN]);
    }
    let destroyed = vec![Write::DestroyKey { id: ALICE }];
    two.on(&two.one, destroyed).await.expect("it is allowed");
    for node in [&two.other, &two.one] {
        assert_eq!(bodies(node, run(1)).await, [None]);
        for key in [ALICE, LOGIN] {
            let wrapper = node.wrapper(key).await.expect("the journal can be read");
            assert_eq!(wrapper, None);
        }
    }
    let writes = vec![append_under(LOGIN, run(1), 1, "more")];
    let refused = two.on(&two.other, writes).await;
    assert!(
        matches!(refused, Err(Error::NoKey(id)) if id == LOGIN.0),
        "{refused:?}"
    );
    // A key of the same name is another key: what the old one sealed stays locked.
    let again = vec![create(ALICE, KeyId::SYSTEM), create(LOGIN, ALICE)];
    two.on(&two.other, again).await.expect("it is allowed");
    let read = two.one.read(run(1), Version::NONE).await;
    assert!(read.is_err(), "it does not open under another key");
}

#[tokio::test]
async fn a_lease_that_one_node_has_the_other_takes_over_only_once_it_ran_out() {
    let Some(two) = two().await else { return };
    let ttl = Duration::from_secs(10);
    let first = two.one.lease("courier", ttl).await;
    let first = first.expect("the lease is free");
    let refused = two.other.lease("courier", ttl).await;
    assert!(
        matches!(&refused, Err(Error::LeaseLost { name }) if name == "courier"),
        "{refused:?}"
    );
    two.database.clock.advance(ttl);
    let taken = two.other.lease("courier", ttl).await;
    let taken = taken.expect("it ran out");
    assert!(taken.epoch > first.epoch);
    let refused = two.one.lease("courier", ttl).await;
    assert!(
        matches!(refused, Err(Error::LeaseLost { .. })),
        "{refused:?}"
    );

    let fenced = |lease| two.commit_of(vec![append(run(1), 0, "x")], Some(lease));
    let refused = two.one.commit(fenced(first)).await;
    assert!(
        matches!(refused, Err(Error::LeaseLost { .. })),
        "{refused:?}"
    );
    let done = two.other.commit(fenced(taken)).await;
    done.expect("the lease is held");
}

#[tokio::test]
async fn bodies_that_one_node_removed_are_gone_on_the_other_and_the_chain_is_whole() {
    let Some(two) = two().await else { return };
    let writes = vec![
        append(run(1), 0, "old"),
        append(run(1), 1, "new"),
        put(lamp(1), 0, "a", "hall"),
        put(lamp(1), 1, "b", "hall"),
    ];
    two.on(&two.one, writes).await.expect("it is allowed");
    let records = [(run(1), 1), (lamp(1), 1), (lamp(1), 2), (run(9), 1)];
    let records = records.map(|(stream, version)| (stream, Version(version)));
    let removed = two.one.remove_bodies(records.into()).await;
    // What is current stays.
    assert_eq!(removed.expect("it can be written"), 2);
    assert_eq!(
        bodies(&two.other, run(1)).await,
        [None, Some(b"new".to_vec())]
    );
    let current = two
        .other
        .get(lamp(1))
        .await
        .expect("the journal can be read");
    assert_eq!(&*current.expect("it is there").body, b"b in hall");
    let before = two.other.get_at(lamp(1), Version(1)).await;
    assert_eq!(before.expect("the journal can be read"), None);
    let report = two
        .other
        .verify(&[])
        .await
        .expect("the database can be read");
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.records, report.bodies_gone), (4, 2));
}
