//! The browser's query string, which names the execution among those of a session.

use url::form_urlencoded;

/// The parameters of the browser's address, as the client sent them in `query`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// The longest query string that a flow takes, in bytes: it is written into the journal.
pub const MAX_LENGTH: usize = 16 * 1024;

/// The parameter that holds the secret of a link, or, once it came in, what the link is known by.
pub const LINK: &str = "flow_token";

/// The address of a flow's page.
#[must_use]
pub fn flow_url(slug: &str, query: &str) -> String {
    if query.is_empty() {
        format!("/if/flow/{slug}/")
    } else {
        format!("/if/flow/{slug}/?{query}")
    }
}

impl Query {
    /// Reads a query string, with or without the question mark.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('?').unwrap_or(text);
        Self(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The last value of a parameter; an empty one counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().rev().find(|(key, _)| key == name);
        value
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// All values of a parameter, in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter(move |(key, _)| key == name);
        pairs.map(|(_, value)| value.as_str())
    }

    /// Where the visitor wants to be afterwards.
    #[must_use]
    pub fn next(&self) -> Option<&str> {
        self.get("next")
    }

    /// The parameters as a query string again; empty when there are none.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    /// The same without the link that led here.
    #[must_use]
    pub fn without_link(&self) -> Self {
        let others = self.0.iter().filter(|(name, _)| name != LINK);
        Self(others.cloned().collect())
    }

    /// The same with another value in the place of the link's; as it is when there is no link.
    #[must_use]
    pub fn with_link(&self, value: &str) -> Self {
        let replaced = self.0.iter().map(|(name, old)| {
            let value = if name == LINK { value } else { old };
            (name.clone(), value.to_owned())
        });
        Self(replaced.collect())
    }

    /// The same with another address to go to afterwards.
    #[must_use]
    pub fn with_next(&self, next: &str) -> Self {
        let replaced = self.0.iter().map(|(name, old)| {
            let value = if name == "next" { next } else { old };
            (name.clone(), value.to_owned())
        });
        Self(replaced.collect())
    }

    /// What tells this execution from others of the same flow in the same session.
    ///
    /// Two tabs with another `next` or another invitation must not disturb each other, so those
    /// parameters are part of the name; all others are read from the latest request.
    #[must_use]
    pub fn identity(&self) -> String {
        let named = ["next", LINK, "itoken", "token"];
        let pairs = named
            .iter()
            .filter_map(|name| Some((*name, self.get(name)?)));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }
}

/// One text as the value of a query parameter.
#[must_use]
pub fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_values_counts_and_an_empty_one_does_not() {
        assert_eq!(Query::parse("?next=/a&next=/b").next(), Some("/b"));
        assert_eq!(Query::parse("next=").next(), None);
    }

    #[test]
    fn the_identity_ignores_what_does_not_name_an_execution() {
        let one = Query::parse("next=%2Ffoo&theme=dark").identity();
        assert_eq!(one, Query::parse("inspector&next=/foo").identity());
        assert_ne!(one, Query::parse("next=/foo&itoken=1").identity());
    }
}
