//! Many executions, on several threads. What one of them holds is in memory only while it is in
//! work.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use futures_util::future::try_join_all;
use uuid::Uuid;

use super::Error;

/// How many threads are used: so many, but no more than there are cores; all of them where nobody
/// says.
#[must_use]
pub fn threads(wanted: Option<NonZeroUsize>) -> usize {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    wanted.map_or(cores, NonZeroUsize::get).min(cores)
}

/// Does the work for each of these executions and returns what came of it, in the same order. A
/// thread has `at_once` of them in work, so that it has something to do while one waits. Nothing more
/// is begun when nobody waits for it any longer.
///
/// # Errors
/// The first that the work fails with, or [`Error::Broken`] when no thread can be had.
pub(super) async fn each<T, W>(
    executions: &[Uuid],
    threads: usize,
    at_once: usize,
    work: W,
) -> Result<Vec<T>, Error>
where
    T: Send + 'static,
    W: AsyncFn(Uuid) -> Result<T, Error> + Clone + Send + 'static,
{
    let row = Row {
        executions: executions.into(),
        next: Arc::new(AtomicUsize::new(0)),
    };
    let _stops = Stops(Arc::clone(&row.next));
    let threads: Vec<_> = (0..threads.clamp(1, executions.len().max(1)))
        .map(|_| {
            let (row, work) = (row.clone(), work.clone());
            tokio::task::spawn_blocking(move || take(&row, at_once, &work))
        })
        .collect();
    let mut done = Vec::with_capacity(executions.len());
    for thread in threads {
        let found = thread.await;
        let found = found.map_err(|error| Error::Broken(format!("a thread ended: {error}")))?;
        done.extend(found?);
    }
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, it)| it).collect())
}

/// What is to be done, and how much of it was begun.
#[derive(Clone)]
struct Row {
    executions: Arc<[Uuid]>,
    next: Arc<AtomicUsize>,
}

impl Row {
    fn next(&self) -> Option<(usize, Uuid)> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        self.executions.get(at).map(|it| (at, *it))
    }
}

/// Has the threads begin nothing more.
struct Stops(Arc<AtomicUsize>);

impl Drop for Stops {
    fn drop(&mut self) {
        // Half of what there is leaves room for all who count on.
        self.0.store(usize::MAX / 2, Ordering::Relaxed);
    }
}

/// One thread: takes the next one as long as there are any.
fn take<T>(
    row: &Row,
    at_once: usize,
    work: &impl AsyncFn(Uuid) -> Result<T, Error>,
) -> Result<Vec<(usize, T)>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Broken(format!("no runtime can be had: {error}")))?;
    let one = async || {
        let mut done = Vec::new();
        while let Some((at, execution)) = row.next() {
            done.push((at, work(execution).await?));
        }
        Ok::<_, Error>(done)
    };
    let all = runtime.block_on(try_join_all((0..at_once).map(|_| one())))?;
    Ok(all.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(number: u128) -> Vec<Uuid> {
        (0..number).map(Uuid::from_u128).collect()
    }

    #[actix::test]
    async fn what_came_of_each_is_in_the_order_that_was_asked_for() {
        let all = some(100);
        let done = each(&all, 3, 4, async |it: Uuid| {
            tokio::task::yield_now().await;
            Ok(it)
        });
        assert_eq!(done.await.expect("it is done"), all);
        let none = each(&[], 3, 4, async |it: Uuid| Ok(it));
        assert!(none.await.expect("it is done").is_empty());
    }

    #[actix::test]
    async fn one_that_fails_ends_it() {
        let fails = async |it: Uuid| {
            if it.as_u128() == 50 {
                return Err(Error::Unknown(it));
            }
            Ok(())
        };
        let done = each(&some(100), 2, 1, fails).await;
        assert!(matches!(done, Err(Error::Unknown(it)) if it.as_u128() == 50));
    }
}
