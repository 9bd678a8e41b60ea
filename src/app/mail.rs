//! Mails within the whole: the templates, the courier, and who hears what came of each mail.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use uuid::Uuid;

use crate::clock::Clock;
use crate::courier::template::Templates;
use crate::courier::{Courier, NotTaken, Outcome, Report, Reporter};
use crate::execution::{Error, Executions};
use crate::flow::effect;
use crate::journal::Journal;
use crate::settings::Settings;

/// The templates built in, and the operator's.
pub(super) fn templates(settings: &Settings) -> anyhow::Result<Arc<Templates>> {
    let folder = settings.email.template_dir.as_deref();
    let templates = Templates::load(folder).context("email.template_dir cannot be used")?;
    Ok(Arc::new(templates))
}

/// A courier that has not started.
pub(super) fn courier(journal: Arc<dyn Journal>, clock: &Clock, settings: &Settings) -> Courier {
    Courier::new(journal, clock.clone(), settings.email.clone())
}

/// Where mails go instead of to a server, if so.
pub(super) fn folder(settings: &Settings) -> Option<PathBuf> {
    let email = &settings.email;
    email.host.is_none().then(|| email.folder.clone())
}

/// Who hears what came of each mail: the log, and the execution that asked for it, whose effect has
/// the id of the mail.
pub(super) fn reporter(executions: Executions) -> Reporter {
    Arc::new(move |report| {
        let executions = executions.clone();
        Box::pin(async move {
            if let Some(execution) = report.execution {
                conclude(&executions, execution, &report).await?;
            }
            // A report that is not taken is made again, and would be read twice.
            log(&report);
            Ok(())
        })
    })
}

async fn conclude(
    executions: &Executions,
    execution: Uuid,
    report: &Report,
) -> Result<(), NotTaken> {
    let outcome = match report.outcome.clone() {
        Outcome::Sent => effect::Outcome::Done,
        Outcome::Failed { problem } => effect::Outcome::Failed { problem },
        Outcome::Nobody => effect::Outcome::Failed {
            problem: "nobody has this name, or no address of theirs is known".to_owned(),
        },
        Outcome::Unknown => effect::Outcome::Unknown,
    };
    match executions.conclude(execution, report.mail, outcome).await {
        Ok(()) => Ok(()),
        Err(error @ (Error::Busy | Error::Superseded | Error::Journal(_))) => Err(error.into()),
        // It cannot hear of it, now or later.
        Err(error) => {
            tracing::warn!(%execution, %error, "what came of a mail came to nobody");
            Ok(())
        }
    }
}

fn log(report: &Report) {
    let mail = report.mail;
    let execution = report.execution.map(tracing::field::display);
    let server = &report.place;
    match &report.outcome {
        Outcome::Sent => tracing::info!(%mail, execution, server, "a mail was sent"),
        Outcome::Nobody => tracing::debug!(%mail, execution, "a mail to nobody was not sent"),
        Outcome::Failed { problem } => {
            tracing::error!(%mail, execution, server, problem, "a mail was not sent");
        }
        Outcome::Unknown => tracing::error!(
            %mail, execution, server,
            "a mail may have been sent: the connection or the server ended meanwhile; it is not sent again"
        ),
    }
}
