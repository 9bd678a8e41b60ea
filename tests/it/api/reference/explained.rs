//! The differences that are meant, and why.

/// What a difference begins with, and why it is meant.
const EXPLAINED: &[(&str, &str)] = &[
    ("operation gatelog_", "ours"),
    (
        "schema Event: member action",
        "what expressions tell has actions of its own, which are no word of the list",
    ),
    ("schema EventVolume: member action", "the same"),
    ("schema UserRequest: last_login is missing", COUNTED),
    ("schema PatchedUserRequest: last_login is missing", COUNTED),
    ("schema TokenRequest: managed is missing", MANAGED),
    ("schema PatchedTokenRequest: managed is missing", MANAGED),
    (
        "schema ModelEnum: enum is",
        "there are permissions on what this version has",
    ),
    ("schema Application: member provider_obj is", NO_PROVIDERS),
    (
        "schema Application: member backchannel_providers_obj is",
        NO_PROVIDERS,
    ),
];

const COUNTED: &str = "logins are counted where they happen, and nobody writes when one was";

const MANAGED: &str = "only the server says what it looks after";

const NO_PROVIDERS: &str = "this version has no providers, so none is ever shown";

/// Whether a difference is meant.
pub(super) fn is(difference: &str) -> bool {
    EXPLAINED
        .iter()
        .any(|(beginning, _)| difference.starts_with(beginning))
}
