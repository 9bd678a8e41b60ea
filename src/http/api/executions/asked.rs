//! Which executions a request asks for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use url::form_urlencoded;
use uuid::Uuid;

use crate::http::Error;
use crate::replay::{self, STATES, Summary, UNFINISHED};

/// How many are on a page where nobody says, and at most.
const USUAL: usize = 20;
pub(super) const MOST: usize = 100;

/// Ids begin with the time by the clock, and the first record has the time of its command. They may
/// be so far apart, in milliseconds.
const APART: i64 = 60_000;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Only those that began before this one.
    pub(super) before: Option<Uuid>,
    /// How many.
    pub(super) limit: usize,
    /// Of this user, by a name, a number or an identifier.
    pub(super) user: Option<String>,
    /// An identifier, a short code, or words.
    pub(super) search: Option<String>,
    flow: Option<String>,
    addresses: Option<IpNet>,
    states: Vec<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Asked {
    /// Reads a query string.
    ///
    /// # Errors
    /// A complaint for each parameter that makes no sense.
    pub(super) fn of(query: &str) -> Result<Self, Error> {
        let mut asked = Self {
            limit: USUAL,
            ..Self::default()
        };
        let mut wrong = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            if let Err((field, complaint)) = asked.take(&name, value) {
                wrong.insert(field, complaint);
            }
        }
        if wrong.is_empty() {
            Ok(asked)
        } else {
            Err(Error::Fields(wrong))
        }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), (&'static str, String)> {
        match name {
            "before" => {
                let id = value.parse().map_err(|_| ("before", no_uuid(value)))?;
                self.before = Some(id);
            }
            "limit" => {
                let whole = |_| ("limit", "A valid integer is required.".to_owned());
                self.limit = value.parse::<usize>().map_err(whole)?.clamp(1, MOST);
            }
            "flow" => self.flow = Some(value.to_owned()),
            "user" => self.user = Some(value.to_owned()),
            "search" => self.search = Some(value.to_owned()),
            "address" => {
                let complaint = "Enter an address or a network.".to_owned();
                self.addresses = Some(network(value).ok_or(("address", complaint))?);
            }
            "state" => {
                for state in value.split(',').map(str::trim) {
                    if !STATES.contains(&state) {
                        return Err(("state", format!("\"{state}\" is not a valid choice.")));
                    }
                    self.states.push(state.to_owned());
                }
            }
            "since" => self.since = Some(moment(value).map_err(|it| ("since", it))?),
            "until" => self.until = Some(moment(value).map_err(|it| ("until", it))?),
            _ => {}
        }
        Ok(())
    }

    /// Whether also executions are asked for of which nothing can be read any more.
    pub(super) fn wants_erased(&self) -> bool {
        let is_gone = |it: &String| ["removed", "erased"].contains(&it.as_str());
        self.states.iter().any(is_gone)
    }

    /// Whether only executions are asked for that are under way.
    pub(super) fn only_unfinished(&self) -> bool {
        let unfinished = |state: &String| UNFINISHED.contains(&state.as_str());
        !self.states.is_empty() && self.states.iter().all(unfinished)
    }

    /// The id from which on to look, the latest first, itself not included.
    pub(super) fn from(&self) -> Option<Uuid> {
        let until = self.until.and_then(|until| {
            let after = until.as_millisecond().checked_add(APART)?;
            replay::first_of(Timestamp::from_millisecond(after).ok()?)
        });
        match (self.before, until) {
            (Some(before), Some(until)) => Some(before.min(until)),
            (before, until) => before.or(until),
        }
    }

    /// Whether this one, and all that are older, began too early.
    pub(super) fn is_past(&self, id: Uuid) -> bool {
        let began = replay::began(id).as_millisecond();
        self.since
            .is_some_and(|since| began < since.as_millisecond().saturating_sub(APART))
    }

    /// Whether an execution is asked for, as far as that is known without looking anything up.
    pub(super) fn admits(&self, summary: &Summary) -> bool {
        let address: Option<IpAddr> = summary.address.parse().ok();
        let in_network = |net: &IpNet| address.is_some_and(|it| net.contains(&it.to_canonical()));
        self.flow.as_ref().is_none_or(|it| *it == summary.flow)
            && (self.states.is_empty() || self.states.iter().any(|it| it == summary.state))
            && self.addresses.as_ref().is_none_or(in_network)
            && self.since.is_none_or(|since| summary.started >= since)
            && self.until.is_none_or(|until| summary.started < until)
    }
}

fn no_uuid(value: &str) -> String {
    format!("\u{201c}{value}\u{201d} is not a valid UUID.")
}

fn network(value: &str) -> Option<IpNet> {
    let one = value.parse::<IpAddr>().map(|it| it.to_canonical().into());
    one.or_else(|_| value.parse()).ok()
}

fn moment(value: &str) -> Result<Timestamp, String> {
    let complaint = "Enter a moment such as 2026-01-31T12:00:00Z.";
    value.parse().map_err(|_| complaint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_told_field_by_field() {
        let query = "before=x&limit=y&address=z&state=ended&since=noon&user=&flow=login";
        let Err(Error::Fields(wrong)) = Asked::of(query) else {
            panic!("it was taken");
        };
        let fields: Vec<_> = wrong.keys().copied().collect();
        assert_eq!(fields, ["address", "before", "limit", "since", "state"]);
    }

    #[test]
    fn a_time_narrows_the_ids_that_are_looked_at() {
        let asked = Asked::of("since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z");
        let asked = asked.expect("a question");
        let id = |moment: &str| {
            let at: Timestamp = moment.parse().expect("a moment");
            let millisecond = u128::try_from(at.as_millisecond()).expect("after 1970");
            Uuid::from_u128(millisecond << 80)
        };
        assert!(asked.is_past(id("2025-12-31T23:58:00Z")));
        assert!(!asked.is_past(id("2026-01-01T00:00:00Z")));
        let from = asked.from().expect("a bound");
        assert!(from > id("2026-01-02T00:00:00Z") && from < id("2026-01-02T00:02:00Z"));
        assert_eq!(Asked::of("").expect("a question").from(), None);
    }

    #[test]
    fn states_come_in_one_parameter_or_in_several() {
        let asked = |query| Asked::of(query).expect("a question");
        assert!(asked("state=running,waiting").only_unfinished());
        assert!(asked("state=running&state=failed").only_unfinished());
        assert!(!asked("state=running&state=denied").only_unfinished());
        assert!(!asked("").only_unfinished());
    }
}
