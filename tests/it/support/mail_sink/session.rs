//! One connection to the sink.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{At, PAUSE, Plan, Security, Shared, Taken, locked};

/// Both directions of a connection, encrypted or not.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

pub(super) struct Session<'a> {
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
    pub(super) fn new(connection: TcpStream, plan: Plan, shared: &'a Shared) -> Self {
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
                self.shared.stalls.fetch_add(1, Ordering::Relaxed);
                while !self.shared.is_over.load(Ordering::Relaxed) {
                    std::thread::sleep(PAUSE);
                }
                Err(io::ErrorKind::TimedOut.into())
            }
            Plan::Drop(here) if here == at => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => self.say(usual).map(|()| true),
        }
    }

    pub(super) fn converse(&mut self) -> io::Result<()> {
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
