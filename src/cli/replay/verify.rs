//! `gatelog replay verify`: whether this version comes to the same as was recorded.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::Context;
use clap::Args;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::since::{self, Since};
use super::{read, told};
use crate::app;
use crate::cli::client::Operator;
use crate::cli::exit;
use crate::cli::output::{Closed, Output, print_line, print_value, talk, told_once};
use crate::clock::Clock;
use crate::expression::Workers;
use crate::journal::Journal;
use crate::replay::{self, Judged};
use crate::settings::Settings;

/// How many are asked for at once: a running server has other things to do as well.
const PAGE: usize = 100;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(in crate::cli) struct Command {
    /// Those that began in this time, such as 7d or 12h, or since this moment
    #[arg(long, value_name = "WHEN", group = "which", value_parser = since::read)]
    since: Option<Since>,
    /// All that there are
    #[arg(long, group = "which")]
    all: bool,
    /// Those in these bundles; no journal is needed for them
    #[arg(long, value_name = "FILE", num_args = 1.., group = "which")]
    file: Vec<PathBuf>,
    /// Use so many threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Print no more than so many of those that differ
    #[arg(long, value_name = "N", default_value_t = 10)]
    show: usize,
}

/// Nobody can say whether executions come to the same.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct Undecided(String);

/// Executions come to something else.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Differs(String);

/// What came of one execution.
#[derive(Deserialize)]
struct Ran {
    execution: Uuid,
    code: String,
    #[serde(default)]
    file: Option<String>,
    replay: Judged,
    #[serde(default)]
    live: Value,
}

/// What came of all of them.
#[derive(Debug, Default, Serialize)]
struct Count {
    executions: usize,
    records: usize,
    same: usize,
    diverged: usize,
    not_run: usize,
    unreadable: usize,
}

/// As this is a gate, whatever keeps it from a verdict has another code than a difference.
pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    judge(command, settings, output).await.map_err(|error| {
        let is_closed = error.is::<Closed>();
        if error.is::<Differs>() || (exit::code(&error) != exit::FAILURE && !is_closed) {
            return error;
        }
        Undecided(told_once(&error)).into()
    })
}

async fn judge(command: &Command, settings: &Settings, output: &Output) -> anyhow::Result<()> {
    if !command.file.is_empty() {
        return files(command, output).await?.close(output);
    }
    let operator = Operator::reach(settings).await?;
    let report = journal(command, &operator, output).await;
    operator.close().await?;
    report?.close(output)
}

/// Runs those of the journal, page by page.
async fn journal(
    command: &Command,
    operator: &Operator,
    output: &Output,
) -> anyhow::Result<Report> {
    let status = operator.get("status").await?;
    if let Some(problem) = other_code(&status) {
        return Err(Undecided(problem).into());
    }
    let now: Timestamp = serde_json::from_value(status["now"].clone())?;
    let since = command.since.map(|it| it.moment(now));
    let mut report = Report::new(command.show);
    let mut before = Value::Null;
    loop {
        let asked =
            json!({ "before": before, "since": since, "limit": PAGE, "jobs": command.jobs });
        let answer = operator.post_long("replay/verify", &asked).await?;
        let executions: Vec<Ran> = serde_json::from_value(answer["executions"].clone())
            .context("the server's answer cannot be read")?;
        for ran in executions {
            report.take(&ran, output)?;
        }
        for it in answer["unreadable"].as_array().into_iter().flatten() {
            report.unreadable(it, output)?;
        }
        before = answer["next"].clone();
        if before.is_null() {
            return Ok(report);
        }
    }
}

/// What to say where the server runs other code than this command would.
fn other_code(status: &Value) -> Option<String> {
    let (version, build) = (env!("CARGO_PKG_VERSION"), env!("BUILD_OF_GATELOG"));
    if status["version"] == version && status["build"] == build {
        return None;
    }
    let text = |key: &str| status[key].as_str().unwrap_or("unknown");
    Some(format!(
        "the running server is gatelog {} (build {}), and would run its own code, not that of this \
         one, {version} (build {build}): stop it, or take a copy of the data directory",
        text("version"),
        text("build"),
    ))
}

/// Runs those of bundles, some at a time.
async fn files(command: &Command, output: &Output) -> anyhow::Result<Report> {
    let workers = app::expressions(&Clock::system())?;
    let mut report = Report::new(command.show);
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = command.jobs.map_or(cores, NonZeroUsize::get);
    for some in command.file.chunks(jobs) {
        let ran = some.iter().map(|file| from_file(file, &workers));
        for ran in join_all(ran).await {
            report.take(&ran, output)?;
        }
    }
    Ok(report)
}

async fn from_file(file: &Path, workers: &Workers) -> Ran {
    let mut ran = Ran {
        execution: Uuid::nil(),
        code: String::new(),
        file: Some(file.display().to_string()),
        replay: Judged::NotRun {
            problem: "there is nothing in it".to_owned(),
        },
        live: Value::Null,
    };
    let bundle = match read(file) {
        Ok(bundle) => bundle,
        Err(error) => {
            let problem = format!("{error:#}");
            ran.replay = Judged::NotRun { problem };
            return ran;
        }
    };
    ran.execution = bundle.execution;
    ran.code.clone_from(&bundle.code);
    let journal: Arc<dyn Journal> = Arc::new(bundle.unpack());
    let judged = replay::verify_all(&journal, Some(workers), &[ran.execution], 1).await;
    let judged = judged.map_err(|error| error.to_string());
    match judged.map(|mut judged| judged.pop()) {
        // A bundle has all that it needs, so this one was changed.
        Ok(Some(Judged::Unreadable { problem })) | Err(problem) => {
            ran.replay = Judged::NotRun { problem };
        }
        Ok(Some(judged)) => ran.replay = judged,
        Ok(None) => {}
    }
    ran
}

/// What is printed on the way and at the end.
struct Report {
    count: Count,
    show: usize,
    shown: Vec<Value>,
    unreadable: Vec<Value>,
    first: Option<String>,
}

impl Report {
    fn new(show: usize) -> Self {
        Self {
            count: Count::default(),
            show,
            shown: Vec::new(),
            unreadable: Vec::new(),
            first: None,
        }
    }

    fn take(&mut self, ran: &Ran, output: &Output) -> anyhow::Result<()> {
        let name = match &ran.file {
            Some(file) => file.clone(),
            None => format!("{} ({})", ran.execution, ran.code),
        };
        self.count.executions += 1;
        let differs = ran.live["outcome"] == "different";
        let line = match &ran.replay {
            Judged::Same { records } if !differs => {
                self.count.records += records;
                self.count.same += 1;
                return Ok(());
            }
            Judged::Same { .. } => {
                self.count.diverged += 1;
                format!("{name} is in another state in memory than the journal folds into")
            }
            Judged::Diverged(divergence) => {
                self.count.diverged += 1;
                format!("{name} differs at {divergence}")
            }
            Judged::NotRun { problem } => {
                self.count.not_run += 1;
                format!("{name} could not be run again: {problem}")
            }
            Judged::Unreadable { problem } => {
                let it =
                    json!({ "execution": ran.execution, "code": ran.code, "problem": problem });
                self.count.executions -= 1;
                return self.unreadable(&it, output);
            }
        };
        if self.shown.len() < self.show {
            if !output.is_json() {
                output.heading(&line)?;
                if let Judged::Diverged(divergence) = &ran.replay {
                    told::sides(divergence)?;
                }
            }
            self.shown.push(json!({
                "execution": ran.execution,
                "code": ran.code,
                "file": ran.file,
                "replay": ran.replay,
                "live": ran.live,
            }));
        }
        // One that differs says more than one that was not run.
        let differs = !matches!(ran.replay, Judged::NotRun { .. });
        if self.first.is_none() || (differs && self.count.diverged == 1) {
            self.first = Some(line);
        }
        Ok(())
    }

    fn unreadable(&mut self, it: &Value, output: &Output) -> anyhow::Result<()> {
        self.count.executions += 1;
        self.count.unreadable += 1;
        if self.unreadable.len() < self.show {
            if !output.is_json() {
                let text = |key: &str| it[key].as_str().unwrap_or_default();
                let (id, code) = (text("execution"), text("code"));
                print_line(&format!("{id} ({code}) is left out: {}", text("problem")))?;
            }
            self.unreadable.push(it.clone());
        }
        Ok(())
    }

    /// Says what it came to, and with which code the command ends.
    fn close(self, output: &Output) -> anyhow::Result<()> {
        let count = &self.count;
        if output.is_json() {
            let mut all = json!(count);
            all["version"] = env!("CARGO_PKG_VERSION").into();
            all["build"] = env!("BUILD_OF_GATELOG").into();
            all["first"] = self.shown.into();
            all["first_unreadable"] = self.unreadable.into();
            print_value(&all)?;
        } else {
            let unreadable = match count.unreadable {
                0 => String::new(),
                count => format!(", {count} erased or removed"),
            };
            talk(&format!(
                "Executions: {}. The same: {}, with {} records; different: {}; not run: \
                 {}{unreadable}. Judged by gatelog {} (build {}).",
                count.executions,
                count.same,
                count.records,
                count.diverged,
                count.not_run,
                env!("CARGO_PKG_VERSION"),
                env!("BUILD_OF_GATELOG"),
            ));
        }
        let first = self.first.unwrap_or_default();
        match (count.diverged, count.not_run) {
            (0, 0) if count.same == 0 => {
                let nothing = match count.executions {
                    0 => "nothing was compared: there is no such execution".to_owned(),
                    all => format!("nothing was compared: all {all} were erased or removed"),
                };
                Err(Undecided(nothing).into())
            }
            (0, 0) => Ok(()),
            (0, _) => Err(Undecided(first).into()),
            (1, _) => {
                Err(Differs(format!("an execution comes to something else now: {first}")).into())
            }
            (many, _) => Err(Differs(format!(
                "{many} executions come to something else now; the first: {first}"
            ))
            .into()),
        }
    }
}
