//! A text as the letters that it stands for, however they are encoded, each with its place.
//!
//! An address may be encoded within an address that is encoded within another. A name in it is found
//! by taking one encoding off after the other, and replaced where its letters stand.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// How often a text may be encoded.
const DEEPEST: usize = 16;

/// A letter, and where in the text it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::replay) struct Letter {
    pub(in crate::replay) is: char,
    pub(in crate::replay) from: usize,
    pub(in crate::replay) to: usize,
}

/// A text from which encodings were taken off.
#[derive(Debug)]
pub(in crate::replay) struct Level {
    /// How many were taken off.
    pub(in crate::replay) depth: usize,
    /// What is left.
    pub(in crate::replay) letters: Vec<Letter>,
    folded: String,
    /// The letter of each byte of `folded`.
    places: Vec<usize>,
}

/// The text as it is, then with each encoding taken off, and whether more are left than anybody
/// takes off.
pub(in crate::replay) fn levels(text: &str) -> (Vec<Level>, bool) {
    let letters = text.char_indices().map(|(from, is)| Letter {
        is,
        from,
        to: from + is.len_utf8(),
    });
    let mut levels = Vec::with_capacity(1);
    let mut next = Some(letters.collect::<Vec<_>>());
    while let Some(letters) = next {
        if levels.len() > DEEPEST {
            return (levels, true);
        }
        next = decoded(&letters);
        levels.push(Level::new(levels.len(), letters));
    }
    (levels, false)
}

/// The text with others in these places, which come in their order. What begins within one that was
/// replaced goes with it.
pub(in crate::replay) fn spliced<'a>(
    text: &str,
    places: impl IntoIterator<Item = (Range<usize>, &'a str)>,
) -> String {
    let (mut made, mut done) = (String::with_capacity(text.len()), 0);
    for (place, other) in places {
        if place.start >= done {
            made.push_str(&text[done..place.start]);
            made.push_str(other);
        }
        done = done.max(place.end);
    }
    made.push_str(&text[done..]);
    made
}

/// A text in the form in which texts are compared: without regard to the case of its letters, and
/// to how a letter with a mark is written. A plus sign stands for a space in a query.
pub(in crate::replay) fn folded(text: &str) -> String {
    text.chars().flat_map(fold).collect()
}

fn fold(letter: char) -> impl Iterator<Item = char> {
    let lower = letter.to_lowercase().nfd();
    // Turkish has two letters for one of others, with a dot and without.
    let marked = lower.filter(|it| *it != '\u{307}');
    marked
        .flat_map(|it| match it {
            '+' => [Some(' '), None],
            'ı' => [Some('i'), None],
            'ς' => [Some('σ'), None],
            'ß' => [Some('s'), Some('s')],
            other => [Some(other), None],
        })
        .flatten()
}

impl Level {
    fn new(depth: usize, letters: Vec<Letter>) -> Self {
        let mut folded = String::with_capacity(letters.len());
        let mut places = Vec::with_capacity(letters.len());
        for (at, letter) in letters.iter().enumerate() {
            folded.extend(fold(letter.is));
            places.resize(folded.len(), at);
        }
        Self {
            depth,
            letters,
            folded,
            places,
        }
    }

    /// Which letters are this word, which is folded.
    pub(in crate::replay) fn find<'a>(
        &'a self,
        word: &'a str,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let found = self.folded.match_indices(word);
        found.filter_map(|(at, found)| {
            let end = at + found.len();
            let (first, last) = (*self.places.get(at)?, *self.places.get(end - 1)?);
            let begins = at == 0 || self.places[at - 1] != first;
            let ends = self.places.get(end) != Some(&last);
            (begins && ends).then_some(first..last + 1)
        })
    }

    /// The letter before a range, and the one after it.
    pub(in crate::replay) fn beside(&self, range: &Range<usize>) -> (Option<char>, Option<char>) {
        let before = range.start.checked_sub(1);
        let letter = |at: usize| self.letters.get(at).map(|it| it.is);
        (before.and_then(letter), letter(range.end))
    }

    /// Whether a range is in the part of an address that names a place.
    pub(in crate::replay) fn is_place(&self, range: &Range<usize>) -> bool {
        let mut before = self.letters[..range.start].iter().rev().map(|it| it.is);
        let stops = before.find(|it| !(it.is_alphanumeric() || matches!(it, '.' | '-')));
        stops == Some('@')
    }
}

/// One encoding less; `None` where nothing is encoded.
fn decoded(letters: &[Letter]) -> Option<Vec<Letter>> {
    let mut made = Vec::with_capacity(letters.len());
    let mut at = 0;
    let mut changed = false;
    while at < letters.len() {
        let mut bytes = Vec::new();
        while let Some(byte) = number(letters, at + 3 * bytes.len(), &['%'], 2) {
            bytes.push(u8::try_from(byte).unwrap_or_default());
        }
        if !bytes.is_empty() {
            changed = true;
            of_bytes(&bytes, &letters[at..at + 3 * bytes.len()], &mut made);
            at += 3 * bytes.len();
            continue;
        }
        let escaped = number(letters, at, &['\\', 'u'], 4).and_then(char::from_u32);
        if let Some(is) = escaped {
            changed = true;
            made.push(Letter {
                is,
                from: letters[at].from,
                to: letters[at + 5].to,
            });
            at += 6;
            continue;
        }
        made.push(letters[at]);
        at += 1;
    }
    changed.then_some(made)
}

/// The number that stands behind a sign, in hexadecimal digits.
fn number(letters: &[Letter], at: usize, sign: &[char], digits: usize) -> Option<u32> {
    let all = letters.get(at..at + sign.len() + digits)?;
    let (given, rest) = all.split_at(sign.len());
    if given
        .iter()
        .zip(sign)
        .any(|(given, sign)| given.is != *sign)
    {
        return None;
    }
    rest.iter().try_fold(0, |number, digit| {
        Some(number * 16 + digit.is.to_digit(16)?)
    })
}

/// The letters that bytes are, three letters of the text for each byte. What is not UTF-8 is
/// read as Latin 1.
fn of_bytes(bytes: &[u8], letters: &[Letter], made: &mut Vec<Letter>) {
    let mut at = 0;
    while at < bytes.len() {
        let of = |length: usize| {
            let text = str::from_utf8(bytes.get(at..at + length)?).ok()?;
            Some((text.chars().next()?, length))
        };
        let (is, length) = (1..=4).find_map(of).unwrap_or((char::from(bytes[at]), 1));
        made.push(Letter {
            is,
            from: letters[3 * at].from,
            to: letters[3 * (at + length) - 1].to,
        });
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(word: &str, text: &str) -> Vec<String> {
        let word = folded(word);
        let (levels, _) = levels(text);
        let mut found: Vec<_> = levels
            .iter()
            .flat_map(|level| level.find(&word).map(|it| &level.letters[it]))
            .filter_map(|it| Some(text[it.first()?.from..it.last()?.to].to_owned()))
            .collect();
        found.dedup();
        found
    }

    #[test]
    fn a_word_is_found_however_it_is_encoded_and_where_it_stands() {
        for (word, text, there) in [
            ("ann@x.org", "a=ann@x.org", "ann@x.org"),
            ("ann@x.org", "a=Ann%40x.org&b", "Ann%40x.org"),
            (
                "ann@x.org",
                "n%3Da%3Dann%252540x%252eorg%26",
                "ann%252540x%252eorg",
            ),
            (
                "Özgür Çelik",
                "q=%C3%96zg%C3%BCr+%c3%a7elik",
                "%C3%96zg%C3%BCr+%c3%a7elik",
            ),
            ("Özgür", "%D6zg%FCr", "%D6zg%FCr"),
            ("özgür", r#"{"a":"\u00d6zg\u00fcr"}"#, r"\u00d6zg\u00fcr"),
            ("ÖZGÜR", "O\u{308}zgu\u{308}r!", "O\u{308}zgu\u{308}r"),
            ("İnci", "inci and", "inci"),
            ("ΝΙΚΟΣ", "to νικος.", "νικος"),
            ("Weiß", "WEISS", "WEISS"),
        ] {
            assert_eq!(found(word, text), [there], "{word} in {text}");
        }
        assert!(found("ö", "ozgur").is_empty());
        assert!(found("o", "özgür").is_empty(), "half of a letter");
    }

    #[test]
    fn what_is_encoded_without_end_is_given_up() {
        let deep = format!("%{}40", "25".repeat(DEEPEST + 4));
        assert!(levels(&deep).1);
        let bearable = format!("%{}40", "25".repeat(DEEPEST - 2));
        assert!(!levels(&bearable).1);
        assert!(!levels("100%, %zz and \\u12").1);
    }
}
