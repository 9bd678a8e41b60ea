//! `gatelog bench`: load, and what a server made of it.
//!
//! Without `--url` it starts a server of its own for it, and removes everything in the end.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;

use crate::clock::Clock;
use crate::load::own::{Options, Own};
use crate::load::{self, People, Plan, Profile, Report, Target};

use super::output::{Output, talk};
use super::password;

pub(super) mod server;
mod shown;

/// The heading of the options about a server that is there already.
const GIVEN: &str = "A server that is there already";
/// The heading of the options about the other one.
const OWN: &str = "A server of its own (without --url)";

/// What is measured.
#[derive(Debug, Args)]
pub(super) struct Command {
    /// What visitors do: login, wrong-passwords, challenge, first-get, enrolment, waits, flows
    #[arg(default_value_t = Profile::Login)]
    profile: Profile,
    /// How many visitors there are at the same time
    #[arg(long, value_name = "N", default_value_t = 32)]
    visitors: usize,
    /// Begin so many conversations a second, whatever the server does [default: each visitor
    /// begins the next one when the last one is over]
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// How long it counts
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    duration: Duration,
    /// How long the same is done before it counts
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    warm_up: Duration,
    /// End after so many conversations instead
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    conversations: Option<u64>,
    /// How long one request may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    timeout: Duration,
    /// Open a connection for each conversation
    #[arg(long)]
    reconnect: bool,
    /// Take it for no failure when the server sends people away (429, 503)
    #[arg(long)]
    allow_busy: bool,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    own: Its,
}

#[derive(Debug, Args)]
struct Given {
    #[arg(long, help_heading = GIVEN, help = "Its address, such as http://127.0.0.1:9000")]
    url: Option<String>,
    /// The slug of a flow; several are gone through by turns
    #[arg(long, value_name = "SLUG", help_heading = GIVEN, requires = "url")]
    flow: Vec<String>,
    /// Who has accounts: a file with a name, a tab and a password in each line
    #[arg(long, value_name = "FILE", help_heading = GIVEN, requires = "url")]
    users: Option<PathBuf>,
    /// Who has accounts: people whose names are this and a number, and who share a password
    #[arg(long, value_name = "PREFIX", help_heading = GIVEN, requires = "url", conflicts_with = "users")]
    user_prefix: Option<String>,
    /// How many of them there are, from 0 on
    #[arg(long, value_name = "N", help_heading = GIVEN, requires = "user_prefix", default_value_t = 1)]
    user_count: usize,
    /// Read their password from standard input
    #[arg(long, help_heading = GIVEN, requires = "user_prefix")]
    password_stdin: bool,
    /// Claim an address for each visitor, as a proxy would (X-Forwarded-For)
    #[arg(long, help_heading = GIVEN, requires = "url")]
    forwarded: bool,
    /// Also ask a server that is not on this machine; do that only with servers of your own
    #[arg(long, help_heading = GIVEN, requires = "url")]
    elsewhere: bool,
    /// Its process, whose processor time and memory are told
    #[arg(long, value_name = "ID", help_heading = GIVEN, requires = "url")]
    process: Option<u32>,
}

#[derive(Debug, Args)]
struct Its {
    /// Check passwords without the costly hash, so that everything else is seen
    #[arg(long, help_heading = OWN, conflicts_with = "url")]
    unhashed: bool,
    /// How many people have accounts
    #[arg(long, value_name = "N", help_heading = OWN, conflicts_with = "url", default_value_t = 200)]
    people: usize,
    /// How many flows there are beside the usual ones
    #[arg(long, value_name = "N", help_heading = OWN, conflicts_with = "url", default_value_t = 16)]
    flows: usize,
    /// Where its directory is made, on the disk that is measured [default: /var/tmp]
    #[arg(long, value_name = "DIRECTORY", help_heading = OWN, conflicts_with = "url")]
    scratch: Option<PathBuf>,
}

/// Some conversations came to no good end.
#[derive(Debug, thiserror::Error)]
#[error("{failed} conversations failed: {kinds}")]
struct Failed {
    failed: u64,
    kinds: String,
}

pub(super) fn run(command: &Command, output: &Output) -> anyhow::Result<()> {
    let clock = Clock::system();
    let report = match &command.given.url {
        Some(url) => given(command, url, &clock)?,
        None => own(command, &clock)?,
    };
    shown::print(&report, output)?;
    if report.conversations.ended == 0 {
        bail!("no conversation came to its end while it counted");
    }
    match failed(&report, command.allow_busy) {
        Some(failed) => Err(failed.into()),
        None => Ok(()),
    }
}

fn given(command: &Command, url: &str, clock: &Clock) -> anyhow::Result<Report> {
    let given = &command.given;
    let target = Target::parse(url, given.elsewhere)?;
    let people = match (&given.users, &given.user_prefix) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file);
            let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
            People::listed(&text).with_context(|| file.display().to_string())?
        }
        (None, Some(prefix)) => {
            let typed = password::ask(given.password_stdin)?;
            People::numbered(prefix, given.user_count, typed)
        }
        (None, None) if command.profile.needs_people() => {
            bail!("who logs in? Say so with --users or --user-prefix")
        }
        (None, None) => People::nobody(),
    };
    let flows = match given.flow.as_slice() {
        [] => vec![command.profile.usual_flow().to_owned()],
        flows => flows.to_vec(),
    };
    let plan = Plan {
        process: given.process,
        forwarded: given.forwarded,
        ..plan(command, flows)
    };
    Ok(load::run(&plan, &target, &people, clock)?)
}

fn own(command: &Command, clock: &Clock) -> anyhow::Result<Report> {
    let scratch = command.own.scratch.clone().unwrap_or_else(scratch);
    let options = Options {
        unhashed: command.own.unhashed,
        people: command.own.people.max(1),
        flows: command.own.flows.max(1),
        ..Options::new(&scratch)?
    };
    talk(&format!(
        "Starting a server of its own in {}, with {} people in it.",
        scratch.display(),
        options.people
    ));
    let own = Own::start(&options, clock)?;
    let plan = Plan {
        process: Some(own.process()),
        ..plan(command, own.flows(command.profile))
    };
    let measured = load::run(&plan, &own.target(), &own.people(), clock);
    let said = own.said();
    if !said.is_empty() {
        talk(&format!("The server said:\n{said}"));
    }
    Ok(measured?)
}

fn plan(command: &Command, flows: Vec<String>) -> Plan {
    Plan {
        visitors: command.visitors,
        rate: command.rate,
        warm_up: command.warm_up,
        duration: command.duration,
        conversations: command.conversations,
        timeout: command.timeout,
        reconnects: command.reconnect,
        ..Plan::new(command.profile, flows)
    }
}

/// A directory that is on a disk on most machines; that for temporary files often is in memory.
fn scratch() -> PathBuf {
    let on_disk = PathBuf::from("/var/tmp");
    if on_disk.is_dir() {
        on_disk
    } else {
        std::env::temp_dir()
    }
}

fn failed(report: &Report, allow_busy: bool) -> Option<Failed> {
    let is_busy = |name: &str| ["status_429", "status_503"].contains(&name);
    let failures = report.failures.iter();
    let failures: Vec<_> = failures
        .filter(|(name, _)| !(allow_busy && is_busy(name)))
        .collect();
    let kinds = failures
        .iter()
        .map(|(name, count)| format!("{count} {name}"));
    (!failures.is_empty()).then(|| Failed {
        failed: failures.iter().map(|(_, count)| **count).sum(),
        kinds: kinds.collect::<Vec<_>>().join(", "),
    })
}

/// A span of time such as `10s` or `500ms`.
fn time(text: &str) -> Result<Duration, String> {
    let span: Result<SignedDuration, _> = text.parse();
    let span = span.ok().and_then(|span| Duration::try_from(span).ok());
    let span = span.filter(|span| *span <= Duration::from_hours(24 * 7));
    span.ok_or_else(|| format!("{text:?} is no span of time up to a week, such as 10s"))
}
