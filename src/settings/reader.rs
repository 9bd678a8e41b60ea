//! Hands out values by name, and remembers which names there are.
//!
//! The sections ask for every setting that they have. What was given but never asked for is
//! therefore unknown, and the list of what may be set is nowhere written twice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::value::{self, Given, Parsed};
use super::{Error, Origin, Problem, Shown, environment};

/// Collects values from rising sources and gives them to the sections.
pub(super) struct Reader {
    given: BTreeMap<String, (Given, Origin)>,
    variables: BTreeMap<String, String>,
    shown: Vec<Shown>,
    problems: Vec<Problem>,
}

impl Reader {
    /// A reader that knows nothing yet; `variables` are for values of the form `env://NAME`.
    pub(super) fn new(variables: &[(String, String)]) -> Self {
        Self {
            given: BTreeMap::new(),
            variables: variables.iter().cloned().collect(),
            shown: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Takes a value from the next source; it replaces one that an earlier source gave.
    pub(super) fn give(&mut self, key: String, given: Given, origin: Origin) {
        self.given.insert(key, (given, origin));
    }

    /// Notes that something cannot be used.
    pub(super) fn complain(&mut self, origin: Origin, text: String) {
        self.problems.push(Problem { origin, text });
    }

    /// Whether a setting has a value that nobody asked for yet.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    /// Where the value of a setting came from that was asked for before.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.shown
            .iter()
            .find(|shown| shown.key == key)
            .map_or(Origin::Default, |shown| shown.origin.clone())
    }

    /// A value that shows itself as it is written.
    pub(super) fn parsed<T: ToString>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> T {
        self.read(key, default, parse, |value| Some(value.to_string()))
    }

    /// A whole number of at least one.
    pub(super) fn count(&mut self, key: &'static str, default: usize) -> usize {
        self.parsed(key, default, value::count)
    }

    /// A number of bytes.
    pub(super) fn size(&mut self, key: &'static str, default: u64) -> u64 {
        self.read(key, default, value::size, |bytes| {
            Some(value::show_size(*bytes))
        })
    }

    /// A duration.
    pub(super) fn duration(&mut self, key: &'static str, default: Duration) -> Duration {
        self.read(key, default, value::duration, |duration| {
            Some(value::show_duration(*duration))
        })
    }

    /// A duration; a number alone counts seconds.
    pub(super) fn duration_or_seconds(&mut self, key: &'static str, default: Duration) -> Duration {
        self.read(key, default, value::duration_or_seconds, |duration| {
            Some(value::show_duration(*duration))
        })
    }

    /// A duration, or nothing for `forever`.
    pub(super) fn retention(
        &mut self,
        key: &'static str,
        default: Option<Duration>,
    ) -> Option<Duration> {
        self.read(key, default, value::retention, |duration| {
            Some(duration.map_or_else(|| "forever".to_owned(), value::show_duration))
        })
    }

    /// A path; a relative one starts at the working directory.
    pub(super) fn path(&mut self, key: &'static str, default: PathBuf) -> PathBuf {
        let parse = |text: &str| Ok(PathBuf::from(text));
        self.read(key, default, parse, |path| {
            Some(path.to_string_lossy().into_owned())
        })
    }

    /// A value that need not be set.
    pub(super) fn optional<T: ToString>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let parse = |text: &str| parse(text).map(Some);
        self.read(key, None, parse, |value| {
            value.as_ref().map(ToString::to_string)
        })
    }

    /// A list; in a variable its items are separated by commas or numbered `__0`, `__1`, ...
    pub(super) fn list<T: ToString>(
        &mut self,
        key: &'static str,
        default: Vec<T>,
        parse: impl Fn(&str) -> Parsed<Vec<T>>,
    ) -> Vec<T> {
        let (given, origin) = self.take(key);
        let items: Vec<String> = match given {
            None => Vec::new(),
            Some(Given::List(items)) => items,
            Some(Given::Text(text)) => text
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
        };
        let mut values = Vec::new();
        for item in &items {
            match parse(item) {
                Ok(parsed) => values.extend(parsed),
                Err(complaint) => self.complain(origin.clone(), format!("{key}: {complaint}")),
            }
        }
        if origin == Origin::Default {
            values = default;
        }
        let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
        self.show(key, Some(shown.join(", ")), origin);
        values
    }

    /// A secret: itself, or where it stands as `file:///path` or `env://NAME`.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<SecretString> {
        let (given, origin) = self.take(key);
        let given = self.text(key, given, &origin)?;
        match self.dereference(&given) {
            Ok(secret) => {
                self.show(key, Some(Shown::REDACTED.to_owned()), origin);
                Some(secret)
            }
            Err(complaint) => {
                self.complain(origin, format!("{key}: {complaint}"));
                None
            }
        }
    }

    /// A secret that stands here, or where `file:///path` or `env://NAME` says.
    pub(super) fn dereference(&self, text: &str) -> Parsed<SecretString> {
        let secret = if let Some(path) = text.strip_prefix("file://") {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("the file {path:?} cannot be read: {error}"))?;
            // An editor ends the last line; that end is not part of the secret.
            let line = text.strip_suffix('\n').unwrap_or(&text);
            line.strip_suffix('\r').unwrap_or(line).to_owned()
        } else if let Some(name) = text.strip_prefix("env://") {
            let variable = self.variables.get(name);
            variable
                .ok_or_else(|| format!("the environment variable {name} is not set"))?
                .clone()
        } else {
            text.to_owned()
        };
        if secret.is_empty() {
            return Err("the secret is empty".to_owned());
        }
        Ok(secret.into())
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl Fn(&str) -> Parsed<T>,
        show: impl Fn(&T) -> Option<String>,
    ) -> T {
        let (given, origin) = self.take(key);
        let value = match self.text(key, given, &origin) {
            None => return default_shown(self, key, default, show),
            Some(text) => parse(&text),
        };
        match value {
            Ok(value) => {
                self.show(key, show(&value), origin);
                value
            }
            Err(complaint) => {
                self.complain(origin, format!("{key}: {complaint}"));
                default_shown(self, key, default, show)
            }
        }
    }

    fn text(&mut self, key: &'static str, given: Option<Given>, origin: &Origin) -> Option<String> {
        match given {
            Some(Given::Text(text)) => Some(text),
            Some(Given::List(_)) => {
                self.complain(origin.clone(), format!("{key} is one value, not a list"));
                None
            }
            None => {
                self.show(key, None, Origin::Default);
                None
            }
        }
    }

    fn take(&mut self, key: &str) -> (Option<Given>, Origin) {
        match self.given.remove(key) {
            Some((given, origin)) => (Some(given), origin),
            None => (None, Origin::Default),
        }
    }

    fn show(&mut self, key: &'static str, value: Option<String>, origin: Origin) {
        self.shown.retain(|shown| shown.key != key);
        self.shown.push(Shown { key, value, origin });
    }

    /// Ends the reading: what nobody asked for is unknown.
    pub(super) fn finish(mut self) -> Result<Vec<Shown>, Error> {
        for (key, (_, origin)) in std::mem::take(&mut self.given) {
            let text = self.unknown(&key, &origin);
            self.complain(origin, text);
        }
        if self.problems.is_empty() {
            Ok(self.shown)
        } else {
            Err(Error::Invalid(self.problems))
        }
    }

    fn unknown(&self, key: &str, origin: &Origin) -> String {
        let nearest = self
            .shown
            .iter()
            .map(|shown| (strsim::damerau_levenshtein(key, shown.key), shown.key))
            .min()
            .filter(|(distance, _)| *distance <= (key.len() / 2).max(2))
            .map(|(_, nearest)| nearest);
        let (what, nearest) = match origin {
            // The origin names the variable already.
            Origin::Environment(_) => ("this".to_owned(), nearest.map(environment::name)),
            _ => (key.to_owned(), nearest.map(ToOwned::to_owned)),
        };
        match nearest {
            Some(nearest) => format!("{what} is no setting; did you mean {nearest}?"),
            None => format!("{what} is no setting; see `gatelog config show` for all of them"),
        }
    }
}

fn default_shown<T>(
    reader: &mut Reader,
    key: &'static str,
    default: T,
    show: impl Fn(&T) -> Option<String>,
) -> T {
    reader.show(key, show(&default), Origin::Default);
    default
}
