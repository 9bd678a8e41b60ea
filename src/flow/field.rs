//! What may be wrong with a field that somebody filled in, in the words of the wire.
//!
//! Clients show these texts to people and compare the codes, so neither may change. Nothing
//! here knows how they are sent.

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The field is absent.
    #[error("This field is required.")]
    Required,
    /// The field is empty text.
    #[error("This field may not be blank.")]
    Blank,
    /// The field is JSON's null.
    #[error("This field may not be null.")]
    Null,
    /// The list has nothing in it.
    #[error("This list may not be empty.")]
    EmptyList,
    /// The text has more characters than fit.
    #[error("Ensure this field has no more than {0} characters.")]
    TooLong(usize),
    /// The value is none of the words that are known.
    #[error("\"{0}\" is not a valid choice.")]
    NotAChoice(String),
    /// The text has other characters than a slug may have.
    #[error("Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.")]
    NotASlug,
    /// The text is not an e-mail address.
    #[error("Enter a valid email address.")]
    NotAnEmail,
    /// Another object has this value already.
    #[error("This field must be unique.")]
    NotUnique,
    /// Another object has the same values in all of these fields.
    #[error("The fields {0} must make a unique set.")]
    NotAUniqueSet(&'static str),
    /// A reference names an object that does not exist.
    #[error("Invalid pk \"{0}\" - object does not exist.")]
    NoSuchObject(String),
    /// Anything else, already in the wire's words.
    #[error("{0}")]
    Other(&'static str),
    /// Anything else, in words that depend on what was typed.
    #[error("{0}")]
    Said(String),
}

impl Problem {
    /// The word that programs compare.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Blank => "blank",
            Self::Null => "null",
            Self::EmptyList => "empty",
            Self::TooLong(_) => "max_length",
            Self::NotAChoice(_) => "invalid_choice",
            Self::NotUnique | Self::NotAUniqueSet(_) => "unique",
            Self::NoSuchObject(_) => "does_not_exist",
            Self::NotASlug | Self::NotAnEmail | Self::Other(_) | Self::Said(_) => "invalid",
        }
    }
}

/// A problem and the field that has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// The field's name on the wire; [`Invalid::ALL_FIELDS`] when no single one is to blame.
    pub field: &'static str,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

impl Invalid {
    /// The name under which problems are listed that concern several fields together.
    pub const ALL_FIELDS: &'static str = "non_field_errors";

    /// The problem of this field.
    #[must_use]
    pub const fn new(field: &'static str, problem: Problem) -> Self {
        Self { field, problem }
    }
}

/// Every problem on a line of its own, for people.
#[must_use]
pub fn sentence(problems: &[Invalid]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// Finds text that is empty, has more than `most` characters, or control characters among them.
///
/// # Errors
/// [`Problem::Blank`], [`Problem::TooLong`], or what is wrong in words.
pub fn text(value: &str, most: usize) -> Result<(), Problem> {
    if value.trim().is_empty() {
        Err(Problem::Blank)
    } else if value.chars().count() > most {
        Err(Problem::TooLong(most))
    } else if value.contains(char::is_control) {
        // A line break in a name would let it forge lines of a log or of a terminal.
        Err(Problem::Other("Control characters are not allowed."))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_codes_are_those_of_the_wire() {
        let choice = Problem::NotAChoice("x".into());
        assert_eq!(choice.to_string(), "\"x\" is not a valid choice.");
        assert_eq!(choice.code(), "invalid_choice");
        assert_eq!(Problem::Required.to_string(), "This field is required.");
    }

    #[test]
    fn a_name_holds_no_line_break() {
        assert!(text("x\ny", 150).is_err());
        assert!(text("x\u{1b}[2J", 150).is_err());
        assert_eq!(text("Ådne Ø.", 150), Ok(()));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(text("ä€", 2), Ok(()));
        assert_eq!(text("abc", 2), Err(Problem::TooLong(2)));
        assert_eq!(text("  ", 2), Err(Problem::Blank));
    }
}
