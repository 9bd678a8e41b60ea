//! The differences that are meant, and why.

/// What a difference begins with, and why it is meant.
const EXPLAINED: &[(&str, &str)] = &[
    ("operation gatelog_", "ours"),
    (
        "schema Event: member action",
        "what expressions tell has actions of its own, which are no word of the list",
    ),
    ("schema EventVolume: member action", "the same"),
];

/// Whether a difference is meant.
pub(super) fn is(difference: &str) -> bool {
    EXPLAINED
        .iter()
        .any(|(beginning, _)| difference.starts_with(beginning))
}
