//! Everything that serves requests, opened and ready, but not yet reachable.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::web::Data;
use anyhow::Context;
use secrecy::ExposeSecret;

use super::lock::Role;
use super::{first_run, store};
use crate::clock::Clock;
use crate::directory::Install;
use crate::directory::password::Pool;
use crate::execution::{Executions, Limits};
use crate::http::cookie::{Scope, Signer};
use crate::http::limit::Limiter;
use crate::http::network::Networks;
use crate::http::{self, operator::Operator};
use crate::journal::Journal;
use crate::journal::sled::SledJournal;
use crate::settings::Settings;
use crate::web::Pages;

/// What is put together.
pub(super) struct Parts {
    pub(super) journal: Arc<SledJournal>,
    pub(super) executions: Executions,
    pub(super) install: Install,
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) state: Data<http::State>,
    pub(super) operator: Data<Operator>,
}

impl Parts {
    /// Opens keys and journal, takes the first steps and starts the actors.
    pub(super) async fn open(
        settings: &Settings,
        clock: &Clock,
        pool: Pool,
        role: Role,
    ) -> anyhow::Result<Self> {
        let networks = match &settings.geoip.asn {
            Some(path) => Networks::open(path)
                .with_context(|| format!("geoip.asn: {} cannot be used", path.display()))?,
            None => Networks::default(),
        };
        let keyring = store::keyring(settings, clock)?;
        let signer = Signer::new(keyring.derive("session cookie").expose_secret());
        let disk = SledJournal::open(&store::options(settings), keyring, clock.clone())?;
        let disk = Arc::new(disk);
        let journal: Arc<dyn Journal> = disk.clone();
        let pool = Arc::new(pool);
        let install = first_run::begin(&*journal, clock, &pool, &settings.bootstrap, role).await?;
        let executions = Executions::start(
            Arc::clone(&journal),
            clock.clone(),
            Arc::clone(&pool),
            limits(settings),
            threads(role),
        );
        let stopping = Arc::new(AtomicBool::new(false));
        let state = Data::new(http::State {
            journal: Arc::clone(&journal),
            executions: executions.clone(),
            clock: clock.clone(),
            hashes: Arc::clone(&pool),
            signer,
            cookies: Scope {
                domain: settings.session.cookie_domain.clone(),
            },
            trusted_proxies: settings.web.trusted_proxies.clone(),
            unused_age: settings.session.unauthenticated_age,
            install_id: install.install_id,
            limiter: Limiter::new(settings.web.posts_per_second, settings.web.posts_at_once),
            networks,
            pages: Pages::new(),
            stopping: Arc::clone(&stopping),
        });
        let operator = Data::new(Operator {
            journal,
            store: Arc::new(store::Disk {
                journal: Arc::clone(&disk),
                clock: clock.clone(),
            }),
            clock: clock.clone(),
            hashes: pool,
            executions: executions.clone(),
        });
        Ok(Self {
            journal: disk,
            executions,
            install,
            stopping,
            state,
            operator,
        })
    }
}

/// The threads that hash passwords.
pub(super) fn pool(settings: &Settings, clock: &Clock) -> anyhow::Result<Pool> {
    let hash = &settings.hash;
    let memory = usize::try_from(hash.memory).unwrap_or(usize::MAX);
    Pool::new(hash.threads, hash.queue, memory, clock.clone())
        .context("the threads that hash passwords cannot be started")
}

fn limits(settings: &Settings) -> Limits {
    let execution = &settings.execution;
    Limits {
        passivate_after: execution.passivate_after,
        lifetime: execution.lifetime,
        unanswered: execution.max_unanswered,
        unanswered_per_address: execution.max_unanswered_per_address,
    }
}

/// Executions are spread over as many threads as there are cores; a command needs one.
fn threads(role: Role) -> usize {
    match role {
        Role::Server => std::thread::available_parallelism().map_or(1, Into::into),
        Role::Command => 1,
    }
}
