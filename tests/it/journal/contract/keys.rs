//! Data keys: made, wrapped anew and destroyed by commits.

use gatelog::journal::{Error, KeyId, Version, Write};
use uuid::Uuid;

use super::{LAMP, Subject, append_under, in_room, lamp, named, run};

const ALICE: KeyId = KeyId(Uuid::from_u128(1));
const BOB: KeyId = KeyId(Uuid::from_u128(2));
const LOGIN: KeyId = KeyId(Uuid::from_u128(3));

const fn create(id: KeyId, under: KeyId) -> Write {
    Write::CreateKey { id, under }
}

/// The bodies of the stream's records; `None` where it is gone.
async fn bodies(subject: &Subject, id: u128) -> Vec<Option<Vec<u8>>> {
    let read = subject.journal.read(run(id), Version(0)).await;
    let read = read.expect("the journal can be read");
    read.into_iter().map(|envelope| envelope.body).collect()
}

pub(in super::super) async fn a_destroyed_key_takes_its_bodies_along_and_leaves_the_records(
    subject: Subject,
) {
    let object = Write::Put {
        stream: lamp(1),
        expected: Version::NONE,
        key: ALICE,
        schema: 1,
        body: b"alice's".to_vec(),
        unique: vec![named("alice")],
        index: vec![in_room("hall")],
    };
    subject.does(vec![create(ALICE, KeyId::SYSTEM)]).await;
    subject
        .does(vec![object, append_under(ALICE, run(1), 0, "secret")])
        .await;
    subject.does(vec![create(BOB, KeyId::SYSTEM)]).await;
    subject
        .does(vec![append_under(BOB, run(1), 1, "other")])
        .await;
    assert_eq!(subject.bodies_under(in_room("hall")).await.len(), 1);
    let revision = async || {
        let read = subject.journal.get_at(lamp(1), Version(1)).await;
        read.expect("the journal can be read")
    };
    assert!(revision().await.is_some());

    subject.does(vec![Write::DestroyKey { id: ALICE }]).await;
    assert_eq!(bodies(&subject, 1).await, [None, Some(b"other".to_vec())]);
    assert_eq!(subject.found(named("alice")).await, None);
    assert!(subject.bodies_under(in_room("hall")).await.is_empty());
    let object = subject.journal.get(lamp(1)).await;
    assert_eq!(object.expect("the journal can be read"), None);
    assert_eq!(revision().await, None);
    let listed = subject.journal.list(LAMP, None, 10).await;
    assert_eq!(listed.expect("the journal can be read"), []);
    let (head, _) = subject
        .journal
        .head(lamp(1))
        .await
        .expect("the journal can be read");
    assert_eq!(head, Version(1));
    // Destroying it again is nothing, so that a commit may be repeated.
    subject.does(vec![Write::DestroyKey { id: ALICE }]).await;
    // Another key of the same name opens nothing of what the first one sealed.
    subject.does(vec![create(ALICE, KeyId::SYSTEM)]).await;
    let object = subject.journal.get(lamp(1)).await;
    assert!(!matches!(object, Ok(Some(_))), "{object:?}");
    assert!(!matches!(
        subject.journal.get_at(lamp(1), Version(1)).await,
        Ok(Some(_))
    ));
}

pub(in super::super) async fn destroying_a_wrapping_key_takes_along_what_it_wraps(
    subject: Subject,
) {
    subject
        .does(vec![
            create(ALICE, KeyId::SYSTEM),
            create(LOGIN, ALICE),
            append_under(LOGIN, run(1), 0, "login"),
        ])
        .await;
    assert_eq!(bodies(&subject, 1).await, [Some(b"login".to_vec())]);
    subject.does(vec![Write::DestroyKey { id: ALICE }]).await;
    assert_eq!(bodies(&subject, 1).await, [None]);
    let refused = subject
        .commit(vec![append_under(LOGIN, run(1), 1, "more")])
        .await;
    assert!(
        matches!(refused, Err(Error::NoKey(id)) if id == LOGIN.0),
        "{refused:?}"
    );
}

pub(in super::super) async fn a_key_wrapped_anew_survives_its_old_wrapper(subject: Subject) {
    subject
        .does(vec![
            create(ALICE, KeyId::SYSTEM),
            create(BOB, KeyId::SYSTEM),
            create(LOGIN, ALICE),
            append_under(LOGIN, run(1), 0, "login"),
        ])
        .await;
    subject
        .does(vec![Write::WrapKey {
            id: LOGIN,
            under: BOB,
        }])
        .await;
    subject.does(vec![Write::DestroyKey { id: ALICE }]).await;
    assert_eq!(bodies(&subject, 1).await, [Some(b"login".to_vec())]);
    subject.does(vec![Write::DestroyKey { id: BOB }]).await;
    assert_eq!(bodies(&subject, 1).await, [None]);
}

pub(in super::super) async fn a_body_under_an_unknown_key_is_refused(subject: Subject) {
    let wrong = [
        append_under(ALICE, run(1), 0, "x"),
        create(LOGIN, ALICE),
        Write::WrapKey {
            id: ALICE,
            under: KeyId::SYSTEM,
        },
    ];
    for write in wrong {
        let refused = subject.commit(vec![write]).await;
        assert!(
            matches!(refused, Err(Error::NoKey(id)) if id == ALICE.0),
            "{refused:?}"
        );
    }
    let refused = subject
        .commit(vec![Write::DestroyKey { id: KeyId::SYSTEM }])
        .await;
    assert!(
        matches!(refused, Err(Error::KeyRefused { .. })),
        "{refused:?}"
    );
}

pub(in super::super) async fn a_key_is_made_and_used_in_one_commit(subject: Subject) {
    // The order of the writes does not matter, and a key that exists stays as it is.
    for version in 0..2 {
        subject
            .does(vec![
                append_under(ALICE, run(1), version, "x"),
                create(ALICE, KeyId::SYSTEM),
            ])
            .await;
    }
    let read = bodies(&subject, 1).await;
    assert_eq!(read, [Some(b"x".to_vec()), Some(b"x".to_vec())]);
}
