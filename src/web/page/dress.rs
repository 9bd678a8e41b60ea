//! How a page is dressed: in the brand of its host, and in the visitor's language.

use serde::Serialize;

use crate::catalog::Brand;
use crate::web::assets;
use crate::web::language::Language;

/// How a page is dressed for whoever asked for it.
#[derive(Clone, Debug, Serialize)]
pub struct Dress {
    /// The name of the whole.
    pub title: String,
    /// The picture above the form.
    pub logo: Picture,
    /// The picture in the browser's tab.
    pub favicon: Picture,
    /// The picture behind everything that has none of its own.
    pub background: Picture,
    /// `light` or `dark`; without it the browser decides.
    pub theme: Option<&'static str>,
    /// Where the brand's own style rules are, if it has any.
    pub style: Option<&'static str>,
    /// What the page speaks.
    pub language: Language,
    /// The page's own address, to which whoever chooses another language comes back.
    pub here: String,
}

/// A picture, which may be another one where the browser shows dark pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The one for light pages.
    pub light: String,
    /// The one for dark pages, where there is one.
    pub dark: Option<String>,
}

impl Picture {
    /// Reads an address; `%(theme)s` in it stands for `light` or `dark`. Where the brand has decided for
    /// one of them, there is no other.
    #[must_use]
    pub fn of(address: &str, theme: Option<&str>) -> Self {
        let themed = |theme: &str| address.replace("%(theme)s", theme);
        let dark = theme.is_none() && address.contains("%(theme)s");
        Self {
            light: themed(theme.unwrap_or("light")),
            dark: dark.then(|| themed("dark")),
        }
    }
}

impl From<&Brand> for Dress {
    fn from(brand: &Brand) -> Self {
        let settings = brand.attributes.get("settings");
        let theme = match settings.and_then(|settings| settings["theme"]["base"].as_str()) {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        };
        let picture = |address: &str| Picture::of(address, theme);
        let language = settings.and_then(|settings| Language::of(settings["locale"].as_str()?));
        Self {
            title: brand.branding_title.clone(),
            logo: picture(&brand.branding_logo),
            favicon: picture(&brand.branding_favicon),
            background: picture(&brand.branding_default_flow_background),
            theme,
            style: (!brand.branding_custom_css.is_empty()).then_some(assets::BRAND_STYLE),
            language: language.unwrap_or_default(),
            here: "/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_themed_picture_is_two_unless_the_brand_has_decided() {
        let two = Picture::of("/media/%(theme)s/logo.svg", None);
        assert_eq!(two.light, "/media/light/logo.svg");
        assert_eq!(two.dark.as_deref(), Some("/media/dark/logo.svg"));
        let one = Picture::of("/media/%(theme)s/logo.svg", Some("dark"));
        assert_eq!(
            (one.light.as_str(), one.dark),
            ("/media/dark/logo.svg", None)
        );
        assert_eq!(Picture::of("/logo.svg", None).dark, None);
    }

    #[test]
    fn a_brand_says_its_theme_and_its_language() {
        let mut brand = Brand::fallback();
        let settings = json!({ "theme": { "base": "dark" }, "locale": "de-DE" });
        brand.attributes.insert("settings".to_owned(), settings);
        let dress = Dress::from(&brand);
        assert_eq!(dress.theme, Some("dark"));
        assert_eq!(dress.language, Language::German);
        let plain = Dress::from(&Brand::fallback());
        assert_eq!((plain.theme, plain.language), (None, Language::English));
    }
}
