//! When conversations begin.
//!
//! In a closed loop, when the visitor's last one is over. In an open loop at moments that are
//! fixed beforehand, each of which somebody takes up sooner or later: what a slow server keeps
//! waiting is late, and that is part of what it took.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::Plan;
use crate::clock::Clock;

/// How long the thread that keeps time sleeps at most, so that it can be stopped.
const NAP: Duration = Duration::from_millis(50);

/// Later than any turn that somebody waits for.
const CENTURY: Duration = Duration::from_hours(24 * 365 * 100);

/// A conversation that is to be begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// They are numbered from 0 on.
    pub(super) number: u64,
    /// When it should begin; its time is counted from there.
    pub(super) due: Instant,
}

/// Gives visitors their turns.
pub(super) struct Pace {
    clock: Clock,
    start: Instant,
    /// When no turn is due any more; never, where their number is given.
    until: Option<Instant>,
    /// The next number.
    next: Cell<u64>,
    /// How many there are.
    most: Option<u64>,
    open: Option<Open>,
}

struct Open {
    rate: f64,
    /// One permit for each turn that is due.
    due: Arc<Semaphore>,
    over: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

impl Pace {
    /// Turns from `start` on.
    ///
    /// # Errors
    /// When an open loop gets no thread to keep time.
    pub(super) fn new(plan: &Plan, start: Instant, clock: &Clock) -> std::io::Result<Self> {
        let whole = plan.warm_up + plan.duration;
        let most = plan
            .conversations
            .or_else(|| plan.rate.map(|rate| turns(rate, whole)));
        let open = match plan.rate {
            Some(rate) => Some(Open::begin(rate, most.unwrap_or(0), start, clock)?),
            None => None,
        };
        Ok(Self {
            clock: clock.clone(),
            start,
            until: plan.conversations.is_none().then(|| start + whole),
            next: Cell::new(0),
            most,
            open,
        })
    }

    /// The next turn, as soon as it is due; none when there are no more.
    pub(super) async fn next(&self) -> Option<Turn> {
        let number = self.next.get();
        if self.most.is_some_and(|most| number >= most) {
            return None;
        }
        let Some(open) = &self.open else {
            let due = self.clock.monotonic();
            if self.until.is_some_and(|until| due >= until) {
                return None;
            }
            self.next.set(number + 1);
            return Some(Turn { number, due });
        };
        self.next.set(number + 1);
        // It is never closed.
        if let Ok(permit) = open.due.acquire().await {
            permit.forget();
        }
        let due = self.start + after(open.rate, number);
        Some(Turn { number, due })
    }

    /// The turns that nobody took up.
    pub(super) fn left(&self) -> Vec<Turn> {
        let Some(open) = &self.open else {
            return Vec::new();
        };
        let numbers = self.next.get()..self.most.unwrap_or(0);
        let turns = numbers.map(|number| Turn {
            number,
            due: self.start + after(open.rate, number),
        });
        turns.collect()
    }
}

impl Open {
    fn begin(rate: f64, most: u64, start: Instant, clock: &Clock) -> std::io::Result<Self> {
        let due = Arc::new(Semaphore::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let keeper = Keeper {
            rate,
            most,
            start,
            clock: clock.clone(),
            due: Arc::clone(&due),
            over: Arc::clone(&over),
        };
        // The runtime's own timers are exact to a millisecond, which is much of what a step takes.
        let thread = std::thread::Builder::new().name("pace".to_owned());
        let thread = thread.spawn(move || keeper.run())?;
        Ok(Self {
            rate,
            due,
            over,
            keeper: Some(thread),
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(keeper) = self.keeper.take() {
            // It does nothing that could panic, and there would be nobody to tell.
            let _ = keeper.join();
        }
    }
}

struct Keeper {
    rate: f64,
    most: u64,
    start: Instant,
    clock: Clock,
    due: Arc<Semaphore>,
    over: Arc<AtomicBool>,
}

impl Keeper {
    fn run(&self) {
        let mut released = 0;
        while released < self.most && !self.over.load(Ordering::Relaxed) {
            let now = self.clock.monotonic();
            let next = self.start + after(self.rate, released);
            if next > now {
                std::thread::sleep((next - now).min(NAP));
                continue;
            }
            let mut permits = 0;
            while released < self.most && self.start + after(self.rate, released) <= now {
                released += 1;
                permits += 1;
            }
            self.due.add_permits(permits);
        }
    }
}

/// How long after the start a turn is due.
fn after(rate: f64, number: u64) -> Duration {
    Duration::try_from_secs_f64(super::series::float(number) / rate).unwrap_or(CENTURY)
}

/// How many turns are due before a time is over.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of turns is not negative, and one that is too large is the largest"
)]
fn turns(rate: f64, time: Duration) -> u64 {
    (rate * time.as_secs_f64()).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::super::Profile;
    use super::*;

    fn plan(rate: Option<f64>) -> Plan {
        Plan {
            rate,
            warm_up: Duration::ZERO,
            duration: Duration::from_millis(100),
            ..Plan::new(Profile::Login, vec!["login".to_owned()])
        }
    }

    async fn all(pace: &Pace) -> Vec<Turn> {
        let mut turns = Vec::new();
        while let Some(turn) = pace.next().await {
            turns.push(turn);
        }
        turns
    }

    #[tokio::test]
    async fn in_an_open_loop_turns_are_due_whether_somebody_is_there_or_not() {
        let clock = Clock::system();
        let start = clock.monotonic();
        let pace = Pace::new(&plan(Some(100.0)), start, &clock).expect("a thread");
        assert_eq!(pace.left().len(), 10);
        // Nobody comes for longer than all of it.
        tokio::time::sleep(Duration::from_millis(150)).await;
        let turns = all(&pace).await;
        let due: Vec<u128> = turns
            .iter()
            .map(|it| (it.due - start).as_millis())
            .collect();
        assert_eq!(due, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
        assert!(pace.left().is_empty());
    }

    #[tokio::test]
    async fn no_turn_is_given_before_it_is_due() {
        let clock = Clock::system();
        let pace = Pace::new(&plan(Some(200.0)), clock.monotonic(), &clock).expect("a thread");
        while let Some(turn) = pace.next().await {
            assert!(clock.monotonic() >= turn.due);
        }
    }

    #[tokio::test]
    async fn a_closed_loop_ends_by_time_or_by_number() {
        let clock = Clock::system();
        let start = clock.monotonic();
        let pace = Pace::new(&plan(None), start, &clock).expect("no thread is needed");
        assert!(pace.next().await.is_some());
        tokio::time::sleep(Duration::from_millis(120)).await;
        assert!(pace.next().await.is_none());
        let few = Plan {
            conversations: Some(3),
            ..plan(None)
        };
        let pace = Pace::new(&few, start, &clock).expect("no thread is needed");
        assert_eq!(all(&pace).await.len(), 3);
        assert!(pace.left().is_empty());
    }
}
