//! The conversation with a mail server, up to the point of no return and beyond it.
//!
//! It is in two parts, so that whoever leads it can write down in between that the mail may now
//! arrive: [`Conversation::prepare`] ends when the server waits for the message.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;

use super::message::Message;
use super::problem::{At, Cause, Problem};
use super::server::{Security, Server};

/// How long a server may take to judge a message that it has: here impatience would make an outcome
/// unknown that is none (RFC 5321, 4.5.3.2.6 allows ten minutes).
const JUDGEMENT: Duration = Duration::from_mins(5);

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// A server that waits for a message.
pub(super) struct Conversation {
    connection: AsyncSmtpConnection,
    timeout: Duration,
}

/// What the conversation tells of itself, a line for each step; no credentials, no addresses.
pub(super) type Told = Vec<String>;

/// What came of handing over.
pub(super) enum Handed {
    /// The server took it; this is what it said.
    Taken(String),
    /// The server refused it.
    Refused(Problem),
    /// Nobody knows.
    Unknown(Problem),
}

impl Conversation {
    /// Talks until the server waits for the message. Before that the mail cannot arrive.
    ///
    /// # Errors
    /// What went wrong.
    pub(super) async fn prepare(
        server: &Server,
        message: &Message,
        told: &mut Told,
    ) -> Result<Self, Problem> {
        let mut connection = open(server, told).await?;
        if let Err(problem) = announce(&mut connection, server, message, told).await {
            if matches!(problem.cause, Cause::Reply { .. } | Cause::Missing(_)) {
                let _ = tokio::time::timeout(FAREWELL, connection.quit()).await;
            }
            return Err(problem);
        }
        Ok(Self {
            connection,
            timeout: server.timeout,
        })
    }

    /// Hands the message over. Once this has begun the mail may arrive.
    pub(super) async fn hand_over(mut self, message: &Message) -> Handed {
        let patience = self.timeout.max(JUDGEMENT);
        let sent = self.connection.message(&message.bytes);
        match within(patience, At::Message, sent).await {
            Ok(reply) => {
                let said: Vec<&str> = reply.message().collect();
                let code = u16::from(reply.code());
                // The mail is theirs; whether they heard us leave does not matter.
                let _ = tokio::time::timeout(FAREWELL, self.connection.quit()).await;
                Handed::Taken(format!("{code} {}", said.join(" ")))
            }
            Err(problem) if matches!(problem.cause, Cause::Reply { .. }) => {
                Handed::Refused(problem)
            }
            Err(problem) => Handed::Unknown(problem),
        }
    }
}

/// Everything between the greeting and the message.
async fn announce(
    connection: &mut AsyncSmtpConnection,
    server: &Server,
    message: &Message,
    told: &mut Told,
) -> Result<(), Problem> {
    log_in(connection, server, told).await?;
    let sender = Mail::new(
        Some(message.sender.clone()),
        parameters(connection, message)?,
    );
    within(server.timeout, At::Sender, connection.command(sender)).await?;
    told.push("the sender is accepted".to_owned());
    let recipient = Rcpt::new(message.recipient.clone(), Vec::new());
    within(server.timeout, At::Recipient, connection.command(recipient)).await?;
    told.push("the recipient is accepted".to_owned());
    within(server.timeout, At::Message, connection.command(Data)).await?;
    Ok(())
}

/// Connects and, where asked for, encrypts.
async fn open(server: &Server, told: &mut Told) -> Result<AsyncSmtpConnection, Problem> {
    let addresses = addresses(server).await?;
    let me = me();
    let Server {
        host,
        port,
        security,
        ..
    } = server;
    if *security == Security::Tls {
        let tls = tls(host).await?;
        // Each address may take its time, and the handshake too.
        let attempts = u32::try_from(addresses.len())
            .unwrap_or(u32::MAX)
            .saturating_add(2);
        let patience = server.timeout.saturating_mul(attempts);
        let connected = AsyncSmtpConnection::connect_tokio1(
            &addresses[..],
            Some(server.timeout),
            &me,
            Some(tls),
            None,
        );
        let connection = within(patience, At::Connection, connected).await?;
        told.push(format!(
            "connected to {host}, port {port}, encrypted from the first byte"
        ));
        greeted(&connection, told);
        return Ok(connection);
    }
    let stream = Box::new(connect(&addresses, server.timeout).await?);
    told.push(format!("connected to {host}, port {port}"));
    let greeted_by = AsyncSmtpConnection::connect_with_transport(stream, &me);
    let mut connection = within(server.timeout, At::Greeting, greeted_by).await?;
    greeted(&connection, told);
    if *security == Security::StartTls {
        if !connection.can_starttls() {
            let cause = Cause::Missing("STARTTLS");
            return Err(Problem {
                at: At::Encryption,
                cause,
            });
        }
        let tls = tls(host).await?;
        within(
            server.timeout,
            At::Encryption,
            connection.starttls(tls, &me),
        )
        .await?;
        told.push("encrypted by STARTTLS".to_owned());
    } else {
        told.push("not encrypted: neither use_tls nor use_ssl is set".to_owned());
    }
    Ok(connection)
}

fn greeted(connection: &AsyncSmtpConnection, told: &mut Told) {
    let info = connection.server_info();
    let can = |mechanism| info.supports_auth_mechanism(mechanism);
    let login = match (can(Mechanism::Plain), can(Mechanism::Login)) {
        (false, false) => "no login",
        (true, _) => "login with PLAIN",
        (false, true) => "login with LOGIN",
    };
    let starttls = if info.supports_feature(Extension::StartTls) {
        ", STARTTLS"
    } else {
        ""
    };
    told.push(format!("the server greets and offers {login}{starttls}"));
}

async fn addresses(server: &Server) -> Result<Vec<SocketAddr>, Problem> {
    let asked = tokio::net::lookup_host((server.host.as_str(), server.port));
    let found = match tokio::time::timeout(server.timeout, asked).await {
        Ok(Ok(found)) => found.collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        let cause = Cause::NoSuchHost;
        return Err(Problem {
            at: At::Connection,
            cause,
        });
    }
    Ok(found)
}

async fn connect(addresses: &[SocketAddr], timeout: Duration) -> Result<TcpStream, Problem> {
    let mut cause = Cause::NobodyThere;
    for address in addresses {
        match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Small commands must not wait for each other's acknowledgement.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => cause = super::problem::of_io(&error),
            Err(_) => cause = Cause::Silence,
        }
    }
    Err(Problem {
        at: At::Connection,
        cause,
    })
}

/// What is needed for TLS: whom the machine believes is read from its disk.
async fn tls(host: &str) -> Result<TlsParameters, Problem> {
    let host = host.to_owned();
    let built = tokio::task::spawn_blocking(|| TlsParameters::new(host)).await;
    let at = At::Encryption;
    match built {
        Ok(Ok(tls)) => Ok(tls),
        Ok(Err(error)) => Err(Problem {
            at,
            cause: Cause::Untrusted(error.to_string()),
        }),
        Err(_) => Err(Problem {
            at,
            cause: Cause::Other("broken off".to_owned()),
        }),
    }
}

async fn log_in(
    connection: &mut AsyncSmtpConnection,
    server: &Server,
    told: &mut Told,
) -> Result<(), Problem> {
    let Some((username, password)) = &server.login else {
        told.push("not logged in: no user name and password are set".to_owned());
        return Ok(());
    };
    let at = At::Login;
    if connection
        .server_info()
        .get_auth_mechanism(DEFAULT_MECHANISMS)
        .is_none()
    {
        let cause = Cause::Missing("login with PLAIN or LOGIN");
        return Err(Problem { at, cause });
    }
    let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
    let asked = connection.auth(DEFAULT_MECHANISMS, &credentials);
    within(server.timeout, at, asked).await?;
    told.push("logged in".to_owned());
    Ok(())
}

/// What the server has to know of the message beforehand.
fn parameters(
    connection: &AsyncSmtpConnection,
    message: &Message,
) -> Result<Vec<MailParameter>, Problem> {
    let offers = |extension| connection.server_info().supports_feature(extension);
    let mut parameters = Vec::new();
    if message.needs_utf8() {
        if !offers(Extension::SmtpUtfEight) {
            let cause = Cause::Missing("delivery to addresses with letters outside ASCII");
            return Err(Problem {
                at: At::Recipient,
                cause,
            });
        }
        parameters.push(MailParameter::SmtpUtfEight);
        if offers(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
    }
    Ok(parameters)
}

/// An answer that came in time and is none of refusal.
async fn within<T>(
    patience: Duration,
    at: At,
    asked: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(patience, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Problem::of(at, &error)),
        Err(_) => Err(Problem {
            at,
            cause: Cause::Silence,
        }),
    }
}

/// What this machine calls itself: its name where that is a whole one.
fn me() -> ClientId {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    if name.contains('.') && name.chars().all(is_plain) {
        ClientId::Domain(name.into_owned())
    } else {
        ClientId::default()
    }
}
