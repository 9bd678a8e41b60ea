//! Signed notes: a text, an empty line, and signatures, each on a line of its own.
//!
//! Source: c2sp.org/signed-note. Signatures are Ed25519; a line of another key is passed over.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::{Digest, Sha256};

use super::Error;

/// What a line with a signature begins with.
pub(super) const MARK: &str = "\u{2014} ";

/// The number that stands for Ed25519.
const ED25519_KIND: u8 = 1;

/// What is said of what is no verifier key.
const VERIFIER: &str = "verifier key";

/// What is said of what is no signed note.
const NOTE: &str = "signed note";

/// Who signs.
pub struct Signer {
    pair: Ed25519KeyPair,
    verifier: Verifier,
}

impl Signer {
    /// Signs with the key that this seed makes. Its name is made from the key, so no two journals
    /// have the same.
    ///
    /// # Panics
    /// Never: any 32 bytes are a seed.
    #[must_use]
    pub fn new(seed: &SecretBox<[u8; 32]>) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret())
            .expect("any 32 bytes are a seed");
        let public = pair.public_key().as_ref();
        let key = public.try_into().expect("a public key has 32 bytes");
        let digest = Sha256::digest(public);
        let name = base16ct::lower::encode_string(&digest[..8]);
        Self {
            pair,
            verifier: Verifier::new(format!("gatelog-{name}"), key),
        }
    }

    /// What checks its signatures.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// A note that says that a document of this sort was made here: it names the sort and the
    /// document's SHA-256 in Base64. No sort is a signer's name, so it is never taken for a checkpoint.
    #[must_use]
    pub fn attest(&self, sort: &str, document: &[u8]) -> String {
        self.sign(&attestation(sort, document))
    }

    /// The text, which ends its last line, with a signature below.
    pub(super) fn sign(&self, text: &str) -> String {
        let Verifier { name, id, .. } = &self.verifier;
        let signature = self.pair.sign(text.as_bytes());
        let signature = STANDARD.encode([&id[..], signature.as_ref()].concat());
        format!("{text}\n{MARK}{name} {signature}\n")
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.verifier).finish()
    }
}

/// A public key with a name, written `name+hash+key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    key: [u8; 32],
}

impl Verifier {
    fn new(name: String, key: [u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', ED25519_KIND]);
        hasher.update(key);
        let digest = hasher.finalize();
        let id = *digest.first_chunk().expect("a digest has 32 bytes");
        Self { name, id, key }
    }

    /// Whose key it is, which is the first line of that journal's checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes sure that a note of [`Signer::attest`] is about this document.
    ///
    /// # Errors
    /// When it is not, or another key signed it.
    pub fn attests(&self, note: &str, sort: &str, document: &[u8]) -> Result<(), Error> {
        let (text, rest) = self.open(note)?;
        if text == attestation(sort, document) && rest.is_empty() {
            Ok(())
        } else {
            Err(Error::malformed(NOTE, "it is about something else"))
        }
    }

    /// The text of the note that `notes` begins with, and what comes after the note.
    pub(super) fn open<'a>(&self, notes: &'a str) -> Result<(&'a str, &'a str), Error> {
        let Note {
            text,
            signatures,
            rest,
        } = Note::first(notes)?;
        let mut is_signed = false;
        for (name, signature) in signatures {
            let Some((id, signature)) = signature.split_first_chunk::<4>() else {
                continue;
            };
            if name != self.name || *id != self.id {
                continue;
            }
            let key = UnparsedPublicKey::new(&ED25519, &self.key);
            if key.verify(text.as_bytes(), signature).is_err() {
                return Err(Error::Unsigned(self.name.clone()));
            }
            is_signed = true;
        }
        if is_signed {
            Ok((text, rest))
        } else {
            Err(Error::Unsigned(self.name.clone()))
        }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = base16ct::lower::encode_string(&self.id);
        let key = STANDARD.encode([&[ED25519_KIND], &self.key[..]].concat());
        write!(f, "{}+{id}+{key}", self.name)
    }
}

impl FromStr for Verifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = |problem: &str| Error::malformed(VERIFIER, problem);
        let parts: Vec<&str> = text.splitn(3, '+').collect();
        let [name, id, key] = parts[..] else {
            return Err(malformed("it is written NAME+HASH+KEY"));
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(malformed("it has no name"));
        }
        let key = STANDARD.decode(key).ok();
        let key = key.as_deref().and_then(|key| match key {
            [ED25519_KIND, key @ ..] => <[u8; 32]>::try_from(key).ok(),
            _ => None,
        });
        let key = key.ok_or_else(|| malformed("its key is none of Ed25519 in Base64"))?;
        let verifier = Self::new(name.to_owned(), key);
        if base16ct::lower::encode_string(&verifier.id) == id {
            Ok(verifier)
        } else {
            Err(malformed("its hash does not match its name and key"))
        }
    }
}

fn attestation(sort: &str, document: &[u8]) -> String {
    format!("{sort}\n{}\n", STANDARD.encode(Sha256::digest(document)))
}

/// A note whose signatures nobody has looked at.
pub(super) struct Note<'a> {
    /// What is signed.
    pub(super) text: &'a str,
    /// Who signed it, and what the line says.
    signatures: Vec<(&'a str, Vec<u8>)>,
    /// What comes after it.
    pub(super) rest: &'a str,
}

impl<'a> Note<'a> {
    /// The note that `notes` begins with.
    pub(super) fn first(notes: &'a str) -> Result<Self, Error> {
        let malformed = |problem: &str| Error::malformed(NOTE, problem);
        let end = notes
            .find(&format!("\n\n{MARK}"))
            .ok_or_else(|| malformed("it has no signature"))?;
        let (text, mut rest) = (&notes[..=end], &notes[end + 2..]);
        let mut signatures = Vec::new();
        while let Some(signed) = rest.strip_prefix(MARK) {
            let (line, after) = signed
                .split_once('\n')
                .ok_or_else(|| malformed("the line of its last signature is cut off"))?;
            let signature = line
                .split_once(' ')
                .and_then(|(name, signature)| Some((name, STANDARD.decode(signature).ok()?)));
            signatures.push(signature.ok_or_else(|| malformed("a signature is not one"))?);
            rest = after;
        }
        Ok(Self {
            text,
            signatures,
            rest,
        })
    }
}
