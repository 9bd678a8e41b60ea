//! The bytes of a mail: headers and parts. They are the same each time, so that a mail that is tried
//! again is the same mail. Nobody's name or subject can add a header.

use std::time::SystemTime;

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, MultiPartBuilder, SinglePart};

use super::outbox::Mail;

/// The picture that templates show with `cid:logo`.
const LOGO: &[u8] = include_bytes!("logo.png");

/// A longer name does not fit into a line of a header.
const LONGEST_NAME: usize = 200;

/// A mail as servers take it.
#[derive(Clone)]
pub(super) struct Message {
    /// Whom servers write to when it cannot be delivered.
    pub(super) sender: Address,
    /// Whom it goes to.
    pub(super) recipient: Address,
    /// Headers and body, lines ended by CR LF.
    pub(super) bytes: Vec<u8>,
}

impl Message {
    /// The message of a mail; `from` counts where the mail names nobody.
    ///
    /// # Errors
    /// What is wrong with the mail. It says nothing of the recipient.
    pub(super) fn of(mail: &Mail, from: &str) -> Result<Self, String> {
        let from = without_breaks(mail.from.as_deref().unwrap_or(from), "");
        let from: Mailbox = from
            .parse()
            .map_err(|_| format!("the sender {from:?} is no mail address"))?;
        let sender = plain_domain(&from.email);
        let recipient = without_breaks(&mail.to_address, "");
        let recipient: Address = recipient
            .trim()
            .parse()
            .map_err(|_| "the recipient's address is no mail address".to_owned())?;
        let recipient = plain_domain(&recipient);
        let message = lettre::Message::builder()
            .envelope(envelope(&sender, &recipient)?)
            .from(Mailbox::new(from.name, sender.clone()))
            .raw_header(written(
                HeaderName::new_from_ascii_str("To"),
                to(&mail.to_name, &recipient),
            ))
            .subject(without_breaks(&mail.subject, " "))
            .date(SystemTime::from(mail.created))
            .message_id(Some(format!("<{}@{}>", mail.id, sender.domain())))
            // No holiday notice answers a machine (RFC 3834).
            .raw_header(written(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        let built = match body(mail) {
            Body::One(part) => message.singlepart(part),
            Body::Many(parts) => message.multipart(parts),
        };
        let built = built.map_err(|error| format!("the mail cannot be put together: {error}"))?;
        Ok(Self {
            sender,
            recipient,
            bytes: built.formatted(),
        })
    }

    /// Whether an address has letters that only some servers understand.
    pub(super) fn needs_utf8(&self) -> bool {
        let addresses: [&str; 2] = [self.sender.as_ref(), self.recipient.as_ref()];
        addresses.iter().any(|address| !address.is_ascii())
    }
}

enum Body {
    One(SinglePart),
    Many(MultiPart),
}

/// Text and HTML are alternatives; a picture that the HTML shows lies beside both.
fn body(mail: &Mail) -> Body {
    let html = || SinglePart::html(mail.html.clone());
    let text = || SinglePart::plain(mail.text.clone());
    let letter = match (mail.html.is_empty(), mail.text.is_empty()) {
        (_, true) => Body::One(html()),
        (true, false) => Body::One(text()),
        (false, false) => {
            let alternatives = bounded(MultiPart::alternative(), mail, "a");
            Body::Many(alternatives.singlepart(text()).singlepart(html()))
        }
    };
    if !mail.html.contains("cid:logo") {
        return letter;
    }
    let png = "image/png".parse().expect("it is a media type");
    let logo = Attachment::new_inline_with_name("logo".to_owned(), "logo.png".to_owned())
        .body(LOGO.to_vec(), png);
    let related = bounded(MultiPart::related(), mail, "r");
    Body::Many(match letter {
        Body::One(part) => related.singlepart(part).singlepart(logo),
        Body::Many(parts) => related.multipart(parts).singlepart(logo),
    })
}

/// A boundary that is the same each time.
fn bounded(builder: MultiPartBuilder, mail: &Mail, letter: &str) -> MultiPartBuilder {
    builder.boundary(format!("={letter}={}", mail.id.simple()))
}

fn envelope(sender: &Address, recipient: &Address) -> Result<Envelope, String> {
    Envelope::new(Some(sender.clone()), vec![recipient.clone()])
        .map_err(|error| format!("the mail cannot be addressed: {error}"))
}

/// A header whose value is known to be one line.
fn written(name: HeaderName, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value)
}

/// `Name <address>`, as authentik writes it: with the address alone where the name has letters
/// outside ASCII. Source: authentik `stages/email`.
fn to(name: &str, address: &Address) -> String {
    let name = without_breaks(name, " ");
    if name.trim().is_empty() || !name.is_ascii() || name.len() > LONGEST_NAME {
        return address.to_string();
    }
    if name.contains(|letter| r#"[]\()<>@,:;"."#.contains(letter)) {
        let name = name.replace('\\', r"\\").replace('"', r#"\""#);
        format!("\"{name}\" <{address}>")
    } else {
        format!("{name} <{address}>")
    }
}

/// A text without line breaks and other control characters.
fn without_breaks(text: &str, instead: &str) -> String {
    text.replace(char::is_control, instead)
}

/// The address with its domain in the form that every server understands.
fn plain_domain(address: &Address) -> Address {
    let plain = match url::Host::parse(address.domain()) {
        Ok(url::Host::Domain(domain)) => Address::new(address.user(), domain).ok(),
        _ => None,
    };
    plain.unwrap_or_else(|| address.clone())
}

#[cfg(test)]
pub(super) mod tests;
