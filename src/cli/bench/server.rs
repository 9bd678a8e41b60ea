//! `gatelog bench-server`: what `gatelog bench` starts to be measured. It serves as `gatelog serve`
//! does, but a directory of its own, until its standard input ends; then the directory goes.
//!
//! This is the only way to a server that does not hash passwords, and it opens no directory that
//! exists: nobody's users can be in it.

use std::fs::DirBuilder;
use std::io::Read as _;
use std::os::unix::fs::DirBuilderExt as _;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use crate::app;
use crate::clock::Clock;
use crate::directory::password::Pool;
use crate::settings::Settings;

use super::super::output::print_value;

#[derive(Debug, Args)]
pub(in super::super) struct Command {
    /// Check passwords without the costly hash
    #[arg(long)]
    unhashed: bool,
}

pub(in super::super) fn run(command: &Command, settings: Settings) -> anyhow::Result<()> {
    app::log::start(&settings.log);
    let data = settings.data.clone();
    if !settings.listen.ip().is_loopback() {
        bail!("a server that is there to be measured listens on this machine alone");
    }
    // Made here, not only looked for: nobody can put another one in its place.
    let made = DirBuilder::new().mode(0o700).create(&data);
    made.with_context(|| {
        let data = data.display();
        format!("{data}: a server that is there to be measured makes its own directory")
    })?;
    let served = actix::System::new().block_on(serve(settings, command.unhashed));
    let removed = std::fs::remove_dir_all(&data);
    served?;
    removed.with_context(|| format!("{} cannot be removed", data.display()))
}

async fn serve(settings: Settings, unhashed: bool) -> anyhow::Result<()> {
    let clock = Clock::system();
    let running = if unhashed {
        let pool = Pool::no_op(clock.clone());
        app::run_with(settings, clock, pool).await?
    } else {
        app::run(settings, clock).await?
    };
    let address = running.address().context("it does not listen")?;
    print_value(&json!({ "address": address }))?;
    let (tell, told) = tokio::sync::oneshot::channel();
    // Not one of the runtime's threads, which it would wait for.
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut piece = [0; 64];
            while matches!(input.read(&mut piece), Ok(read) if read > 0) {}
            let _ = tell.send(());
        })?;
    let _ = told.await;
    running.stop().await
}
