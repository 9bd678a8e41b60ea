//! The second factors that a visitor may choose from, as their template takes them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::web::language::text;

/// What somebody can show.
#[derive(Debug, Serialize)]
pub(super) struct Method {
    class: String,
    uid: String,
    title: &'static str,
    /// What to do.
    hint: &'static str,
    /// Of the field for a code, where there is one.
    keyboard: &'static str,
    /// Of its button that has a code sent, where there is one.
    sends: Option<&'static str>,
    /// Where the code is sent, where that may be said.
    address: Option<String>,
    /// What was wrong with the code, if it was one of this method.
    errors: Vec<Value>,
    /// The whole offer, to be sent back by whoever chooses it.
    offer: Value,
    /// Whether it is the one to begin with.
    open: bool,
}

/// The methods of a challenge. `values` is what was posted before: whoever chose one goes on with it.
pub(super) fn methods(challenge: &Value, values: &Map<String, Value>) -> Vec<Method> {
    let offers = challenge["device_challenges"].as_array();
    let mut methods: Vec<Method> = offers.into_iter().flatten().filter_map(method).collect();
    // Recovery codes are the last that somebody wants to use up.
    methods.sort_by_key(|it| it.class == "static");
    let chosen = values.get("method").and_then(Value::as_str);
    let chosen = methods
        .iter()
        .position(|it| Some(it.class.as_str()) == chosen);
    let only = (methods.len() == 1).then_some(0);
    if let Some(at) = chosen.or(only).or_else(|| used_last(&methods)) {
        methods[at].open = true;
        methods[at].errors = code_errors(challenge, &methods[at].class);
    }
    methods
}

/// The method that was used last. Recovery codes are for when nothing else is at hand.
fn used_last(methods: &[Method]) -> Option<usize> {
    let used = methods
        .iter()
        .enumerate()
        .filter(|(_, it)| it.class != "static");
    let used = used.filter_map(|(at, it)| Some((moment(&it.offer)?, at)));
    used.max().map(|(_, at)| at)
}

fn moment(offer: &Value) -> Option<jiff::Timestamp> {
    offer["last_used"].as_str()?.parse().ok()
}

fn method(offer: &Value) -> Option<Method> {
    let class = offer["device_class"].as_str()?;
    let digits = "numeric";
    let (title, hint, keyboard, sends) = match class {
        "webauthn" => (text("Security key or passkey"), "", "", None),
        "totp" => (
            text("Authenticator app"),
            text("Type the code that your app shows."),
            digits,
            None,
        ),
        "static" => (
            text("Recovery code"),
            text("Type one of the codes that you wrote down. Each works once."),
            "text",
            None,
        ),
        "sms" => (
            text("Text message"),
            text("Type the code from the message."),
            digits,
            Some(text("Send me a text message")),
        ),
        "email" => (
            text("Mail"),
            text("Type the code from the mail."),
            digits,
            Some(text("Send me a mail")),
        ),
        "duo" => (
            "Duo",
            text("Your telephone asks you whether it is you."),
            "",
            None,
        ),
        _ => return None,
    };
    let address = offer["challenge"]["email"].as_str();
    Some(Method {
        class: class.to_owned(),
        uid: offer["device_uid"].as_str().unwrap_or_default().to_owned(),
        title,
        hint,
        keyboard,
        sends,
        address: address.map(str::to_owned),
        errors: Vec::new(),
        offer: offer.clone(),
        open: false,
    })
}

/// What the server says of every wrong code begins so.
const WRONG: &str = "Invalid Token.";

/// What was wrong with a code. Only a code of an app depends on the device's clock.
fn code_errors(challenge: &Value, class: &str) -> Vec<Value> {
    let errors = challenge["response_errors"]["code"].as_array();
    let better = |error: &Value| {
        let said = error["string"].as_str().unwrap_or_default();
        let text = match class {
            _ if !said.starts_with(WRONG) => return error.clone(),
            "totp" => text(
                "This code is not right. Type the one that the app shows now, and see whether \
                      the clock of your device is right.",
            ),
            "static" => text("This code is not right, or was used already. Type another one."),
            _ => text("This code is not right, or too old. Type the one that came last."),
        };
        json!({ "string": text })
    };
    errors.into_iter().flatten().map(better).collect()
}
