//! The primitives: XChaCha20-Poly1305 for wrapping and sealing, HMAC-SHA256 for deriving.
//!
//! The only module that touches them. It keeps nothing and reads no file.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use secrecy::zeroize::Zeroize as _;
use secrecy::{ExposeSecret, ExposeSecretMut as _, SecretBox};
use sha2::Sha256;

use super::slot::Slot;
use crate::clock::Clock;
use crate::journal::KeyId;

/// A key in memory. It is wiped when the last user lets go of it.
pub(super) type Plain = Arc<SecretBox<[u8; 32]>>;

const NONCE: usize = 24;

/// Seals `msg`: the nonce, then the ciphertext with its tag.
pub(super) fn seal(key: &SecretBox<[u8; 32]>, aad: &[u8], msg: &[u8], clock: &Clock) -> Vec<u8> {
    let nonce: [u8; NONCE] = clock.random();
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), Payload { msg, aad })
        .expect("a body is much smaller than the cipher's limit");
    [&nonce[..], &sealed].concat()
}

/// Opens what [`seal`] sealed; `None` when it was not sealed so.
pub(super) fn open(key: &SecretBox<[u8; 32]>, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE>()?;
    cipher(key)
        .decrypt(&XNonce::from(*nonce), Payload { msg, aad })
        .ok()
}

/// A new random key.
pub(super) fn fresh(clock: &Clock) -> SecretBox<[u8; 32]> {
    SecretBox::init_with(|| clock.random())
}

/// The slot that holds `key`, wrapped under `under`, which `wrapper` names.
pub(super) fn wrap(
    key: &SecretBox<[u8; 32]>,
    id: KeyId,
    wrapper: KeyId,
    under: &SecretBox<[u8; 32]>,
    clock: &Clock,
) -> Slot {
    let nonce: [u8; NONCE] = clock.random();
    let sealed = cipher(under)
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: key.expose_secret(),
                aad: &Slot::authenticated(id, wrapper),
            },
        )
        .expect("a key is much smaller than the cipher's limit");
    Slot {
        id,
        wrapper,
        nonce,
        sealed: sealed.try_into().expect("a key and its tag have 48 bytes"),
    }
}

/// The key in a slot; `None` when `under` is not what wraps it.
pub(super) fn unwrap(slot: &Slot, under: &SecretBox<[u8; 32]>) -> Option<Plain> {
    let body = Payload {
        msg: &slot.sealed,
        aad: &Slot::authenticated(slot.id, slot.wrapper),
    };
    let mut plain = cipher(under)
        .decrypt(&XNonce::from(slot.nonce), body)
        .ok()?;
    let mut key = SecretBox::new(Box::new([0; 32]));
    key.expose_secret_mut().copy_from_slice(&plain);
    plain.zeroize();
    Some(Arc::new(key))
}

fn cipher(key: &SecretBox<[u8; 32]>) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.expose_secret().into())
}

/// An HMAC under `key`, for the caller to feed.
pub(super) fn mac(key: &SecretBox<[u8; 32]>) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.expose_secret()).expect("a key of any length does")
}

/// A key for one purpose, which tells nothing of `master` or of other purposes.
pub(super) fn derive(master: &SecretBox<[u8; 32]>, purpose: &str) -> SecretBox<[u8; 32]> {
    SecretBox::init_with(|| {
        let mut mac = mac(master);
        mac.update(b"gatelog derived key: ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    })
}
