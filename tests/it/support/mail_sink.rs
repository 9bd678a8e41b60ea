//! A mail server for tests on a port of this machine. It speaks SMTP in the clear, with STARTTLS or
//! with TLS from the first byte, checks logins, and fails where a test tells it to. What it took is
//! kept as it came.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelog::clock::Clock;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Options;
use super::letter::Letter;

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

    /// Waits until there have been `count` connections.
    pub(crate) async fn wait_for_connections(&self, count: usize) {
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        while self.connections() < count {
            let there = self.connections();
            assert!(
                clock.monotonic() < deadline,
                "{there} connections instead of {count}"
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

/// Both directions of a connection, encrypted or not.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

struct Session<'a> {
    stream: BufReader<Box<dyn Stream>>,
    /// The connection itself, for encrypting it later.
    raw: TcpStream,
    plan: Plan,
    shared: &'a Shared,
    is_encrypted: bool,
    login: Option<&'static str>,
    from: String,
    to: Vec<String>,
}

impl<'a> Session<'a> {
    fn new(connection: TcpStream, plan: Plan, shared: &'a Shared) -> Self {
        let raw = connection.try_clone().expect("a second handle");
        let mut session = Self {
            stream: BufReader::new(Box::new(connection)),
            raw,
            plan,
            shared,
            is_encrypted: false,
            login: None,
            from: String::new(),
            to: Vec::new(),
        };
        if shared.security == Security::Tls {
            session.encrypt();
        }
        session
    }

    fn encrypt(&mut self) {
        let tls = rustls::ServerConnection::new(Arc::clone(&self.shared.tls)).expect("a session");
        let raw = self.raw.try_clone().expect("a second handle");
        self.stream = BufReader::new(Box::new(rustls::StreamOwned::new(tls, raw)));
        self.is_encrypted = true;
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()
    }

    fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Answers, unless the plan says something else for this place; whether it was this answer.
    fn answer(&mut self, at: At, usual: &str) -> io::Result<bool> {
        match self.plan {
            Plan::Reply(here, reply) if here == at => {
                self.plan = Plan::Take;
                self.say(reply)?;
                Ok(false)
            }
            Plan::Stall(here) if here == at => {
                while !self.shared.is_over.load(Ordering::Relaxed) {
                    std::thread::sleep(PAUSE);
                }
                Err(io::ErrorKind::TimedOut.into())
            }
            Plan::Drop(here) if here == at => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => self.say(usual).map(|()| true),
        }
    }

    fn converse(&mut self) -> io::Result<()> {
        self.answer(At::Greeting, "220 sink.test ESMTP")?;
        loop {
            let line = self.hear()?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => {
                    let hello = self.hello();
                    self.answer(At::Hello, &hello)?;
                }
                "STARTTLS" if self.can_start_tls() => {
                    self.say("220 2.0.0 go ahead")?;
                    self.encrypt();
                }
                "AUTH" => self.log_in(rest)?,
                "MAIL" if self.shared.login.is_some() && self.login.is_none() => {
                    self.say("530 5.7.0 Authentication required")?;
                }
                "MAIL" => {
                    if self.answer(At::Sender, "250 2.1.0 ok")? {
                        self.from = path(rest);
                        self.to.clear();
                    }
                }
                "RCPT" => {
                    if self.answer(At::Recipient, "250 2.1.5 ok")? {
                        self.to.push(path(rest));
                    }
                }
                "DATA" if self.to.is_empty() => self.say("503 5.5.1 no recipient")?,
                "DATA" => {
                    if self.answer(At::Data, "354 go ahead")? {
                        self.take()?;
                    }
                }
                "QUIT" => return self.say("221 2.0.0 bye"),
                "NOOP" | "RSET" => self.say("250 2.0.0 ok")?,
                _ => self.say("502 5.5.2 what?")?,
            }
        }
    }

    fn can_start_tls(&self) -> bool {
        self.shared.security == Security::StartTls && !self.is_encrypted
    }

    fn hello(&self) -> String {
        let mut lines = vec![
            "sink.test".to_owned(),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
        ];
        if self.can_start_tls() {
            lines.push("STARTTLS".to_owned());
        } else if self.shared.login.is_some() {
            lines.push(format!("AUTH {}", self.shared.mechanisms));
        }
        let last = lines.len() - 1;
        let lines = lines.iter().enumerate();
        let lines: Vec<String> = lines
            .map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }))
            .collect();
        lines.join("\r\n")
    }

    fn log_in(&mut self, asked: &str) -> io::Result<()> {
        let (mechanism, initial) = asked.split_once(' ').unwrap_or((asked, ""));
        let (name, username, password) = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let both = decoded(initial);
                let mut parts = both.split('\0').skip(1).map(ToOwned::to_owned);
                let mut next = || parts.next().unwrap_or_default();
                ("PLAIN", next(), next())
            }
            "LOGIN" => {
                self.say(&format!("334 {}", STANDARD.encode("Username:")))?;
                let username = decoded(&self.hear()?);
                self.say(&format!("334 {}", STANDARD.encode("Password:")))?;
                ("LOGIN", username, decoded(&self.hear()?))
            }
            _ => return self.say("504 5.5.4 no such mechanism"),
        };
        let expected = self.shared.login.as_ref();
        if expected.is_none_or(|it| *it != (username, password)) {
            return self.say("535 5.7.8 wrong user name or password");
        }
        if self.answer(At::Login, "235 2.7.0 welcome")? {
            self.login = Some(name);
        }
        Ok(())
    }

    fn take(&mut self) -> io::Result<()> {
        let mut raw = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                break;
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if matches!(self.plan, Plan::DropInMessage(most) if raw.len() > most) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        let taken = Taken {
            from: self.from.clone(),
            to: std::mem::take(&mut self.to),
            is_encrypted: self.is_encrypted,
            login: self.login,
            raw,
        };
        if matches!(self.plan, Plan::TakeAndDie) {
            locked(&self.shared.taken).push(taken);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if self.answer(At::Message, "250 2.0.0 queued as 1")? {
            locked(&self.shared.taken).push(taken);
        }
        Ok(())
    }
}

/// What stands between the angle brackets of `FROM:<a@b>` or `TO:<a@b>`.
fn path(rest: &str) -> String {
    let inner = rest
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(path, _)| path.to_owned())
}

fn decoded(base64: &str) -> String {
    let bytes = STANDARD.decode(base64.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
