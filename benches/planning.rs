//! What planning the default flow costs with both of its policies asked while it is planned, in
//! processor time of this process and of the workers, beside one password hash.

use std::hint::black_box;
use std::io::Write as _;

use gatelog::blueprint::{Options, Syntax, apply_defaults};
use gatelog::catalog::{FlowStageBinding, bindings_of, conditions_of, flow_by_slug};
use gatelog::clock::Clock;
use gatelog::directory::password;
use gatelog::expression::{self, Workers};
use gatelog::flow::Execution;
use gatelog::flow::event::Event;
use gatelog::flow::input::Request;
use gatelog::journal::memory::MemoryJournal;
use gatelog::journal::object::{self, Versioned};
use gatelog::journal::{Commit, Durability, Journal};
use gatelog::stage::handle;
use secrecy::SecretString;
use uuid::Uuid;

use super::shelf::{Shelf, input};

/// How often the flow is planned, after a tenth of it that does not count.
const PLANS: u32 = 5_000;
/// How many passwords are hashed.
const HASHES: u32 = 50;
/// Ticks of processor time in a second, as Linux counts them for programs.
pub(crate) const TICKS: f64 = 100.0;

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").expect("the terminal takes it");
    let hash = hash(&clock);
    let options = expression::Options::of_program(env!("CARGO_BIN_EXE_gatelog"));
    let workers = Workers::start(options, clock.clone()).expect("workers");
    say("| planning the default flow | µs of processor time | of one password hash |".into());
    say("|---|---|---|".into());
    for (name, on_plan) in [
        ("without its policies", false),
        ("with both policies", true),
    ] {
        let (journal, flow) = runtime.block_on(furnish(&clock, &workers, on_plan));
        let mut world = Shelf::new(journal, clock.now());
        world.workers = Some(workers.clone());
        let begin = Request::Begin {
            context: gatelog::flow::Context::default(),
            execution: Uuid::from_u128(1),
            session: Uuid::from_u128(2),
            flow,
            dead_link: None,
            link_until: None,
        };
        let input = input(clock.now(), begin);
        let plans = |number: u32| {
            runtime.block_on(async {
                for _ in 0..number {
                    let handled = handle(Execution::default(), &input, None, &world).await;
                    let handled = black_box(handled.expect("a plan"));
                    let asked = |event: &&Event| matches!(event, Event::PolicyEvaluated(_));
                    let asked = handled.events.iter().filter(asked).count();
                    assert_eq!(asked, if on_plan { 2 } else { 0 }, "{:?}", handled.events);
                }
            });
        };
        plans(PLANS / 10);
        let processes = processes(&workers);
        let before = ticks(&processes);
        plans(PLANS);
        let each = (ticks(&processes) - before) / TICKS * 1e6 / f64::from(PLANS);
        let ratio = 100.0 * each / hash;
        say(format!("| {name} | {each:.0} | {ratio:.2} % |"));
    }
    say(format!(
        "One password hash: {:.1} ms of processor time.",
        hash / 1000.0
    ));
}

/// What hashing a password at the default cost takes, in microseconds of processor time.
fn hash(clock: &Clock) -> f64 {
    let typed = SecretString::from("correct horse battery staple");
    let _ = password::hash(&typed, clock);
    let own = [std::process::id()];
    let before = ticks(&own);
    for _ in 0..HASHES {
        black_box(password::hash(&typed, clock));
    }
    (ticks(&own) - before) / TICKS * 1e6 / f64::from(HASHES)
}

/// This process and the workers, which are all free between two measurements.
fn processes(workers: &Workers) -> Vec<u32> {
    let mut processes = workers.idle();
    assert_eq!(processes.len(), 2, "both workers are free");
    processes.push(std::process::id());
    processes
}

/// The processor time of all of these, in ticks.
pub(crate) fn ticks(processes: &[u32]) -> f64 {
    let of = |process: &u32| -> f64 {
        let path = format!("/proc/{process}/stat");
        let text = std::fs::read_to_string(path).expect("the process is there");
        // The name in brackets may hold anything, also blanks.
        let (_, fields) = text.rsplit_once(')').expect("a name in brackets");
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |at: usize| -> f64 { fields[at].parse().expect("a number of ticks") };
        number(11) + number(12)
    };
    processes.iter().map(of).sum()
}

/// The default flows; with `on_plan`, both policies are asked while the flow is planned.
async fn furnish(clock: &Clock, workers: &Workers, on_plan: bool) -> (MemoryJournal, Uuid) {
    let journal = MemoryJournal::new(clock.clone());
    gatelog::directory::command::prepare(&journal, clock)
        .await
        .expect("an installation");
    let options = Options {
        syntax: Syntax::Workers(workers),
        ..Options::default()
    };
    let applied = apply_defaults(&journal, clock, &options).await;
    applied.expect("the default flows");
    let flow = flow_by_slug(&journal, "default-authentication-flow").await;
    let flow = flow.expect("a read").expect("the flow").value;
    let bindings = bindings_of(&journal, flow.pk).await.expect("bindings");
    let mut writes = Vec::new();
    for Versioned { version, mut value } in bindings {
        let conditions = conditions_of(&journal, value.pbm).await;
        if on_plan && !conditions.expect("a read").is_empty() {
            value.evaluate_on_plan = true;
            writes.push(object::put::<FlowStageBinding>(&value, version));
        }
    }
    if !writes.is_empty() {
        let commit = Commit {
            writes,
            durability: Durability::Relaxed,
            fence: None,
            at: clock.now(),
            correlation: Uuid::nil(),
        };
        journal.commit(commit).await.expect("a commit");
    }
    (journal, flow.pk)
}
