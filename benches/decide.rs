//! What deciding costs: each step of a login in a world that answers at once, and the pure core
//! alone, beside writing the record of the step as JSON and reading it back.

use std::hint::black_box;
use std::io::Write as _;

use gatelog::clock::Clock;
use gatelog::flow::event::Event;
use gatelog::flow::{Command, Execution};
use gatelog::stage::{Handled, handle};
use gatelog::world::Record;

use super::shelf::{Shelf, core, furnish, input, nanoseconds, round_trip, steps};

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").expect("the terminal takes it");
    say("| step | events | ns/op | JSON round trip of its record, ns | ratio |".into());
    say("|---|---|---|---|---|".into());

    let (journal, flow) = runtime.block_on(furnish(&clock));
    let now = clock.now();
    let world = Shelf::new(journal, now);
    let mut state = Execution::default();
    let (mut whole, mut limit, mut events) = (0.0, 0.0, Vec::new());
    for (name, request, typed) in steps(flow) {
        let input = input(now, request);
        let step = || -> Handled {
            let handled = handle(state.clone(), &input, typed.as_ref(), &world);
            runtime.block_on(handled).expect("a step of a login")
        };
        let handled = step();
        let took = nanoseconds(&clock, || {
            black_box(step());
        });
        let mut record = Record {
            input: input.clone(),
            observations: Vec::new(),
            events: handled.events.clone(),
        };
        record.input.body.clone_from(&handled.body);
        let json = nanoseconds(&clock, || round_trip(&record));
        let ratio = took / json;
        let count = handled.events.len();
        say(format!(
            "| {name} | {count} | {took:.0} | {json:.0} | {ratio:.2} |"
        ));
        whole += took;
        limit += json;
        events.extend(handled.events);
        state = handled.state;
    }
    assert!(state.is_over(), "the login came to its end");
    let (count, ratio) = (events.len(), whole / limit);
    say(format!(
        "| whole login | {count} | {whole:.0} | {limit:.0} | {ratio:.2} |"
    ));

    let commands: Vec<Command> = events.iter().map(command).collect();
    assert_eq!(core(&commands), count, "each command leads to its event");
    let took = nanoseconds(&clock, || {
        black_box(core(&commands));
    });
    let ratio = took / limit;
    say(format!(
        "| its decide and evolve alone | {count} | {took:.0} | {limit:.0} | {ratio:.2} |"
    ));
}

/// The command that leads to an event.
fn command(event: &Event) -> Command {
    match event.clone() {
        Event::Started {
            execution,
            flow,
            slug,
            session,
            client,
            query,
        } => Command::Start {
            execution,
            flow,
            slug,
            session,
            client,
            query,
        },
        Event::Planned { plan } => Command::Plan(plan),
        Event::StageEntered { .. } => Command::Enter,
        Event::ChallengeIssued {
            component, fields, ..
        } => Command::Ask { component, fields },
        Event::ResponseReceived { fields, .. } => Command::Receive { fields },
        Event::ResponseRejected { errors } => Command::Reject(errors),
        Event::StageCompleted { .. } => Command::Pass,
        Event::Completed { destination } => Command::Finish { destination },
        fact => Command::Learn(vec![fact]),
    }
}
