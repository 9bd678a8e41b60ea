//! Changes that a stage asks for. The live world turns them into writes of the same commit.

use std::net::IpAddr;

use jiff::Timestamp;
use uuid::Uuid;

use crate::directory::device::Device;
use crate::directory::reputation::Place;
use crate::directory::session::{GeoipBinding, NetworkBinding};
use crate::directory::user::User;
use crate::journal::Write;
use crate::journal::object::{Stored, Versioned};

/// One change to the directory.
#[derive(Clone, Debug)]
pub enum Change {
    /// Log a user in.
    StartSession(StartSession),
    /// Log the browser out; the session goes on as an anonymous one under a new cookie.
    EndSession {
        /// The browser's session.
        session: Uuid,
    },
    /// Write a user, who must still be as the command saw them: the version is the one that was
    /// read, none for a new user, who has the number that the installation gives next. Of several such changes of a user the last is written, see [`super::World::written`].
    WriteUser(Box<Versioned<User>>),
    /// Remove a user with all that is theirs, who must still be as the command saw them.
    DeleteUser(Box<Versioned<User>>),
    /// Write an object that nothing else depends on, as the command saw it.
    Write(Write),
    /// Count an attempt.
    Reputation(Attempt),
    /// End other sessions altogether.
    TerminateSessions {
        /// Which ones.
        sessions: Vec<Uuid>,
    },
}

impl Change {
    /// The attempt that is to be counted, if that is what is asked for.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Reputation(attempt) => Some(attempt),
            _ => None,
        }
    }
}

/// An attempt that counts for or against a name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The name that was typed, or the user's.
    pub identifier: String,
    /// From where.
    pub address: IpAddr,
    /// By how much it counts.
    pub amount: i64,
}

impl Attempt {
    /// Where it is counted.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::new(&self.identifier, self.address)
    }
}

/// What a login makes of the browser's session.
#[derive(Clone, Debug, PartialEq)]
pub struct StartSession {
    /// The browser's session.
    pub session: Uuid,
    /// Who is logged in from now on.
    pub user: Uuid,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// Whether the cookie outlives the browser.
    pub persistent: bool,
    /// What of the network the session is bound to.
    pub network_binding: NetworkBinding,
    /// What of the place the session is bound to.
    pub geoip_binding: GeoipBinding,
}

/// The user as the last of `changes` that concerns them leaves them.
#[must_use]
pub fn written(changes: &[Change], user: Uuid) -> Option<Versioned<User>> {
    changes.iter().rev().find_map(|change| match change {
        Change::WriteUser(written) if written.value.uuid == user => Some((**written).clone()),
        _ => None,
    })
}

/// The devices of a user that `changes` write, as the last change of each leaves it.
#[must_use]
pub fn written_devices(changes: &[Change], user: Uuid) -> Vec<Device> {
    let mut written: Vec<Device> = Vec::new();
    for change in changes {
        let Change::Write(Write::Put { stream, body, .. }) = change else {
            continue;
        };
        if stream.kind != Device::KIND {
            continue;
        }
        let device: Option<Device> = serde_json::from_slice(body).ok();
        if let Some(device) = device.filter(|device| device.user == user) {
            written.retain(|other| other.uuid != device.uuid);
            written.push(device);
        }
    }
    written
}
