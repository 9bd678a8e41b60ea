//! A link that leads a browser to an execution: authentik's flow token.
//!
//! Only a digest of the secret in it is kept, which is also what the link is known by in records.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::flow::query::{LINK, Query};
use crate::journal::Kind;
use crate::journal::object::Stored;

/// A link. There is nothing personal in it: whom it is for is known to the execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is known by, see [`id`].
    pub id: Uuid,
    /// The execution that it leads to.
    pub execution: Uuid,
    /// The slug of the flow at whose address it is.
    pub slug: String,
    /// When it ends.
    pub expires: Timestamp,
    /// Whether somebody confirmed it.
    pub used: bool,
    /// What an answer has to bring along, so that only who saw the page can confirm it.
    pub consent: Uuid,
}

impl Link {
    /// Whether its time is over.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires <= now
    }
}

impl Stored for Link {
    const KIND: Kind = Kind::new("link");

    fn id(&self) -> Uuid {
        self.id
    }
}

/// What the link with this secret is known by: the first half of its SHA-256. The secret is random
/// and long, so nobody comes from the one to the other.
#[must_use]
pub fn id(secret: &str) -> Uuid {
    let digest = Sha256::digest(secret.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(half)
}

/// A query string as it may be written down, with what its link is known by in the place of the
/// secret; and that, where there is a link.
#[must_use]
pub fn known(query: &str) -> (String, Option<Uuid>) {
    let parsed = Query::parse(query);
    let link = parsed.get(LINK).map(id);
    // Somebody may come back to a link from somewhere else.
    let further = parsed.next().and_then(without_secret);
    let mut masked = parsed;
    if let Some(link) = link {
        masked = masked.with_link(&link.to_string());
    }
    if let Some(next) = &further {
        masked = masked.with_next(next);
    }
    if link.is_none() && further.is_none() {
        return (query.to_owned(), None);
    }
    (masked.encode(), link)
}

/// An address whose query string has the secret of a link, without it.
fn without_secret(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?')?;
    let parsed = Query::parse(query);
    parsed.get(LINK)?;
    Some(format!("{path}?{}", parsed.without_link().encode()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_is_not_in_what_is_written_down() {
        let (query, link) = known("?next=%2Fa&flow_token=s3cret&flow_token=other");
        let link = link.expect("there is a link");
        assert_eq!(link, id("other"));
        assert_eq!(
            query,
            format!("next=%2Fa&flow_token={link}&flow_token={link}")
        );
        assert_ne!(
            known(&query).1,
            Some(link),
            "knowing it by name opens nothing"
        );
    }

    #[test]
    fn a_secret_in_the_address_to_come_back_to_is_left_out() {
        let (query, link) = known("next=%2Fif%2Fflow%2Fx%2F%3Fa%3Db%26flow_token%3Ds3cret");
        assert_eq!(link, None);
        assert_eq!(query, "next=%2Fif%2Fflow%2Fx%2F%3Fa%3Db");
    }

    #[test]
    fn a_query_without_a_link_stays_byte_for_byte_what_it_is() {
        let query = "a%20b&x=(1)&flow_token=";
        assert_eq!(known(query), (query.to_owned(), None));
    }
}
