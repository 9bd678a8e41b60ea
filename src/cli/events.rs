//! `gatelog events`: the journal as it grows.

use clap::{Args, ValueEnum};
use reqwest::Method;

use crate::settings::{FeedFormat, Settings};

use super::client::{LONG, Operator, next};
use super::output::data;

/// What is printed.
#[derive(Debug, Args)]
pub(super) struct Command {
    /// Begin after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// The form of the lines
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
    /// Go on with what happens from now on, until interrupted
    #[arg(long)]
    follow: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Json,
    Ocsf,
    Syslog,
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => FeedFormat::Json.name(),
            Self::Ocsf => FeedFormat::Ocsf.name(),
            Self::Syslog => FeedFormat::Syslog.name(),
        }
    }
}

pub(super) async fn run(command: &Command, settings: &Settings) -> anyhow::Result<()> {
    let operator = Operator::reach(settings).await?;
    let printed = print(&operator, command).await;
    operator.close().await?;
    printed
}

async fn print(operator: &Operator, command: &Command) -> anyhow::Result<()> {
    let Command {
        after,
        format,
        follow,
    } = command;
    let format = format.name();
    let route = format!("feed?after={after}&format={format}&follow={follow}");
    let mut response = operator.send(Method::GET, &route, None, LONG).await?;
    while let Some(lines) = next(&mut response, "the feed").await? {
        data(&lines)?;
    }
    Ok(())
}
