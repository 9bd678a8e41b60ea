//! Several nodes and one address, with spans that are a map and a clock that is moved by hand.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::journal::Error;

/// Spans in memory, in seconds. While `gone`, nobody answers.
#[derive(Default)]
struct Model {
    now: Mutex<f64>,
    ends: Mutex<HashMap<Vec<u8>, f64>>,
    gone: Mutex<bool>,
}

impl Model {
    fn moves(&self, by: f64) {
        *self.now.lock().expect("a lock") += by;
    }
}

#[async_trait]
impl Spans for Model {
    async fn left(&self, _: &[Key]) -> Result<Vec<Duration>> {
        unreachable!("limits of addresses do not look")
    }

    async fn extend(
        &self,
        _: &Key,
        _: Duration,
        _: Duration,
    ) -> Result<std::result::Result<(), Duration>> {
        unreachable!("limits of addresses do not ask before")
    }

    async fn add(&self, spans: &[(Key, Duration)]) -> Result<Vec<Duration>> {
        if *self.gone.lock().expect("a lock") {
            return Err(Error::Unavailable("it is gone".into()));
        }
        let now = *self.now.lock().expect("a lock");
        let mut ends = self.ends.lock().expect("a lock");
        let left = spans.iter().map(|(key, by)| {
            let end = ends.entry(key.value.clone()).or_insert(now);
            *end = end.max(now) + by.as_secs_f64();
            Duration::from_secs_f64(*end - now)
        });
        Ok(left.collect())
    }

    async fn at_least(&self, _: &Key, _: Duration) -> Result<()> {
        unreachable!("limits of addresses remember nothing")
    }

    async fn sweep(&self) -> Result<u64> {
        unreachable!("nobody sweeps")
    }
}

const RATE: u32 = 20;
const BURST: u32 = 200;
const NODES: u32 = 3;

struct Nodes {
    limiters: Vec<Limiter>,
    spans: Model,
    began: Instant,
    passed: f64,
    /// What was let through.
    taken: u32,
}

impl Nodes {
    fn new() -> Self {
        let limiters: Vec<Limiter> = (0..NODES).map(|_| Limiter::new(RATE, BURST)).collect();
        for limiter in &limiters {
            limiter.0.tells();
        }
        Self {
            limiters,
            spans: Model::default(),
            began: Clock::system().monotonic(),
            passed: 0.0,
            taken: 0,
        }
    }

    fn now(&self) -> Instant {
        self.began + Duration::from_secs_f64(self.passed)
    }

    /// So many come at one node; says how many were let through.
    fn come(&mut self, node: usize, count: u32) -> u32 {
        let now = self.now();
        let here = [192, 0, 2, 1].into();
        let limiter = &self.limiters[node];
        let taken = (0..count).filter(|_| limiter.take(here, now).is_ok());
        let taken = u32::try_from(taken.count()).expect("it is small");
        self.taken += taken;
        taken
    }

    async fn tell(&self) -> Result<()> {
        let mut told = Ok(());
        for limiter in &self.limiters {
            told = told.and(limiter.tell("posts", &self.spans, self.now()).await);
        }
        told
    }

    fn moves(&mut self, seconds: f64) {
        self.passed += seconds;
        self.spans.moves(seconds);
    }

    /// What may have been let through at most by now.
    fn most(&self) -> f64 {
        let bursts = f64::from(NODES * BURST);
        let untold = f64::from(NODES) * (f64::from(BURST) / 10.0 + f64::from(RATE) / 4.0);
        bursts + untold + f64::from(RATE) * self.passed
    }
}

#[tokio::test]
async fn what_one_node_let_through_is_missing_on_the_others_once_it_is_told() {
    let mut nodes = Nodes::new();
    assert_eq!(nodes.come(0, 150), 150);
    // It learns of the others when it has something to tell itself.
    assert_eq!(nodes.come(1, 20), 20);
    nodes.tell().await.expect("it is there");
    assert_eq!(nodes.come(1, 200), 30, "150 and 20 of 200 are taken");
    assert_eq!(
        nodes.come(0, 200),
        50,
        "it was told before the other one took more"
    );
    nodes.tell().await.expect("it is there");
    for node in 0..2 {
        assert_eq!(nodes.come(node, 10), 0, "both have a debt now");
    }
}

#[tokio::test]
async fn what_a_few_take_is_not_told() {
    let mut nodes = Nodes::new();
    assert_eq!(nodes.come(0, 19), 19);
    nodes.tell().await.expect("it is there");
    assert!(nodes.spans.ends.lock().expect("a lock").is_empty());
    assert_eq!(nodes.come(0, 1), 1);
    nodes.tell().await.expect("it is there");
    assert_eq!(nodes.spans.ends.lock().expect("a lock").len(), 1);
}

#[tokio::test]
async fn what_could_not_be_told_is_told_later() {
    let mut nodes = Nodes::new();
    *nodes.spans.gone.lock().expect("a lock") = true;
    nodes.come(0, 100);
    assert!(nodes.tell().await.is_err());
    nodes.come(0, 50);
    *nodes.spans.gone.lock().expect("a lock") = false;
    nodes.come(1, 20);
    nodes.tell().await.expect("it is there again");
    assert_eq!(nodes.come(1, 200), 30);
}

/// However an address spreads what it sends, and for however long: the bound that the documents state.
#[tokio::test]
async fn all_nodes_together_never_let_through_more_than_is_stated() {
    for seed in 0..200_u64 {
        let mut nodes = Nodes::new();
        let mut random = seed;
        let mut draw = |below: u64| {
            // A generator of numbers that a test can repeat.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for _ in 0..400 {
            let node = usize::try_from(draw(u64::from(NODES))).expect("it is small");
            let count = u32::try_from(draw(40)).expect("it is small");
            nodes.come(node, count);
            nodes.moves([0.0, 0.05, 0.25][usize::try_from(draw(3)).expect("it is small")]);
            if draw(4) > 0 {
                nodes.tell().await.expect("it is there");
            }
            let most = nodes.most();
            assert!(
                f64::from(nodes.taken) <= most,
                "seed {seed}: {} of {most}",
                nodes.taken
            );
        }
    }
}
