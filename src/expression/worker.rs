//! The worker process, `gatelog evaluate`: reads orders from its standard input, a socket, and
//! answers there.
//!
//! It opens neither data nor settings, and after [`run`] has confined it, nothing at all.

use std::fs;
use std::io::{self, BufReader};
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;

use lru::LruCache;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::interpreter::Program;
use super::wire::{self, Done, Order, Report, Text};

/// How many compiled expressions a worker keeps.
const PROGRAMS: usize = 256;
/// Deep enough for what the interpreter's and the parser's own limits allow.
const STACK: usize = 32 << 20;
/// What the address space may grow by, if nothing else is said.
pub const MEMORY: u64 = 128 << 20;

/// Works until the server closes the socket. `memory` is what the address space may grow by, in
/// bytes.
pub fn run(memory: u64) -> io::Result<()> {
    let worker = thread::Builder::new().stack_size(STACK);
    let worker = worker.spawn(move || {
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        confine(memory)?;
        serve(&socket)
    })?;
    worker
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the interpreter panicked")))
}

/// Takes from this process what an interpreter that was broken out of could use.
fn confine(memory: u64) -> io::Result<()> {
    let limit = |resource, to| {
        let limits = Rlimit {
            current: Some(to),
            maximum: Some(to),
        };
        setrlimit(resource, limits)
    };
    if let Some(used) = address_space() {
        limit(Resource::As, used.saturating_add(memory))?;
    }
    // No core with a secret in it, no file that grows, no further thread or process, no further
    // descriptor than the ones that are open.
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nproc, 0)?;
    limit(Resource::Nofile, 3)?;
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{
            DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal,
        };
        // Nobody may look into it, and it must not outlive the server, however busy it is.
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        set_parent_process_death_signal(Some(Signal::KILL))?;
    }
    Ok(())
}

/// The size of this process's address space in bytes, where the system tells.
fn address_space() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn serve(socket: &UnixStream) -> io::Result<()> {
    let mut from = BufReader::new(socket);
    let mut to = socket;
    let mut programs = LruCache::new(NonZeroUsize::new(PROGRAMS).expect("not zero"));
    warm_up();
    wire::write(&mut to, &Report::Ready)?;
    while let Some(order) = wire::read::<Order>(&mut from)? {
        let report = match order {
            Order::Check(text) => Report::Checked(Program::compile(&text).err()),
            Order::Evaluate(start) => {
                match programs.try_get_or_insert_ref(&start.text, || Program::compile(&start.text))
                {
                    Ok(program) => {
                        let ended = program.run(*start, &mut |question| {
                            wire::write(&mut to, &Report::Question(question))?;
                            match wire::read(&mut from)? {
                                Some(Order::Answer(answer, secrets)) => Ok((answer, secrets)),
                                _ => Err(io::Error::other("an answer was expected")),
                            }
                        })?;
                        match ended {
                            Ok(done) => Report::Done(done),
                            Err((failed, log)) => Report::Failed(failed, log),
                        }
                    }
                    Err(error) => Report::Failed(wire::Failed::Syntax(error), Vec::new()),
                }
            }
            Order::Answer(..) => return Err(io::Error::other("nothing was asked")),
        };
        let report = match report {
            Report::Done(done) if !fits(&done) => {
                let what = "what it returned, or put into the context, is too large".to_owned();
                Report::Failed(wire::Failed::Refused(what), done.into_log())
            }
            report => report,
        };
        wire::write(&mut to, &report)?;
    }
    Ok(())
}

fn fits(done: &Done) -> bool {
    let changed = done
        .changes
        .iter()
        .filter_map(|change| change.value.as_ref());
    done.value.fits() && changed.into_iter().all(super::Value::fits)
}

/// The first run in a process takes a hundred times as long as the next.
fn warm_up() {
    let text = Text {
        source: "return {'a': [1, 'b']}.get('a') is not None".to_owned(),
        request: false,
        context: false,
        plan: false,
        client_ip: false,
        variables: Vec::new(),
    };
    let start = wire::Start {
        text: text.clone(),
        now: jiff::Timestamp::UNIX_EPOCH,
        request: None,
        context: Vec::new(),
        plan: None,
        client_ip: None,
        variables: Vec::new(),
        limits: super::Limits::default(),
        secrets: Vec::new(),
    };
    if let Ok(program) = Program::compile(&text) {
        // It asks nothing, so it cannot fail.
        let _ = program.run(start, &mut |_| Ok((wire::Answer::Abort, Vec::new())));
    }
}
