//! What a browser sends, and what it signed of it.

use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::authenticator::LONGEST_ID;
use super::party::decode;
use super::{Party, Problem, encode, short};

const TYPE: &str = "public-key";

/// The credential that an assertion names, in base64url without padding; `None` for what has not
/// the form of one. Some browsers forget to say what type it is of, which `lenient` overlooks.
#[must_use]
pub fn presented(answer: &Value, lenient: bool) -> Option<String> {
    let id = identity(answer, lenient).ok()?;
    let response = &answer["response"];
    let complete = ["clientDataJSON", "authenticatorData", "signature"]
        .iter()
        .all(|name| {
            response[name]
                .as_str()
                .is_some_and(|text| decode(text).is_some())
        });
    complete.then_some(id)
}

/// The identifier of the credential that an answer is of.
pub(super) fn identity(answer: &Value, lenient: bool) -> Result<String, Problem> {
    let text = |name: &'static str| answer[name].as_str().ok_or(Problem::Missing(name));
    let (id, raw) = (text("id")?, text("rawId")?);
    if !answer["response"].is_object() {
        return Err(Problem::Missing("response"));
    }
    let kind = match &answer["type"] {
        Value::Null if lenient => TYPE,
        Value::String(kind) => kind,
        _ => return Err(Problem::Missing("type")),
    };
    let bytes = decode(raw).filter(|raw| !raw.is_empty() && raw.len() <= LONGEST_ID);
    let raw = encode(&bytes.ok_or(Problem::NotBase64("rawId"))?);
    if id.trim_end_matches('=') != raw {
        return Err(Problem::TwoIds);
    }
    if kind != TYPE {
        return Err(Problem::Type(short(kind)));
    }
    Ok(raw)
}

/// The bytes of a member of the answer's response.
pub(super) fn part(answer: &Value, name: &'static str) -> Result<Vec<u8>, Problem> {
    let text = answer["response"][name].as_str();
    decode(text.ok_or(Problem::Incomplete(name))?).ok_or(Problem::NotBase64(name))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: Option<String>,
    challenge: Option<String>,
    origin: Option<String>,
    #[serde(default)]
    cross_origin: Option<bool>,
}

/// Checks what the browser signed: for which ceremony, which challenge and which site it was.
pub(super) fn client_data(
    bytes: &[u8],
    ceremony: &'static str,
    challenge: &[u8],
    party: &Party,
) -> Result<(), Problem> {
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| Problem::ClientData)?;
    let kind = data.r#type.ok_or(Problem::ClientDataMissing("type"))?;
    let answered = data
        .challenge
        .ok_or(Problem::ClientDataMissing("challenge"))?;
    let origin = data.origin.ok_or(Problem::ClientDataMissing("origin"))?;
    if kind != ceremony {
        return Err(Problem::Ceremony(short(&kind), ceremony));
    }
    let answered = decode(&answered).unwrap_or_default();
    if challenge.is_empty() || !bool::from(answered.ct_eq(challenge)) {
        return Err(Problem::Challenge);
    }
    if origin != party.origin {
        return Err(Problem::Origin(short(&origin), party.origin.clone()));
    }
    if data.cross_origin == Some(true) {
        return Err(Problem::CrossOrigin);
    }
    Ok(())
}
