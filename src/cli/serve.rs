//! `gatelog serve`: the server, until it is stopped.

use anyhow::bail;

use crate::app;
use crate::clock::Clock;
use crate::settings::Settings;

use super::output::talk;

pub(super) fn run(settings: Settings) -> anyhow::Result<()> {
    app::log::start(&settings.log);
    let timeout = settings.web.shutdown_timeout;
    let stopped = actix::System::new().block_on(async {
        let running = app::run(settings, Clock::system()).await?;
        for line in running.announcement() {
            talk(&line);
        }
        running.until_signal(timeout).await
    })?;
    match stopped {
        app::Stopped::Cleanly => Ok(()),
        app::Stopped::Aborted(why) => bail!("the shutdown was cut short: {why}"),
    }
}
