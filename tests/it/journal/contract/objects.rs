//! Objects: revisions, unique keys and index keys.

use gatelog::journal::{Error, Key, KeyId, Kind, Object, StreamId, Version, Write};
use uuid::Uuid;

use super::{LAMP, Subject, delete, in_room, lamp, named, put};

pub(in super::super) async fn the_current_revision_and_each_older_one_can_be_read(
    subject: Subject,
) {
    assert_eq!(current(&subject, lamp(1)).await, None);
    subject.does(vec![put(lamp(1), 0, "a", "hall")]).await;
    subject.does(vec![put(lamp(1), 1, "a", "study")]).await;

    let object = current(&subject, lamp(1)).await.expect("it is there");
    assert_eq!(
        object,
        Object {
            stream: lamp(1),
            version: Version(2),
            at: subject.clock.now(),
            schema: 1,
            body: b"a in study".to_vec().into(),
        }
    );
    assert_eq!(revision(&subject, 1).await.as_deref(), Some("a in hall"));
    assert_eq!(revision(&subject, 2).await.as_deref(), Some("a in study"));
    assert_eq!(revision(&subject, 0).await, None);
    assert_eq!(revision(&subject, 3).await, None);
    // Every revision is a record of the object's stream.
    let records = subject.journal.read(lamp(1), Version(0)).await;
    assert_eq!(records.expect("the journal can be read").len(), 2);
}

pub(in super::super) async fn a_deleted_object_is_gone_and_its_revisions_stay(subject: Subject) {
    subject.does(vec![put(lamp(1), 0, "a", "hall")]).await;
    subject.does(vec![delete(lamp(1), 1)]).await;
    assert_eq!(current(&subject, lamp(1)).await, None);
    assert_eq!(subject.found(named("a")).await, None);
    assert!(subject.bodies_under(in_room("hall")).await.is_empty());
    let listed = subject.journal.list(LAMP, None, 10).await;
    assert_eq!(listed.expect("the journal can be read"), []);

    assert_eq!(revision(&subject, 1).await.as_deref(), Some("a in hall"));
    assert_eq!(revision(&subject, 2).await, None);
    let records = subject.journal.read(lamp(1), Version(1)).await;
    let records = records.expect("the journal can be read");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].body, None);
}

pub(in super::super) async fn a_deleted_object_can_be_put_again(subject: Subject) {
    subject.does(vec![put(lamp(1), 0, "a", "hall")]).await;
    subject.does(vec![delete(lamp(1), 1)]).await;
    let refused = subject.commit(vec![put(lamp(1), 0, "a", "hall")]).await;
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
    subject.does(vec![put(lamp(1), 2, "a", "study")]).await;
    let object = current(&subject, lamp(1)).await.expect("it is back");
    assert_eq!(object.version, Version(3));
    assert_eq!(
        subject.found(named("a")).await.as_deref(),
        Some(&b"a in study"[..])
    );
}

pub(in super::super) async fn a_unique_key_belongs_to_one_object_until_it_is_given_up(
    subject: Subject,
) {
    subject.does(vec![put(lamp(1), 0, "a", "hall")]).await;
    let refused = subject.commit(vec![put(lamp(2), 0, "a", "hall")]).await;
    let Err(Error::Taken { kind, name }) = refused else {
        panic!("the key is taken, not {refused:?}");
    };
    assert_eq!((kind, name.as_str()), (LAMP, "name"));
    // Its own object may keep it.
    subject.does(vec![put(lamp(1), 1, "a", "study")]).await;
    // Another revision without it gives it up, and so does a deletion.
    subject.does(vec![put(lamp(1), 2, "b", "study")]).await;
    assert_eq!(subject.found(named("a")).await, None);
    subject.does(vec![put(lamp(2), 0, "a", "hall")]).await;
    subject.does(vec![delete(lamp(2), 1)]).await;
    subject.does(vec![put(lamp(3), 0, "a", "attic")]).await;
    assert_eq!(
        subject.found(named("a")).await.as_deref(),
        Some(&b"a in attic"[..])
    );
}

pub(in super::super) async fn unique_keys_of_different_kinds_and_names_do_not_meet(
    subject: Subject,
) {
    let chair = StreamId::new(Kind::new("chair"), Uuid::from_u128(1));
    subject.does(vec![put(lamp(1), 0, "a", "hall")]).await;
    subject.does(vec![put(chair, 0, "a", "hall")]).await;
    let other = Write::Put {
        stream: lamp(2),
        expected: Version::NONE,
        key: KeyId::SYSTEM,
        schema: 1,
        body: b"other".to_vec(),
        unique: vec![Key::new("label", "a"), Key::new("label", "b")],
        index: Vec::new(),
    };
    subject.does(vec![other]).await;
    assert_eq!(
        subject.found(named("a")).await.as_deref(),
        Some(&b"a in hall"[..])
    );
    for label in ["a", "b"] {
        let found = subject.found(Key::new("label", label)).await;
        assert_eq!(found.as_deref(), Some(&b"other"[..]));
    }
    assert_eq!(subject.found(named("b")).await, None);
}

pub(in super::super) async fn two_objects_exchange_their_unique_keys_in_one_commit(
    subject: Subject,
) {
    subject
        .does(vec![
            put(lamp(1), 0, "a", "hall"),
            put(lamp(2), 0, "b", "hall"),
        ])
        .await;
    subject
        .does(vec![
            put(lamp(1), 1, "b", "attic"),
            put(lamp(2), 1, "a", "hall"),
        ])
        .await;
    assert_eq!(
        subject.found(named("a")).await.as_deref(),
        Some(&b"a in hall"[..])
    );
    assert_eq!(
        subject.found(named("b")).await.as_deref(),
        Some(&b"b in attic"[..])
    );
    // The one that is deleted leaves its key to a later write of the same commit.
    subject
        .does(vec![delete(lamp(1), 2), put(lamp(3), 0, "b", "cellar")])
        .await;
    assert_eq!(
        subject.found(named("b")).await.as_deref(),
        Some(&b"b in cellar"[..])
    );
}

pub(in super::super) async fn two_objects_of_one_commit_cannot_share_a_unique_key(
    subject: Subject,
) {
    let both = vec![put(lamp(1), 0, "a", "hall"), put(lamp(2), 0, "a", "hall")];
    let refused = subject.commit(both).await;
    assert!(matches!(refused, Err(Error::Taken { .. })), "{refused:?}");
    assert_eq!(current(&subject, lamp(1)).await, None);
}

pub(in super::super) async fn an_index_key_finds_all_its_objects_in_pages(subject: Subject) {
    for id in [4, 2, 5, 1, 3] {
        let room = if id == 3 { "attic" } else { "hall" };
        subject
            .does(vec![put(lamp(id), 0, &format!("{id}"), room)])
            .await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = subject.journal.scan(LAMP, in_room("hall"), after, 3).await;
        let page = page.expect("the journal can be read");
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some(last.stream.id);
        seen.extend(page.into_iter().map(|object| object.stream));
    }
    assert_eq!(seen, [lamp(1), lamp(2), lamp(4), lamp(5)]);

    subject.does(vec![put(lamp(2), 1, "2", "attic")]).await;
    assert_eq!(
        subject.bodies_under(in_room("attic")).await,
        [b"2 in attic".to_vec(), b"3 in attic".to_vec()]
    );
    assert_eq!(subject.bodies_under(in_room("hall")).await.len(), 3);
}

pub(in super::super) async fn objects_are_listed_by_id_in_pages(subject: Subject) {
    for id in [4, 2, 1, 3] {
        subject
            .does(vec![put(lamp(id), 0, &format!("{id}"), "hall")])
            .await;
    }
    subject.does(vec![delete(lamp(2), 1)]).await;
    let first = subject.journal.list(LAMP, None, 2).await;
    let first = streams(first.expect("the journal can be read"));
    assert_eq!(first, [lamp(1), lamp(3)]);
    let rest = subject.journal.list(LAMP, Some(lamp(3).id), 2).await;
    let rest = streams(rest.expect("the journal can be read"));
    assert_eq!(rest, [lamp(4)]);
}

fn streams(objects: Vec<Object>) -> Vec<StreamId> {
    objects.into_iter().map(|object| object.stream).collect()
}

async fn current(subject: &Subject, stream: StreamId) -> Option<Object> {
    let object = subject.journal.get(stream).await;
    object.expect("the journal can be read")
}

async fn revision(subject: &Subject, version: u64) -> Option<String> {
    let object = subject.journal.get_at(lamp(1), Version(version)).await;
    let body = object.expect("the journal can be read")?.body;
    Some(String::from_utf8(body.into()).expect("it is text"))
}
