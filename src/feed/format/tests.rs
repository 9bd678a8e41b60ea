//! Each form, compared with what it looked like before.

use std::net::IpAddr;

use uuid::Uuid;

use super::lines;
use crate::directory::change::{Change, Changed, Did, Means};
use crate::directory::{Author, User};
use crate::feed::item::{Item, What};
use crate::flow::client::Client;
use crate::flow::event::{Event, MfaProblem, PasswordProblem};
use crate::flow::input::{Input, Request};
use crate::journal::object::Stored;
use crate::journal::{Position, Version};
use crate::settings::FeedFormat;
use crate::world::Record;

fn item(what: What) -> Item {
    Item {
        position: Position(42),
        at: "2026-01-02T03:04:05.678Z".parse().expect("a moment"),
        id: Uuid::from_u128(1),
        version: Version(3),
        correlation: Uuid::from_u128(2),
        what,
    }
}

fn execution(events: Vec<Event>) -> Item {
    let address: IpAddr = "::ffff:192.0.2.7".parse().expect("a literal");
    let client = Client {
        address,
        user_agent: "Browser/1".to_owned(),
        host: "id.example".to_owned(),
        secure: true,
        ..Client::nobody()
    };
    item(What::Execution(Box::new(Record {
        input: Input {
            at: "2026-01-02T03:04:05.678Z".parse().expect("a moment"),
            client,
            query: String::new(),
            request: Request::Visit,
            body: None,
        },
        observations: Vec::new(),
        events,
    })))
}

fn logins() -> Item {
    let user = Uuid::from_u128(3);
    execution(vec![
        Event::StageEntered {
            binding: Uuid::from_u128(9),
            stage: "a \"stage\"]".to_owned(),
        },
        Event::PasswordRejected {
            user: None,
            reason: PasswordProblem::UnknownUser,
        },
        Event::ReputationChanged {
            identifier: "jane".to_owned(),
            amount: -1,
        },
        Event::MfaRejected {
            class: "totp".to_owned(),
            device: None,
            reason: MfaProblem::Wrong,
        },
        Event::SessionStarted {
            session: Uuid::from_u128(4),
            user,
            expires: "2026-02-01T00:00:00Z".parse().expect("a moment"),
            persistent: true,
            terminated: Vec::new(),
            replaced: None,
            device: None,
        },
        Event::UserWritten {
            user,
            created: false,
            fields: vec!["password".to_owned()],
            groups: Vec::new(),
        },
        Event::SessionEnded {
            session: Uuid::from_u128(4),
            user: Some(user),
        },
    ])
}

fn change() -> Item {
    let object = |id, did| Changed {
        kind: User::KIND,
        id: Uuid::from_u128(id),
        version: Version(1),
        did,
    };
    item(What::Change(Change {
        author: Author {
            user: Some(Uuid::from_u128(7)),
            address: Some("192.0.2.8".parse().expect("a literal")),
            request: Some("POST /api/v3/core/users/".to_owned()),
            ..Author::by(Means::Api)
        },
        objects: vec![object(5, Did::Created), object(6, Did::Deleted)],
    }))
}

/// Compares with a file of `tests/golden/feed`. With `GATELOG_GOLDEN=write` the file is made.
#[track_caller]
fn is_as_before(name: &str, format: FeedFormat, items: &[Item]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/feed");
    let path = path.join(name);
    let told: Vec<String> = items.iter().flat_map(|item| lines(format, item)).collect();
    assert!(told.iter().all(|line| !line.contains('\n')));
    let text = format!("{}\n", told.join("\n"));
    if std::env::var_os("GATELOG_GOLDEN").is_some() {
        std::fs::write(&path, &text).expect("it can be written");
    }
    let before = std::fs::read_to_string(&path).expect("the file is there");
    assert_eq!(text, before, "{}", path.display());
}

#[test]
fn json_is_as_before() {
    is_as_before("json.jsonl", FeedFormat::Json, &[logins(), change()]);
}

#[test]
fn ocsf_is_as_before() {
    is_as_before("ocsf.jsonl", FeedFormat::Ocsf, &[logins(), change()]);
}

#[test]
fn syslog_is_as_before() {
    is_as_before("syslog.txt", FeedFormat::Syslog, &[logins(), change()]);
}

#[test]
fn what_ocsf_has_no_class_for_is_left_out() {
    let told = lines(FeedFormat::Ocsf, &execution(vec![Event::Expired]));
    assert!(told.is_empty(), "{told:?}");
}
