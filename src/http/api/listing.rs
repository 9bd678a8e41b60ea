//! Lists of the API: which part of one is asked for, and the envelope it comes in.
//!
//! Source: authentik `api/pagination.py`, and the filters of Django's REST framework.

use serde_json::{Value, json};

use crate::flow::query::Query;
use crate::http::Error;

/// How many are on a page where nobody says.
const USUAL: usize = 20;

/// The most that are on a page.
const MOST: usize = 100;

/// What a request asks of a list.
#[derive(Debug)]
pub(super) struct Listing {
    query: Query,
}

impl Listing {
    /// Reads a query string.
    pub(super) fn of(query: &str) -> Self {
        Self {
            query: Query::parse(query),
        }
    }

    /// The value that a field has to have, where one is asked for.
    pub(super) fn filter(&self, field: &str) -> Option<&str> {
        self.query.get(field).filter(|wanted| !wanted.is_empty())
    }

    /// Whether every word that is searched for is in one of these texts, in whatever case.
    pub(super) fn finds(&self, texts: &[&str]) -> bool {
        let search = self.query.get("search").unwrap_or_default().to_lowercase();
        let mut words = search
            .split(|letter: char| letter.is_whitespace() || letter == ',')
            .filter(|word| !word.is_empty());
        words.all(|word| texts.iter().any(|text| text.to_lowercase().contains(word)))
    }

    /// The fields to sort by, the most important first, and whether downwards.
    pub(super) fn ordering(&self) -> Vec<(&str, bool)> {
        let asked = self.query.get("ordering").unwrap_or_default();
        let fields = asked.split(',').map(str::trim);
        fields
            .filter(|field| !field.is_empty())
            .map(|field| match field.strip_prefix('-') {
                Some(field) => (field, true),
                None => (field, false),
            })
            .collect()
    }

    /// The part of so many that is asked for.
    ///
    /// # Errors
    /// 404 when there is no such page.
    pub(super) fn slice(&self, count: usize) -> Result<Page, Error> {
        let size = self.query.get("page_size").and_then(|it| it.parse().ok());
        let size = size.filter(|size| *size > 0).unwrap_or(USUAL).min(MOST);
        let pages = count.div_ceil(size).max(1);
        let current = match self.query.get("page") {
            None | Some("") => Some(1),
            Some("last") => Some(pages),
            Some(page) => page.parse().ok(),
        };
        let current = current.filter(|page| (1..=pages).contains(page));
        let current = current.ok_or(Error::NotFound("Invalid page."))?;
        let start = (current - 1) * size;
        Ok(Page {
            count,
            current,
            pages,
            start,
            end: (start + size).min(count),
        })
    }

    /// The page of `all` that is asked for, in its envelope. Only what is on it is made.
    ///
    /// # Errors
    /// 404 when there is no such page.
    pub(super) async fn page<T>(
        &self,
        all: &[T],
        show: impl AsyncFn(&T) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let page = self.slice(all.len())?;
        let mut results = Vec::with_capacity(page.len());
        for item in &all[page.range()] {
            match show(item).await {
                // Somebody removed it since the list was made.
                Err(Error::NotFound(_)) => {}
                shown => results.push(shown?),
            }
        }
        Ok(page.envelope(&results))
    }
}

/// A part of a list.
#[derive(Debug)]
pub(super) struct Page {
    count: usize,
    current: usize,
    pages: usize,
    start: usize,
    end: usize,
}

impl Page {
    /// Which of the list are on it.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.start..self.end
    }

    /// How many are on it.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// The page with what is on it.
    pub(super) fn envelope(&self, results: &[Value]) -> Value {
        let is_empty = self.len() == 0;
        json!({
            "pagination": {
                "next": if self.current < self.pages { self.current + 1 } else { 0 },
                "previous": self.current - 1,
                "count": self.count,
                "current": self.current,
                "total_pages": self.pages,
                "start_index": if is_empty { 0 } else { self.start + 1 },
                "end_index": self.end,
            },
            "results": results,
            "autocomplete": {},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn page(query: &str, count: i32) -> Result<Value, String> {
        let all: Vec<i32> = (1..=count).collect();
        let listing = Listing::of(query);
        let shown = listing.page(&all, async |it| Ok((*it).into()));
        shown.await.map_err(|error| error.to_string())
    }

    #[actix_web::test]
    async fn a_page_says_where_it_is() {
        let middle = page("page=2&page_size=2", 5).await.expect("a page");
        assert_eq!(middle["results"], json!([3, 4]));
        assert_eq!(
            middle["pagination"],
            json!({"next": 3, "previous": 1, "count": 5, "current": 2, "total_pages": 3,
                "start_index": 3, "end_index": 4})
        );
        let last = page("page=last&page_size=2", 5).await.expect("a page");
        assert_eq!(last["results"], json!([5]));
        assert_eq!(last["pagination"]["next"], 0);
        let none = page("", 0).await.expect("a page");
        assert_eq!(
            none["pagination"],
            json!({"next": 0, "previous": 0, "count": 0, "current": 1, "total_pages": 1,
                "start_index": 0, "end_index": 0})
        );
        assert_eq!(none["autocomplete"], json!({}));
    }

    #[actix_web::test]
    async fn a_size_that_is_none_is_the_usual_one_and_there_is_a_largest() {
        for (query, size) in [
            ("page_size=0", 20),
            ("page_size=x", 20),
            ("", 20),
            ("page_size=999", 100),
        ] {
            let shown = page(query, 150).await.expect("a page");
            assert_eq!(
                shown["results"].as_array().map(Vec::len),
                Some(size),
                "{query}"
            );
        }
        for query in ["page=0", "page=9", "page=x", "page=-1"] {
            assert_eq!(
                page(query, 3).await,
                Err("Invalid page.".to_owned()),
                "{query}"
            );
        }
    }

    #[test]
    fn every_word_of_a_search_is_found_somewhere() {
        for (query, found) in [
            ("", true),
            ("search=PHONE", true),
            ("search=my+phone", true),
            ("search=my,key", false),
        ] {
            assert_eq!(Listing::of(query).finds(&["my phone"]), found, "{query}");
        }
        let listing = Listing::of("ordering=-name,%20pk,,x");
        assert_eq!(
            listing.ordering(),
            [("name", true), ("pk", false), ("x", false)]
        );
    }
}
