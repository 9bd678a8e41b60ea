//! How many names of flows may be labels.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// So many names; what comes after them is counted together.
const MOST: usize = 100;

/// What all others are called.
pub(super) const OTHERS: &str = "(others)";

/// The names that are labels already. Flows are made by operators, but also by programs of theirs,
/// and a name that was a label once stays one until the server stops.
#[derive(Debug, Default)]
pub(super) struct Slugs(Mutex<HashSet<String>>);

impl Slugs {
    /// The label of a flow.
    pub(super) fn label(&self, slug: &str) -> String {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(slug) {
            return slug.to_owned();
        }
        if known.len() >= MOST {
            return OTHERS.to_owned();
        }
        known.insert(slug.to_owned());
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_names_become_labels() {
        let slugs = Slugs::default();
        for number in 0..MOST {
            let slug = format!("flow-{number}");
            assert_eq!(slugs.label(&slug), slug);
        }
        assert_eq!(slugs.label("one-more"), OTHERS);
        assert_eq!(slugs.label("flow-0"), "flow-0");
    }
}
