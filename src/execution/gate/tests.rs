//! Places are shared out fairly, and none is ever lost.

use std::pin::pin;

use futures_util::FutureExt as _;

use super::*;

fn address(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

fn gate(at_once: usize, waiting: usize) -> Gate {
    Gate::new(at_once, waiting, Metrics::default())
}

/// Somebody who finds a place at once, or is turned away at once; `None` while they wait.
fn comes(gate: &Gate, last: u8) -> Option<Result<Pass, Error>> {
    let mut entering = Box::pin(gate.enter(address(last)));
    entering.as_mut().now_or_never()
}

#[tokio::test]
async fn one_address_takes_half_and_leaves_room_for_others() {
    let gate = gate(8, 0);
    let mut inside = Vec::new();
    while let Some(Ok(pass)) = comes(&gate, 1) {
        inside.push(pass);
    }
    assert_eq!(inside.len(), 4);
    assert!(matches!(comes(&gate, 1), Some(Err(Error::Busy))));
    for expected in [2, 1] {
        let mut of_this = 0;
        while let Some(Ok(pass)) = comes(&gate, 1 + expected) {
            inside.push(pass);
            of_this += 1;
        }
        assert_eq!(of_this, expected, "of {expected}");
    }
    drop(inside);
    assert!(gate.line().addresses.is_empty());
    assert_eq!(gate.line().running, 0);
}

#[tokio::test]
async fn a_place_that_gets_free_goes_round_the_addresses() {
    let gate = gate(1, 100);
    let first = comes(&gate, 9).expect("at once").expect("a place");
    let mut order = Vec::new();
    let mut waiting = Vec::new();
    for (name, last) in [
        ("a1", 1),
        ("a2", 1),
        ("a3", 1),
        ("b1", 2),
        ("c1", 3),
        ("b2", 2),
    ] {
        let gate = gate.clone();
        let mut entering = Box::pin(async move { gate.enter(address(last)).await });
        assert!(entering.as_mut().now_or_never().is_none(), "{name} waits");
        waiting.push((name, entering));
    }
    drop(first);
    while !waiting.is_empty() {
        let before = order.len();
        let mut still = Vec::new();
        for (name, mut entering) in waiting {
            match entering.as_mut().now_or_never() {
                Some(entered) => {
                    order.push(name);
                    drop(entered.expect("a place"));
                }
                None => still.push((name, entering)),
            }
        }
        waiting = still;
        assert!(order.len() > before, "a place was lost after {order:?}");
    }
    let round: Vec<_> = order.iter().map(|name| &name[..1]).collect();
    assert_eq!(round.iter().filter(|it| **it == "a").count(), 3);
    let last_a = order.iter().position(|it| *it == "a3").expect("it came");
    let first_c = order.iter().position(|it| *it == "c1").expect("it came");
    assert!(first_c < last_a, "{order:?}");
    assert!(gate.line().addresses.is_empty());
}

#[tokio::test]
async fn one_address_does_not_fill_the_line() {
    let gate = gate(1, 8);
    let inside = comes(&gate, 9).expect("at once").expect("a place");
    let mut line = Vec::new();
    let mut refused = 0;
    for last in [1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3] {
        let gate = gate.clone();
        let mut entering = Box::pin(async move { gate.enter(address(last)).await });
        match entering.as_mut().now_or_never() {
            None => line.push((last, entering)),
            Some(entered) => {
                assert!(matches!(entered, Err(Error::Busy)));
                refused += 1;
            }
        }
    }
    let of = |last: u8| line.iter().filter(|(it, _)| *it == last).count();
    assert_eq!((of(1), of(2), of(3), refused), (4, 2, 1, 4));
    assert_eq!(gate.0.metrics.executions().turned_away.get(), 4);
    drop(line);
    assert_eq!(gate.line().waiting, 0);
    assert!(gate.line().turns.is_empty());
    drop(inside);
    assert!(gate.line().addresses.is_empty());
}

#[tokio::test]
async fn whoever_leaves_the_line_is_passed_over() {
    let gate = gate(1, 8);
    let inside = comes(&gate, 9).expect("at once").expect("a place");
    let mut stays = pin!(gate.enter(address(2)));
    {
        let mut leaves = Box::pin(gate.enter(address(1)));
        assert!(leaves.as_mut().now_or_never().is_none());
        assert!(stays.as_mut().now_or_never().is_none());
        // It is called at the moment when it leaves.
        drop(inside);
    }
    let pass = stays.await.expect("the place of whoever left");
    drop(pass);
    assert_eq!(gate.line().running, 0);
    assert!(gate.line().addresses.is_empty());
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let gate = Gate::patient(1, 8, Duration::from_millis(10), Metrics::default());
    let _inside = comes(&gate, 9).expect("at once").expect("a place");
    let entered = gate.enter(address(1)).await;
    assert!(matches!(entered, Err(Error::Busy)));
    assert_eq!(gate.line().waiting, 0);
}
