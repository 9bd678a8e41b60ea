//! Other words for what is personal: the same for the same, and of the same form.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::clock::Clock;

/// Shorter words are replaced only where they stand alone: within other text they are found by
/// accident.
const SHORTEST: usize = 4;

/// What is personal, and what stands in its place. The key is forgotten with it, so nobody can try
/// out which word a pseudonym stands for.
pub(super) struct Pseudonyms {
    key: [u8; 32],
    /// By the words in lower case.
    known: BTreeMap<String, Option<String>>,
}

impl Pseudonyms {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            key: clock.random(),
            known: BTreeMap::new(),
        }
    }

    /// Whether nothing is known to be replaced.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Something personal: it is replaced wherever it is found.
    pub(super) fn learn(&mut self, word: &str) {
        let word = word.trim();
        if !word.is_empty() {
            self.known.entry(word.to_lowercase()).or_default();
        }
    }

    /// An address. One that says nothing about its owner stays.
    pub(super) fn learn_address(&mut self, address: IpAddr) {
        let other = self.address(address);
        if other != address {
            let word = address.to_string().to_lowercase();
            self.known.insert(word, Some(other.to_string()));
        }
    }

    /// The text with everything in it replaced that is known to be personal.
    pub(super) fn within(&self, text: &str) -> String {
        if let Some(other) = self.known.get(&text.trim().to_lowercase()) {
            return other.clone().unwrap_or_else(|| self.word(text));
        }
        let mut text = text.to_owned();
        // The longest first: a name may be part of an address.
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        for (word, other) in known {
            if word.len() >= SHORTEST {
                text = self.replaced(&text, word, other.as_deref());
            }
        }
        text
    }

    fn replaced(&self, text: &str, word: &str, other: Option<&str>) -> String {
        let lower = text.to_ascii_lowercase();
        let (mut made, mut done) = (String::new(), 0);
        for (at, found) in lower.match_indices(&word.to_ascii_lowercase()) {
            let end = at + found.len();
            if !stands_alone(&lower, at, end) || at < done {
                continue;
            }
            made.push_str(&text[done..at]);
            match other {
                Some(other) => made.push_str(other),
                None => made.push_str(&self.word(&text[at..end])),
            }
            done = end;
        }
        made.push_str(&text[done..]);
        made
    }

    /// Another word of the same form. What stands behind an `@` stays: a policy may go by it, and
    /// it names a place rather than a person.
    pub(super) fn word(&self, word: &str) -> String {
        let (person, place) = match word.rfind('@') {
            Some(at) => word.split_at(at),
            None => (word, ""),
        };
        let mut made = String::with_capacity(word.len());
        let mut part = String::new();
        for letter in person.chars() {
            if letter.is_alphanumeric() {
                part.push(letter);
            } else {
                self.push(&mut made, &mut part);
                made.push(letter);
            }
        }
        self.push(&mut made, &mut part);
        made.push_str(place);
        made
    }

    fn push(&self, made: &mut String, part: &mut String) {
        let mut random = Vec::new();
        for (at, letter) in part.chars().enumerate() {
            if random.len() <= at {
                let block = u8::try_from(at / 32).unwrap_or(u8::MAX);
                random.extend(self.digest(&[part.to_lowercase().as_bytes(), &[0, block]]));
            }
            let drawn = random[at];
            made.push(match letter {
                letter if letter.is_numeric() => char::from(b'1' + drawn % 9),
                letter if letter.is_uppercase() => char::from(b'A' + drawn % 26),
                _ => char::from(b'a' + drawn % 26),
            });
        }
        part.clear();
    }

    /// Another address: of the network that is kept for measuring, or of the one for examples.
    /// Addresses of one network of IPv6 stay in one.
    pub(super) fn address(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(it)
                if it.is_loopback()
                    || it.is_private()
                    || it.is_unspecified()
                    || it.is_link_local()
                    || it.is_documentation() =>
            {
                address
            }
            IpAddr::V4(it) => {
                let drawn = self.digest(&[&it.octets()]);
                Ipv4Addr::new(198, 18 + (drawn[0] & 1), drawn[1], drawn[2]).into()
            }
            IpAddr::V6(it) if it.is_loopback() || it.is_unspecified() || it.is_unique_local() => {
                address
            }
            IpAddr::V6(it) => {
                if let Some(mapped) = it.to_ipv4_mapped() {
                    return match self.address(mapped.into()) {
                        IpAddr::V4(other) => other.to_ipv6_mapped().into(),
                        other @ IpAddr::V6(_) => other,
                    };
                }
                let octets = it.octets();
                let (network, own) = octets.split_at(8);
                let network = self.digest(&[network, b"network"]);
                let mut made = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                made[4..8].copy_from_slice(&network[..4]);
                if own != [0; 8] {
                    made[8..].copy_from_slice(&self.digest(&[&octets])[..8]);
                }
                Ipv6Addr::from(made).into()
            }
        }
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is good");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn stands_alone(text: &str, at: usize, end: usize) -> bool {
    let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    !text[..at].ends_with(is_inside) && !text[end..].starts_with(is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&Clock::system())
    }

    #[test]
    fn the_same_word_becomes_the_same_whatever_its_case_and_wherever_it_stands() {
        let mut all = pseudonyms();
        all.learn("Ann.Miller@example.com");
        let one = all.within("ann.miller@example.com");
        assert_ne!(one, "ann.miller@example.com");
        assert!(one.ends_with("@example.com"), "{one}");
        assert_eq!(all.within("ANN.MILLER@EXAMPLE.COM").to_lowercase(), one);
        let sentence = all.within("mail to <ann.miller@example.com>, please");
        assert_eq!(sentence, format!("mail to <{one}>, please"));
    }

    #[test]
    fn a_word_within_another_one_is_not_found() {
        let mut all = pseudonyms();
        all.learn("anna");
        assert_eq!(all.within("savannah"), "savannah");
        assert_eq!(all.within("ak_anna_x"), "ak_anna_x");
        assert_ne!(all.within("anna!"), "anna!");
    }

    #[test]
    fn a_word_keeps_its_form() {
        let made = pseudonyms().word("Ann O'Neil-7, Köln");
        let form = |text: &str| -> String {
            let sort = |letter: char| match letter {
                letter if letter.is_numeric() => '0',
                letter if letter.is_uppercase() => 'A',
                letter if letter.is_alphabetic() => 'a',
                other => other,
            };
            text.chars().map(sort).collect()
        };
        assert_eq!(form(&made), form("Ann O'Neil-7, Köln"));
    }

    #[test]
    fn addresses_of_one_network_stay_in_one() {
        let all = pseudonyms();
        let of = |text: &str| all.address(text.parse().expect("an address"));
        let network = |it| crate::flow::client::network(it);
        assert_eq!(of("127.0.0.1").to_string(), "127.0.0.1");
        assert_ne!(of("8.8.8.8").to_string(), "8.8.8.8");
        let (one, other) = (of("2a01:db8:1:2::7"), of("2a01:db8:1:2::8"));
        assert_ne!(one, other);
        assert_eq!(network(one), network(other));
        assert_eq!(network(one), of("2a01:db8:1:2::"));
        assert_eq!(of("::ffff:8.8.8.8").to_canonical(), of("8.8.8.8"));
    }
}
