//! The envelope around every challenge.
//!
//! Source: authentik `flows/challenge.py` and `flows/stage.py`.

use serde_json::{Value, json};

use super::event::Errors;
use super::query::{self, Query};

/// The picture behind a flow that names none.
pub const DEFAULT_BACKGROUND: &str = "/static/dist/assets/images/flow_background.jpg";

/// The picture of somebody who is not known.
pub const DEFAULT_AVATAR: &str = "/static/dist/assets/images/user_default.png";

/// How a flow presents itself.
#[derive(Clone, Debug)]
pub struct Presentation<'a> {
    /// The title, with `%(user)s` and `%(app)s` for names.
    pub title: &'a str,
    /// The picture behind it, or nothing.
    pub background: &'a str,
    /// The layout's name on the wire.
    pub layout: &'a str,
}

/// The `flow_info` of a challenge.
#[must_use]
pub fn flow_info(flow: &Presentation<'_>, user: &str, query: Option<&Query>) -> Value {
    let background = if flow.background.is_empty() {
        DEFAULT_BACKGROUND
    } else {
        flow.background
    };
    let themed = |theme| background.replace("%(theme)s", theme);
    let themed_urls = background
        .contains("%(theme)s")
        .then(|| json!({ "light": themed("light"), "dark": themed("dark") }));
    json!({
        "title": title(flow.title, user),
        "background": themed("light"),
        "background_themed_urls": themed_urls,
        "cancel_url": cancel_url(query),
        "layout": flow.layout,
    })
}

/// The address that gives up the execution, keeping `next`.
#[must_use]
pub fn cancel_url(query: Option<&Query>) -> String {
    match query.and_then(Query::next) {
        Some(next) => format!("/flows/-/cancel/?next={}", query::encode(next)),
        None => "/flows/-/cancel/".to_owned(),
    }
}

/// The errors of a response as clients expect them.
#[must_use]
pub fn response_errors(errors: &Errors) -> Value {
    json!(errors)
}

/// A title with its placeholders filled in, or as it is when it has others.
///
/// Python's `%` formatting refuses a stray per cent sign, and authentik then shows the raw title.
fn title(title: &str, user: &str) -> String {
    let mut filled = String::with_capacity(title.len());
    let mut rest = title;
    while let Some(at) = rest.find('%') {
        filled.push_str(&rest[..at]);
        let after = &rest[at..];
        rest = if let Some(after) = after.strip_prefix("%(user)s") {
            filled.push_str(user);
            after
        } else if let Some(after) = after.strip_prefix("%(app)s") {
            after
        } else if let Some(after) = after.strip_prefix("%%") {
            filled.push('%');
            after
        } else {
            return title.to_owned();
        };
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_the_user_and_survives_a_stray_per_cent_sign() {
        assert_eq!(title("Hi %(user)s to %(app)s", "bob"), "Hi bob to ");
        assert_eq!(title("100%", "bob"), "100%");
        assert_eq!(title("%(nobody)s", "bob"), "%(nobody)s");
    }

    #[test]
    fn the_cancel_link_keeps_next() {
        let query = Query::parse("next=%2Ffoo");
        assert_eq!(cancel_url(Some(&query)), "/flows/-/cancel/?next=%2Ffoo");
        assert_eq!(cancel_url(None), "/flows/-/cancel/");
    }
}
