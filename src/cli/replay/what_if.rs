//! `gatelog replay what-if`: how recorded executions would go if blueprints were applied.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::since::{self, Since};
use crate::cli::blueprint::{files, items, refused};
use crate::cli::client::Operator;
use crate::cli::execution::named;
use crate::cli::output::{Output, print_line, print_value, talk};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(in crate::cli) struct Command {
    /// Blueprint files, or folders of them, that are supposed to be applied; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Leave out entries of models that are not supported
    #[arg(long)]
    skip_unsupported: bool,
    /// Only executions of the flow with this slug
    #[arg(long, value_name = "SLUG")]
    flow: Option<String>,
    /// Only those that began in this time, such as 7d or 12h, or since this moment
    #[arg(long, value_name = "WHEN", value_parser = since::read)]
    since: Option<Since>,
    /// Only this execution, by its id or its short code; may be given several times
    #[arg(long, value_name = "ID")]
    execution: Vec<String>,
    /// No more than so many, the latest first
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Use so many threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let files = files::bodies(&command.files)?;
    let operator = Operator::reach(settings).await?;
    let answer = ask(command, &operator, &files).await;
    operator.close().await?;
    let answer = answer.map_err(refused)?;
    if output.is_json() {
        return print_value(&answer);
    }
    show(&answer, output)
}

async fn ask(command: &Command, operator: &Operator, files: &[Value]) -> anyhow::Result<Value> {
    let status = operator.get("status").await?;
    let now: Timestamp = serde_json::from_value(status["now"].clone())?;
    let executions = command.execution.iter().map(|it| named(it));
    let executions: Vec<String> = executions.collect::<anyhow::Result<_>>()?;
    let asked = json!({
        "files": files,
        "skip_unsupported": command.skip_unsupported,
        "flow": command.flow,
        "since": command.since.map(|it| it.moment(now)),
        "executions": executions,
        "limit": command.limit,
        "jobs": command.jobs,
    });
    operator.post_long("replay/what-if", &asked).await
}

fn show(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let table = &answer["table"];
    let rows = items(&table["rows"]);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let examples = items(&row["examples"]).iter();
            let examples = examples.filter_map(|it| it["code"].as_str());
            let examples: Vec<_> = examples.take(2).collect();
            vec![
                row["count"].to_string(),
                text("was"),
                text("now"),
                text("why"),
                examples.join(", "),
            ]
        })
        .collect();
    output.table(&["HOW MANY", "WAS", "WOULD BE", "WHY", "SUCH AS"], &cells)?;
    let number = |key: &str| table[key].as_u64().unwrap_or_default();
    if items(&answer["changes"]).is_empty() {
        talk("The files would change nothing: everything is run as it was.");
    }
    let told = format!(
        "Executions: {}. Another way: {}; unknown: {}; no longer readable: {}.",
        number("executions"),
        number("changed"),
        number("unknown"),
        number("unreadable"),
    );
    talk(&told);
    if number("damaged") > 0 {
        talk(&format!(
            "Cannot be read: {}; `gatelog journal verify` tells what is damaged.",
            number("damaged")
        ));
    }
    if number("reconstructed") > 0 {
        print_line(&format!(
            "For {} something was read out of the history of the journal, as they had not looked \
             at it.",
            number("reconstructed")
        ))?;
    }
    if table["more"] == true {
        talk("There are more executions than were asked for.");
    }
    Ok(())
}
