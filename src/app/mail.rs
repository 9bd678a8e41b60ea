//! Mails within the whole: the templates, the courier, and who hears what came of each mail.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::clock::Clock;
use crate::courier::template::Templates;
use crate::courier::{Courier, Outcome, Report, Reporter};
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

/// Who hears what came of each mail.
pub(super) fn reporter() -> Reporter {
    Arc::new(|report| {
        log(&report);
        Box::pin(async { Ok(()) })
    })
}

fn log(report: &Report) {
    let mail = report.mail;
    match &report.outcome {
        Outcome::Sent => tracing::info!(%mail, "a mail was sent"),
        Outcome::Failed { problem } => tracing::error!(%mail, problem, "a mail was not sent"),
        Outcome::Unknown => tracing::error!(
            %mail,
            "a mail may have been sent: the connection or the server ended meanwhile; it is not sent again"
        ),
    }
}
