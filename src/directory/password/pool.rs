//! Threads that do nothing but hash and judge passwords, so that a thread which serves requests
//! never does.
//!
//! How many hashes wait and how much memory they take together is bounded: a flood of logins is
//! refused, it does not exhaust the machine.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{Encoded, Error, MOST_MEMORY, Scratch, Verdict, hash_with, pbkdf2};
use crate::clock::Clock;

/// How long somebody waits for a place in the queue.
const PATIENCE: Duration = Duration::from_millis(500);

/// Too many passwords are being checked at once; nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once; try again in a moment")]
pub struct Busy;

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// Threads for hashing. They end when it is dropped.
pub struct Pool {
    clock: Clock,
    /// `None` computes on the caller's thread, for benches.
    threads: Option<Threads>,
}

struct Threads {
    jobs: Sender<Job>,
    places: Arc<Semaphore>,
    most: usize,
}

/// What a thread keeps between two jobs, and what all share.
struct Worker {
    clock: Clock,
    scratch: Scratch,
    budget: Arc<Budget>,
}

impl Pool {
    /// Starts `threads` threads (one at least) for at most `queue` jobs that wait.
    ///
    /// All of them together take `memory` bytes at most: fewer threads are started where that
    /// is not enough for them, and it is raised to what one thread and the costliest encoding
    /// that is accepted take, 275 MiB.
    ///
    /// # Errors
    /// When the operating system has no thread to give.
    pub fn new(threads: usize, queue: usize, memory: usize, clock: Clock) -> io::Result<Self> {
        let at_rest = memory.saturating_sub(MOST_MEMORY) / Scratch::SIZE;
        let threads = threads.min(at_rest).max(1);
        let spare = memory
            .saturating_sub(threads * Scratch::SIZE)
            .max(MOST_MEMORY);
        let budget = Arc::new(Budget::new(spare));
        // The semaphore admits no more than the channel holds, so that sending never blocks.
        let most = queue.saturating_add(threads).min(Semaphore::MAX_PERMITS);
        let (jobs, todo) = crossbeam_channel::bounded::<Job>(most);
        for number in 0..threads {
            let todo = todo.clone();
            let worker = Worker {
                clock: clock.clone(),
                scratch: Scratch::default(),
                budget: Arc::clone(&budget),
            };
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || worker.run(&todo))?;
        }
        Ok(Self {
            clock,
            threads: Some(Threads {
                jobs,
                places: Arc::new(Semaphore::new(most)),
                most,
            }),
        })
    }

    /// How many passwords are being hashed or wait for it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let threads = self.threads.as_ref();
        threads.map_or(0, |it| it.most - it.places.available_permits().min(it.most))
    }

    /// A pool without threads whose own encodings cost nothing and protect nothing. It refuses
    /// wrong passwords like any other. No setting leads here: only
    /// tests, benches, and the hidden command that serves a directory which it has just made.
    #[must_use]
    pub fn no_op(clock: Clock) -> Self {
        Self {
            clock,
            threads: None,
        }
    }

    /// Checks a password. Whatever is wrong takes no less time than a new encoding would.
    ///
    /// # Errors
    /// [`Busy`] when no place in the queue gets free for half a second.
    pub async fn verify(
        &self,
        password: SecretString,
        encoded: SecretString,
    ) -> Result<Verdict, Busy> {
        match &self.threads {
            Some(threads) => {
                let work = move |worker: &mut Worker| worker.verify(&password, &encoded);
                threads.run(work).await
            }
            None => Ok(match super::verify(&password, &encoded) {
                // An encoding of this pool's own would be replaced by another one like it.
                Verdict::Accepted { scheme, .. } => Verdict::Accepted {
                    scheme,
                    outdated: false,
                },
                other => other,
            }),
        }
    }

    /// Encodes a password in the preferred way.
    ///
    /// # Errors
    /// [`Busy`] when no place in the queue gets free for half a second.
    pub async fn hash(&self, password: SecretString) -> Result<SecretString, Busy> {
        if let Some(threads) = &self.threads {
            return threads.run(move |worker| worker.hash(&password)).await;
        }
        let salt = self.clock.random_text(22);
        let encoded = pbkdf2::encode_for_benches(password.expose_secret(), salt.expose_secret());
        Ok(encoded.into())
    }

    /// Computes something else about a password that takes its time, such as how easily it is
    /// guessed.
    ///
    /// # Errors
    /// [`Busy`] when no place in the queue gets free for half a second.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        match &self.threads {
            Some(threads) => threads.run(|_| work()).await,
            None => Ok(work()),
        }
    }

    /// Takes as long as checking a password that is encoded in the preferred way, for a user
    /// who does not exist.
    ///
    /// # Errors
    /// [`Busy`] when no place in the queue gets free for half a second.
    pub async fn burn(&self) -> Result<(), Busy> {
        match &self.threads {
            Some(threads) => threads.run(Worker::burn).await,
            None => Ok(()),
        }
    }
}

impl Threads {
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(PATIENCE, place)
            .await
            .map_err(|_| Busy)?
            .map_err(|_| Busy)?;
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move |worker: &mut Worker| {
            let place: OwnedSemaphorePermit = place;
            // Whoever asked may have gone away while the job waited.
            if !answer.is_closed() {
                let result = work(worker);
                drop(place);
                let _gone = answer.send(result);
            }
        });
        self.jobs.try_send(job).map_err(|_| Busy)?;
        // The answer is dropped unsent only when the computation panicked.
        result.await.map_err(|_| Busy)
    }
}

impl Worker {
    fn run(mut self, todo: &Receiver<Job>) {
        for job in todo {
            if catch_unwind(AssertUnwindSafe(|| job(&mut self))).is_err() {
                tracing::error!("hashing a password panicked; the thread goes on");
                self.scratch = Scratch::default();
            }
        }
    }

    fn verify(&mut self, password: &SecretString, encoded: &SecretString) -> Verdict {
        let encoded = match Encoded::parse(encoded.expose_secret()) {
            Ok(encoded) => encoded,
            Err(error) => {
                if error != Error::UnknownScheme {
                    // Somebody cannot log in, and only an operator can mend it.
                    tracing::warn!(%error, "a stored password cannot be checked");
                }
                self.burn();
                return Verdict::Unusable;
            }
        };
        let taken = self.budget.take(encoded.extra_memory());
        let verdict = encoded.verify(password, &mut self.scratch);
        drop(taken);
        if verdict == Verdict::Rejected && encoded.is_cheap() {
            self.burn();
        }
        verdict
    }

    fn hash(&mut self, password: &SecretString) -> SecretString {
        hash_with(password, &self.clock, &mut self.scratch)
    }

    fn burn(&mut self) {
        let password = self.clock.random_text(22);
        std::hint::black_box(self.hash(&password));
    }
}

/// Memory that is lent out, and waited for when none is left.
struct Budget {
    left: Mutex<usize>,
    returned: Condvar,
}

/// Borrowed memory, given back on drop.
struct Taken {
    bytes: usize,
    from: Arc<Budget>,
}

impl Budget {
    fn new(bytes: usize) -> Self {
        Self {
            left: Mutex::new(bytes),
            returned: Condvar::new(),
        }
    }

    /// Waits until so many bytes are left. Nobody asks for more than there are in all.
    fn take(self: &Arc<Self>, bytes: usize) -> Taken {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = self
            .returned
            .wait_while(left, |left| *left < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *left -= bytes;
        Taken {
            bytes,
            from: Arc::clone(self),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self
            .from
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.from.returned.notify_all();
    }
}

#[cfg(test)]
mod tests;
