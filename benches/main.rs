//! The benches, by name: `cargo bench --bench bench -- commit`.
//!
//! Without a name all of them run. Each prints a table of its own. With `--quick` those that
//! measure memory and processor take a tenth of their time;
//! with `--long` also a hundred thousand executions wait, and a hundred thousand logins are run
//! under another policy, which takes some minutes.

use std::io::Write as _;
use std::process::ExitCode;

mod beside;
mod commit;
mod decide;
mod existence;
mod forward;
mod growth;
mod load;
mod nodes;
mod planning;
mod policy;
mod replay;
mod served;
mod shelf;
mod waits;
mod wake;
mod what_if;

/// The server's own, which runs in this program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A bench and its name.
type Bench = (&'static str, fn());

const BENCHES: &[Bench] = &[
    ("commit", commit::run),
    ("decide", decide::run),
    ("existence", existence::run),
    ("forward", forward::run),
    ("growth", growth::run),
    ("load", load::run),
    ("nodes", nodes::run),
    ("planning", planning::run),
    ("policy", policy::run),
    ("replay", replay::run),
    ("waits", waits::run),
    ("wake", wake::run),
    ("what-if", what_if::run),
];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        // A server has this very program started anew to run expressions, and the bench `load`
        // has it started to serve.
        Some("evaluate" | gatelog::load::own::COMMAND) => return gatelog::cli::main(),
        Some(load::BARE) => return load::serve_bare(),
        Some(forward::BARE) => return forward::serve_bare(),
        _ => {}
    }
    // Cargo adds flags of its own, such as `--bench`.
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    if let Some(unknown) = asked.iter().find(|name| bench(name).is_none()) {
        let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
        let _ = writeln!(
            std::io::stderr(),
            "there is no bench {unknown:?}; there is: {}",
            names.join(", ")
        );
        std::process::exit(2);
    }
    for (name, run) in BENCHES {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            run();
        }
    }
    ExitCode::SUCCESS
}

fn bench(name: &str) -> Option<&'static Bench> {
    BENCHES.iter().find(|(known, _)| *known == name)
}
