//! Mails that leave: the outbox, the conversation with a mail server, and what a kill leaves behind.

mod conversation;
mod kill;
mod outbox;
mod post;

use gatelog::clock::Clock;
use gatelog::courier::outbox::{Mail, State};
use uuid::Uuid;

/// A mail with a link, for an hour from now.
fn mail(clock: &Clock, to: &str) -> Mail {
    let now = clock.now();
    Mail {
        id: clock.opaque_id(),
        to_name: "Some Body".to_owned(),
        to_address: to.to_owned(),
        from: None,
        subject: "Hello".to_owned(),
        html: "<a href=\"https://login.test/?token=abc\">open</a><img src=\"cid:logo\">".to_owned(),
        text: "Open https://login.test/?token=abc\n.\n.. and no more".to_owned(),
        server: None,
        execution: Some(Uuid::from_u128(5)),
        created: now,
        until: now + std::time::Duration::from_hours(1),
        attempts: 0,
        due: now,
        state: State::Waiting,
    }
}
