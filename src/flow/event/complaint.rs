//! What is wrong with a response, as clients read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One complaint about a field of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// What a person reads.
    pub string: String,
    /// What a program reads, such as `required`.
    pub code: String,
}

/// Complaints by field name; `non_field_errors` for the response as a whole.
pub type Errors = BTreeMap<String, Vec<FieldError>>;

/// The name under which errors of the whole response are reported.
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

/// What a client reads that answers with nothing in its answer. Some only say in that way which
/// authenticator their user has chosen.
pub const EMPTY_RESPONSE: &str = "Empty response";

/// An error with its text and its code.
#[must_use]
pub fn error(string: impl Into<String>, code: &str) -> FieldError {
    FieldError {
        string: string.into(),
        code: code.to_owned(),
    }
}

/// One error of one field.
#[must_use]
pub fn errors(field: &str, string: impl Into<String>, code: &str) -> Errors {
    Errors::from([(field.to_owned(), vec![error(string, code)])])
}
