//! How large disk and memory may become, and what they came to.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::ledger::Ledger;
use crate::support::{TestServer, files};

/// How much the memory of the server may have grown since the end of the first round.
const MEMORY: u64 = 64 << 20;

/// What the directory may take when all has been forgotten: the store's own files, the state of what is
/// still there, and so much for each record that there ever was, whose frame and whose place stay. Both
/// are some 300 bytes; sled takes several times of what it holds.
const DISK: u64 = 48 << 20;
const RECORD: u64 = 1024;

/// What the figures are.
const HEAD: &str =
    "| round | after | executions that can be read | disk KiB | log | state | keys | memory KiB |
|---|---|---|---|---|---|---|---|";

/// Figures, and the files that tell the server what its clock and its disk do.
pub(super) struct Bounds {
    /// Holds the two files.
    _told: TempDir,
    pub(super) clock: PathBuf,
    pub(super) faults: PathBuf,
    rounds: u64,
    memory: Option<u64>,
    rows: Vec<String>,
}

impl Bounds {
    pub(super) fn new(told: TempDir, clock: PathBuf, faults: PathBuf) -> Self {
        Self {
            _told: told,
            clock,
            faults,
            rounds: 0,
            memory: None,
            rows: Vec::new(),
        }
    }

    /// A phase is over.
    pub(super) fn note(&mut self, phase: &str, server: &TestServer, executions: usize) {
        let (disk, memory) = (size(&server.data()) >> 10, memory(server) >> 10);
        let of = |part: &str| size(&server.data().join(part)) >> 10;
        let (log, state, keys) = (of("log"), of("state"), of("keys"));
        let round = self.rounds + 1;
        self.rows.push(format!(
            "| {round} | {phase} | {executions} | {disk} | {log} | {state} | {keys} | {memory} |"
        ));
    }

    /// A round is over.
    pub(super) fn round(&mut self) {
        self.rounds += 1;
    }

    /// All that is left is what has to be.
    pub(super) fn check(&mut self, server: &TestServer) {
        // Whoever verifies makes a second state for a moment, whose memory is given back only later.
        let memory = memory(server);
        let verified = server.gatelog(&["journal", "verify", "--json"]);
        let verified = &verified.succeeds().values()[0];
        let records = verified["records"].as_u64();
        let most = DISK + RECORD * records.expect("a number");
        let disk = size(&server.data());
        assert!(
            disk <= most,
            "{disk} bytes on the disk, and {most} at most: {verified}\n{HEAD}\n{}",
            self.rows.join("\n")
        );
        let first = *self.memory.get_or_insert(memory);
        assert!(
            memory <= first + MEMORY,
            "{memory} bytes of memory, and {first} after the first round\n{HEAD}\n{}",
            self.rows.join("\n")
        );
    }

    /// Prints what it came to.
    #[expect(
        clippy::print_stderr,
        reason = "the figures are what the long run is for"
    )]
    pub(super) fn report(&self, ledger: &Ledger) {
        eprintln!("{HEAD}");
        let shown = self.rows.len().saturating_sub(24);
        for row in &self.rows[shown..] {
            eprintln!("{row}");
        }
        eprintln!(
            "{} rounds, {} answers acknowledged, {} requests refused, {} cut off",
            self.rounds,
            ledger.answers.get(),
            ledger.refused.get(),
            ledger.cut_off.get()
        );
    }
}

/// What the files of a directory take on the disk.
fn size(directory: &Path) -> u64 {
    let blocks = |file: &PathBuf| file.metadata().map_or(0, |it| it.blocks());
    files(directory).iter().map(blocks).sum::<u64>() * 512
}

/// What the process holds in memory.
fn memory(server: &TestServer) -> u64 {
    gatelog::process::memory_of(server.pid()).unwrap_or_default()
}
