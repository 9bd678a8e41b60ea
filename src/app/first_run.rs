//! What the first start does: the default flows and the first administrator.

use anyhow::Context;

use super::lock::Role;
use crate::blueprint;
use crate::clock::Clock;
use crate::directory::password::{self, Pool};
use crate::directory::setup::{self, Wanted};
use crate::directory::{Install, install};
use crate::expression::Workers;
use crate::journal::Journal;
use crate::policy::unique_password;
use crate::settings::Bootstrap;

/// Makes what is missing. The installation is made last, so a start that was interrupted is
/// taken up where it was.
pub(super) async fn begin(
    journal: &dyn Journal,
    clock: &Clock,
    pool: &Pool,
    workers: &Workers,
    bootstrap: &Bootstrap,
    role: Role,
) -> anyhow::Result<Install> {
    match install(journal).await? {
        Some(found) if found.value.is_set_up() => return Ok(found.value),
        // The secret of the link changes when a server starts, not with every command.
        Some(found) if role == Role::Command => return Ok(found.value),
        Some(_) => {}
        None => {
            let options = blueprint::Options {
                passwords: Some(pool),
                syntax: blueprint::Syntax::Workers(workers),
                ..blueprint::Options::default()
            };
            blueprint::apply_defaults(journal, clock, &options)
                .await
                .context("the default flows cannot be applied")?;
            tracing::info!("applied the default flows");
        }
    }
    let mut wanted = wanted(pool, bootstrap).await?;
    wanted.keeping = unique_password::keeping(journal).await?;
    let begun = setup::begin(journal, clock, &wanted).await;
    Ok(begun.context("the administrator cannot be made")?.value)
}

async fn wanted(pool: &Pool, bootstrap: &Bootstrap) -> anyhow::Result<Wanted> {
    use secrecy::ExposeSecret;
    let password = match (&bootstrap.password, &bootstrap.password_hash) {
        (Some(password), _) => Some(pool.hash(password.clone()).await?),
        (None, Some(encoded)) => {
            password::check(encoded.expose_secret()).context("bootstrap.password_hash")?;
            Some(encoded.clone())
        }
        (None, None) => None,
    };
    Ok(Wanted {
        password,
        email: bootstrap.email.clone().unwrap_or_default(),
        token: bootstrap.token.clone(),
        ..Wanted::default()
    })
}
