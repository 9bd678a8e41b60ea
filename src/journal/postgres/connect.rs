//! Connections: how they are made, how they are kept, and what their failures mean.
//!
//! Nothing here knows records. What PostgreSQL says of a failure is passed on without its details,
//! which may quote what was written.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;

use super::super::{Error, Result};
use super::Options;
use super::tls::Tls;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// After so much silence a connection is asked whether it is still there, and given up after as much.
const SILENCE: Duration = Duration::from_secs(15);

/// Said in every session. A node that hangs in the middle of writing must not stop all others, so
/// the server ends its session; plans are too small to be worth compiling.
const SESSION: &str = "SET jit = off; \
                       SET idle_in_transaction_session_timeout = '15s'; \
                       SET statement_timeout = '60s'";

/// Why something was not done.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The connection or the server; another attempt may succeed.
    Passing(Arc<str>),
    /// Whatever it is, it will be the same the next time.
    Lasting(Error),
}

impl Failure {
    /// The error for whoever waits, after the last attempt.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Passing(why) => Error::Unavailable(why),
            Self::Lasting(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let why = said(&error);
        match error.code() {
            Some(code) if !passes(code) => Self::Lasting(Error::Unavailable(why)),
            // Without a code it is the connection that failed, but for what is wrong with this program.
            None if error.is_closed() || is_io(&error) => Self::Passing(why),
            None => Self::Lasting(Error::Unavailable(why)),
            Some(_) => Self::Passing(why),
        }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                error.into()
            }
            other => Self::Passing(format!("no connection to PostgreSQL: {other}").into()),
        }
    }
}

/// Whether what the server said passes: it is being stopped, started or replaced, or two
/// transactions were in each other's way.
fn passes(code: &SqlState) -> bool {
    let passing = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::QUERY_CANCELED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    // Class 08: connection exceptions.
    passing.contains(code) || code.code().starts_with("08")
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    // There is no other way to tell; a connection that could not be made says "connect".
    error
        .source()
        .is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        || text.starts_with("error connecting to server")
        || text.starts_with("error communicating with the server")
        || text.starts_with("timeout waiting for server")
}

/// What is to be done where a certificate was refused; `None` where it was not about one.
fn about_certificate(error: &tokio_postgres::Error) -> Option<String> {
    use rustls::{CertificateError, Error};
    let source = error.source()?.downcast_ref::<std::io::Error>()?;
    let Error::InvalidCertificate(why) = source.get_ref()?.downcast_ref()? else {
        return None;
    };
    Some(match why {
        CertificateError::UnknownIssuer => {
            "its certificate was signed by nobody who is believed: name the file with the \
             certificate of who signed it in journal.ca"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is not for the host that the address names".to_owned()
        }
        other => format!("its certificate is not believed: {other}"),
    })
}

/// What happened, without what the server quotes.
fn said(error: &tokio_postgres::Error) -> Arc<str> {
    if let Some(why) = about_certificate(error) {
        return format!("PostgreSQL: {why}").into();
    }
    match error.as_db_error() {
        Some(said) => format!("PostgreSQL: {} ({})", said.message(), said.code().code()),
        None => match error.source() {
            Some(source) => format!("PostgreSQL: {error}: {source}"),
            None => format!("PostgreSQL: {error}"),
        },
    }
    .into()
}

/// What the address of the database says, with what this program needs beside it.
///
/// # Errors
/// When it is no such address. It may hold a password, so it is not repeated.
pub(super) fn config(options: &Options) -> Result<(Config, Tls)> {
    use secrecy::ExposeSecret as _;
    let refused = |problem: &str| Error::Unavailable(format!("its address {problem}").into());
    let mut config: Config =
        options
            .url
            .expose_secret()
            .parse()
            .map_err(|error: tokio_postgres::Error| {
                let why = error.source().map(ToString::to_string);
                refused(&format!(
                    "cannot be understood: {}",
                    why.unwrap_or_default()
                ))
            })?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(refused("names no host"));
    }
    if let Some(password) = &options.password {
        config.password(password.expose_secret());
    }
    if config.get_application_name().is_none() {
        config.application_name("gatelog");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    config
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        .keepalives_idle(SILENCE)
        .keepalives_interval(SILENCE / 3)
        .keepalives_retries(3)
        .tcp_user_timeout(SILENCE);
    if options.tls.is_none() {
        if config.get_ssl_mode() == SslMode::Require {
            return Err(refused("asks for TLS, which was not set up"));
        }
        config.ssl_mode(SslMode::Disable);
    }
    Ok((config, Tls::new(options.tls.clone())))
}

/// Connections for whoever reads and for the writer.
///
/// # Errors
/// When they cannot be kept, which is an error of this program.
pub(super) fn pool(config: Config, tls: Tls, size: usize) -> Result<Pool> {
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let begin = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move {
            client
                .batch_execute(SESSION)
                .await
                .map_err(HookError::Backend)
        })
    });
    Pool::builder(Manager::from_config(config, tls, recycling))
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT))
        .create_timeout(Some(CONNECT * 2))
        .post_create(begin)
        .build()
        .map_err(|error| Error::Unavailable(error.to_string().into()))
}

/// A connection that is closed unless it is put back: nobody knows in what state it is after a failure.
pub(super) struct Spent(Option<Object>);

impl Spent {
    /// One of the pool.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn of(pool: &Pool) -> std::result::Result<Self, Failure> {
        Ok(Self(Some(pool.get().await?)))
    }

    /// The connection.
    pub(super) fn get(&self) -> std::result::Result<&Object, Failure> {
        self.0.as_ref().ok_or_else(|| super::closed().into())
    }

    /// Puts it back for others.
    pub(super) fn keep(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Spent {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

/// Says so where the server does not wait for its disk: what was acknowledged may be lost then.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn warn_of_loss(
    client: &tokio_postgres::Client,
) -> std::result::Result<(), Failure> {
    let ask = "SELECT current_setting('synchronous_commit'), current_setting('fsync')";
    let row = client.query_one(ask, &[]).await?;
    let (commit, sync): (&str, &str) = (row.get(0), row.get(1));
    if commit == "off" || sync == "off" {
        tracing::warn!(
            synchronous_commit = commit,
            fsync = sync,
            "PostgreSQL does not wait for its disk, so steps that were acknowledged may be lost"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        match config(&Options::new(url.to_owned().into())) {
            Err(Error::Unavailable(why)) => why.to_string(),
            other => panic!("it is refused, not {:?}", other.map(|(config, _)| config)),
        }
    }

    #[test]
    fn an_address_that_is_refused_is_not_repeated() {
        for url in [
            "postgres://gatelog:sesame@db/gatelog?sslmod=require",
            "postgres://gatelog:sesame@db:port/gatelog",
            "postgres://gatelog:sesame@db/gatelog?sslmode=require",
            "user=gatelog password=sesame",
        ] {
            let problem = problem(url);
            assert!(!problem.contains("sesame"), "{problem}");
        }
    }

    #[test]
    fn several_hosts_are_taken_and_only_one_that_writes_is_used() {
        let options = Options::new("postgres://one:5432,two:5433/gatelog".to_owned().into());
        let (config, _) = config(&options).expect("it is an address");
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(
            config.get_target_session_attrs(),
            TargetSessionAttrs::ReadWrite
        );
    }
}
