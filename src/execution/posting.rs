//! Writes the mails that a command asks for, and those that no execution does. They lie in the outbox
//! with the commit of whatever asked; the courier sends them afterwards.

use std::net::IpAddr;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::live::MadeLink;
use super::{Outside, Shared};
use crate::catalog::brand;
use crate::courier::letter;
use crate::courier::outbox::{Mail, State};
use crate::courier::template::Rendered;
use crate::flow::client::Client;
use crate::journal;
use crate::world::Letter;

/// What the operator reads whose server does not know its own address.
const NO_ADDRESS: &str = "no address is known under which a link can be opened, and the host that \
    a browser asks for may be anybody's: set web.public_url, or give the brand the domain";

/// Writes a mail.
///
/// # Errors
/// The inner one says what the operator has to mend.
pub(super) async fn write(
    shared: &Shared,
    execution: Uuid,
    now: Timestamp,
    letter: &Letter,
    link: Option<&MadeLink>,
) -> journal::Result<Result<Mail, String>> {
    let url = match link {
        Some(link) => match address(shared, letter, link.path().expose_secret()).await? {
            Ok(url) => Some(url),
            Err(problem) => return Ok(Err(problem)),
        },
        None => None,
    };
    let key = link.map(|link| &link.secret).or(letter.code.as_ref());
    let mail = written(shared, now, letter, url, key);
    Ok(mail.map(|mail| Mail {
        execution: Some(execution),
        ..mail
    }))
}

/// Writes a mail that leads to a path of this server, and that no execution waits to hear of.
///
/// # Errors
/// Those of [`write`].
pub(super) async fn leading(
    shared: &Shared,
    now: Timestamp,
    letter: &Letter,
    path: &str,
) -> journal::Result<Result<Mail, String>> {
    let url = address(shared, letter, path).await?;
    Ok(url.and_then(|url| written(shared, now, letter, Some(url), None)))
}

/// The address of a path, for whoever gets the letter.
async fn address(
    shared: &Shared,
    letter: &Letter,
    path: &str,
) -> journal::Result<Result<String, String>> {
    let origin = origin(shared, &letter.client).await?;
    let origin = origin.ok_or_else(|| NO_ADDRESS.to_owned());
    Ok(origin.map(|origin| format!("{origin}{path}")))
}

fn written(
    shared: &Shared,
    now: Timestamp,
    letter: &Letter,
    url: Option<String>,
    key: Option<&SecretString>,
) -> Result<Mail, String> {
    let Some(templates) = &shared.outside.letters else {
        return Err("this server sends no mail".to_owned());
    };
    let values = letter::Values {
        url,
        expires: Some(letter.expires),
        now: Some(now),
        user: Some(letter.user.clone()),
        token: key.map(|key| key.expose_secret().to_owned()),
        host: Some(letter.client.host.clone()),
        brand: letter.brand.clone(),
        more: letter.more.clone(),
        ..letter::Values::default()
    };
    let language = letter.language.as_deref();
    let rendered = match &letter.text {
        Some(text) => Rendered {
            subject: letter.subject.clone(),
            html: String::new(),
            text: text.clone(),
        },
        None => match templates.render(&letter.template, &letter.subject, language, &values) {
            Ok(rendered) => rendered,
            Err(error) => return Err(error.to_string()),
        },
    };
    let to = letter.to.clone();
    let (to_name, to_address) = to.map_or_else(Default::default, |to| (to.name, to.address));
    Ok(Mail {
        id: shared.clock.opaque_id(),
        to_name,
        to_address,
        from: letter.from.clone(),
        subject: rendered.subject,
        html: rendered.html,
        text: rendered.text,
        server: letter.server,
        execution: None,
        created: now,
        until: letter.expires,
        attempts: 0,
        due: now,
        state: State::Waiting,
    })
}

/// The scheme and host of links. What a browser asks for counts only where it cannot be somebody
/// else's: otherwise whoever asks for a mail to another person chooses where its link leads.
async fn origin(shared: &Shared, client: &Client) -> journal::Result<Option<String>> {
    let Outside { public_url, .. } = &shared.outside;
    if let Some(url) = public_url {
        return Ok(Some(url.trim_end_matches('/').to_owned()));
    }
    // Somebody on another machine has no use for a link to their own.
    if client.address.is_loopback() && is_this_machine(&client.host) {
        return Ok(Some(client.origin()));
    }
    // The port is the client's word, so only one that the operator wrote down counts.
    let brands = brand::brands(shared.journal.as_ref()).await?;
    let known = brands.iter().find(|it| it.value.is_of(&client.host));
    let scheme = if client.secure { "https" } else { "http" };
    Ok(known.map(|brand| format!("{scheme}://{}", brand.value.domain)))
}

/// The host under which a visitor reaches the server, as it may be shown to somebody else; `None`
/// where nothing but the visitor says which one it is.
pub(super) async fn domain(shared: &Shared, client: &Client) -> Option<String> {
    match origin(shared, client).await {
        Ok(origin) => {
            let origin = origin?;
            let (_, host) = origin.split_once("://")?;
            Some(host.split('/').next().unwrap_or(host).to_owned())
        }
        Err(error) => {
            tracing::warn!(%error, "the host of the brand cannot be read");
            None
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_known_by_itself() {
        for host in [
            "localhost",
            "localhost:9000",
            "127.0.0.1:80",
            "[::1]:9000",
            "[::1]",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
