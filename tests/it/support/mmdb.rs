//! Writes small databases of addresses in the format of `MaxMind`, version 2.0: a binary tree over the
//! bits of addresses, whose leaves point into a section of values, and a description at the end.

use std::net::Ipv6Addr;
use std::path::Path;

use serde_json::{Map, Value, json};

/// What ends the values and begins the description.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// The values begin this much after the tree.
const GAP: u32 = 16;

/// A branch of the tree.
#[derive(Clone, Copy)]
enum Branch {
    Nothing,
    Node(u32),
    /// The byte of the values at which one begins.
    Value(u32),
}

/// A database that is being put together.
pub(crate) struct Mmdb {
    kind: &'static str,
    nodes: Vec<[Branch; 2]>,
    values: Vec<u8>,
}

impl Mmdb {
    /// A database of cities with nothing in it.
    pub(crate) fn of_cities() -> Self {
        Self::of("GeoLite2-City")
    }

    /// A database of autonomous systems with nothing in it.
    pub(crate) fn of_networks() -> Self {
        Self::of("GeoLite2-ASN")
    }

    fn of(kind: &'static str) -> Self {
        Self {
            kind,
            nodes: vec![[Branch::Nothing; 2]],
            values: Vec::new(),
        }
    }

    /// Puts a city into a network.
    pub(crate) fn city(
        self,
        network: (Ipv6Addr, u8),
        (continent, country, city): (&str, &str, &str),
        (north, east): (f64, f64),
    ) -> Self {
        let value = json!({
            "city": {"names": {"en": city}},
            "continent": {"code": continent},
            "country": {"iso_code": country},
            "location": {"latitude": north, "longitude": east},
        });
        self.put(network, &value)
    }

    /// Gives a network to an autonomous system.
    pub(crate) fn network(self, network: (Ipv6Addr, u8), number: u32, name: &str) -> Self {
        let value = json!({
            "autonomous_system_number": number,
            "autonomous_system_organization": name,
        });
        self.put(network, &value)
    }

    fn put(mut self, (address, length): (Ipv6Addr, u8), value: &Value) -> Self {
        let at = u32::try_from(self.values.len()).expect("it is small");
        encode(value, &mut self.values);
        let bit = |place: u8| usize::from((address.to_bits() >> (127 - place)) & 1 == 1);
        let mut node = 0;
        for place in 0..length - 1 {
            node = self.below(node, bit(place));
        }
        self.nodes[node][bit(length - 1)] = Branch::Value(at);
        self
    }

    /// The node on that side, which is made if there is none yet.
    fn below(&mut self, node: usize, side: usize) -> usize {
        match self.nodes[node][side] {
            Branch::Node(below) => usize::try_from(below).expect("it is small"),
            Branch::Value(_) => panic!("one network lies within another"),
            Branch::Nothing => {
                let made = self.nodes.len();
                self.nodes.push([Branch::Nothing; 2]);
                self.nodes[node][side] = Branch::Node(u32::try_from(made).expect("it is small"));
                made
            }
        }
    }

    /// Writes the database to a file.
    pub(crate) fn write(&self, to: &Path) {
        let count = u32::try_from(self.nodes.len()).expect("it is small");
        let mut file = Vec::new();
        for branch in self.nodes.iter().flatten() {
            let record = match branch {
                Branch::Nothing => count,
                Branch::Node(node) => *node,
                Branch::Value(at) => count + GAP + at,
            };
            file.extend(record.to_be_bytes());
        }
        file.extend([0; 16]);
        file.extend(&self.values);
        file.extend(MARKER);
        head(7, 9, &mut file);
        for (key, text) in [
            ("database_type", json!(self.kind)),
            ("languages", json!(["en"])),
        ] {
            encode(&json!(key), &mut file);
            encode(&text, &mut file);
        }
        encode(&json!("description"), &mut file);
        encode(&json!({"en": "for tests"}), &mut file);
        // Readers insist on the width of each of these.
        for (key, number, bytes) in [
            ("binary_format_major_version", 2, 2),
            ("binary_format_minor_version", 0, 2),
            ("ip_version", 6, 2),
            ("record_size", 32, 2),
            ("node_count", u64::from(count), 4),
            ("build_epoch", 1_700_000_000, 8),
        ] {
            encode(&json!(key), &mut file);
            whole(number, bytes, &mut file);
        }
        std::fs::write(to, file).expect("the database can be written");
    }
}

/// Writes a value: numbers without a point in 32 bits, others as floating point.
fn encode(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Object(entries) => {
            head(7, entries.len(), to);
            let entries: &Map<String, Value> = entries;
            for (key, value) in entries {
                encode(&Value::from(key.as_str()), to);
                encode(value, to);
            }
        }
        Value::Array(items) => {
            head(11, items.len(), to);
            for item in items {
                encode(item, to);
            }
        }
        Value::String(text) => {
            head(2, text.len(), to);
            to.extend(text.as_bytes());
        }
        Value::Number(number) => {
            if let Some(number) = number.as_u64() {
                whole(number, 4, to);
            } else {
                head(3, 8, to);
                to.extend(number.as_f64().expect("a number").to_be_bytes());
            }
        }
        other => panic!("{other} has no form here"),
    }
}

/// Writes a whole number in 2, 4 or 8 bytes.
fn whole(number: u64, bytes: usize, to: &mut Vec<u8>) {
    let kind = match bytes {
        2 => 5,
        4 => 6,
        _ => 9,
    };
    head(kind, bytes, to);
    to.extend(&number.to_be_bytes()[8 - bytes..]);
}

/// What stands before a value: its type and its length.
fn head(kind: u8, length: usize, to: &mut Vec<u8>) {
    let length = u8::try_from(length).expect("values are short");
    let (size, more) = match length {
        0..29 => (length, None),
        _ => (29, Some(length - 29)),
    };
    if kind > 7 {
        to.extend([size, kind - 7]);
    } else {
        to.push((kind << 5) | size);
    }
    to.extend(more);
}
