//! What somebody may do who was not let through.

use serde::Serialize;
use serde_json::Value;

use crate::web::language::text;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Advice {
    text: &'static str,
    /// Whether the flow may as well be begun again.
    restarts: bool,
}

const AGAIN: Advice = Advice {
    text: text("Nothing is lost: you can start again from the beginning."),
    restarts: true,
};

const ASK: Advice = Advice {
    text: text(
        "If you think that this is a mistake, tell whoever runs this site and give them the code \
         below.",
    ),
    restarts: true,
};

const NEW_LINK: Advice = Advice {
    text: text(
        "Links in mails are good for a short time, and once. Start again where you asked for the \
         mail, and open the newest one.",
    ),
    restarts: true,
};

/// What helps after words of the server. What they begin with decides.
const KNOWN: &[(&str, Advice)] = &[
    ("This link is invalid", NEW_LINK),
    ("Link was already used", NEW_LINK),
    (
        "Invalid invite",
        Advice {
            text: text(
                "Invitations end some day, and some can be used once. Ask whoever invited you for \
                 another one.",
            ),
            restarts: false,
        },
    ),
    (
        "Flow does not apply",
        Advice {
            text: text(
                "This page is not meant for your account. If you think that it should be, tell \
                 whoever runs this site and give them the code below.",
            ),
            restarts: false,
        },
    ),
    (
        "No (allowed) MFA authenticator",
        Advice {
            text: text(
                "Your account has no second factor that is accepted here. Set one up where you are \
                 logged in already, or tell whoever runs this site and give them the code below.",
            ),
            restarts: false,
        },
    ),
    ("Too many attempts", AGAIN),
    ("Exceeded maximum attempts", AGAIN),
    (
        "Invalid password",
        Advice {
            text: text(
                "The password was wrong too often. Start again; if you do not remember it, look \
                 for the link to a forgotten password there.",
            ),
            restarts: true,
        },
    ),
    ("Failed to authenticate", AGAIN),
    ("The password was changed", AGAIN),
    ("You have an authenticator already", AGAIN),
    (
        "Invalid next URL",
        Advice {
            text: text(
                "The address that led here names a page that nobody is sent to. Begin at the start \
                 page.",
            ),
            restarts: false,
        },
    ),
    (
        "This flow is no longer available",
        Advice {
            text: text("It was taken away while you were using it. Begin at the start page."),
            restarts: false,
        },
    ),
    (
        "Unknown error",
        Advice {
            text: text(
                "Something is not set up as it should be. Tell whoever runs this site and give \
                 them the code below.",
            ),
            restarts: true,
        },
    ),
];

/// What helps whoever sees this denial.
pub(super) fn advice(challenge: &Value) -> Advice {
    let said = challenge["error_message"].as_str().unwrap_or_default();
    let mut known = KNOWN.iter();
    let found = known.find(|(start, _)| said.starts_with(start));
    found.map_or(ASK, |(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_denial_says_what_helps() {
        let of = |message: &str| advice(&json!({ "error_message": message }));
        assert_eq!(of("Too many attempts. Please start again."), AGAIN);
        assert_eq!(of("Somebody's own words"), ASK);
        assert!(!of("Invalid invite/invite not found").restarts);
    }
}
