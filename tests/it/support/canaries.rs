//! Values that must not be readable on disk, and the secrets among them in no output either.
//!
//! Each value is searched as it is and in the encodings that somebody may have used without
//! thinking of secrecy.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use url::form_urlencoded::byte_serialize;

/// Shorter values are found by accident.
const SHORTEST: usize = 10;

/// How many bytes of a pattern are looked up at each place.
const PREFIX: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Secret,
    /// A secret that the operator is shown on purpose.
    Shown,
    Personal,
}

/// What is known of a test's secrets and personal values.
#[derive(Debug)]
pub(crate) struct Canaries {
    known: Mutex<HashMap<Vec<u8>, (String, Kind)>>,
}

impl Default for Canaries {
    fn default() -> Self {
        let canaries = Self {
            known: Mutex::default(),
        };
        // Whatever the password was, its hash begins so.
        for hash in ["$argon2id$v=19$", "pbkdf2_sha256$", "argon2$argon2id$"] {
            canaries.secret("a password's hash", hash);
        }
        canaries
    }
}

impl Canaries {
    /// Something that opens something: in no file and in no output.
    pub(crate) fn secret(&self, what: &str, value: &str) {
        self.add(what, Kind::Secret, value.as_bytes());
    }

    /// A secret that the server prints for its operator: in no file.
    pub(crate) fn shown_secret(&self, what: &str, value: &str) {
        self.add(what, Kind::Shown, value.as_bytes());
    }

    /// Something about a person: in no file.
    pub(crate) fn personal(&self, what: &str, value: &str) {
        self.add(what, Kind::Personal, value.as_bytes());
    }

    /// The same for bytes, such as an address in binary.
    pub(crate) fn personal_bytes(&self, what: &str, value: &[u8]) {
        self.add(what, Kind::Personal, value);
    }

    fn add(&self, what: &str, kind: Kind, value: &[u8]) {
        if value.len() < SHORTEST {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(value.to_vec())
            .or_insert_with(|| (what.to_owned(), kind));
    }

    /// Fails when a file under `directory` holds any of the values.
    pub(crate) fn search_files(&self, directory: &Path) {
        let search = self.search(&[Kind::Secret, Kind::Shown, Kind::Personal]);
        let mut searched = 0;
        for file in files(directory) {
            // A socket, or a file that went away, cannot be read.
            let Ok(content) = std::fs::read(&file) else {
                continue;
            };
            searched += content.len();
            search.assert_clean(&content, &file.display().to_string());
        }
        assert!(searched > 0, "{} is empty", directory.display());
    }

    /// Fails when the output of processes holds a secret.
    pub(crate) fn search_output(&self, output: &[u8]) {
        self.search(&[Kind::Secret])
            .assert_clean(output, "the output of processes");
    }

    /// Fails when something that was sent to another program holds any of the values.
    #[cfg(feature = "otel")]
    pub(crate) fn search_sent(&self, content: &[u8]) {
        self.search(&[Kind::Secret, Kind::Shown, Kind::Personal])
            .assert_clean(content, "what was sent");
    }

    fn search(&self, kinds: &[Kind]) -> Search {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut search = Search::default();
        for (value, (what, kind)) in known.iter() {
            if kinds.contains(kind) {
                for (encoding, pattern) in encodings(value) {
                    search.add(pattern, format!("{what}, {encoding}"));
                }
            }
        }
        search
    }
}

/// All files below a directory.
pub(crate) fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        // A segment may be exported and removed while it is looked at.
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// Many patterns searched at once: their first bytes are looked up at each place.
#[derive(Default)]
struct Search {
    first_two: HashSet<u16>,
    patterns: HashMap<[u8; PREFIX], Vec<(Vec<u8>, String)>>,
}

impl Search {
    fn add(&mut self, pattern: Vec<u8>, name: String) {
        let Some(prefix) = pattern.first_chunk::<PREFIX>().copied() else {
            return;
        };
        self.first_two
            .insert(u16::from_le_bytes([prefix[0], prefix[1]]));
        self.patterns
            .entry(prefix)
            .or_default()
            .push((pattern, name));
    }

    fn find(&self, content: &[u8]) -> Option<(&str, usize)> {
        let mut beginnings = vec![false; 1 << 16];
        for two in &self.first_two {
            beginnings[usize::from(*two)] = true;
        }
        for (at, window) in content.windows(PREFIX).enumerate() {
            if !beginnings[usize::from(u16::from_le_bytes([window[0], window[1]]))] {
                continue;
            }
            let Some(candidates) = self.patterns.get(window) else {
                continue;
            };
            for (pattern, name) in candidates {
                if content[at..].starts_with(pattern) {
                    return Some((name, at));
                }
            }
        }
        None
    }

    fn assert_clean(&self, content: &[u8], place: &str) {
        if let Some((name, at)) = self.find(content) {
            let around = &content[at.saturating_sub(120)..content.len().min(at + 120)];
            panic!(
                "{place} holds {name}, at byte {at}: {}",
                String::from_utf8_lossy(around).escape_debug()
            );
        }
    }
}

/// A value in all forms in which it would be readable.
fn encodings(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("as it is", value.to_vec()),
        ("in lower case", value.to_ascii_lowercase()),
        ("in upper case", value.to_ascii_uppercase()),
        ("backwards", value.iter().rev().copied().collect()),
    ];
    let hex = base16ct::lower::encode_string(value);
    forms.push(("in upper hex", hex.to_uppercase().into_bytes()));
    forms.push(("in hex", hex.into_bytes()));
    let percent = percent_encode(value, NON_ALPHANUMERIC).to_string();
    forms.push(("percent-encoded, lower", lower_escapes(&percent)));
    forms.push(("percent-encoded", percent.into_bytes()));
    let form: String = byte_serialize(value).collect();
    forms.push(("as in a form", form.into_bytes()));
    if let Ok(text) = std::str::from_utf8(value) {
        let json = serde_json::json!(text).to_string();
        forms.push(("in JSON", json.trim_matches('"').as_bytes().to_vec()));
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        forms.push(("in UTF-16", wide));
    }
    for before in 0..3 {
        let shifted = [&b"\0\0"[..before], value].concat();
        let standard = STANDARD_NO_PAD.encode(&shifted);
        let url = URL_SAFE_NO_PAD.encode(&shifted);
        forms.push(("in base64", inner(standard.as_bytes(), before, value, 6)));
        forms.push((
            "in URL-safe base64",
            inner(url.as_bytes(), before, value, 6),
        ));
    }
    for before in 0..5 {
        let shifted = [&b"\0\0\0\0"[..before], value].concat();
        let upper = inner(&base32(&shifted), before, value, 5);
        forms.push(("in lower base32", upper.to_ascii_lowercase()));
        forms.push(("in base32", upper));
    }
    forms
}

/// The letters that depend on the value alone, whatever stood before and after it.
fn inner(encoded: &[u8], before: usize, value: &[u8], bits: usize) -> Vec<u8> {
    let first = (before * 8).div_ceil(bits);
    let end = (before + value.len()) * 8 / bits;
    encoded[first..end].to_vec()
}

fn lower_escapes(percent: &str) -> Vec<u8> {
    let mut lower = percent.as_bytes().to_vec();
    for at in 0..lower.len() {
        if lower[at] == b'%' {
            lower[at + 1].make_ascii_lowercase();
            lower[at + 2].make_ascii_lowercase();
        }
    }
    lower
}

fn base32(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    (0..(bytes.len() * 8).div_ceil(5))
        .map(|letter| {
            let index = (0..5).fold(0, |index, at| index << 1 | bit(letter * 5 + at));
            ALPHABET[usize::from(index)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    /// The value between other bytes, so that it begins at any place of a group.
    fn hidden(value: &str, before: usize) -> Vec<u8> {
        format!("{}{value}~~~", "~".repeat(before)).into_bytes()
    }

    fn found(content: &[u8]) -> bool {
        let canaries = Canaries::default();
        canaries.secret("the word", "kä/narien?vogel+1");
        canaries.search(&[Kind::Secret]).find(content).is_some()
    }

    #[test]
    fn a_canary_is_found_in_every_encoding_at_every_place() {
        assert_eq!(base32(b"foobar"), b"MZXW6YTBOI");
        for before in 0..8 {
            let text = hidden("kä/narien?vogel+1", before);
            assert!(found(&text), "raw");
            for encoded in [
                STANDARD.encode(&text).into_bytes(),
                URL_SAFE.encode(&text).into_bytes(),
                STANDARD_NO_PAD.encode(&text).into_bytes(),
                URL_SAFE_NO_PAD.encode(&text).into_bytes(),
                base32(&text),
                percent_encode(&text, NON_ALPHANUMERIC)
                    .to_string()
                    .into_bytes(),
                byte_serialize(&text).collect::<String>().into_bytes(),
            ] {
                assert!(found(&encoded), "{}", String::from_utf8_lossy(&encoded));
            }
        }
        assert!(!found(b"nothing of the kind"));
    }

    #[test]
    fn a_file_that_holds_a_canary_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let deep = directory.path().join("a/b");
        std::fs::create_dir_all(&deep).expect("a directory");
        let canaries = Canaries::default();
        canaries.personal("the word", "canary-in-the-mine");
        std::fs::write(deep.join("clean"), "nothing").expect("a file");
        canaries.search_files(directory.path());
        canaries.search_output(b"canary-in-the-mine is personal, which may be said");
        let hidden = STANDARD.encode("..canary-in-the-mine..");
        std::fs::write(deep.join("leak"), hidden).expect("a file");
        let search = || canaries.search_files(directory.path());
        let complaint = std::panic::catch_unwind(std::panic::AssertUnwindSafe(search));
        let complaint = complaint.expect_err("it is found");
        let complaint = complaint.downcast::<String>().expect("a text");
        assert!(complaint.contains("leak holds the word"), "{complaint}");
    }
}
