//! The operator's routes, which the command line speaks to: JSON under `/operator/`.
//!
//! They are mounted only on the Unix socket of the data directory, and each connection is asked
//! who it is: only the user who runs the server, or root, is served. Whoever gets that far owns
//! the journal's files anyway, so nothing further is checked.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{Bytes, Data, Json, JsonConfig, ServiceConfig, get, post, resource, scope};
use actix_web::{HttpResponse, middleware, web};
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::Serialize;
use serde_json::{Value, json};

use super::Scans;
use crate::clock::Clock;
use crate::courier::Courier;
use crate::courier::template::Templates;
use crate::directory::Author;
use crate::directory::command::commit_noted;
use crate::directory::password::Pool;
use crate::directory::turns::Turns;
use crate::execution::Executions;
use crate::expression::Workers;
use crate::journal::evidence::{Checkpoint, Consistency, Inclusion, Signed, Verifier};
use crate::journal::{self, Envelope, Journal, Position, StreamId, Write};

mod blueprints;
mod caller;
mod devices;
mod erasure;
mod evidence;
mod executions;
mod feed;
mod invitations;
mod journal_routes;
mod mail;
mod policies;
mod refusal;
mod replay;
mod tokens;
mod users;
mod what_if;

pub use caller::Caller;
pub use erasure::finish_erasures;
pub use journal_routes::UNNOTED;
pub use refusal::Refusal;

/// The largest body, in bytes: a blueprint with its JSON escapes.
const LARGEST: usize = 16 << 20;

/// What the handlers need. The composition root makes it once.
pub struct Operator {
    /// Where everything is kept.
    pub journal: Arc<dyn Journal>,
    /// The same, for what only the concrete store can do.
    pub store: Arc<dyn Store>,
    /// The time and randomness.
    pub clock: Clock,
    /// Hashes passwords, away from the threads that serve requests.
    pub hashes: Arc<Pool>,
    /// The executions, for comparing what is in memory with what is written.
    pub executions: Executions,
    /// Runs expressions.
    pub workers: Workers,
    /// Sends mails.
    pub courier: Courier,
    /// Writes them.
    pub letters: Arc<Templates>,
    /// The turns of those who change objects.
    pub turns: Arc<Turns>,
    /// Who runs executions again, one after the other.
    pub scans: Scans,
    /// Set when the server is about to end.
    pub stopping: Arc<AtomicBool>,
}

/// How the last attempts went to sign what the journal is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Signing {
    /// How many records were signed for last; none since the start is 0.
    pub size: u64,
    /// Why nothing is signed.
    pub problem: Option<String>,
    /// Why the file elsewhere lacks it.
    pub elsewhere: Option<String>,
    /// Why the server that it is posted to lacks it.
    pub url: Option<String>,
}

impl Operator {
    /// Whether the server goes on.
    fn goes_on(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed)
    }

    /// Workers of its own for what runs executions again: those who log in do not wait for it.
    ///
    /// # Errors
    /// When no process can be started.
    fn other_workers(&self) -> Result<Workers, Refusal> {
        let workers = self.workers.another();
        workers.map_err(|error| Refusal::Broken(error.to_string()))
    }
}

/// What only the concrete store of the journal can do.
#[async_trait]
pub trait Store: Send + Sync {
    /// Checks every hash of every record, also against checkpoints that somebody has kept.
    ///
    /// # Errors
    /// Only when the disk cannot be read; damage is among the findings.
    async fn verify(&self, held: Vec<Checkpoint>) -> journal::Result<Verified>;

    /// What checks the signatures of this journal's checkpoints.
    fn verifier(&self) -> &Verifier;

    /// How the last attempts went to sign it.
    fn signing(&self) -> Signing;

    /// A signed note that a document of this sort was made here.
    fn attest(&self, sort: &str, document: &[u8]) -> String;

    /// What the journal is now, signed.
    async fn checkpoint(&self) -> journal::Result<Signed>;

    /// The positions of all records of a stream.
    async fn positions(&self, stream: StreamId) -> journal::Result<Vec<Position>>;

    /// That a record is among those that a checkpoint covers; `None` when it is not.
    async fn inclusion(
        &self,
        position: Position,
        checkpoint: &Signed,
    ) -> journal::Result<Option<Inclusion>>;

    /// That one checkpoint follows from another; `None` when one of them is not of this journal
    /// as it is, or when they are the wrong way round.
    async fn consistency(&self, from: Signed, to: Signed) -> journal::Result<Option<Consistency>>;

    /// Replaces the root key by a new one, and wraps all others under it.
    async fn rotate_root(&self) -> journal::Result<()>;

    /// Every record there is at this moment, in the global order.
    fn records(&self) -> BoxStream<'static, journal::Result<(Position, Envelope)>>;

    /// The whole journal as one file, sealed as it is on disk.
    fn export(&self) -> BoxStream<'static, io::Result<Bytes>>;
}

/// What verifying the journal came to.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Verified {
    /// How many records are as they were written.
    pub records: u64,
    /// How many checkpoints the log agrees with.
    pub checkpoints: u64,
    /// How many records came after the last of those.
    pub after_checkpoints: u64,
    /// How many signed checkpoints the log agrees with.
    pub signed: u64,
    /// How many records came after the last of those.
    pub after_signed: u64,
    /// How many records have no body any more.
    pub bodies_gone: u64,
    /// What is damaged, the first damaged record first.
    pub findings: Vec<String>,
    /// Why it was not compared with the checkpoints in the file elsewhere, where there is one.
    pub not_compared: Option<String>,
}

/// Mounts the routes. `operator` is shared by all threads.
pub fn routes(config: &mut ServiceConfig, operator: Data<Operator>) {
    let json = JsonConfig::default()
        .limit(LARGEST)
        .error_handler(|error, _| Refusal::Malformed(error.to_string()).into());
    config.service(
        scope("/operator")
            .wrap(middleware::from_fn(caller::owner_only))
            .app_data(operator)
            .app_data(json)
            .route("/status", get().to(status))
            .service(resource("/users").get(users::list).post(users::create))
            .route("/users/{username}/password", post().to(users::set_password))
            .route(
                "/users/{username}/recovery-link",
                post().to(users::recovery_link),
            )
            .route("/users/{name}/erasure", get().to(erasure::preview))
            .route("/users/{name}/erase", post().to(erasure::erase))
            .route("/users/{username}/devices", get().to(devices::list))
            .route(
                "/users/{username}/devices/remove",
                post().to(devices::remove),
            )
            .service(
                resource("/invitations")
                    .get(invitations::list)
                    .post(invitations::create),
            )
            .route("/invitations/{key}/delete", post().to(invitations::delete))
            .service(resource("/tokens").get(tokens::list).post(tokens::create))
            .route("/tokens/{name}/delete", post().to(tokens::delete))
            .route("/blueprints/check", post().to(blueprints::check))
            .route("/blueprints/apply", post().to(blueprints::apply))
            .route("/blueprints/diff", post().to(blueprints::diff))
            .route("/blueprints/enable", post().to(blueprints::enable))
            .route("/blueprints/export", post().to(blueprints::export))
            .route("/blueprints/status", get().to(blueprints::status))
            .route("/policies", get().to(policies::list))
            .route("/policies/test", post().to(policies::test))
            .route("/executions", get().to(executions::list))
            .route("/executions/{id}", get().to(executions::show))
            .route("/executions/{id}/verify", get().to(executions::verify))
            .route("/replay/what-if", post().to(what_if::what_if))
            .route("/executions/{id}/diff", get().to(executions::diff))
            .route("/executions/{id}/watch", get().to(executions::watch))
            .route("/executions/{id}/why", get().to(executions::why))
            .route("/executions/{id}/bundle", get().to(executions::bundle))
            .route("/replay/verify", post().to(replay::verify))
            .route("/feed", get().to(feed::lines))
            .route("/journal/verify", post().to(journal_routes::verify))
            .route("/journal/checkpoint", post().to(evidence::checkpoint))
            .route("/journal/prove", post().to(evidence::prove))
            .route("/journal/export", post().to(journal_routes::export))
            .route("/journal/records", post().to(journal_routes::records))
            .route("/mail", get().to(mail::list))
            .route("/mail/test", post().to(mail::test))
            .route("/mail/templates", get().to(mail::templates))
            .route("/secret/rotate", post().to(journal_routes::rotate))
            .default_service(web::to(|| async {
                Refusal::NotFound("no such route".to_owned())
            })),
    );
}

type Answer = Result<HttpResponse, Refusal>;

impl Operator {
    /// Commits what the operator asked for, with a note that it was the operator.
    ///
    /// # Errors
    /// [`Refusal::Busy`] when somebody else was faster, or what the journal says.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), Refusal> {
        let (author, correlation) = (Author::operator(), self.clock.ordered_id());
        let journal = &*self.journal;
        if commit_noted(journal, &self.clock, writes, &author, correlation).await? {
            Ok(())
        } else {
            Err(Refusal::Busy)
        }
    }
}

async fn status(operator: Data<Operator>) -> Json<Value> {
    Json(json!({
        "pid": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
        "build": env!("BUILD_OF_GATELOG"),
        "now": operator.clock.now(),
    }))
}
