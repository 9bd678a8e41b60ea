//! What every journal keeps, whatever it is made of.
//!
//! A journal's own module says how to make an empty one and calls [`contract!`], which turns each
//! function here into a test of that journal.

use std::sync::Arc;

use gatelog::clock::Clock;
use gatelog::journal::{
    Commit, Durability, Error, Journal, Key, KeyId, Kind, Position, StreamId, Version, Write,
};
use uuid::Uuid;

pub(super) mod counters;
pub(super) mod following;
pub(super) mod keys;
pub(super) mod model;
pub(super) mod objects;
pub(super) mod signed;
pub(super) mod streams;

/// A kind for streams of events.
pub(super) const RUN: Kind = Kind::new("run");
/// A kind for objects.
pub(super) const LAMP: Kind = Kind::new("lamp");

/// An empty journal under test. When the test ends, all its chains are verified.
pub(super) struct Subject {
    pub(super) journal: Arc<dyn Journal>,
    /// The clock that the journal was given; it stands still until it is moved.
    pub(super) clock: Clock,
    verify: Option<Box<dyn FnOnce() + Send + Sync>>,
}

/// An empty journal, where one can be made here.
pub(super) fn made(make: impl FnOnce() -> Option<Subject>) -> Option<Subject> {
    make()
}

impl Subject {
    /// `verify` checks what the journal holds, and may keep alive what the journal needs.
    pub(super) fn new(
        journal: Arc<dyn Journal>,
        clock: Clock,
        verify: impl FnOnce() + Send + Sync + 'static,
    ) -> Self {
        Self {
            journal,
            clock,
            verify: Some(Box::new(verify)),
        }
    }

    /// A commit of these writes at the present moment.
    pub(super) fn commit_of(&self, writes: Vec<Write>) -> Commit {
        Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation: Uuid::from_u128(7),
        }
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<Position, Error> {
        self.journal.commit(self.commit_of(writes)).await
    }

    /// Commits what has to succeed.
    pub(super) async fn does(&self, writes: Vec<Write>) -> Position {
        self.commit(writes).await.expect("the commit is allowed")
    }

    /// The bodies of the objects of the kind [`LAMP`] under an index key, by id.
    pub(super) async fn bodies_under(&self, key: Key) -> Vec<Vec<u8>> {
        let found = self.journal.scan(LAMP, key, None, usize::MAX).await;
        let found = found.expect("the journal can be read");
        found.into_iter().map(|object| object.body.into()).collect()
    }

    /// The body of the object that has this unique key.
    pub(super) async fn found(&self, key: Key) -> Option<Vec<u8>> {
        let found = self.journal.find(LAMP, key).await;
        Some(found.expect("the journal can be read")?.body.into())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(verify) = self.verify.take()
            && !std::thread::panicking()
        {
            verify();
        }
    }
}

pub(super) fn run(id: u128) -> StreamId {
    StreamId::new(RUN, Uuid::from_u128(id))
}

pub(super) fn lamp(id: u128) -> StreamId {
    StreamId::new(LAMP, Uuid::from_u128(id))
}

pub(super) fn append(stream: StreamId, expected: u64, body: &str) -> Write {
    append_under(KeyId::SYSTEM, stream, expected, body)
}

pub(super) fn append_under(key: KeyId, stream: StreamId, expected: u64, body: &str) -> Write {
    Write::Append {
        stream,
        expected: Version(expected),
        key,
        schema: 1,
        body: body.into(),
    }
}

/// A revision with the unique key `name` and the index key `room`.
pub(super) fn put(stream: StreamId, expected: u64, name: &str, room: &str) -> Write {
    Write::Put {
        stream,
        expected: Version(expected),
        key: KeyId::SYSTEM,
        schema: 1,
        body: format!("{name} in {room}").into(),
        unique: vec![named(name)],
        index: vec![in_room(room)],
    }
}

pub(super) fn delete(stream: StreamId, expected: u64) -> Write {
    Write::Delete {
        stream,
        expected: Version(expected),
    }
}

pub(super) fn named(name: &str) -> Key {
    Key::new("name", name)
}

pub(super) fn in_room(room: &str) -> Key {
    Key::new("room", room)
}

/// Turns every function of the contract into a test of the journal that `$subject` makes. With `optional`
/// it makes none where what it needs is not installed, and says so.
macro_rules! contract {
    (optional $subject:path) => {
        $crate::journal::contract::contract!(@all (|| $subject()));
    };
    ($subject:path) => {
        $crate::journal::contract::contract!(@all (|| Some($subject())));
    };
    (@all $subject:tt) => {
        $crate::journal::contract::contract!(@tests $subject, streams:
            records_come_back_as_they_were_written
            another_expected_version_is_a_conflict_that_names_both
            each_record_names_the_hash_of_the_one_before
            two_writes_of_one_commit_follow_each_other
            a_commit_with_one_wrong_write_changes_nothing
            a_commit_above_the_limit_is_refused
            large_bodies_come_back_whole
            streams_are_listed_newest_first_and_in_pages
            of_many_writers_exactly_one_wins_each_version
            a_lease_is_renewed_and_after_its_end_taken_over
            a_commit_fenced_with_a_lost_lease_is_refused
        );
        $crate::journal::contract::contract!(@tests $subject, objects:
            the_current_revision_and_each_older_one_can_be_read
            a_deleted_object_is_gone_and_its_revisions_stay
            a_deleted_object_can_be_put_again
            a_unique_key_belongs_to_one_object_until_it_is_given_up
            unique_keys_of_different_kinds_and_names_do_not_meet
            two_objects_exchange_their_unique_keys_in_one_commit
            two_objects_of_one_commit_cannot_share_a_unique_key
            an_index_key_finds_all_its_objects_in_pages
            objects_are_listed_by_id_in_pages
        );
        $crate::journal::contract::contract!(@tests $subject, counters:
            a_counter_is_the_sum_within_its_bounds
            a_counter_is_forgotten_when_it_expires
            additions_never_conflict
        );
        $crate::journal::contract::contract!(@tests $subject, following:
            a_follower_gets_the_history_and_then_what_comes
            a_follower_starts_after_the_position_it_names
        );
        $crate::journal::contract::contract!(@tests $subject, keys:
            a_destroyed_key_takes_its_bodies_along_and_leaves_the_records
            destroying_a_wrapping_key_takes_along_what_it_wraps
            a_key_wrapped_anew_survives_its_old_wrapper
            a_body_under_an_unknown_key_is_refused
            a_key_is_made_and_used_in_one_commit
        );

        #[test]
        fn random_commits_do_what_a_simple_model_does() {
            $crate::journal::contract::model::random_commits_do_what_a_simple_model_does($subject);
        }
    };
    (@tests $subject:tt, $module:ident: $($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let Some(subject) = $crate::journal::contract::made($subject) else {
                    return;
                };
                $crate::journal::contract::$module::$name(subject).await;
            }
        )*
    };
}
pub(super) use contract;
