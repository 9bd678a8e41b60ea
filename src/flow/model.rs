//! The words in which flows, stages and their bindings are configured.
//!
//! Values only: what they lead to is decided elsewhere. Every enum is spelt as on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::field::Problem;

/// Makes an enum of words: spelt in one place, listed, printed and read back. The API's description
/// calls it by its own name, or by the one after `as`.
macro_rules! words {
    ($(#[$about:meta])* $name:ident $(as $schema:ident)? { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }) => {
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        $(#[$about])*
        pub enum $name {
            $($(#[$meaning])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in the order in which a person is offered them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some(Self::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed([$(stringify!($schema),)? stringify!($name)][0])
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::flow::field::Problem;

            fn from_str(word: &str) -> std::result::Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::flow::field::Problem::NotAChoice(word.to_owned())),
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// What a flow is for.
    Designation as FlowDesignationEnum {
        /// Logging in.
        Authentication = "authentication",
        /// Letting a logged-in user into an application.
        Authorization = "authorization",
        /// Logging out.
        Invalidation = "invalidation",
        /// Making an account.
        Enrollment = "enrollment",
        /// Deleting one's account.
        Unenrollment = "unenrollment",
        /// Getting back into an account.
        Recovery = "recovery",
        /// Setting up something for oneself, such as an authenticator.
        StageConfiguration = "stage_configuration",
    }
}

words! {
    /// Where a page puts the form.
    #[derive(Default)]
    Layout as FlowLayoutEnum {
        /// In the middle.
        #[default]
        Stacked = "stacked",
        /// On the left.
        ContentLeft = "content_left",
        /// On the right.
        ContentRight = "content_right",
        /// In a bar on the left.
        SidebarLeft = "sidebar_left",
        /// In a bar on the right.
        SidebarRight = "sidebar_right",
        /// In a bar on the left, beside a page shown in a frame.
        SidebarLeftFrameBackground = "sidebar_left_frame_background",
        /// In a bar on the right, beside a page shown in a frame.
        SidebarRightFrameBackground = "sidebar_right_frame_background",
    }
}

words! {
    /// What somebody gets to see whom a flow does not let in.
    #[derive(Default)]
    DeniedAction as DeniedActionEnum {
        /// On to `next` where there is one, else the message.
        #[default]
        MessageContinue = "message_continue",
        /// The message.
        Message = "message",
        /// On to `next`, else to the start page.
        Continue = "continue",
    }
}

words! {
    /// Who may start a flow.
    #[derive(Default)]
    Authentication as AuthenticationEnum {
        /// Anybody.
        #[default]
        None = "none",
        /// Whoever is logged in.
        RequireAuthenticated = "require_authenticated",
        /// Whoever is not logged in.
        RequireUnauthenticated = "require_unauthenticated",
        /// A logged-in superuser.
        RequireSuperuser = "require_superuser",
        /// Whoever was sent here by another flow.
        RequireRedirect = "require_redirect",
        /// An outpost.
        RequireOutpost = "require_outpost",
        /// Whoever opened a link that was sent to them.
        RequireToken = "require_token",
    }
}

words! {
    /// What happens after an answer that a stage did not accept.
    #[derive(Default)]
    InvalidResponseAction as InvalidResponseActionEnum {
        /// The same stage once more.
        #[default]
        Retry = "retry",
        /// The flow from its start, with nothing remembered.
        Restart = "restart",
        /// The flow from its start, with what is known so far.
        RestartWithContext = "restart_with_context",
    }
}

words! {
    /// How the results of several policies become one.
    #[derive(Default)]
    PolicyEngineMode {
        /// Every policy must pass.
        All = "all",
        /// One that passes is enough.
        #[default]
        Any = "any",
    }
}

/// A name that stands in an address: ASCII letters, digits, `-` and `_`, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::Blank);
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err(Problem::NotASlug)
        }
    }
}

impl FromStr for Slug {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        text.to_owned().try_into()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_as_it_is_written() {
        for &one in Layout::ALL {
            assert_eq!(one.as_str().parse(), Ok(one));
            let json = serde_json::to_value(one).expect("a word");
            assert_eq!(json, one.as_str());
        }
        assert_eq!(
            "none_such".parse::<Designation>(),
            Err(Problem::NotAChoice("none_such".into()))
        );
    }

    #[test]
    fn defaults_are_those_of_the_wire() {
        assert_eq!(PolicyEngineMode::default().as_str(), "any");
        assert_eq!(DeniedAction::default().as_str(), "message_continue");
        assert_eq!(InvalidResponseAction::default().as_str(), "retry");
        assert_eq!(Authentication::default().as_str(), "none");
    }

    #[test]
    fn a_slug_has_only_letters_digits_hyphens_and_underscores() {
        assert!("default-Flow_2".parse::<Slug>().is_ok());
        for bad in ["", "a b", "a/b", "é", "a.b"] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?} was taken");
        }
        assert!(serde_json::from_str::<Slug>("\"a b\"").is_err());
    }
}
