//! The thread that starts, buries and replaces worker processes, all of which block.

use std::sync::atomic::Ordering;
use std::sync::{Weak, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::error::Error;
use super::process::Process;
use super::workers::Shared;

/// The longest pause between a crash and the next start.
const PAUSE: Duration = Duration::from_secs(2);
/// How many crashes in a row are replaced without a pause.
const PATIENCE: u32 = 4;

/// Something to do for the keeper.
pub(super) enum Job {
    /// Start a process for a free place.
    Start,
    /// Start one beyond the places, for whoever asks.
    Extra(oneshot::Sender<Result<Process, String>>),
    /// Kill this one; unless it was an extra one, start another in its place.
    Replace(Process, Place),
    /// The same for one that died by itself; says what of.
    Bury(Process, Place, oneshot::Sender<Error>),
}

/// Whether a process is one of the usual number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Usual,
    Extra,
}

/// Works until the last sender is gone.
pub(super) fn keep(jobs: &mpsc::Receiver<Job>, shared: &Weak<Shared>) {
    let mut crashes = 0_u32;
    for job in jobs {
        let mut place = Place::Usual;
        let mut asks = None;
        match job {
            Job::Start => {}
            Job::Extra(asking) => asks = Some(asking),
            Job::Replace(process, of) => {
                drop(process);
                place = of;
            }
            Job::Bury(process, of, tell) => {
                place = of;
                let id = process.id();
                let cause = process.autopsy();
                tracing::warn!(worker = id, %cause, "a worker for expressions died");
                // Nobody may be waiting any more.
                let _ = tell.send(cause);
                crashes = crashes.saturating_add(1);
            }
        }
        if place == Place::Extra {
            continue;
        }
        let Some(living) = shared.upgrade() else {
            return;
        };
        if living.fortunate.swap(false, Ordering::Relaxed) {
            crashes = 0;
        }
        let options = living.options.clone();
        drop(living);
        thread::sleep(pause(crashes));
        let started = Process::start(&options).map_err(|error| {
            let program = options.program.display();
            tracing::error!(
                %program,
                %error,
                "a worker for expressions cannot be started; until one can, policies that are \
                 expressions fail and count as their bindings say; look at the permissions and \
                 limits of this program"
            );
            crashes = crashes.saturating_add(1);
            format!("{program}: {error}")
        });
        if let Some(asks) = asks {
            // Nobody may be waiting any more; then it ends here.
            let _ = asks.send(started);
            continue;
        }
        let Some(living) = shared.upgrade() else {
            return;
        };
        living.offer(started);
    }
}

fn pause(crashes: u32) -> Duration {
    match crashes.checked_sub(PATIENCE) {
        Some(beyond) => PAUSE.min(Duration::from_millis(10) * (1 << beyond.min(16))),
        None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_between_crashes_grow_up_to_a_limit() {
        assert_eq!(pause(0), Duration::ZERO);
        assert_eq!(pause(PATIENCE - 1), Duration::ZERO);
        assert!(pause(PATIENCE) < pause(PATIENCE + 1));
        assert_eq!(pause(u32::MAX), PAUSE);
    }
}
