//! Who logs in, and with what. Knows no server.

use secrecy::{ExposeSecret, SecretString};

/// Why a list of people cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A line has no password.
    #[error("line {0} is no name and password with a tab between them")]
    Line(usize),
    /// There is nobody.
    #[error("there is nobody in the list")]
    Empty,
}

/// People who have accounts.
#[derive(Clone, Debug)]
pub struct People(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Nobody,
    Listed(Vec<(String, SecretString)>),
    Numbered {
        prefix: String,
        first: usize,
        step: usize,
        count: usize,
        password: SecretString,
    },
}

impl People {
    /// Nobody: for profiles that need no accounts.
    #[must_use]
    pub fn nobody() -> Self {
        Self(Kind::Nobody)
    }

    /// A list, one to a line: the name, a tab, the password. Empty lines are left out.
    ///
    /// # Errors
    /// When a line has another form, or there is none.
    pub fn listed(text: &str) -> Result<Self, Unusable> {
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty());
        let people = lines.map(|(number, line)| {
            let (name, password) = line.split_once('\t').ok_or(Unusable::Line(number + 1))?;
            Ok((name.to_owned(), password.into()))
        });
        let people: Vec<_> = people.collect::<Result<_, _>>()?;
        if people.is_empty() {
            return Err(Unusable::Empty);
        }
        Ok(Self(Kind::Listed(people)))
    }

    /// `count` people, at least one, called `prefix` and a number from 0 on, who share a password.
    #[must_use]
    pub fn numbered(prefix: &str, count: usize, password: SecretString) -> Self {
        Self(Kind::Numbered {
            prefix: prefix.to_owned(),
            first: 0,
            step: 1,
            count: count.max(1),
            password,
        })
    }

    /// Every `of`th of those with numbers, from number `first` on, so that others are left for those who come
    /// to another server at the same time. A list stays as it is.
    #[must_use]
    pub fn share(self, first: usize, of: usize) -> Self {
        match self.0 {
            Kind::Numbered {
                prefix,
                count,
                password,
                ..
            } => Self(Kind::Numbered {
                prefix,
                first,
                step: of,
                count: count.checked_div(of).unwrap_or(count).max(1),
                password,
            }),
            other => Self(other),
        }
    }

    fn number(turn: u64, first: usize, step: usize) -> u64 {
        let number = |it| u64::try_from(it).unwrap_or(u64::MAX);
        turn.saturating_mul(number(step))
            .saturating_add(number(first))
    }

    /// Who makes this conversation: everybody in turn, and then from the beginning.
    pub(super) fn of(&self, conversation: u64) -> Person<'_> {
        let of = |count: usize| {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            conversation.checked_rem(count).unwrap_or(0)
        };
        match &self.0 {
            Kind::Nobody => Person {
                name: String::new(),
                password: "",
            },
            Kind::Listed(people) => {
                let at = usize::try_from(of(people.len())).unwrap_or(0);
                let (name, password) = &people[at];
                Person {
                    name: name.clone(),
                    password: password.expose_secret(),
                }
            }
            Kind::Numbered {
                prefix,
                first,
                step,
                count,
                password,
            } => Person {
                name: format!("{prefix}{}", Self::number(of(*count), *first, *step)),
                password: password.expose_secret(),
            },
        }
    }
}

/// Somebody who makes a conversation.
pub(super) struct Person<'a> {
    pub(super) name: String,
    pub(super) password: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_in_turn() {
        let people = People::listed("ann\ta b\n\nbob\tc\td\n").expect("two people");
        let names = [0, 1, 2].map(|number| people.of(number).name);
        assert_eq!(names, ["ann", "bob", "ann"]);
        assert_eq!(people.of(1).password, "c\td");
        let people = People::numbered("visitor-", 2, "x".into());
        assert_eq!(people.of(3).name, "visitor-1");
        let people = People::numbered("visitor-", 7, "x".into()).share(1, 3);
        let names = [0, 1, 2].map(|number| people.of(number).name);
        assert_eq!(names, ["visitor-1", "visitor-4", "visitor-1"]);
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        let wrong = People::listed("ann\tx\nbob x\n").expect_err("no tab");
        assert_eq!(
            wrong.to_string(),
            "line 2 is no name and password with a tab between them"
        );
        assert!(matches!(People::listed("\n"), Err(Unusable::Empty)));
    }
}
