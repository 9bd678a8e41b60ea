//! The kinds of a sort of object: stages are of some kind, and so are policies. Names only; what a
//! kind does is told where its kinds are listed.

/// Makes `Kind`, an enum of kinds: what each is called, and how it is found by that.
macro_rules! kinds {
    ($(#[$about:meta])* $($Type:ident, $name:expr, $model:literal, $title:literal;)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = concat!("`", $title, "`")] $Type,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$Type),+];

            /// The kind's name, such as `password`: the last part of its address in the API.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Type => $name),+ }
            }

            /// The name of its model in blueprints and in the API.
            #[must_use]
            pub const fn model(self) -> &'static str {
                match self { $(Self::$Type => $model),+ }
            }

            /// What people call it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$Type => $title),+ }
            }

            /// The kind with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }

            /// The kind with this model name, in any case.
            #[must_use]
            pub fn from_model(model: &str) -> Option<Self> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|kind| kind.model().eq_ignore_ascii_case(model))
            }
        }
    };
}

pub(crate) use kinds;
