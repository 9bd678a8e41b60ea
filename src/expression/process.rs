//! One worker process, seen from the server.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::error::Error;
use super::wire::{self, Report};
use super::workers::Options;

/// How long a worker may take to start. It is a matter of milliseconds.
const START: Duration = Duration::from_secs(10);

/// A worker process that has started. Killed and reaped when it is dropped.
pub(super) struct Process {
    child: Child,
    /// Our end, not blocking; taken out for the time of an evaluation.
    pub(super) socket: Option<UnixStream>,
}

impl Process {
    /// Starts one and waits until it is ready. Blocks for some milliseconds.
    pub(super) fn start(options: &Options) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&options.program);
        command
            // What a list of processes shows; the program may be named by a link.
            .arg0("gatelog")
            .arg("evaluate")
            .arg(format!("--memory={}", options.memory))
            .env_clear()
            // The allocator would take more address space at once than an evaluation may use, so that
            // no limit counted what it takes.
            .env("MIMALLOC_DISALLOW_ARENA_ALLOC", "1")
            .current_dir("/")
            // A signal for the server's group is the server's to handle.
            .process_group(0)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let child = command.spawn()?;
        // The command holds the other end of the socket, which must be closed here.
        drop(command);
        let process = Self {
            child,
            socket: Some(ours),
        };
        if let Some(socket) = &process.socket {
            socket.set_read_timeout(Some(START))?;
            match wire::read(&mut &*socket)? {
                Some(Report::Ready) => socket.set_nonblocking(true)?,
                _ => return Err(io::Error::other("the worker did not become ready")),
            }
        }
        Ok(process)
    }

    /// Whether it has not ended yet, by itself or killed by somebody.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its number, for tests and logs.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, if it still lives, and says what it died of. Blocks until it is reaped.
    pub(super) fn autopsy(mut self) -> Error {
        let died = self.last_words();
        self.end();
        let mut said = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            // It is dead, so this ends; and it never says more than the pipe holds.
            let _ = stderr.take(64 << 10).read_to_end(&mut said);
        }
        cause(died.or_else(|| self.child.wait().ok()), &said)
    }

    /// How it ended, if it did so by itself: its socket closes a little before it is dead.
    fn last_words(&mut self) -> Option<ExitStatus> {
        for _ in 0..50 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(1));
        }
        None
    }

    fn end(&mut self) {
        // Both fail only if it is dead and reaped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the runtime says before it aborts tells the cause. It is not passed on as it is: it could
/// hold anything.
fn cause(status: Option<ExitStatus>, said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    if said.contains("memory allocation of") {
        return Error::Memory;
    }
    let what = if said.contains("overflowed its stack") {
        "its stack overflowed".to_owned()
    } else {
        match status.and_then(|status| status.signal().map(|s| (status, s))) {
            Some((_, signal)) => format!("killed by signal {signal}"),
            None => match status.and_then(|status| status.code()) {
                Some(code) => format!("it ended with code {code}"),
                None => "it is gone".to_owned(),
            },
        }
    };
    Error::WorkerDied(what)
}
