//! A mail server for tests on a port of this machine. It speaks SMTP in the clear, with STARTTLS or
//! with TLS from the first byte, checks logins, and fails where a test tells it to. What it took is
//! kept as it came.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatelog::clock::Clock;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Options;
use super::letter::Letter;

mod session;

use session::Session;

/// Who vouches for the sink's certificate: made for these tests, and its key thrown away.
pub(crate) const AUTHORITY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/support/certificate/authority.pem"
);

const CERTIFICATE: &[u8] = include_bytes!("certificate/certificate.pem");
const KEY: &[u8] = include_bytes!("certificate/key.pem");

/// How long a test waits for mails.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// How the sink's connections are protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Security {
    #[default]
    Plain,
    StartTls,
    Tls,
}

/// A place in the conversation: before the sink answers this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Greeting,
    Hello,
    Login,
    Sender,
    Recipient,
    Data,
    /// The end of the message.
    Message,
}

/// What the sink does to one connection.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// It takes the mail.
    Take,
    /// It gives this reply, such as `450 4.2.0 later`, and goes on.
    Reply(At, &'static str),
    /// It says nothing any more, and keeps the connection.
    Stall(At),
    /// It closes the connection.
    Drop(At),
    /// It closes the connection once it has read this much of the message.
    DropInMessage(usize),
    /// It keeps the mail and closes the connection without a word.
    TakeAndDie,
}

/// A mail that the sink took.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// The sender of the envelope.
    pub(crate) from: String,
    /// The recipients of the envelope.
    pub(crate) to: Vec<String>,
    /// Whether the connection was encrypted.
    pub(crate) is_encrypted: bool,
    /// With which mechanism the sender had logged in.
    pub(crate) login: Option<&'static str>,
    /// The mail, byte for byte, without the doubled dots.
    pub(crate) raw: Vec<u8>,
}

impl Taken {
    /// The mail, taken apart.
    #[track_caller]
    pub(crate) fn letter(&self) -> Letter {
        Letter::read(&self.raw)
    }
}

struct Shared {
    port: u16,
    security: Security,
    tls: Arc<rustls::ServerConfig>,
    login: Option<(String, String)>,
    mechanisms: &'static str,
    plans: Mutex<VecDeque<Plan>>,
    otherwise: Mutex<Plan>,
    taken: Mutex<Vec<Taken>>,
    connections: AtomicUsize,
    stalls: AtomicUsize,
    is_over: AtomicBool,
}

/// How a sink is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink {
    security: Security,
    login: Option<(String, String)>,
    mechanisms: Option<&'static str>,
    port: u16,
}

impl Sink {
    /// Its connections are protected so.
    pub(crate) fn with(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Whoever sends has to log in.
    pub(crate) fn with_login(mut self, username: &str, password: &str) -> Self {
        self.login = Some((username.to_owned(), password.to_owned()));
        self
    }

    /// It knows only these ways to log in, such as `LOGIN`.
    pub(crate) fn with_mechanisms(mut self, mechanisms: &'static str) -> Self {
        self.mechanisms = Some(mechanisms);
        self
    }

    /// It listens there, such as where another sink was before.
    pub(crate) fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> MailSink {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).expect("a free port");
        listener.set_nonblocking(true).expect("it can be set");
        let shared = Arc::new(Shared {
            port: listener.local_addr().expect("it is bound").port(),
            security: self.security,
            tls: tls(),
            login: self.login,
            mechanisms: self.mechanisms.unwrap_or("PLAIN LOGIN"),
            plans: Mutex::default(),
            otherwise: Mutex::new(Plan::Take),
            taken: Mutex::default(),
            connections: AtomicUsize::new(0),
            stalls: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let listening = Arc::clone(&shared);
        std::thread::spawn(move || listen(&listener, &listening));
        MailSink(shared)
    }
}

/// A mail server that runs as long as this lives.
pub(crate) struct MailSink(Arc<Shared>);

impl Drop for MailSink {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl MailSink {
    /// A sink that speaks in the clear and takes every mail.
    pub(crate) fn start() -> Self {
        Sink::default().start()
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    /// Has a server send its mails here: the global settings, and whom it believes.
    pub(crate) fn serves(&self, options: Options) -> Options {
        let shared = &self.0;
        let mut options = options
            .with("GATELOG_EMAIL__HOST", "localhost")
            .with("GATELOG_EMAIL__PORT", &shared.port.to_string())
            .with("GATELOG_EMAIL__TIMEOUT", "2 seconds")
            .with("SSL_CERT_FILE", AUTHORITY);
        match shared.security {
            Security::Plain => {}
            Security::StartTls => options = options.with("GATELOG_EMAIL__USE_TLS", "true"),
            Security::Tls => options = options.with("GATELOG_EMAIL__USE_SSL", "true"),
        }
        if let Some((username, password)) = &shared.login {
            options = options
                .with("GATELOG_EMAIL__USERNAME", username)
                .with("GATELOG_EMAIL__PASSWORD", password);
        }
        options
    }

    /// What happens to the next connections, in this order; later ones go well.
    pub(crate) fn plans(&self, plans: impl IntoIterator<Item = Plan>) {
        locked(&self.0.plans).extend(plans);
    }

    /// What happens to every connection that has no plan of its own.
    pub(crate) fn always(&self, plan: Plan) {
        *locked(&self.0.otherwise) = plan;
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// All mails so far, the oldest first.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        locked(&self.0.taken).clone()
    }

    /// Waits until there are `count` mails, and returns all.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Taken> {
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        loop {
            let taken = self.taken();
            if taken.len() >= count {
                return taken;
            }
            let there = taken.len();
            assert!(
                clock.monotonic() < deadline,
                "{there} mails instead of {count}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until `count` connections have come to the place where they stall.
    pub(crate) async fn wait_for_stalls(&self, count: usize) {
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        loop {
            let there = self.0.stalls.load(Ordering::Relaxed);
            if there >= count {
                return;
            }
            assert!(
                clock.monotonic() < deadline,
                "{there} stalls instead of {count}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn locked<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tls() -> Arc<rustls::ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key is that of the certificate");
    Arc::new(config)
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.is_over.load(Ordering::Relaxed) {
        let Ok((connection, _)) = listener.accept() else {
            std::thread::sleep(PAUSE);
            continue;
        };
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let plan = locked(&shared.plans).pop_front();
        let plan = plan.unwrap_or_else(|| locked(&shared.otherwise).clone());
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A client that goes away ends only its own connection.
            let _ = connection.set_nonblocking(false);
            let _ = Session::new(connection, plan, &shared).converse();
        });
    }
}
