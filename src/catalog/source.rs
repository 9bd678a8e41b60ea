//! A source: another place to log in at. This version shows the way there and knows nothing of
//! what its provider wants.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::{Slug, words};
use crate::journal::object::Stored;
use crate::journal::{Key, Kind};

/// The picture of a source that has none of its own.
pub const DEFAULT_ICON: &str = "/static/authentik/sources/default.svg";

words! {
    /// What a source speaks.
    SourceKind {
        /// OAuth, also with `OpenID` Connect.
        Oauth = "oauth",
        /// SAML.
        Saml = "saml",
    }
}

impl SourceKind {
    /// The name of the model in blueprints.
    #[must_use]
    pub const fn model(self) -> &'static str {
        match self {
            Self::Oauth => "authentik_sources_oauth.oauthsource",
            Self::Saml => "authentik_sources_saml.samlsource",
        }
    }
}

/// A source as an operator configured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its identifier.
    pub pk: Uuid,
    /// Its identifier as something that policies are bound to (`policybindingmodel_ptr_id`).
    pub pbm: Uuid,
    /// What visitors call it; not unique.
    pub name: String,
    /// What addresses call it; unique.
    pub slug: Slug,
    /// What it speaks.
    pub kind: SourceKind,
    /// Whether it is shown at all.
    pub enabled: bool,
    /// Whether it is shown as a large button.
    pub promoted: bool,
    /// Its picture: a path or an address; empty means the default.
    pub icon: String,
}

impl Source {
    /// A source with every default, called by its slug until it gets another name.
    #[must_use]
    pub fn new(clock: &Clock, kind: SourceKind, slug: Slug) -> Self {
        Self {
            pk: clock.opaque_id(),
            pbm: clock.opaque_id(),
            name: slug.to_string(),
            slug,
            kind,
            enabled: true,
            promoted: false,
            icon: String::new(),
        }
    }

    /// What is wrong with it, field by field; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        if self.name.trim().is_empty() {
            vec![Invalid::new("name", Problem::Blank)]
        } else {
            Vec::new()
        }
    }

    /// Where a visitor begins to log in there.
    #[must_use]
    pub fn login_url(&self) -> String {
        match self.kind {
            SourceKind::Oauth => format!("/source/oauth/login/{}/", self.slug),
            SourceKind::Saml => format!("/source/saml/{}/", self.slug),
        }
    }

    /// Its picture as a page can show it. The name of a file that was uploaded to authentik, or of
    /// a letter in its fonts, shows nothing here.
    #[must_use]
    pub fn icon_url(&self) -> &str {
        let icon = self.icon.as_str();
        let is_path = icon.starts_with('/') && !icon.starts_with("//");
        let is_address = ["https://", "http://", "data:image/"]
            .iter()
            .any(|start| icon.starts_with(start));
        if is_path || is_address {
            icon
        } else {
            DEFAULT_ICON
        }
    }
}

impl Stored for Source {
    const KIND: Kind = Kind::new("source");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        vec![
            Key::new("slug", self.slug.as_str()),
            Key::new("pbm", self.pbm),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(kind: SourceKind, icon: &str) -> Source {
        let slug = "here".parse().expect("a slug");
        Source {
            icon: icon.to_owned(),
            ..Source::new(&Clock::system(), kind, slug)
        }
    }

    #[test]
    fn each_kind_has_its_own_address() {
        let login = |kind| source(kind, "").login_url();
        assert_eq!(login(SourceKind::Oauth), "/source/oauth/login/here/");
        assert_eq!(login(SourceKind::Saml), "/source/saml/here/");
    }

    #[test]
    fn a_picture_is_one_that_a_page_can_show() {
        for (icon, shown) in [
            ("", DEFAULT_ICON),
            ("/static/a.svg", "/static/a.svg"),
            ("https://a.example/b.png", "https://a.example/b.png"),
            ("data:image/png;base64,AA", "data:image/png;base64,AA"),
            ("//a.example/b.png", DEFAULT_ICON),
            ("source-icons/a.png", DEFAULT_ICON),
            ("fa://fa-github", DEFAULT_ICON),
            ("javascript:alert(1)", DEFAULT_ICON),
        ] {
            assert_eq!(source(SourceKind::Oauth, icon).icon_url(), shown, "{icon}");
        }
    }
}
