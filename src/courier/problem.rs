//! What went wrong between this program and a mail server, in words, and what helps.
//!
//! The text of a server's reply may repeat an address, so it is for the operator's eyes only.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use lettre::transport::smtp::Error;

use super::server::{Security, Server};

/// How far a conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Connection,
    Greeting,
    Encryption,
    Login,
    Sender,
    Recipient,
    Message,
}

impl At {
    /// What was being done.
    fn what(self) -> &'static str {
        match self {
            Self::Connection => "the connection",
            Self::Greeting => "the greeting",
            Self::Encryption => "the encryption",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Message => "the message",
        }
    }
}

/// Why it went no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server said no.
    Reply { code: u16, text: String },
    /// The host has no address.
    NoSuchHost,
    /// Nobody listens there.
    NobodyThere,
    /// Nothing came in time.
    Silence,
    /// The connection ended.
    Broken,
    /// The certificate is not believed.
    Untrusted(String),
    /// There is no TLS on the other side.
    NotEncrypted(String),
    /// The server does not offer what is needed.
    Missing(&'static str),
    /// Anything else.
    Other(String),
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) at: At,
    pub(super) cause: Cause,
}

impl Problem {
    /// What an error of the SMTP client means at this place.
    pub(super) fn of(at: At, error: &Error) -> Self {
        let cause = if let Some(code) = error.status() {
            Cause::Reply {
                code: code.into(),
                text: error.source().map(ToString::to_string).unwrap_or_default(),
            }
        } else {
            unsaid(error)
        };
        Self { at, cause }
    }

    /// Whether trying again is of no use: the server has judged this very mail. What it says of us,
    /// of our login or of itself, may be different once somebody has looked after it.
    pub(super) fn is_final(&self) -> bool {
        let concerns_mail = matches!(self.at, At::Sender | At::Recipient | At::Message);
        match self.cause {
            Cause::Reply { code, .. } => {
                concerns_mail && code >= 500 && !matches!(code, 530 | 534 | 535 | 538)
            }
            Cause::Missing(_) => self.at == At::Recipient,
            _ => false,
        }
    }

    /// All that the server said, for the operator who asked.
    pub(super) fn said(&self) -> Option<String> {
        match &self.cause {
            Cause::Reply { code, text } => Some(format!("{code} {text}")),
            _ => None,
        }
    }

    /// What helps, as far as that can be told.
    pub(super) fn remedy(&self, server: &Server) -> String {
        let Server {
            host,
            port,
            security,
            ..
        } = server;
        match (&self.cause, self.at) {
            (Cause::NoSuchHost, _) => {
                format!("Look whether the host {host} is spelt rightly and known to this machine's DNS.")
            }
            (Cause::NobodyThere, _) => format!(
                "Look whether the mail server runs on {host} and listens on port {port}: usual are \
                 587 with use_tls, 465 with use_ssl, and 25 within a network."
            ),
            (Cause::Silence, At::Connection) => format!(
                "A firewall may swallow connections to port {port}; many providers block 25. Try 587 \
                 with use_tls."
            ),
            (Cause::Silence | Cause::Broken, At::Greeting) if *security != Security::Tls => {
                "If this port expects encryption from the first byte, as 465 does, set use_ssl."
                    .to_owned()
            }
            (Cause::NotEncrypted(_), _) if *security == Security::Tls => {
                "If this port begins in the clear, as 587 and 25 do, set use_tls instead of use_ssl."
                    .to_owned()
            }
            (Cause::Untrusted(_), _) => format!(
                "The certificate has to be valid for {host} and signed by somebody whom this machine \
                 believes. An authority of your own is added to the machine's, or named in \
                 SSL_CERT_FILE."
            ),
            (Cause::Missing(what), At::Encryption) => {
                format!("The server offers no {what} here. Use port 465 with use_ssl, or 587.")
            }
            (Cause::Missing(_), At::Login) => {
                "The server offers no way to log in here, or only once the connection is encrypted: \
                 set use_tls. A server that needs no login wants no username either."
                    .to_owned()
            }
            (Cause::Reply { code: 530 | 538, .. }, _) => {
                "The server wants a login first, or encryption: set username and password, and \
                 use_tls."
                    .to_owned()
            }
            (Cause::Reply { .. }, At::Login) => {
                "The user name or the password is wrong, or the provider wants a password made for \
                 programs (an app password, an API key)."
                    .to_owned()
            }
            (Cause::Reply { code: 500.., .. }, At::Sender) => {
                "The server does not take mails from this sender: set one that belongs to the login \
                 (email.from, or from_address of the stage)."
                    .to_owned()
            }
            (Cause::Reply { code: 500.., .. }, At::Recipient) => {
                "The address does not exist, or the server passes nothing on for strangers: then set \
                 username and password, or let it accept mails from this machine."
                    .to_owned()
            }
            (Cause::Reply { code: 400..500, .. }, _) => {
                "The server says that it may work later: send the test once more in some minutes."
                    .to_owned()
            }
            _ => "The mail server's own log says more.".to_owned(),
        }
    }
}

/// The words for a log and for the trail: nothing in them comes from the recipient.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.at.what();
        match &self.cause {
            Cause::Reply { code, text } => {
                write!(f, "the mail server refused {what}: {code}")?;
                match enhanced(text) {
                    Some(status) => write!(f, " {status}"),
                    None => Ok(()),
                }
            }
            Cause::NoSuchHost => f.write_str("the mail server's name has no address"),
            Cause::NobodyThere => f.write_str("nobody listens on the mail server's port"),
            Cause::Silence => write!(f, "the mail server did not answer in time: {what}"),
            Cause::Broken => write!(f, "the connection to the mail server broke: {what}"),
            Cause::Untrusted(why) => {
                write!(f, "the mail server's certificate is not believed: {why}")
            }
            Cause::NotEncrypted(why) => write!(f, "no encryption with the mail server: {why}"),
            Cause::Missing(missing) => write!(f, "the mail server offers no {missing}"),
            Cause::Other(why) => write!(f, "{what}: {why}"),
        }
    }
}

/// The status code of RFC 3463 at the beginning of a reply, such as `5.1.1`.
fn enhanced(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let numbers: Vec<&str> = word.split('.').collect();
    let is_number =
        |it: &&str| (1..=3).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_digit());
    (numbers.len() == 3 && numbers.iter().all(is_number)).then_some(word)
}

/// What an error means that is no reply.
fn unsaid(error: &Error) -> Cause {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            let inner = io
                .get_ref()
                .and_then(|it| it.downcast_ref::<rustls::Error>());
            return match inner {
                Some(tls) => of_tls(tls),
                None => of_io(io),
            };
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        next = cause.source();
    }
    let text = error.to_string();
    if error.is_response() && text.contains("incomplete") {
        // The client's words for a connection that ended before a reply.
        return Cause::Broken;
    }
    Cause::Other(text)
}

fn of_tls(error: &rustls::Error) -> Cause {
    match error {
        rustls::Error::InvalidCertificate(why) => Cause::Untrusted(why.to_string()),
        other => Cause::NotEncrypted(other.to_string()),
    }
}

pub(super) fn of_io(error: &io::Error) -> Cause {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::NobodyThere,
        ErrorKind::TimedOut => Cause::Silence,
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Cause::Broken,
        _ => Cause::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(at: At, code: u16) -> Problem {
        let text = "5.1.1 <alice@example.org>: no such user".to_owned();
        let cause = Cause::Reply { code, text };
        Problem { at, cause }
    }

    #[test]
    fn what_is_told_names_no_address() {
        let problem = refused(At::Recipient, 550);
        assert_eq!(
            problem.to_string(),
            "the mail server refused the recipient: 550 5.1.1"
        );
        assert!(problem.said().is_some_and(|it| it.contains("alice")));
        assert_eq!(enhanced("4.2.0 later"), Some("4.2.0"));
        for text in ["", "10.0.0.1.2 x", "see 5.1.1", "5.1.a x"] {
            assert_eq!(enhanced(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_judgement_of_the_mail_is_final() {
        for at in [At::Sender, At::Recipient, At::Message] {
            assert!(refused(at, 550).is_final());
            assert!(!refused(at, 450).is_final());
            assert!(!refused(at, 530).is_final(), "a login is missing");
        }
        for at in [At::Greeting, At::Encryption, At::Login] {
            assert!(!refused(at, 554).is_final());
        }
        let silence = Problem {
            at: At::Recipient,
            cause: Cause::Silence,
        };
        assert!(!silence.is_final());
    }
}
