//! The pool under load: what is refused, what is bounded, what goes on.

use super::*;
use crate::directory::password::{Scheme, is_acceptable, unusable};

fn pool(threads: usize, queue: usize) -> Pool {
    Pool::new(threads, queue, 0, Clock::system()).expect("threads can be started")
}

#[tokio::test]
async fn what_it_hashes_it_verifies() {
    let pool = pool(2, 8);
    let encoded = pool.hash("secret".into()).await.expect("not busy");
    let right = pool.verify("secret".into(), encoded.clone()).await;
    let wrong = pool.verify("Secret".into(), encoded).await;
    let accepted = Verdict::Accepted {
        scheme: Scheme::Argon2,
        outdated: false,
    };
    assert_eq!((right, wrong), (Ok(accepted), Ok(Verdict::Rejected)));
    assert_eq!(pool.burn().await, Ok(()));
}

#[tokio::test]
async fn an_unusable_password_takes_as_long_as_a_wrong_one() {
    let clock = Clock::system();
    let pool = pool(1, 8);
    let encoded = pool.hash("secret".into()).await.expect("not busy");
    let start = clock.monotonic();
    let _ = pool.verify("wrong".into(), encoded).await;
    let wrong = start.elapsed();
    let start = clock.monotonic();
    let verdict = pool.verify("wrong".into(), unusable(&clock)).await;
    assert_eq!(verdict, Ok(Verdict::Unusable));
    // Generously, for a machine that is doing other things: without the hash it is a thousandth.
    assert!(start.elapsed() > wrong / 20);
}

#[tokio::test]
async fn a_full_queue_is_busy_and_recovers() {
    let pool = pool(1, 1);
    let threads = pool.threads.as_ref().expect("it has threads");
    let (open, gate) = crossbeam_channel::bounded::<()>(0);
    let blocked = |gate: Receiver<()>| threads.run(move |_| gate.recv().is_err());
    // One runs and one waits; there is no place for a third.
    let both = futures_util::future::join(blocked(gate.clone()), blocked(gate));
    let third = async {
        let refused = pool.burn().await;
        drop(open);
        refused
    };
    let ((first, second), refused) = futures_util::future::join(both, third).await;
    assert_eq!(
        (first, second, refused),
        (Ok(true), Ok(true), Err(Busy)),
        "the two that had a place went through"
    );
    assert_eq!(pool.burn().await, Ok(()));
}

#[tokio::test]
async fn nobody_waiting_means_no_work() {
    let pool = pool(1, 4);
    let threads = pool.threads.as_ref().expect("it has threads");
    let (open, gate) = crossbeam_channel::bounded::<()>(0);
    let (ran, did_run) = crossbeam_channel::bounded::<()>(1);
    let first = threads.run(move |_| gate.recv().is_err());
    let second = async {
        let gone = threads.run(move |_| ran.send(()));
        let gone = tokio::time::timeout(Duration::from_millis(20), gone).await;
        assert!(gone.is_err(), "it was still waiting");
        drop(open);
    };
    let _ = futures_util::future::join(first, second).await;
    pool.burn().await.expect("not busy");
    assert!(did_run.try_recv().is_err());
}

#[tokio::test]
async fn a_panic_costs_one_answer_and_no_thread() {
    let pool = pool(1, 4);
    let threads = pool.threads.as_ref().expect("it has threads");
    let broken = threads.run(|_| panic!("a test wants it")).await;
    assert_eq!(broken, Err::<(), _>(Busy));
    assert_eq!(pool.burn().await, Ok(()));
}

#[tokio::test]
async fn a_pool_for_benches_refuses_wrong_passwords_too() {
    let pool = Pool::no_op(Clock::system());
    let encoded = pool.hash("secret".into()).await.expect("never busy");
    assert!(is_acceptable(encoded.expose_secret()));
    let wrong = pool.verify("wrong".into(), encoded.clone()).await;
    assert_eq!(wrong, Ok(Verdict::Rejected));
    let right = pool.verify("secret".into(), encoded).await;
    let accepted = Verdict::Accepted {
        scheme: Scheme::Pbkdf2Sha256,
        outdated: false,
    };
    assert_eq!(right, Ok(accepted));
}

#[test]
fn borrowed_memory_is_waited_for_and_given_back() {
    let budget = Arc::new(Budget::new(10));
    let first = budget.take(7);
    let other = Arc::clone(&budget);
    let (got, has) = crossbeam_channel::bounded(1);
    let second = thread::spawn(move || {
        let taken = other.take(5);
        let _ = got.send(());
        drop(taken);
    });
    assert!(has.recv_timeout(Duration::from_millis(30)).is_err());
    drop(first);
    second.join().expect("it got its memory");
    assert_eq!(*budget.left.lock().expect("not poisoned"), 10);
}
