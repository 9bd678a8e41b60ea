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
/// interrupted is taken up where it was. A command makes nothing; `None` when there is nothing yet.
pub(super) async fn begin(
    journal: &dyn Journal,
    clock: &Clock,
    pool: &Pool,
    bootstrap: &Bootstrap,
    role: Role,
) -> anyhow::Result<Option<Install>> {
    let options = blueprint::Options {
        passwords: Some(pool),
        ..blueprint::Options::default()
    };
    match install(journal).await? {
        // The secret of the link changes when a server starts, not with every command.
        found if role == Role::Command => return Ok(found.map(|found| found.value)),
        Some(found) => {
            catch_up(journal, clock, &found.value, &options).await?;
            if found.value.is_set_up() {
                return Ok(Some(found.value));
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
    Ok(Some(begun.value))
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::catalog::{
        bindings_of, brand::default_brand, conditions_of, flow_by_slug, stage_by_name,
    };
    use crate::journal::memory::MemoryJournal;

    /// What the first version left behind, and an operator's own flow for changing passwords.
    const OLD: &str = "
version: 1
entries:
- model: authentik_flows.flow
  id: login
  identifiers: {slug: default-authentication-flow}
  attrs: {name: Log in, title: Log in, designation: authentication}
- model: authentik_stages_password.passwordstage
  identifiers: {name: default-authentication-password}
  attrs: {backends: [authentik.core.auth.InbuiltBackend]}
- model: authentik_brands.brand
  identifiers: {domain: authentik-default, default: true}
  attrs: {flow_authentication: !KeyOf login}
- model: authentik_flows.flow
  identifiers: {slug: default-source-enrollment}
  attrs: {name: Ours, title: Ours, designation: enrollment}
";

    struct Bench {
        journal: MemoryJournal,
        clock: Clock,
        pool: Pool,
    }

    impl Bench {
        async fn of_the_first_version() -> Self {
            let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
            let bench = Self {
                journal: MemoryJournal::new(clock.clone()),
                pool: Pool::no_op(clock.clone()),
                clock,
            };
            let wanted = Wanted {
                password: Some("!x".to_owned().into()),
                ..Wanted::default()
            };
            let begun = setup::begin(&bench.journal, &bench.clock, &wanted).await;
            assert!(begun.expect("a first start").value.defaults.is_none());
            bench.applies(OLD).await;
            bench
        }

        async fn applies(&self, yaml: &str) {
            let document = blueprint::check(yaml, "test.yaml").expect("it can be read");
            let options = blueprint::Options::default();
            let applied = blueprint::apply(&self.journal, &self.clock, &[document], &options).await;
            applied.expect("it fits");
        }

        async fn starts(&self) -> Install {
            let bootstrap = Bootstrap {
                password: None,
                password_hash: None,
                email: None,
                token: None,
            };
            let (journal, clock) = (&self.journal, &self.clock);
            let begun = begin(journal, clock, &self.pool, &bootstrap, Role::Server).await;
            begun.expect("it starts").expect("it is begun")
        }

        async fn has(&self, slug: &str) -> bool {
            let found = flow_by_slug(&self.journal, slug).await;
            found.expect("a read").is_some()
        }
    }

    #[tokio::test]
    async fn a_command_makes_nothing_where_nothing_is() {
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        let journal = MemoryJournal::new(clock.clone());
        let pool = Pool::no_op(clock.clone());
        let bootstrap = Bootstrap {
            password: None,
            password_hash: None,
            email: None,
            token: None,
        };
        let begun = begin(&journal, &clock, &pool, &bootstrap, Role::Command).await;
        assert!(begun.expect("a read").is_none());
        assert!(install(&journal).await.expect("a read").is_none());
        let flow = flow_by_slug(&journal, "default-authentication-flow").await;
        assert!(flow.expect("a read").is_none());
    }

    #[tokio::test]
    async fn a_newer_version_brings_its_flows_and_leaves_alone_what_is_there() {
        let bench = Bench::of_the_first_version().await;
        bench.starts().await;
        for slug in [
            "default-user-settings-flow",
            "initial-setup",
            "default-password-change",
        ] {
            assert!(bench.has(slug).await, "{slug}");
        }
        let flow = flow_by_slug(&bench.journal, "default-source-enrollment").await;
        assert_eq!(
            flow.expect("a read").expect("it is there").value.title,
            "Ours"
        );
        let prompt = stage_by_name(&bench.journal, "default-source-enrollment-prompt").await;
        assert!(prompt.expect("a read").is_none());
        let brand = default_brand(&bench.journal).await.expect("a read");
        let brand = brand.expect("it is there").value;
        let settings = flow_by_slug(&bench.journal, "default-user-settings-flow").await;
        let settings = settings.expect("a read").expect("it is there");
        assert_eq!(brand.flow_user_settings, Some(settings.value.pk));
        let stage = stage_by_name(&bench.journal, "default-authentication-password").await;
        let stage = stage.expect("a read").expect("it is there");
        assert!(stage.value.settings["configure_flow"].is_string());
    }

    #[tokio::test]
    async fn an_older_login_asks_for_second_factors_from_now_on() {
        let bench = Bench::of_the_first_version().await;
        let login = flow_by_slug(&bench.journal, "default-authentication-flow").await;
        let login = login.expect("a read").expect("it is there").value;
        bench.starts().await;
        let after = flow_by_slug(&bench.journal, "default-authentication-flow").await;
        let after = after.expect("a read").expect("it is there").value;
        assert_eq!(after, login, "the flow itself is as it was");
        let stage = stage_by_name(&bench.journal, "default-authentication-mfa-validation").await;
        let stage = stage.expect("a read").expect("it is there").value.pk;
        let bindings = bindings_of(&bench.journal, login.pk).await.expect("a read");
        let bound: Vec<_> = bindings
            .iter()
            .map(|it| (it.value.stage, it.value.order))
            .collect();
        assert_eq!(bound, [(stage, 30)]);
        let asked = conditions_of(&bench.journal, bindings[0].value.pbm).await;
        let asked = asked.expect("a read");
        assert_eq!(asked.len(), 1);
        assert!(asked[0].value.failure_result, "in doubt it is asked for");
        for slug in [
            "default-authenticator-totp-setup",
            "default-authenticator-static-setup",
        ] {
            assert!(bench.has(slug).await, "{slug}");
        }
    }

    #[tokio::test]
    async fn a_flow_that_an_operator_removed_does_not_come_back() {
        let bench = Bench::of_the_first_version().await;
        bench.starts().await;
        let gone = "
version: 1
entries:
- {model: authentik_flows.flow, state: absent, identifiers: {slug: default-password-change}}
";
        bench.applies(gone).await;
        bench.starts().await;
        assert!(!bench.has("default-password-change").await);
        // One that the first version had is not made either.
        assert!(!bench.has("default-invalidation-flow").await);
    }
}
