//! Logins on one, two and three nodes that share one PostgreSQL, beside `pgbench` writing the same rows to the
//! same server; and what a step costs that comes too late because another node was faster.
//!
//! The database is started here, waits for its disk, and shares the machine with the nodes, the visitors
//! and `pgbench`. So where the processor is the limit, more nodes do not make more of it.

use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::load::own::{Options, Own};
use gatelog::load::{self, Plan, Profile, Report};

use crate::load::{is_well, sent_away, time};
use crate::served::{disk, say};

mod beside;
mod database;
mod race;

use beside::Rows;
use database::Database;

/// How many nodes there are in the end.
const NODES: usize = 3;

/// How many visitors there are at the same time, at all nodes together, and as many clients has `pgbench`.
const VISITORS: usize = 96;

/// How many people have an account.
const PEOPLE: usize = 999;

/// How many logins are looked at for the rows that one writes.
const COUNTED: u64 = 300;

/// How many answers a login consists of; its first page is a commit as well.
const COMMITS: f64 = 3.0;

/// Measures and prints the tables; says so where PostgreSQL is missing.
pub(crate) fn run() {
    let clock = Clock::system();
    let Some(database) = Database::start() else {
        say(
            "PostgreSQL (initdb, postgres, psql and pgbench) is not installed: nothing is measured.",
        );
        return;
    };
    let keys = tempfile::tempdir().expect("a directory");
    let key = keys.path().join("secret.key").display().to_string();
    let mut nodes = vec![node(&database, &key, PEOPLE, &clock)];
    let people = nodes[0].people();
    let rows = rows(&database, &nodes[0], &clock);
    let plain = beside::pgbench(&database, &rows, false, VISITORS, time());
    let in_turn = beside::pgbench(&database, &rows, true, VISITORS, time());
    say(&format!("A login writes {rows}."));
    say("");
    say(
        "| nodes | logins/s | commits/s | p50 ms | p99 ms | processor time of the nodes for each login, ms \
         | sent away | of pgbench | of pgbench in turn |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    while nodes.len() <= NODES {
        let reports = measured(&nodes, &people, time(), None, &clock);
        tell(&reports, plain, in_turn);
        if nodes.len() == NODES {
            break;
        }
        nodes.push(node(&database, &key, 0, &clock));
    }
    say("");
    say("| pgbench, the rows of a login in three transactions | logins/s | transactions/s |");
    say("|---|---|---|");
    for (name, logins) in [
        ("as fast as it can", plain),
        ("one after the other, by a lock on one row", in_turn),
    ] {
        say(&format!(
            "| {name} | {logins:.0} | {:.0} |",
            logins * COMMITS
        ));
    }
    drop(nodes);
    say("");
    race::run(&database, time(), &clock);
}

/// Another node.
fn node(database: &Database, key: &str, people: usize, clock: &Clock) -> Own {
    let environment = [
        ("GATELOG_JOURNAL__URL", database.address("gatelog").as_str()),
        ("GATELOG_SECRET_KEY_FILE", key),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = Options {
        unhashed: true,
        people,
        flows: 0,
        environment: environment.to_vec(),
        ..Options::new(disk()).expect("this program is somewhere")
    };
    Own::start(&options, clock).unwrap_or_else(|error| panic!("{error}"))
}

/// What a login writes, counted by the database over some hundred of them.
fn rows(database: &Database, node: &Own, clock: &Clock) -> Rows {
    let one = std::slice::from_ref(node);
    // Whatever is written once for each person is written now.
    measured(one, &node.people(), time(), Some(PEOPLE as u64), clock);
    let before = Rows::now(database);
    measured(one, &node.people(), time(), Some(COUNTED), clock);
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let counted = COUNTED as f64;
    Rows::now(database).since(&before, counted)
}

/// Has visitors log in at all of these nodes at the same time.
fn measured(
    nodes: &[Own],
    people: &load::People,
    duration: Duration,
    conversations: Option<u64>,
    clock: &Clock,
) -> Vec<Report> {
    std::thread::scope(|scope| {
        let begin = |(number, node): (usize, &Own)| {
            let plan = Plan {
                visitors: VISITORS / nodes.len(),
                duration,
                conversations,
                process: Some(node.process()),
                ..Plan::new(Profile::Login, node.flows(Profile::Login))
            };
            let (target, clock) = (node.target(), clock.clone());
            let people = people.clone().share(number, nodes.len());
            scope.spawn(move || load::run(&plan, &target, &people, &clock))
        };
        let all: Vec<_> = nodes.iter().enumerate().map(begin).collect();
        let ended = all.into_iter().zip(nodes).map(|(it, node)| {
            let report = it.join().expect("it does not panic");
            let report = report.unwrap_or_else(|error| panic!("{error}"));
            is_well(&report, node);
            report
        });
        ended.collect()
    })
}

/// One row for all nodes together. The slowest one's latencies are told.
fn tell(reports: &[Report], plain: f64, in_turn: f64) {
    let sum = |of: &dyn Fn(&Report) -> f64| reports.iter().map(of).sum::<f64>();
    let most = |of: &dyn Fn(&Report) -> f64| reports.iter().map(of).fold(0.0, f64::max);
    let logins = sum(&|it| it.conversations.per_second);
    let sent_away: u64 = reports.iter().map(sent_away).sum();
    let busy = sum(&|it| it.server.as_ref().map_or(f64::NAN, |it| it.busy));
    say(&format!(
        "| {} | {logins:.0} | {:.0} | {:.1} | {:.1} | {:.2} | {sent_away} | {:.2} | {:.2} |",
        reports.len(),
        logins * COMMITS,
        most(&|it| it.conversations.latency.p50_ms),
        most(&|it| it.conversations.latency.p99_ms),
        busy * 1e3 / logins,
        logins / plain,
        logins / in_turn,
    ));
}
