//! Numbers that JSON does not know (infinities, NaN) as texts.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Name(String),
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is the serialiser's"
)]
pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        value.serialize(to)
    } else {
        to.collect_str(value)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    match Written::deserialize(from)? {
        Written::Number(value) => Ok(value),
        Written::Name(name) => name.parse().map_err(D::Error::custom),
    }
}
