//! `gatelog serve`: the server, until it is stopped.

use crate::app;
use crate::clock::Clock;
use crate::settings::Settings;

use super::{exit, output::talk};

pub(super) fn run(settings: Settings) -> anyhow::Result<()> {
    app::log::start(&settings.log);
    let timeout = settings.web.shutdown_timeout;
    actix::System::new().block_on(async {
        let running = app::run(settings, Clock::system()).await?;
        for line in running.announcement() {
            talk(&line);
        }
        match running.until_signal(timeout).await? {
            app::Stopped::Cleanly => Ok(()),
            app::Stopped::Aborted(why) => {
                talk(&format!("gatelog: the shutdown was cut short: {why}"));
                // Returning would wait for threads that are not finished.
                std::process::exit(exit::FAILURE.into())
            }
        }
    })
}
