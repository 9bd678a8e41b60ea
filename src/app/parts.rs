//! Everything that serves requests, opened and ready, but not yet reachable.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use actix_web::web::Data;
use anyhow::Context;
use secrecy::ExposeSecret;

use super::kept::Kept;
use super::lock::{self, Role};
use super::notary::Notary;
use super::{first_run, mail, store};
use crate::blueprint::Library;
use crate::breaches::Breaches;
use crate::clock::Clock;
use crate::courier::Courier;
use crate::directory::Install;
use crate::directory::password::Pool;
use crate::directory::reputation::Rules;
use crate::directory::turns::Turns;
use crate::duo::Duo;
use crate::execution::limit::Limiter;
use crate::execution::{Executions, Limits, Outside};
use crate::expression::{Options, Workers};
use crate::geoip::Geoip;
use crate::http::bodies::Bodies;
use crate::http::bounds::Bounds;
use crate::http::cookie::{Scope, Signer};
use crate::http::device::Devices;
use crate::http::forward::Forward;
use crate::http::machine::Machine;
use crate::http::mfa::Factors;
use crate::http::operator::{Operator, Store};
use crate::http::turned_away::TurnedAway;
use crate::http::{self, Interface, Probed, Scans};
use crate::journal::Journal;
use crate::settings::{self, Settings};
use crate::sms;
use crate::telemetry::Metrics;
use crate::traces::{self, Sending, Tracer};
use crate::web::Pages;

/// What is put together.
pub(super) struct Parts {
    pub(super) journal: Kept,
    pub(super) executions: Executions,
    pub(super) install: Install,
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) state: Data<http::State>,
    pub(super) operator: Data<Operator>,
    /// Not started yet.
    pub(super) courier: Courier,
    /// The files of the watched folder.
    pub(super) library: Arc<Library>,
    /// Who signs for the journal.
    pub(super) notary: Arc<Notary>,
    /// Who sends spans, where they are sent.
    pub(super) spans: Option<Sending>,
    /// When opening all of this began.
    pub(super) began: Instant,
}

impl Parts {
    /// Opens keys and journal, takes the first steps and starts the actors.
    pub(super) async fn open(
        settings: &Settings,
        clock: &Clock,
        pool: Pool,
        role: Role,
    ) -> anyhow::Result<Self> {
        let start = clock.monotonic();
        let geoip = Arc::new(geoip(settings)?);
        let workers = workers(clock, role)?;
        let letters = mail::templates(settings)?;
        let kept = Kept::open(settings, clock).await?;
        let keyring = kept.keyring();
        let signer = Signer::new(keyring.derive("session cookie").expose_secret());
        let devices = Devices::new(keyring.derive("device cookie"));
        let factors = Factors::new(keyring.derive("mfa cookie"));
        let forward = Forward::new(keyring.derive("forward authentication"));
        let metrics = Metrics::new(kept.meter());
        let (traces, spans) = traces(settings, clock, &metrics, role);
        let notary = Arc::new(Notary::new(&kept, settings));
        let journal: Arc<dyn Journal> = kept.journal();
        let pool = Arc::new(pool);
        let courier = mail::courier(Arc::clone(&journal), clock, settings);
        let begun = first_run::begin(&*journal, clock, &pool, &settings.bootstrap, role).await?;
        let directory = settings.data.clone();
        let install = begun.ok_or(lock::Error::Missing { directory })?;
        let outside = Outside {
            workers: Some(workers.clone()),
            geoip: Arc::clone(&geoip),
            letters: Some(Arc::clone(&letters)),
            courier: Some(courier.clone()),
            metrics: metrics.clone(),
            traces: traces.clone(),
            ..others(settings, clock)?
        };
        let executions = Executions::start(
            Arc::clone(&journal),
            clock.clone(),
            Arc::clone(&pool),
            limits(settings),
            outside,
            threads(role),
        );
        let store = store(&kept, &notary, clock);
        let stopping = Arc::new(AtomicBool::new(false));
        let (library, turns) = (Arc::<Library>::default(), Arc::<Turns>::default());
        let state = Data::new(http::State {
            turns: Arc::clone(&turns),
            journal: Arc::clone(&journal),
            executions: executions.clone(),
            clock: clock.clone(),
            hashes: Arc::clone(&pool),
            signer,
            devices,
            factors,
            forward,
            cookies: cookies(settings),
            trusted_proxies: settings.web.trusted_proxies.clone(),
            unused_age: settings.session.unauthenticated_age,
            install_id: install.install_id,
            limiter: Limiter::new(settings.web.posts_per_second, settings.web.posts_at_once),
            bounds: bounds(settings),
            turned_away: TurnedAway::default(),
            probed: Probed::default(),
            metrics: metrics.clone(),
            traces,
            workers: Some(workers.clone()),
            geoip,
            streams: Arc::default(),
            logins: Arc::default(),
            interface: interface(settings, role)?,
            events_kept: settings.events.retention,
            feeds: Arc::default(),
            scans: Scans::default(),
            library: Arc::clone(&library),
            pages: Pages::new(),
            machine: Some(machine(settings, clock, &courier, &store)),
            stopping: Arc::clone(&stopping),
        });
        let operator = Data::new(Operator {
            journal,
            store,
            clock: clock.clone(),
            hashes: pool,
            executions: executions.clone(),
            workers,
            courier: courier.clone(),
            letters,
            turns,
            scans: state.scans.clone(),
            stopping: Arc::clone(&stopping),
        });
        Ok(Self {
            journal: kept,
            executions,
            install,
            stopping,
            state,
            operator,
            courier,
            library,
            notary,
            spans,
            began: start,
        })
    }
}

/// Where spans come from, and who sends them. A command is over before anybody could look at its.
fn traces(
    settings: &Settings,
    clock: &Clock,
    metrics: &Metrics,
    role: Role,
) -> (Tracer, Option<Sending>) {
    match role {
        Role::Server => traces::start(&settings.otel, clock, metrics),
        Role::Command => (Tracer::default(), None),
    }
}

/// What can be done with the store beside reading and writing it.
fn store(kept: &Kept, notary: &Arc<Notary>, clock: &Clock) -> Arc<dyn Store> {
    Arc::new(store::Opened {
        journal: kept.clone(),
        notary: Arc::clone(notary),
        clock: clock.clone(),
    })
}

/// What is known of this process.
fn machine(
    settings: &Settings,
    clock: &Clock,
    courier: &Courier,
    store: &Arc<dyn Store>,
) -> Machine {
    Machine {
        started: clock.now(),
        courier: courier.clone(),
        data: settings.data.clone(),
        key_file: settings.secret_key_file.clone(),
        store: Arc::clone(store),
    }
}

/// What of the outside only the settings name.
fn others(settings: &Settings, clock: &Clock) -> anyhow::Result<Outside> {
    Ok(Outside {
        breaches: Arc::new(breaches(settings)?),
        sms: Arc::new(sms::Providers::new(&settings.sms.twilio_url)),
        duo: Arc::new(Duo::new(clock.clone())),
        public_url: settings.web.public_url.clone(),
        ..Outside::default()
    })
}

/// How much a request may be.
fn bounds(settings: &Settings) -> Bounds {
    let web = &settings.web;
    Bounds {
        head: usize::try_from(web.head_size).unwrap_or(usize::MAX),
        body: usize::try_from(web.body_size).unwrap_or(usize::MAX),
        bodies: Bodies::new(usize::try_from(web.bodies).unwrap_or(usize::MAX)),
        patience: web.body_timeout,
        requests: Limiter::new(web.requests_per_second, web.requests_at_once),
    }
}

/// Where cookies are good.
fn cookies(settings: &Settings) -> Scope {
    Scope {
        domain: settings.session.cookie_domain.clone(),
    }
}

/// The databases that tell where addresses are.
fn geoip(settings: &Settings) -> anyhow::Result<Geoip> {
    let settings::Geoip { city, asn } = &settings.geoip;
    for (name, path) in [("geoip.city", city), ("geoip.asn", asn)] {
        if let Some(path) = path {
            Geoip::open(Some(path), None)
                .with_context(|| format!("{name}: {} cannot be used", path.display()))?;
        }
    }
    Ok(Geoip::open(city.as_deref(), asn.as_deref())?)
}

/// authentik's own interface, where it is to be kept. Commands show no pages.
fn interface(settings: &Settings, role: Role) -> anyhow::Result<Option<Interface>> {
    let folder = settings
        .web_dist
        .as_deref()
        .filter(|_| role == Role::Server);
    let Some(folder) = folder else {
        return Ok(None);
    };
    let opened = Interface::open(folder)
        .with_context(|| format!("web_dist: {} cannot be used", folder.display()))?;
    Ok(Some(opened))
}

/// Where stolen passwords are listed.
fn breaches(settings: &Settings) -> anyhow::Result<Breaches> {
    let settings::Passwords {
        breach_file: file,
        breach_url: url,
    } = &settings.passwords;
    Breaches::new(file.as_deref(), url.0.as_deref()).with_context(|| {
        let file = file.as_deref().unwrap_or(Path::new("")).display();
        format!("passwords.breach_file: {file} cannot be used")
    })
}

/// The processes that run expressions: this very program, started anew. A command asks one thing
/// at a time, so it needs one.
pub(super) fn workers(clock: &Clock, role: Role) -> anyhow::Result<Workers> {
    // Linux names the running program itself here, also once an upgrade has replaced its file:
    // both ends have to be of the same version.
    let program = if cfg!(target_os = "linux") {
        PathBuf::from("/proc/self/exe")
    } else {
        std::env::current_exe().context("this program's own path is not known")?
    };
    let mut options = Options::of_program(program);
    if role == Role::Command {
        options.workers = 1;
    }
    Workers::start(options, clock.clone())
        .context("the thread that keeps the workers for expressions cannot be started")
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
    let reputation = &settings.reputation;
    Limits {
        passivate_after: execution.passivate_after,
        awake: execution.max_awake,
        lifetime: execution.lifetime,
        unanswered: execution.max_unanswered,
        unanswered_per_address: execution.max_unanswered_per_address,
        begun_per_second: execution.begun_per_second,
        begun_at_once: execution.begun_at_once,
        at_once: execution.at_once,
        waiting: execution.max_waiting,
        wrong_passwords_per_hour: execution.wrong_passwords_per_hour,
        wrong_passwords_at_once: execution.wrong_passwords_at_once,
        reputation: Rules {
            lasts: reputation.expiry,
            lower: reputation.lower_limit,
            upper: reputation.upper_limit,
        },
    }
}

/// Executions are spread over as many threads as there are cores; a command needs one.
fn threads(role: Role) -> usize {
    match role {
        Role::Server => std::thread::available_parallelism().map_or(1, Into::into),
        Role::Command => 1,
    }
}
