//! The signature of a message, by which its receiver knows whom it comes from.
//!
//! Source: the specification of Standard Webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// What a secret begins with that is written in base64.
const ENCODED: &str = "whsec_";

/// The value of the header `webhook-signature` for a message with this identifier, sent at this
/// second.
///
/// # Panics
/// Never: a key of any length does.
#[must_use]
pub fn signature(secret: &SecretString, id: &str, second: i64, body: &str) -> String {
    let secret = secret.expose_secret();
    let decoded = secret
        .strip_prefix(ENCODED)
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    let key = decoded.as_deref().unwrap_or(secret.as_bytes());
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length does");
    mac.update(format!("{id}.{second}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
        let signed = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_is_not_encoded_is_taken_as_it_is() {
        let plain = signature(&"secret".into(), "1", 0, "x");
        let encoded = signature(&"whsec_c2VjcmV0".into(), "1", 0, "x");
        assert_eq!(plain, encoded);
    }
}
