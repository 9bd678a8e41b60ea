//! The page at `/` with what somebody may use, and the one for whoever may not use something.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use super::{Dress, Error, Pages, Person};

/// Applications under one heading.
#[derive(Clone, Debug, Serialize)]
pub struct Shelf {
    /// The heading; may be empty.
    pub heading: String,
    /// The applications, in the order of the page.
    pub tiles: Vec<Tile>,
}

/// An application.
#[derive(Clone, Debug, Serialize)]
pub struct Tile {
    /// What it is called.
    pub name: String,
    /// Where it is used.
    pub url: String,
    /// Its picture.
    pub icon: Option<String>,
    /// What it is; may be empty.
    pub description: String,
    /// Who made it; may be empty.
    pub publisher: String,
    /// Whether the link opens another tab.
    pub new_tab: bool,
}

/// An application that somebody may not use.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// What it is called.
    pub application: String,
    /// What its policies say about it.
    pub messages: Vec<String>,
}

impl Pages {
    /// Who is logged in, what they may use, and whether they may open the operator's console.
    ///
    /// # Errors
    /// When a template is at fault.
    pub fn home(&self, dress: &Dress, person: &Person, shelves: &[Shelf]) -> Result<String, Error> {
        let page = context! { person => Serde(person), shelves => Serde(shelves) };
        self.render("home.html", dress, page)
    }

    /// Says that an application is not for whoever is logged in.
    ///
    /// # Errors
    /// When a template is at fault.
    pub fn refused(
        &self,
        dress: &Dress,
        person: &Person,
        refused: &Refused,
    ) -> Result<String, Error> {
        let page = context! { person => Serde(person), refused => Serde(refused) };
        self.render("refused.html", dress, page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Brand;

    fn person() -> Person {
        Person {
            username: "alice".to_owned(),
            name: "Alice".to_owned(),
            email: String::new(),
            avatar: String::new(),
            is_operator: false,
        }
    }

    fn tile(name: &str) -> Tile {
        Tile {
            name: name.to_owned(),
            url: "https://wiki.example/\"x".to_owned(),
            icon: Some("https://wiki.example/icon.png".to_owned()),
            description: "<b>Notes</b>".to_owned(),
            publisher: "Somebody".to_owned(),
            new_tab: true,
        }
    }

    #[test]
    fn applications_stand_under_their_headings_and_nothing_of_them_is_markup() {
        let (pages, dress) = (Pages::new(), Dress::from(&Brand::fallback()));
        let shelves = [Shelf {
            heading: "Work & more".to_owned(),
            tiles: vec![tile("Wiki")],
        }];
        let page = pages.home(&dress, &person(), &shelves).expect("a page");
        assert!(
            page.contains("Work &amp; more") && page.contains("Wiki"),
            "{page}"
        );
        assert!(
            page.contains("target=\"_blank\" rel=\"noopener noreferrer\""),
            "{page}"
        );
        assert!(!page.contains("<b>") && !page.contains("\"x\""), "{page}");
        let none = pages.home(&dress, &person(), &[]).expect("a page");
        assert!(!none.contains("applications"), "{none}");
    }

    #[test]
    fn whoever_is_refused_reads_why_and_who_they_are() {
        let (pages, dress) = (Pages::new(), Dress::from(&Brand::fallback()));
        let refused = Refused {
            application: "Wiki".to_owned(),
            messages: vec!["Only on <Mondays>.".to_owned()],
        };
        let page = pages.refused(&dress, &person(), &refused).expect("a page");
        for text in [
            "Access denied",
            "alice",
            "Wiki",
            "Only on &lt;Mondays&gt;.",
            "Log out",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
    }
}
