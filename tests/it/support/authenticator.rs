//! A security key in software: it makes credentials and proves them, as a browser would hand it on.
//!
//! The unit tests use the same file, so nothing of this program is named here.

#![allow(
    dead_code,
    reason = "the unit tests and these use the same file, and neither needs all of it"
)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Which algorithm a key signs with.
#[derive(Clone, Copy)]
pub(crate) enum Algorithm {
    Es256,
    EdDsa,
}

enum Pair {
    Es256(Box<EcdsaKeyPair>),
    EdDsa(Ed25519KeyPair),
}

/// What a key shows of where it comes from.
#[derive(Clone, Copy)]
pub(crate) enum Attestation {
    None,
    /// Signed by the credential itself.
    Own,
}

/// A security key with one credential.
pub(crate) struct SecurityKey {
    pair: Pair,
    pub(crate) id: Vec<u8>,
    /// What its counter stands at; one that does not count has none.
    pub(crate) count: Option<u32>,
    pub(crate) model: [u8; 16],
    pub(crate) attestation: Attestation,
    /// Whether somebody touches it.
    pub(crate) present: bool,
    /// Whether it checks who.
    pub(crate) verified: bool,
    /// Where the browser says that it is.
    pub(crate) origin: String,
    /// Another site than the one that asks.
    pub(crate) site: Option<String>,
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// The beginning of a CBOR item of this kind.
fn head(kind: u8, number: usize) -> Vec<u8> {
    let kind = kind << 5;
    let byte = u8::try_from(number & 0xff).expect("a byte");
    match number {
        0..=23 => vec![kind | byte],
        24..=255 => vec![kind | 0x18, byte],
        _ => vec![
            kind | 0x19,
            u8::try_from(number >> 8).expect("a short item"),
            byte,
        ],
    }
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

pub(crate) fn integer(number: i64) -> Vec<u8> {
    let (kind, number) = if number < 0 {
        (1, -1 - number)
    } else {
        (0, number)
    };
    head(kind, usize::try_from(number).expect("no negative one"))
}

pub(crate) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len()), items.concat()].concat()
}

pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let entries = entries
        .iter()
        .flat_map(|(key, value)| [key.clone(), value.clone()]);
    let entries: Vec<_> = entries.collect();
    [head(5, entries.len() / 2), entries.concat()].concat()
}

impl SecurityKey {
    pub(crate) fn new(algorithm: Algorithm, origin: &str) -> Self {
        let random = SystemRandom::new();
        let pair = match algorithm {
            Algorithm::Es256 => {
                let by = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
                let document = EcdsaKeyPair::generate_pkcs8(by, &random).expect("a key");
                let pair = EcdsaKeyPair::from_pkcs8(by, document.as_ref(), &random);
                Pair::Es256(Box::new(pair.expect("a key")))
            }
            Algorithm::EdDsa => {
                let document = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
                Pair::EdDsa(Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key"))
            }
        };
        let mut id = vec![0; 32];
        random.fill(&mut id).expect("random bytes");
        Self {
            pair,
            id,
            count: Some(0),
            model: [0; 16],
            attestation: Attestation::None,
            present: true,
            verified: true,
            origin: origin.to_owned(),
            site: None,
        }
    }

    /// The identifier of its credential, as it is written.
    pub(crate) fn credential_id(&self) -> String {
        encode(&self.id)
    }

    fn algorithm(&self) -> i64 {
        match self.pair {
            Pair::Es256(_) => -7,
            Pair::EdDsa(_) => -8,
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Es256(pair) => {
                let signed = pair.sign(&SystemRandom::new(), message);
                signed.expect("a signature").as_ref().to_vec()
            }
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key in COSE form.
    pub(crate) fn public_key(&self) -> Vec<u8> {
        let algorithm = (integer(3), integer(self.algorithm()));
        match &self.pair {
            Pair::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                map(&[
                    (integer(1), integer(2)),
                    algorithm,
                    (integer(-1), integer(1)),
                    (integer(-2), bytes(x)),
                    (integer(-3), bytes(y)),
                ])
            }
            Pair::EdDsa(pair) => map(&[
                (integer(1), integer(1)),
                algorithm,
                (integer(-1), integer(6)),
                (integer(-2), bytes(pair.public_key().as_ref())),
            ]),
        }
    }

    /// The same after the device was used; each use counts.
    fn data(&mut self, site: &str, with_key: bool) -> Vec<u8> {
        if let Some(count) = &mut self.count {
            *count += 1;
        }
        let site = self.site.as_deref().unwrap_or(site);
        let flags =
            u8::from(self.present) | (u8::from(self.verified) << 2) | (u8::from(with_key) << 6);
        let mut data = sha256(site.as_bytes());
        data.push(flags);
        data.extend(self.count.unwrap_or(0).to_be_bytes());
        if with_key {
            let length = u16::try_from(self.id.len()).expect("a short identifier");
            data.extend(self.model);
            data.extend(length.to_be_bytes());
            data.extend(&self.id);
            data.extend(self.public_key());
        }
        data
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let signed = json!({
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        });
        signed.to_string().into_bytes()
    }

    /// Answers `navigator.credentials.create`.
    pub(crate) fn register(&mut self, options: &Value) -> Value {
        let data = self.data(options["rp"]["id"].as_str().expect("a site"), true);
        let signed = self.client_data("webauthn.create", options);
        let message = [data.clone(), sha256(&signed)].concat();
        let (format, statement) = match self.attestation {
            Attestation::None => ("none", map(&[])),
            Attestation::Own => (
                "packed",
                map(&[
                    (text("alg"), integer(self.algorithm())),
                    (text("sig"), bytes(&self.sign(&message))),
                ]),
            ),
        };
        self.attested(format, &statement, &data, &signed)
    }

    /// The answer with an attestation of any kind, which `statement` makes of what it speaks about:
    /// the authenticator data and the hash of the client data.
    pub(crate) fn register_with(
        &mut self,
        options: &Value,
        format: &str,
        statement: impl FnOnce(&Self, &[u8], &[u8]) -> Vec<u8>,
    ) -> Value {
        let data = self.data(options["rp"]["id"].as_str().expect("a site"), true);
        let signed = self.client_data("webauthn.create", options);
        let statement = statement(self, &data, &sha256(&signed));
        self.attested(format, &statement, &data, &signed)
    }

    fn attested(&self, format: &str, statement: &[u8], data: &[u8], signed: &[u8]) -> Value {
        let object = map(&[
            (text("fmt"), text(format)),
            (text("attStmt"), statement.to_vec()),
            (text("authData"), bytes(data)),
        ]);
        json!({
            "id": self.credential_id(),
            "rawId": self.credential_id(),
            "type": "public-key",
            "registrationClientExtensions": "{}",
            "response": { "clientDataJSON": encode(signed), "attestationObject": encode(&object) },
        })
    }

    /// Answers `navigator.credentials.get`.
    pub(crate) fn assert(&mut self, options: &Value) -> Value {
        let data = self.data(options["rpId"].as_str().expect("a site"), false);
        let signed = self.client_data("webauthn.get", options);
        let signature = self.sign(&[data.clone(), sha256(&signed)].concat());
        json!({
            "id": self.credential_id(),
            "rawId": self.credential_id(),
            "type": "public-key",
            "assertionClientExtensions": "{}",
            "response": {
                "clientDataJSON": encode(&signed),
                "authenticatorData": encode(&data),
                "signature": encode(&signature),
                "userHandle": null,
            },
        })
    }
}
