//! Little room on the disk, also where nobody may mount one.

use super::people::{Ended, People};
use crate::support::with_server;

/// More than any disk has: as if nearly all of it were full.
const RESERVE: &str = "GATELOG_JOURNAL__RESERVE";

#[test]
fn with_little_room_left_nothing_new_is_begun_and_what_was_begun_comes_to_its_end() {
    with_server(async |server| {
        let people = People::of(server, 1);
        let (person, mut visitor) = people.somebody();
        assert_eq!(people.begins(&mut visitor).await, Ended::Done);
        server.sets(RESERVE, "1000000000000000");
        server.restart().await;
        let (_, mut late) = people.somebody();
        assert_eq!(people.begins(&mut late).await, Ended::Refused(503));
        let refused = late.try_to_look().await.expect("an answer");
        assert_eq!(refused.header("retry-after"), "1");
        refused.shows("cannot store anything at the moment");
        server.says("the disk is full").await;
        assert_eq!(people.goes_on(&mut visitor, person, 0).await, Ended::Done);
        server.unsets(RESERVE);
        server.restart().await;
        assert_eq!(people.begins(&mut late).await, Ended::Done);
        people.ledger.check(server);
    });
}
