//! What the first start does: the default flows and the first administrator. Later starts add the
//! default flows that a newer version brings.

use anyhow::Context;

use super::lock::Role;
use crate::blueprint::{self, Offered};
use crate::clock::Clock;
use crate::directory::password::{self, Pool};
use crate::directory::setup::{self, Wanted};
use crate::directory::{Install, install};
use crate::journal::Journal;
use crate::policy::unique_password;
use crate::settings::Bootstrap;

/// The default blueprints of the first version, which noted nowhere what it had applied.
const FIRST: &[&str] = &[
    "Default - Authentication flow",
    "Default - Invalidation flow",
    "Default - Brand",
];

/// Makes what is missing. The installation is made after the default flows, so a start that was
/// interrupted is taken up where it was.
pub(super) async fn begin(
    journal: &dyn Journal,
    clock: &Clock,
    pool: &Pool,
    bootstrap: &Bootstrap,
    role: Role,
) -> anyhow::Result<Install> {
    let options = blueprint::Options {
        passwords: Some(pool),
        ..blueprint::Options::default()
    };
    match install(journal).await? {
        // The secret of the link changes when a server starts, not with every command.
        Some(found) if role == Role::Command => return Ok(found.value),
        Some(found) => {
            catch_up(journal, clock, &found.value, &options).await?;
            if found.value.is_set_up() {
                return Ok(found.value);
            }
        }
        None => {
            blueprint::apply_defaults(journal, clock, &options)
                .await
                .context("the default flows cannot be applied")?;
            tracing::info!("applied the default flows");
        }
    }
    let mut wanted = wanted(pool, bootstrap).await?;
    wanted.keeping = unique_password::keeping(journal).await?;
    let begun = setup::begin(journal, clock, &wanted).await;
    let begun = begun.context("the administrator cannot be made")?;
    note(journal, clock).await?;
    Ok(begun.value)
}

/// Applies the default blueprints that this installation was never offered. What an operator made
/// or removed meanwhile stays as it is.
async fn catch_up(
    journal: &dyn Journal,
    clock: &Clock,
    found: &Install,
    options: &blueprint::Options<'_>,
) -> anyhow::Result<()> {
    let known = |name: &str| match &found.defaults {
        Some(offered) => offered.iter().any(|it| it == name),
        None => FIRST.contains(&name),
    };
    for (name, _) in blueprint::defaults() {
        if known(name) {
            continue;
        }
        let offered = blueprint::offer_default(journal, clock, name, options).await;
        match offered.with_context(|| format!("{name:?} cannot be applied"))? {
            Offered::Applied(_) => tracing::info!(name, "applied a new default blueprint"),
            Offered::Kept => tracing::info!(name, "left alone: the flow is there already"),
            Offered::Unfit(problems) => {
                let problem = problems.first().map(ToString::to_string);
                tracing::warn!(
                    name,
                    problem,
                    "a new default blueprint does not fit here, and is not applied"
                );
            }
        }
    }
    note(journal, clock).await
}

/// Notes that this installation was offered all that this version brings.
async fn note(journal: &dyn Journal, clock: &Clock) -> anyhow::Result<()> {
    let names = blueprint::defaults().iter();
    let names: Vec<String> = names.map(|(name, _)| (*name).to_owned()).collect();
    let noted = setup::note_defaults(journal, clock, &names).await;
    noted.context("what was applied cannot be noted")
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
