//! Other words for what is personal: the same for the same, and of the same form.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::clock::Clock;
use crate::replay::letters::{Level, folded, levels, spliced};

/// Shorter words are replaced only where they are all of a value: within other text they are found
/// by accident.
const SHORTEST: usize = 4;

/// What is personal, and what stands in its place. The key is forgotten with it, so nobody can try
/// out which word a pseudonym stands for.
pub(super) struct Pseudonyms {
    key: [u8; 32],
    /// By the words, folded.
    known: BTreeMap<String, Option<String>>,
    /// Those of them that a program or an operator may have chosen.
    given: BTreeSet<String>,
}

/// A word that stands somewhere in a text.
struct Found {
    /// The bytes of the text.
    place: Range<usize>,
    /// How long the word is.
    length: usize,
    /// What is to stand there.
    other: String,
}

impl Pseudonyms {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            key: clock.random(),
            known: BTreeMap::new(),
            given: BTreeSet::new(),
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
            let word = folded(word);
            self.given.remove(&word);
            self.known.entry(word).or_default();
        }
    }

    /// The same for what is somebody's, but may have been called so by a program or an operator.
    pub(super) fn learn_given(&mut self, word: &str) {
        let folded = folded(word.trim());
        if !self.known.contains_key(&folded) {
            self.learn(word);
            self.given.insert(folded);
        }
    }

    /// An address. One that says nothing about its owner stays.
    pub(super) fn learn_address(&mut self, address: IpAddr) {
        let other = self.address(address);
        if other != address {
            let word = folded(&address.to_string());
            self.known.insert(word, Some(other.to_string()));
        }
    }

    /// The words that are looked for in what was made: those that a person is known by, are replaced
    /// by others, and are long enough not to be others by accident.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.known.iter().filter(|(word, other)| {
            let person = word.rfind('@').map_or(word.as_str(), |at| &word[..at]);
            let is_replaced = other.is_some() || person.contains(char::is_alphanumeric);
            word.len() >= SHORTEST && is_replaced && !self.given.contains(*word)
        });
        words.map(|(word, _)| word.as_str())
    }

    /// The text with everything in it replaced that is known to be personal, however it is encoded.
    pub(super) fn within(&self, text: &str) -> String {
        if let Some(other) = self.known.get(&folded(text.trim())) {
            return other.clone().unwrap_or_else(|| self.word(text));
        }
        let (levels, _) = levels(text);
        let mut found: Vec<Found> = Vec::new();
        for (word, other) in &self.known {
            for level in &levels {
                let places = level.find(word).filter(|it| stands(word, level, it));
                found.extend(places.map(|place| Found {
                    length: word.len(),
                    other: self.instead(text, level, &place, other.as_deref()),
                    place: level.letters[place.start].from..level.letters[place.end - 1].to,
                }));
            }
        }
        // The longest first: a name may be part of an address.
        found.sort_by_key(|it| (Reverse(it.length), it.place.start));
        let mut taken: BTreeMap<usize, Found> = BTreeMap::new();
        for it in found {
            let before = taken.range(..it.place.end).next_back();
            if before.is_none_or(|(_, other)| other.place.end <= it.place.start) {
                taken.insert(it.place.start, it);
            }
        }
        let places = taken.values();
        spliced(text, places.map(|it| (it.place.clone(), it.other.as_str())))
    }

    /// What is to stand in a place. A letter that stays is encoded as it was; those that are new
    /// are of ASCII and need no encoding.
    fn instead(
        &self,
        text: &str,
        level: &Level,
        place: &Range<usize>,
        other: Option<&str>,
    ) -> String {
        if let Some(other) = other {
            return encoded(other, level.depth);
        }
        let letters = &level.letters[place.clone()];
        let word: String = letters.iter().map(|it| it.is).collect();
        let made = self.word(&word);
        let mut instead = String::with_capacity(word.len());
        for (old, new) in letters.iter().zip(made.chars()) {
            if old.is == new {
                instead.push_str(&text[old.from..old.to]);
            } else {
                instead.push(new);
            }
        }
        instead
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
                random.extend(self.digest(&[folded(part).as_bytes(), &[0, block]]));
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

/// An address of the network as it stands in a text that is encoded so many times.
fn encoded(address: &str, depth: usize) -> String {
    match depth.checked_sub(1) {
        Some(more) => address.replace(':', &format!("%{}3A", "25".repeat(more))),
        None => address.to_owned(),
    }
}

/// Whether a word that was found is meant there, and no part of another one. An address is meant
/// wherever it is.
pub(super) fn stands(word: &str, level: &Level, place: &Range<usize>) -> bool {
    let (before, after) = level.beside(place);
    if word.len() < SHORTEST {
        let begins = before.is_none_or(|it| it == '=');
        return begins && after.is_none_or(|it| matches!(it, '&' | '#' | ';'));
    }
    if is_address(word) {
        return true;
    }
    // In scripts without capitals, words need not be apart from each other.
    let goes_on = |edge: Option<char>, beside: Option<char>| {
        let is_cased = |it: char| !it.is_alphabetic() || it.is_lowercase() || it.is_uppercase();
        let is_inside = |it: char| it.is_alphanumeric() || it == '_';
        edge.is_none_or(is_cased) && beside.is_some_and(is_inside)
    };
    !goes_on(word.chars().next(), before) && !goes_on(word.chars().next_back(), after)
}

/// Whether a word is the address of a mailbox.
pub(super) fn is_address(word: &str) -> bool {
    let parts = word.split_once('@');
    parts.is_some_and(|(person, place)| !person.is_empty() && !place.is_empty())
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
    fn a_word_is_replaced_however_it_is_encoded() {
        let mut all = pseudonyms();
        all.learn("Ann.Miller@corp.com");
        all.learn("bob");
        let one = all.word("ann.miller");
        for (text, made) in [
            (
                "next=%2Fapp%3Flogin_hint%3Dann.miller%2540corp.com",
                format!("next=%2Fapp%3Flogin_hint%3D{one}%2540corp.com"),
            ),
            ("x_ann.miller@corp.com_x", format!("x_{one}@corp.com_x")),
            (
                "next=%2F%3Fu%3Dbob%26a%3D1",
                format!("next=%2F%3Fu%3D{}%26a%3D1", all.word("bob")),
            ),
            ("bob's", "bob's".to_owned()),
        ] {
            assert_eq!(all.within(text), made, "{text}");
        }
        // A letter that its pseudonym happens to share stays as it was
        // written, so what the text says is compared.
        let replaced = all.within("%61nn%2Emiller%40corp.com");
        assert!(replaced.contains("%2E"), "{replaced}");
        assert_eq!(
            percent_encoding::percent_decode_str(&replaced).decode_utf8_lossy(),
            format!("{one}@corp.com")
        );
    }

    #[test]
    fn an_address_of_the_network_is_encoded_like_the_one_whose_place_it_takes() {
        let mut all = pseudonyms();
        let address = "2a01:db8:1:2::7".parse().expect("an address");
        all.learn_address(address);
        let other = all.address(address).to_string();
        let text = "next=%2F%3Fip%3D2a01%253adb8%253a1%253a2%253a%253a7";
        let made = format!("next=%2F%3Fip%3D{}", other.replace(':', "%253A"));
        assert_eq!(all.within(text), made);
    }

    #[test]
    fn a_name_of_any_script_is_found_in_a_sentence_whatever_its_case() {
        let mut all = pseudonyms();
        for name in ["Özgür Çelik", "Ağaç", "ΝΙΚΟΣ", "李明"] {
            all.learn(name);
        }
        for text in [
            "the user Özgür Çelik, özgür çelik or ÖZGÜR ÇELIK",
            "ğ: ağaç, AĞAÇ",
            "τον νίκος: νικος, Νικος",
            "见李明先生",
        ] {
            let made = all.within(text).to_lowercase();
            for name in ["özgür", "çelik", "ağaç", "νικος", "李明"] {
                assert!(!made.contains(name), "{made}");
            }
        }
        assert_eq!(
            all.within("Hi Özgür Çelik!"),
            format!("Hi {}!", all.word("Özgür Çelik")),
        );
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
