//! Three nodes behind nginx, on PostgreSQL with a synchronous standby, while people sign up, confirm by mail, log
//! in, some with a push, and forget their passwords; nodes are killed at any moment, and the database is lost. Afterwards:
//! what was acknowledged is there, nothing is there twice, nothing was sent twice, and what is recorded
//! runs again to the same.
//!
//! `GATELOG_SEED=<number>` has the same choices made as in another run, which says its number;
//! `GATELOG_LONG=1` goes on for some minutes.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all, join3};
use gatelog::clock::Clock;

use crate::soak::ledger::Ledger;
use crate::support::database::Pair;
use crate::support::duo::Duo;
use crate::support::{
    MailSink, Options, Person, Place, Proxy, TestServer, Visitor, block_on, random_below,
};

mod checks;
mod dice;
mod guest;
mod life;
mod push;

use dice::Dice;

/// How many nodes there are.
const NODES: usize = 3;

/// How many people live, side by side.
const LIVES: usize = 6;

/// How many others log in all the time.
const REGULARS: usize = 3;

/// How many more log in with a push.
const PHONES: usize = 2;

/// So long nobody may wait, whatever happens: everything would be at a stand.
const PATIENCE: Duration = Duration::from_mins(5);

/// How often a node is killed before the database is lost, and as often afterwards.
fn kills() -> u64 {
    match std::env::var("GATELOG_LONG").as_deref() {
        Ok("1") => 40,
        _ => 3,
    }
}

/// What everybody shares.
struct Town {
    /// How a browser gets here: by the proxy, or straight to a node.
    ways: Vec<Visitor>,
    /// The address that mails lead to.
    base: String,
    sink: MailSink,
    duo: Duo,
    ledger: Ledger,
    /// The executions whose links were confirmed, and that was acknowledged.
    confirmed: RefCell<Vec<String>>,
    /// Everybody who has an account by now.
    people: RefCell<Vec<Person>>,
    /// How often somebody saw an error or no answer.
    lost: Cell<usize>,
    /// Whether the killing has ended.
    is_over: Cell<bool>,
    clock: Clock,
    /// When somebody was answered the last time.
    answered: Cell<Instant>,
}

impl Town {
    fn new(nodes: &[TestServer], proxy: &Proxy, sink: MailSink, duo: Duo) -> Self {
        let mut first = nodes[0].visitor();
        first.turns_to_address(proxy.base());
        let ways = std::iter::once(first).chain(nodes.iter().map(TestServer::visitor));
        let clock = Clock::system();
        Self {
            ways: ways.collect(),
            base: proxy.base().to_owned(),
            sink,
            duo,
            ledger: Ledger::default(),
            confirmed: RefCell::default(),
            people: RefCell::default(),
            lost: Cell::new(0),
            is_over: Cell::new(false),
            answered: Cell::new(clock.monotonic()),
            clock,
        }
    }

    /// Somebody was answered.
    fn goes_on(&self) {
        self.answered.set(self.clock.monotonic());
    }

    /// Somebody was not.
    async fn waits(&self, pause: Duration) {
        let since = self.clock.monotonic() - self.answered.get();
        assert!(since < PATIENCE, "nobody is answered any more");
        tokio::time::sleep(pause).await;
    }
}

/// The nodes, of which the first one makes what there is.
async fn nodes(pair: &Pair, place: &Place, sink: &MailSink) -> Vec<TestServer> {
    let options = sink
        .serves(Options::default())
        .with("GATELOG_JOURNAL__URL", &pair.address())
        .with("GATELOG_WEB__PUBLIC_URL", &place.base())
        .with_one_key();
    let mut nodes = vec![TestServer::start(options.clone()).await];
    for ready in ["enrollment", "recovery"] {
        nodes[0].gatelog(&["blueprint", "enable", ready]).succeeds();
    }
    let options = Options {
        has_administrator: false,
        ..options
    };
    while nodes.len() < NODES {
        nodes.push(TestServer::start(options.clone()).await);
    }
    nodes
}

/// Kills nodes, in the middle also the database, and starts the nodes again.
async fn strikes(nodes: &mut [TestServer], pair: &Pair, town: &Town, mut dice: Dice) {
    let kills = kills();
    for round in 0..=2 * kills {
        dice.sleeps(1_500).await;
        let first = dice.below(NODES);
        let mut down = vec![first];
        if round == kills {
            // What a node was just writing, nobody may learn from it any more.
            pair.loses_the_first();
            dice.sleeps(1_000).await;
            nodes[first].dies();
            dice.sleeps(500).await;
            pair.promotes();
        } else {
            nodes[first].dies();
            if dice.below(3) == 0 {
                let second = (first + 1) % NODES;
                nodes[second].dies();
                down.push(second);
            }
        }
        dice.sleeps(800).await;
        for node in down {
            nodes[node].begin().await;
        }
    }
    town.is_over.set(true);
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the seed is what somebody needs to look at a failure"
)]
fn whatever_is_lost_no_acknowledged_step_is_and_nothing_happens_twice() {
    let seed = std::env::var("GATELOG_SEED").ok();
    let seed = seed.and_then(|it| it.parse().ok());
    let seed = seed.unwrap_or_else(|| random_below(1 << 32));
    eprintln!("GATELOG_SEED={seed}");
    let Some(nginx) = Proxy::program() else {
        return;
    };
    block_on(async {
        let Some(pair) = Pair::start().await else {
            return;
        };
        let (place, sink) = (Place::new(), MailSink::start());
        let mut nodes = nodes(&pair, &place, &sink).await;
        let proxy = Proxy::start(nginx, &place, nodes.iter().map(TestServer::base));
        let duo = Duo::start(nodes[0].canaries()).await;
        let phones = push::people(&nodes[0], &duo, PHONES).await;
        let town = Town::new(&nodes, &proxy, sink, duo);
        let mut dice = Dice::new(seed);
        let regulars: Vec<Person> = (0..REGULARS).map(|_| nodes[0].person()).collect();
        let there = regulars.iter().chain(&phones).cloned();
        town.people.borrow_mut().extend(there);
        let lives: Vec<Dice> = (0..LIVES).map(|_| dice.another()).collect();
        let visits: Vec<Dice> = regulars.iter().map(|_| dice.another()).collect();
        let living = join_all(lives.into_iter().map(|dice| town.lives(dice)));
        let visiting = join_all(
            regulars
                .iter()
                .zip(visits)
                .map(|(person, dice)| town.keeps_logging_in(person, dice)),
        );
        let calls: Vec<Dice> = phones.iter().map(|_| dice.another()).collect();
        let approving = join_all(
            phones
                .iter()
                .zip(calls)
                .map(|(person, dice)| town.keeps_approving(person, dice)),
        );
        let striking = strikes(&mut nodes, &pair, &town, dice);
        join3(striking, approving, join(living, visiting)).await;
        checks::all(&nodes, &town).await;
        eprintln!(
            "{} rounds, {} people, {} mails, {} pushes, {} answers acknowledged, {} requests lost",
            2 * kills() + 1,
            town.people.borrow().len(),
            town.sink.taken().len(),
            town.duo.pushes().len(),
            town.ledger.answers.get(),
            town.lost.get()
        );
        assert!(town.lost.get() > 0, "no request was ever lost");
        for node in nodes {
            node.finish().await;
        }
    });
}
