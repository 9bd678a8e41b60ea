//! What a letter says: plain data for a template. Looks nothing up.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a template may use. What is absent is undefined there, and so counts as false.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct Values {
    /// The link that the letter is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the link or the code stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The moment of the letter. With it a letter can also say how long something works.
    #[serde(skip)]
    pub now: Option<Timestamp>,
    /// Who is written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Person>,
    /// The code to type, or the key that is part of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The host under which this is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What a notification is about, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a notification says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Details of a notification: names and values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(String, String)>,
    /// What the whole is called.
    pub brand: String,
    /// What else there is; it comes before all of the above.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Somebody who is written to.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Person {
    /// What they log in with.
    pub username: String,
    /// What they are called; may be empty.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// Links open accounts, so nothing of a letter is ever in a log.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").finish_non_exhaustive()
    }
}
