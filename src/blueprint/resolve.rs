//! What the tags of an entry yield.
//!
//! Resolving reads and never writes. It is synchronous: when it needs objects that have not been
//! read from the journal yet, it stops and says which, and is simply run again.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::format::{printf, text};
use super::host::Host;
use super::problem::{Problem, Span};
use super::tag::{Expr, Form, Named, Output, Tag};
use super::value::{combine, is_true, merge, pair, weight};
use crate::journal::{Key, Kind, StreamId};

/// The most values that resolving one entry may make.
const MAX_STEPS: usize = 1_000_000;
/// How deep tags may lead into each other, such as one context value into the next.
const MAX_DEPTH: usize = 128;

/// What has to be done elsewhere, with waiting, before an entry can be tried again.
#[derive(Debug)]
pub(crate) enum Need {
    /// Reading something.
    Read(Read),
    /// Encoding a password, unless it is the one that is encoded already.
    Password {
        typed: SecretString,
        current: Option<SecretString>,
    },
    /// Asking a worker whether this expression is understood.
    Syntax(String),
}

/// What has to be read.
#[derive(Debug)]
pub(crate) enum Read {
    /// The objects of this kind.
    Objects(Kind),
    /// This object.
    Object(StreamId),
    /// The object of this kind that has this unique key.
    Holder(Kind, Key),
    /// Which number the next user gets.
    Install,
}

/// Why resolving or applying an entry stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something is needed first; then it is to be tried again.
    Need(Need),
    /// The entry builds on one that was left out on purpose.
    LeftOut(String),
    /// It is wrong, in at least one way.
    Wrong(Vec<Problem>),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Wrong(vec![problem])
    }
}

/// Why a lookup failed: like [`Stop`], but only the caller knows the place.
#[derive(Debug)]
pub(crate) enum Miss {
    /// Something is needed first.
    Need(Need),
    /// The entry that is asked for was left out on purpose.
    LeftOut(String),
    /// The lookup itself is wrong.
    Wrong(String),
}

impl Miss {
    pub(super) fn at(self, span: Span) -> Stop {
        match self {
            Self::Need(need) => Stop::Need(need),
            Self::LeftOut(id) => Stop::LeftOut(id),
            Self::Wrong(message) => Problem::at(span, message).into(),
        }
    }
}

/// An object as a lookup finds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// By what others refer to it.
    pub(crate) pk: Value,
    /// Its fields as the API shows them, without secrets.
    pub(crate) fields: Map<String, Value>,
}

/// The objects that tags can refer to.
pub(super) trait Objects {
    /// The key of the object that the entry with this id made, in this run.
    fn key_of(&self, id: &str) -> Result<Value, Miss>;

    /// The first object of `model` whose fields fit all `pairs`.
    fn find(&self, model: &str, pairs: &[(String, Value)]) -> Result<Option<Found>, Miss>;
}

/// Resolves the values of one entry.
pub(super) struct Resolver<'a> {
    pub(super) objects: &'a dyn Objects,
    pub(super) context: &'a [(String, Expr)],
    pub(super) host: &'a Host,
    items: Vec<Item>,
    steps: usize,
    depth: usize,
}

/// Where an enclosing `!Enumerate` is.
enum Item {
    /// Its iterable is being resolved, so there is no item yet.
    Choosing,
    At {
        index: Value,
        value: Value,
    },
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        objects: &'a dyn Objects,
        context: &'a [(String, Expr)],
        host: &'a Host,
    ) -> Self {
        Self {
            objects,
            context,
            host,
            items: Vec::new(),
            steps: 0,
            depth: 0,
        }
    }

    /// The value of `expr`, with all tags in it replaced.
    pub(super) fn resolve(&mut self, expr: &Expr) -> Result<Value, Stop> {
        self.spend(1, expr.span)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(wrong(
                expr.span,
                "tags lead into each other too deeply, or in a circle",
            ));
        }
        let value = match &expr.form {
            Form::Literal(value) => value.clone(),
            Form::Sequence(items) => Value::Array(self.all(items)?),
            Form::Mapping(pairs) => {
                let mut map = Map::new();
                for (key, value) in pairs {
                    map.insert(key.clone(), self.resolve(value)?);
                }
                Value::Object(map)
            }
            Form::Tag(tag) => {
                let value = self.tag(tag, expr.span)?;
                self.spend(weight(&value), expr.span)?;
                value
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Value>, Stop> {
        exprs.iter().map(|expr| self.resolve(expr)).collect()
    }

    fn spend(&mut self, steps: usize, span: Span) -> Result<(), Stop> {
        self.steps += steps;
        if self.steps > MAX_STEPS {
            let message = format!("the entry resolves to more than {MAX_STEPS} values");
            return Err(wrong(span, message));
        }
        Ok(())
    }

    fn tag(&mut self, tag: &Tag, span: Span) -> Result<Value, Stop> {
        match tag {
            Tag::KeyOf(id) => self.objects.key_of(id).map_err(|miss| miss.at(span)),
            Tag::Find {
                model,
                pairs,
                whole,
            } => self.find(model, pairs, *whole, span),
            Tag::Context(named) => self.contextual(named),
            Tag::Env(named) => self.of_host(named, Host::variable),
            Tag::File(named) => self.of_host(named, Host::file),
            Tag::Format { pattern, arguments } => {
                let pattern = text(&self.resolve(pattern)?);
                let arguments = self.all(arguments)?;
                printf(&pattern, &arguments)
                    .map(Value::String)
                    .map_err(|message| wrong(span, format!("!Format: {message}")))
            }
            Tag::ParseJson(json) => serde_json::from_str(json)
                .map_err(|error| wrong(span, format!("!ParseJSON: {error}"))),
            Tag::If {
                condition,
                branches,
            } => {
                let holds = is_true(&self.resolve(condition)?);
                match branches {
                    None => Ok(Value::Bool(holds)),
                    Some((yes, _)) if holds => self.resolve(yes),
                    Some((_, no)) => self.resolve(no),
                }
            }
            Tag::Condition { mode, arguments } => {
                let held: Vec<bool> = self.all(arguments)?.iter().map(is_true).collect();
                Ok(Value::Bool(combine(*mode, &held)))
            }
            Tag::Enumerate {
                iterable,
                output,
                body,
            } => self.enumerate(iterable, *output, body),
            Tag::Index(depth) => self.item("!Index", *depth, span, |index, _| index),
            Tag::Value(depth) => self.item("!Value", *depth, span, |_, value| value),
            Tag::AtIndex { of, key, default } => self.at_index(of, key, default.as_ref(), span),
        }
    }

    fn find(
        &mut self,
        model: &Expr,
        pairs: &[(Expr, Expr)],
        whole: bool,
        span: Span,
    ) -> Result<Value, Stop> {
        let Value::String(name) = self.resolve(model)? else {
            return Err(wrong(model.span, "!Find: the model has to be a text"));
        };
        let mut wanted = Vec::with_capacity(pairs.len());
        for (field, value) in pairs {
            wanted.push((text(&self.resolve(field)?), self.resolve(value)?));
        }
        let found = self
            .objects
            .find(&name, &wanted)
            .map_err(|miss| miss.at(span))?;
        Ok(match found {
            Some(found) if whole => Value::Object(found.fields),
            Some(found) => found.pk,
            None => Value::Null,
        })
    }

    fn contextual(&mut self, named: &Named) -> Result<Value, Stop> {
        let name = text(&self.resolve(&named.name)?);
        match self.in_context(&name) {
            Some(value) => self.resolve(value),
            None => self.default(named),
        }
    }

    fn in_context(&self, name: &str) -> Option<&'a Expr> {
        let mut pairs = self.context.iter();
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    fn of_host(
        &mut self,
        named: &Named,
        read: fn(&Host, &str) -> Result<Option<String>, String>,
    ) -> Result<Value, Stop> {
        let name = text(&self.resolve(&named.name)?);
        match read(self.host, &name).map_err(|message| wrong(named.name.span, message))? {
            Some(value) => Ok(Value::String(value)),
            None => self.default(named),
        }
    }

    fn default(&mut self, named: &Named) -> Result<Value, Stop> {
        match &named.default {
            Some(default) => self.resolve(default),
            None => Ok(Value::Null),
        }
    }

    fn enumerate(&mut self, iterable: &Expr, output: Output, body: &Expr) -> Result<Value, Stop> {
        // The iterable counts this enumeration as depth 0 already, although it has no item yet.
        self.items.push(Item::Choosing);
        let items = self.items_of(iterable)?;
        let mut list = Vec::new();
        let mut map = Map::new();
        for (index, value) in items {
            self.items.pop();
            self.items.push(Item::At { index, value });
            let made = self.resolve(body)?;
            match output {
                Output::Sequence => list.push(made),
                Output::Mapping => {
                    merge(
                        &mut map,
                        pair(made).map_err(|message| wrong(body.span, message))?,
                    );
                }
            }
        }
        self.items.pop();
        Ok(match output {
            Output::Sequence => Value::Array(list),
            Output::Mapping => Value::Object(map),
        })
    }

    fn items_of(&mut self, iterable: &Expr) -> Result<Vec<(Value, Value)>, Stop> {
        // A mapping of the file is gone through in the file's order, which a resolved one has
        // lost.
        if let Form::Mapping(pairs) = &self.behind(iterable).form {
            let resolved = pairs.iter().map(|(key, value)| {
                let value = self.resolve(value)?;
                Ok((Value::String(key.clone()), value))
            });
            return resolved.collect();
        }
        match self.resolve(iterable)? {
            Value::Array(items) => Ok((0u64..).map(Value::from).zip(items).collect()),
            Value::Object(map) => Ok(map.into_iter().map(|(k, v)| (k.into(), v)).collect()),
            Value::String(text) => {
                let letters = text.chars().map(|c| Value::String(c.into()));
                Ok((0u64..).map(Value::from).zip(letters).collect())
            }
            other => Err(wrong(
                iterable.span,
                format!("!Enumerate cannot go through {other}: that is no list, mapping or text"),
            )),
        }
    }

    /// The context's value, if `expr` names one that is there.
    fn behind<'e>(&self, expr: &'e Expr) -> &'e Expr
    where
        'a: 'e,
    {
        if let Form::Tag(tag) = &expr.form
            && let Tag::Context(named) = tag.as_ref()
            && let Some(value) = named.name.as_str().and_then(|name| self.in_context(name))
        {
            return value;
        }
        expr
    }

    fn item(
        &self,
        tag: &str,
        depth: usize,
        span: Span,
        choose: fn(Value, Value) -> Value,
    ) -> Result<Value, Stop> {
        let place = self.items.len().checked_sub(depth + 1);
        match place.and_then(|place| self.items.get(place)) {
            Some(Item::At { index, value }) => Ok(choose(index.clone(), value.clone())),
            Some(Item::Choosing) => Err(wrong(
                span,
                format!(
                    "{tag} {depth}: this !Enumerate has no item yet where it chooses what to go through"
                ),
            )),
            None => Err(wrong(
                span,
                format!(
                    "{tag} {depth} does not stand within {} !Enumerate",
                    depth + 1
                ),
            )),
        }
    }

    fn at_index(
        &mut self,
        of: &Expr,
        key: &Expr,
        default: Option<&Expr>,
        span: Span,
    ) -> Result<Value, Stop> {
        let name = self.resolve(key)?;
        let found = match self.resolve(of)? {
            Value::Array(mut items) => {
                let Some(index) = name.as_i64() else {
                    return Err(wrong(
                        key.span,
                        format!("!AtIndex: {name} is no index of a list"),
                    ));
                };
                // As in Python, -1 is the last one.
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let index = if index < 0 { index + length } else { index };
                let index = usize::try_from(index).ok().filter(|i| *i < items.len());
                index.map(|index| items.swap_remove(index))
            }
            Value::Object(mut map) => map.remove(&text(&name)),
            _ => return Err(wrong(of.span, "!AtIndex needs a list or a mapping")),
        };
        match (found, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => self.resolve(default),
            (None, None) => Err(wrong(
                span,
                format!("!AtIndex: there is no item {name}, and no default is given"),
            )),
        }
    }
}

fn wrong(span: Span, message: impl Into<String>) -> Stop {
    Problem::at(span, message).into()
}

#[cfg(test)]
mod tests;
