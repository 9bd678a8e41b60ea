//! The differences that are meant, and why.

/// What a difference begins with, and why it is meant.
const EXPLAINED: &[(&str, &str)] = &[];

/// Whether a difference is meant.
pub(super) fn is(difference: &str) -> bool {
    EXPLAINED
        .iter()
        .any(|(beginning, _)| difference.starts_with(beginning))
}
