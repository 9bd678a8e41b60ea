//! The second factors that a visitor may choose from, as their template takes them.

use serde::Serialize;
use serde_json::{Map, Value};

/// What somebody can show.
#[derive(Debug, Serialize)]
pub(super) struct Method {
    class: String,
    uid: String,
    title: &'static str,
    /// What to do.
    hint: String,
    /// Of the field for a code, where there is one.
    keyboard: &'static str,
    /// Of its button that has a code sent, where there is one.
    sends: Option<String>,
    /// The whole offer, to be sent back by whoever chooses it.
    offer: Value,
    /// Whether it is the one to begin with.
    open: bool,
}

/// The methods of a challenge. `values` is what was posted before: whoever chose one goes on with it.
pub(super) fn methods(challenge: &Value, values: &Map<String, Value>) -> Vec<Method> {
    let offers = challenge["device_challenges"].as_array();
    let mut methods: Vec<Method> = offers.into_iter().flatten().filter_map(method).collect();
    let chosen = values.get("method").and_then(Value::as_str);
    let chosen = methods
        .iter()
        .position(|it| Some(it.class.as_str()) == chosen);
    let only = (methods.len() == 1).then_some(0);
    if let Some(at) = chosen.or(only).or_else(|| used_last(&methods)) {
        methods[at].open = true;
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
        "webauthn" => ("Security key or passkey", String::new(), "", None),
        "totp" => (
            "Authenticator app",
            "Type the code that your app shows.".to_owned(),
            digits,
            None,
        ),
        "static" => (
            "Recovery code",
            "Type one of the codes that you wrote down. Each works once.".to_owned(),
            "text",
            None,
        ),
        "sms" => (
            "Text message",
            "Type the code from the message.".to_owned(),
            digits,
            Some("Send me a text message".to_owned()),
        ),
        "email" => {
            let address = offer["challenge"]["email"].as_str();
            let sends = match address {
                Some(address) => format!("Send a mail to {address}"),
                None => "Send me a mail".to_owned(),
            };
            (
                "Mail",
                "Type the code from the mail.".to_owned(),
                digits,
                Some(sends),
            )
        }
        "duo" => (
            "Duo",
            "Your telephone asks you whether it is you.".to_owned(),
            "",
            None,
        ),
        _ => return None,
    };
    Some(Method {
        class: class.to_owned(),
        uid: offer["device_uid"].as_str().unwrap_or_default().to_owned(),
        title,
        hint,
        keyboard,
        sends,
        offer: offer.clone(),
        open: false,
    })
}
