//! The page that starts authentik's own interface, for whoever wants to keep it.
//!
//! The names in it are that interface's: it looks for them. It takes what it has to know from
//! `window.authentik`, or, in later versions, from blocks of data beside it.

use minijinja::value::{Serde, Value as Template};
use minijinja::{AutoEscape, Environment, Error, context};
use serde::Serialize;
use serde_json::Value;

/// What the page is made of.
#[derive(Debug, Serialize)]
pub struct ShellPage<'a> {
    /// The flow.
    pub slug: &'a str,
    /// Where the form is put.
    pub layout: &'a str,
    /// Whether everything is put where password managers of old browsers look.
    pub forces_light_dom: bool,
    /// What lets the script of the page itself run.
    pub nonce: &'a str,
    /// The addresses of style sheets.
    pub styles: Vec<String>,
    /// The addresses of scripts.
    pub scripts: Vec<String>,
    /// Whether it is the plain interface for old browsers.
    pub simple: bool,
    /// What the interface has to know.
    #[serde(skip)]
    pub globals: &'a Value,
}

/// The page.
#[derive(Debug)]
pub struct Shell(Environment<'static>);

impl Default for Shell {
    fn default() -> Self {
        Self::new()
    }
}

impl Shell {
    /// Reads the template.
    ///
    /// # Panics
    /// When it has a syntax error, which a test would have found.
    #[must_use]
    pub fn new() -> Self {
        let mut templates = Environment::new();
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates
            .add_template("shell.html", include_str!("templates/shell.html"))
            .expect("the template has no syntax error");
        Self(templates)
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// Never, unless a template is at fault.
    pub fn page(&self, page: &ShellPage<'_>) -> Result<String, Error> {
        let globals = page.globals;
        let brand = &globals["brand"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let given = context! {
            globals => data(globals),
            config => data(&globals["config"]),
            brand => data(brand),
            theme => text(&brand["ui_theme"]),
            title => text(&brand["branding_title"]),
            favicon => text(&brand["branding_favicon"]),
            locale => text(&globals["locale"]),
            family => text(&globals["versionFamily"]),
            subdomain => text(&globals["versionSubdomain"]),
            base => text(&globals["api"]["base"]),
            background => text(&globals["flow"]["background"]),
            background_style => address(&text(&globals["flow"]["background"])),
            brand_style => style(&text(&brand["branding_custom_css"])),
        };
        let page = Template::from(Serde(page));
        let page = context! { ..page, ..given };
        self.0.get_template("shell.html")?.render(page)
    }
}

/// JSON that ends no script and begins none.
fn data(value: &Value) -> Template {
    let mut safe = String::new();
    for letter in value.to_string().chars() {
        match letter {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            letter => safe.push(letter),
        }
    }
    Template::from_safe_string(safe)
}

/// Style rules that do not end their element.
fn style(rules: &str) -> Template {
    Template::from_safe_string(rules.replace("</", "<\\/"))
}

/// An address that does not end the text of a style rule that it stands in.
fn address(address: &str) -> Template {
    let mut safe = String::new();
    for letter in address.chars() {
        match letter {
            '"' => safe.push_str("%22"),
            '\\' => safe.push_str("%5C"),
            '<' => safe.push_str("%3C"),
            letter if letter.is_control() => {}
            letter => safe.push(letter),
        }
    }
    Template::from_safe_string(safe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(brand: &Value, simple: bool) -> String {
        let globals = json!({
            "locale": "en",
            "brand": brand,
            "flow": { "background": "/a\"b</style>.jpg" },
        });
        let page = ShellPage {
            slug: "login",
            layout: "stacked",
            forces_light_dom: false,
            nonce: "the-nonce",
            styles: vec!["/static/dist/styles/base-1.css".to_owned()],
            scripts: vec!["/static/dist/poly-1.js".to_owned()],
            simple,
            globals: &globals,
        };
        Shell::new().page(&page).expect("it is made")
    }

    #[test]
    fn what_operators_write_ends_no_element() {
        let brand = json!({
            "branding_title": "</title><script>1</script>",
            "branding_custom_css": "a{}</style><script>2</script>",
        });
        for simple in [false, true] {
            let page = page(&brand, simple);
            let count = |part: &str| page.matches(part).count();
            assert_eq!(count("</script>"), count("<script "), "{page}");
            assert_eq!(count("</style>"), count("<style"), "{page}");
            assert_eq!(count("</title>"), 1, "{page}");
        }
    }

    #[test]
    fn only_the_nonce_lets_a_script_of_the_page_run() {
        let page = page(&json!({}), false);
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap_or_default();
            let runs = tag.contains("nonce=\"the-nonce\"");
            let is_other = tag.contains(" src=") || tag.contains("application/json");
            assert!(runs != is_other, "{tag}");
        }
        assert!(page.contains("window.authentik = {"), "{page}");
    }
}
