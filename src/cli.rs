//! The command line: one file for each subcommand.
//!
//! Data goes to standard output, everything else to standard error. A command reaches the
//! journal only through the operator's routes, whether the server runs or not; the exceptions
//! are `journal rebuild`, for which the server must be down, `journal verify` where none runs, and
//! what needs no journal at all.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app;
use crate::settings::{self, Loaded, Sources};

mod bench;
mod blueprint;
mod client;
mod config;
mod device;
mod erase;
mod evaluate;
mod events;
mod execution;
mod exit;
mod file;
#[cfg(test)]
mod handbook;
mod healthcheck;
mod invitation;
mod journal;
mod mail;
mod manual;
mod output;
mod password;
mod policy;
mod replay;
mod secret;
mod serve;
mod step;
mod token;
mod user;

use output::Output;

/// The heading of the options that every command has.
const EVERYWHERE: &str = "Options of every command";

/// Executes authentication flows and remembers every step.
#[derive(Debug, Parser)]
#[command(name = "gatelog", version, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Options {
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "FILE",
        help = "Settings file \
          [default: gatelog.toml, if there is one; also GATELOG_CONFIG]"
    )]
    config: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "DIRECTORY",
        help = "Data directory [default: ./data; also GATELOG_DATA]"
    )]
    data: Option<String>,
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "ADDRESS",
        help = "Address of the web server [default: 127.0.0.1:9000; also GATELOG_LISTEN]"
    )]
    listen: Option<String>,
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "URL",
        help = "PostgreSQL database of the journal, postgres://user@host/database \
          [default: the data directory; also GATELOG_JOURNAL__URL]"
    )]
    journal: Option<String>,
    /// Print data as JSON, for programs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until it is stopped
    Serve,
    /// Make users, set their passwords, list them
    #[command(subcommand)]
    User(user::Command),
    /// Make invitations, list them, take them back
    #[command(subcommand)]
    Invitation(invitation::Command),
    /// Make keys with which programs call the API, list them, take them away
    #[command(subcommand)]
    Token(token::Command),
    /// Export flows, and check, compare and apply blueprint files
    #[command(subcommand)]
    Blueprint(blueprint::Command),
    /// List policies, and try one out
    #[command(subcommand)]
    Policy(policy::Command),
    /// List executions, and show what happened in one
    #[command(subcommand)]
    Execution(execution::Command),
    /// Run recorded executions again, all or many
    #[command(subcommand)]
    Replay(replay::Command),
    /// Print what happened, and what happens from now on
    Events(events::Command),
    /// Verify, rebuild and export the journal, and make evidence of it
    #[command(subcommand)]
    Journal(journal::Command),
    /// Try out whether mails can be sent
    #[command(subcommand)]
    Mail(mail::Command),
    /// Look after the root key
    #[command(subcommand)]
    Secret(secret::Command),
    /// Check and show the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Ask a running server whether it is ready (exit code 0) or not (1)
    Healthcheck,
    /// Make load, and say what the server made of it
    Bench(bench::Command),
    /// Print what makes a shell complete these commands
    Completions(manual::Completions),
    /// Write the pages of the manual
    Man(manual::Man),
    /// Serve a directory that is there for one bench, which starts this by itself
    #[command(hide = true)]
    BenchServer(bench::server::Command),
    /// Evaluate expressions for a server, which starts this by itself
    #[command(hide = true)]
    Evaluate(evaluate::Command),
}

impl Options {
    fn load(&self) -> Result<Loaded, settings::Error> {
        let flags = [
            ("listen", &self.listen),
            ("data", &self.data),
            ("journal.url", &self.journal),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.clone()?)))
            .collect();
        settings::load(&Sources::of_process(self.config.clone(), flags))
    }
}

/// Carries out the command of this process and returns its exit code; see `docs/cli.md`.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.options.json);
    match run(&cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = exit::code(&error);
            output.failure(&error, code);
            ExitCode::from(code)
        }
    }
}

fn run(cli: &Cli, output: &Output) -> anyhow::Result<()> {
    // Before the settings: these read none.
    match &cli.command {
        Command::Evaluate(command) => return evaluate::run(command),
        Command::Completions(command) => return manual::completions(command),
        Command::Man(command) => return manual::man(command),
        _ => {}
    }
    let loaded = cli.options.load()?;
    let settings = loaded.settings;
    if !matches!(cli.command, Command::Serve | Command::BenchServer(_)) {
        app::log::start(&quiet(&settings.log));
    }
    match &cli.command {
        Command::Evaluate(_) | Command::Completions(_) | Command::Man(_) => Ok(()),
        Command::Bench(command) => bench::run(command, output),
        Command::BenchServer(command) => bench::server::run(command, settings),
        Command::Config(command) => config::run(command, &loaded.shown, output),
        Command::Serve => serve::run(settings),
        Command::Healthcheck => block_on(healthcheck::run(&settings, output)),
        Command::User(command) => block_on(user::run(command, &settings, output)),
        Command::Invitation(command) => block_on(invitation::run(command, &settings, output)),
        Command::Token(command) => block_on(token::run(command, &settings, output)),
        Command::Blueprint(command) => block_on(blueprint::run(command, &settings, output)),
        Command::Policy(command) => block_on(policy::run(command, &settings, output)),
        Command::Execution(command) => block_on(execution::run(command, &settings, output)),
        Command::Replay(command) => block_on(replay::run(command, &settings, output)),
        Command::Events(command) => block_on(events::run(command, &settings)),
        Command::Journal(command) => block_on(journal::run(command, &settings, output)),
        Command::Mail(command) => block_on(mail::run(command, &settings, output)),
        Command::Secret(command) => block_on(secret::run(command, &settings, output)),
    }
}

/// A command's own talk says enough, unless the operator asked for more.
fn quiet(log: &settings::Log) -> settings::Log {
    let mut log = log.clone();
    if log.level == "info" {
        "warn".clone_into(&mut log.level);
    }
    log
}

fn block_on(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    actix::System::new().block_on(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_argument_takes_a_password() {
        fn all(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().filter(|argument| {
                argument.get_action().takes_values() && argument.get_id().as_str().contains("pass")
            });
            own.map(|argument| argument.get_id().to_string())
                .chain(command.get_subcommands().flat_map(all))
                .collect()
        }
        assert_eq!(all(&Cli::command()), Vec::<String>::new());
    }
}
