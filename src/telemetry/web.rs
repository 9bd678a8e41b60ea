//! What is counted of requests and connections.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::book::Book;

/// Why something was turned away before it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Too many connections altogether.
    Connections,
    /// Too many connections from one address.
    ConnectionsOfAddress,
    /// Too many requests from one address.
    Requests,
    /// Too many answers to challenges from one address.
    Posts,
    /// Too many executions begun from one address.
    Begun,
    /// Too many wrong passwords for one account.
    Passwords,
    /// A head that is too long.
    Head,
    /// A body that is too long.
    Body,
    /// A body that did not arrive in time.
    Slow,
    /// Bodies of others that are on their way take all the memory that there is for them.
    Bodies,
    /// Too little of the disk is free to begin anything new.
    Room,
}

impl Refused {
    const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsOfAddress => "connections_of_address",
            Self::Requests => "requests",
            Self::Posts => "posts",
            Self::Begun => "begun",
            Self::Passwords => "passwords",
            Self::Head => "head",
            Self::Body => "body",
            Self::Slow => "slow",
            Self::Bodies => "bodies",
            Self::Room => "room",
        }
    }
}

/// What is asked for, in a few groups: an address that a visitor made up is no label.
const AREAS: [(&str, &str); 9] = [
    ("/api/v3/flows/executor/", "executor"),
    ("/if/flow/", "flow_page"),
    ("/api/", "api"),
    ("/if/", "page"),
    ("/static/", "static"),
    ("/-/health/", "health"),
    ("/ws/", "socket"),
    ("/outpost.goauthentik.io/", "forward"),
    ("/application/", "forward"),
];

/// The methods that are labels.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    area: &'static str,
    method: &'static str,
    status: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Area {
    area: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Known {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

/// The counts.
pub struct Web {
    requests: Family<Answered, Counter>,
    seconds: Family<Area, Histogram>,
    refused: Family<Why, Counter>,
    known: [Counter; 3],
    /// Requests that are not answered yet.
    pub in_flight: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
}

impl Web {
    pub(super) fn new(book: &mut Book) -> Self {
        Self {
            requests: book.counts(
                "gatelog_http_requests_total",
                "Requests that were answered.",
                Family::default(),
            ),
            seconds: book.seconds_by(
                "gatelog_http_request_seconds",
                "Seconds from the head of a request to that of its answer.",
            ),
            refused: book.counts(
                "gatelog_refused_total",
                "What a limit turned away before it was looked at.",
                Family::default(),
            ),
            known: known(book),
            in_flight: book.gauge(
                "gatelog_http_in_flight",
                "Requests that are not answered yet.",
            ),
            connections: book.gauge("gatelog_http_connections", "Connections that are open."),
        }
    }

    /// A request was answered after so long.
    pub fn answered(&self, path: &str, method: &str, status: u16, took: Duration) {
        let area = area(path);
        let method = METHODS.iter().find(|it| **it == method);
        let labels = Answered {
            area,
            method: method.copied().unwrap_or("other"),
            status: status.into(),
        };
        self.requests.get_or_create(&labels).inc();
        let took = took.as_secs_f64();
        self.seconds.get_or_create(&Area { area }).observe(took);
    }

    /// A question of a proxy was answered with this status from what was known already.
    pub fn known(&self, status: u16) {
        let at = match status {
            200 => 0,
            302 => 1,
            _ => 2,
        };
        self.known[at].inc();
    }

    /// Something was turned away.
    pub fn refused(&self, why: Refused) {
        let why = why.name();
        self.refused.get_or_create(&Why { why }).inc();
    }
}

/// Counters that are at hand: there is a question for each request that anybody sends to an
/// application, so nothing is looked up for each.
fn known(book: &mut Book) -> [Counter; 3] {
    let family: Family<Known, Counter> = book.counts(
        "gatelog_forward_known_total",
        "Questions of proxies that were answered from what was known already.",
        Family::default(),
    );
    ["granted", "sent_to_login", "nobody"]
        .map(|verdict| family.get_or_create(&Known { verdict }).clone())
}

fn area(path: &str) -> &'static str {
    let found = AREAS.iter().find(|(begin, _)| path.starts_with(begin));
    found.map_or("other", |(_, area)| area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_falls_into_a_few_areas() {
        for (path, expected) in [
            ("/api/v3/flows/executor/login/", "executor"),
            ("/api/v3/core/users/", "api"),
            ("/if/flow/login/", "flow_page"),
            ("/if/user/", "page"),
            ("/made/up", "other"),
        ] {
            assert_eq!(area(path), expected, "{path}");
        }
    }
}
