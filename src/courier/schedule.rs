//! Which mail is tried when: each server has a queue of its own, so that one that is slow or gone
//! holds up nobody else's mails. Only computes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

/// How many mails one server is given at once.
pub(super) const AT_ONCE: usize = 4;

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// The pause after this many failures.
pub(super) fn pause(attempts: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

/// The server of a mail: that of a stage, or that of the settings.
pub(super) type Place = Option<Uuid>;

/// The mails that are known, by server.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    queues: HashMap<Place, Queue>,
    known: HashSet<Uuid>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeSet<(Timestamp, Uuid)>,
    busy: usize,
}

impl Schedule {
    /// Takes note of a mail; one that is known already stays where it is.
    pub(super) fn learn(&mut self, mail: Uuid, server: Place, due: Timestamp) {
        if self.known.insert(mail) {
            let queue = self.queues.entry(server).or_default();
            queue.waiting.insert((due, mail));
        }
    }

    /// The next mail that is due and whose server has room. It counts as busy until
    /// [`Schedule::ended`].
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<(Uuid, Place)> {
        self.queues.iter_mut().find_map(|(place, queue)| {
            let (due, mail) = *queue.waiting.first()?;
            if due > now || queue.busy >= AT_ONCE {
                return None;
            }
            queue.waiting.pop_first();
            queue.busy += 1;
            Some((mail, *place))
        })
    }

    /// An attempt is over: the mail is tried again at `due`, or forgotten.
    pub(super) fn ended(&mut self, mail: Uuid, server: Place, due: Option<Timestamp>) {
        let Some(queue) = self.queues.get_mut(&server) else {
            return;
        };
        queue.busy = queue.busy.saturating_sub(1);
        match due {
            Some(due) => {
                queue.waiting.insert((due, mail));
            }
            None => {
                self.known.remove(&mail);
            }
        }
        if queue.busy == 0 && queue.waiting.is_empty() {
            self.queues.remove(&server);
        }
    }

    /// When the next mail is due for which there will be room then.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let free = self.queues.values().filter(|queue| queue.busy < AT_ONCE);
        free.filter_map(|queue| queue.waiting.first().map(|(due, _)| *due))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("it is in range")
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn pauses_begin_with_seconds_and_grow() {
        let pauses: Vec<u64> = (1..=9).map(|attempts| pause(attempts).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn a_server_that_is_busy_holds_up_no_other() {
        let mut schedule = Schedule::default();
        let (slow, other) = (Some(id(100)), None);
        for number in 0..20 {
            schedule.learn(id(number), slow, at(0));
        }
        let mut begun = Vec::new();
        begun.extend(std::iter::from_fn(|| schedule.begin(at(1))));
        assert_eq!(begun.len(), AT_ONCE);
        assert_eq!(schedule.next(), None, "there is no room");
        schedule.learn(id(50), other, at(1));
        assert_eq!(schedule.begin(at(1)), Some((id(50), other)));
        schedule.ended(begun[0].0, slow, Some(at(9)));
        assert!(
            schedule
                .begin(at(1))
                .is_some_and(|(_, place)| place == slow)
        );
    }

    #[test]
    fn mails_are_tried_in_the_order_in_which_they_are_due() {
        let mut schedule = Schedule::default();
        schedule.learn(id(1), None, at(5));
        schedule.learn(id(2), None, at(3));
        schedule.learn(id(2), None, at(0));
        assert_eq!(schedule.begin(at(2)), None);
        assert_eq!(schedule.next(), Some(at(3)));
        assert_eq!(schedule.begin(at(9)), Some((id(2), None)));
        assert_eq!(schedule.begin(at(9)), Some((id(1), None)));
        schedule.ended(id(1), None, None);
        schedule.ended(id(2), None, None);
        schedule.learn(id(1), None, at(9));
        assert_eq!(
            schedule.begin(at(9)),
            Some((id(1), None)),
            "it was forgotten"
        );
    }
}
