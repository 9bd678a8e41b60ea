//! Many executions, on several threads. What one of them holds is in memory only while it is in
//! work.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use futures_util::future::try_join_all;
use tokio::sync::watch;
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
/// thread has `at_once` of them in work, so that it has something to do while one waits. When nobody
/// waits for it any longer, nothing more is begun, and what is in work is given up.
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
    let (stops, stopped) = watch::channel(());
    let threads: Vec<_> = (0..threads.clamp(1, executions.len().max(1)))
        .map(|_| {
            let (row, work, stopped) = (row.clone(), work.clone(), stopped.clone());
            tokio::task::spawn_blocking(move || take(&row, at_once, &work, stopped))
        })
        .collect();
    let mut done = Vec::with_capacity(executions.len());
    for thread in threads {
        let found = thread.await;
        let found = found.map_err(|error| Error::Broken(format!("a thread ended: {error}")))?;
        done.extend(found?);
    }
    drop(stops);
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

/// Does the work for one execution, on a thread of its own.
///
/// # Errors
/// What the work fails with, or [`Error::Broken`] when no thread can be had.
pub async fn aside<T, W>(execution: Uuid, work: W) -> Result<T, Error>
where
    T: Send + 'static,
    W: AsyncFn(Uuid) -> Result<T, Error> + Clone + Send + 'static,
{
    let done = each(&[execution], 1, 1, work).await?.pop();
    done.ok_or_else(|| Error::Broken("nothing came of the work".to_owned()))
}

/// One thread: takes the next one as long as there are any, and somebody waits.
fn take<T>(
    row: &Row,
    at_once: usize,
    work: &impl AsyncFn(Uuid) -> Result<T, Error>,
    mut stopped: watch::Receiver<()>,
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
    runtime.block_on(async {
        tokio::select! {
            biased;
            // Nothing is ever sent: this ends with whoever waits.
            _ = stopped.changed() => Ok(Vec::new()),
            all = try_join_all((0..at_once).map(|_| one())) => {
                Ok(all?.into_iter().flatten().collect())
            }
        }
    })
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
    async fn what_nobody_waits_for_is_given_up() {
        let (begun, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let work = async move |it: Uuid| {
            // Both ends go with the work.
            let _ = begun.send(it);
            std::future::pending::<()>().await;
            Ok(())
        };
        let all = some(100);
        let doing = each(&all, 2, 2, work);
        let patience = std::time::Duration::from_millis(300);
        assert!(tokio::time::timeout(patience, doing).await.is_err());
        let mut number = 0;
        while seen.recv().await.is_some() {
            number += 1;
        }
        assert!((1..=4).contains(&number), "{number} were begun");
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
