//! What one entry asks for, given what there is. Nothing is changed here.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use secrecy::SecretString;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Options;
use super::document::{Document, Entry, State};
use super::format::text;
use super::grant::{self, Grant};
use super::legacy::{Filled, modernise, modernise_prompt};
use super::lookup;
use super::model::{Draft, Model, NotAModel, Object, Refused, Understood, write};
use super::problem::{Problem, Span};
use super::report::Outcome;
use super::resolve::{Found, Miss, Objects, Resolver, Stop};
use super::staged::Staged;
use super::tag::{Expr, Form};
use super::value::{is_true, merge};
use crate::catalog::stage::POINTED;
use crate::clock::Clock;
use crate::journal::StreamId;

/// What earlier entries of the same blueprint left behind for later ones.
#[derive(Default)]
pub(super) struct Handles {
    /// Keys of objects by the ids of their entries.
    pub(super) ids: HashMap<String, Value>,
    /// Keys that objects have, by the keys that the blueprint gave them.
    pub(super) pks: HashMap<String, Value>,
    /// The ids of entries that were left out because this version lacks their model.
    pub(super) left_out: HashSet<String>,
    /// The keys that those entries gave their objects.
    pub(super) left_out_pks: HashSet<String>,
}

/// All that an entry can see.
pub(super) struct Turn<'a> {
    pub(super) document: &'a Document,
    pub(super) staged: &'a Staged,
    pub(super) handles: &'a Handles,
    pub(super) context: &'a [(String, Expr)],
    pub(super) options: &'a Options<'a>,
    pub(super) clock: &'a Clock,
    /// The entry's password, encoded, once that was asked for.
    pub(super) encoded: Option<&'a SecretString>,
    /// Which of the entry's expressions are understood, as far as that was asked for.
    pub(super) understood: &'a [Understood],
    /// Whether the entry binds a policy, so that `!KeyOf` names what that is bound to.
    pub(super) binds: Cell<bool>,
}

/// What is to be done for an entry.
pub(super) struct Step {
    /// The model's name.
    pub(super) model: String,
    /// The key that the blueprint gives the object.
    pub(super) given_pk: Option<Value>,
    /// What to do.
    pub(super) action: Action,
}

pub(super) enum Action {
    /// Nothing.
    Nothing(Outcome),
    /// Nothing, because this version cannot.
    LeaveOut {
        why: String,
        /// The flow that is more open without it.
        closes: Option<Uuid>,
    },
    /// Another blueprint comes first.
    Blueprint {
        name: Option<String>,
        required: bool,
        span: Span,
    },
    /// The object becomes this.
    Write {
        object: Box<Object>,
        others: Vec<Object>,
        ignored: Vec<String>,
        filled: Filled,
        outcome: Outcome,
    },
    /// The object of this stream goes; what people called it, and its key.
    Remove(StreamId, (String, Value)),
}

impl Objects for Turn<'_> {
    fn key_of(&self, id: &str) -> Result<Value, Miss> {
        if let Some(pk) = self.handles.ids.get(id) {
            let target = match pk.as_str().and_then(|pk| pk.parse().ok()) {
                Some(id) if self.binds.get() => self.staged.target(id)?,
                _ => None,
            };
            let pbm = target.and_then(Object::pbm);
            return Ok(pbm.map_or_else(|| pk.clone(), |pbm| pbm.to_string().into()));
        }
        Err(if self.handles.left_out.contains(id) {
            Miss::LeftOut(id.to_owned())
        } else {
            Miss::Wrong(format!(
                "!KeyOf {id}: no entry before this one has this id and made an object"
            ))
        })
    }

    fn find(&self, model: &str, pairs: &[(String, Value)]) -> Result<Option<Found>, Miss> {
        let model = match Model::of_name(model) {
            Ok(model) => model,
            // Of what this version does not have, there is none.
            Err(NotAModel::Unsupported) => return Ok(None),
            Err(why) => return Err(Miss::Wrong(why.message(model))),
        };
        let found = lookup::find(model, pairs, self.staged)?;
        found
            .map(|object| lookup::show(object, self.staged))
            .transpose()
    }
}

impl Turn<'_> {
    /// What `entry` asks for.
    pub(super) fn step(&self, entry: &Entry) -> Result<Step, Stop> {
        let mut resolver = Resolver::new(self, self.context, &self.options.host);
        // A tag may hide the model; until it is resolved, the entry counts as any other.
        let named = entry.name.model.as_deref().map(Model::of_name);
        self.binds.set(named == Some(Ok(Model::PolicyBinding)));
        let written = || entry.name.model.clone().unwrap_or_default();
        for condition in &entry.conditions {
            if !is_true(&resolver.resolve(condition)?) {
                return Ok(Step {
                    model: written(),
                    given_pk: None,
                    action: Action::Nothing(Outcome::Skipped),
                });
            }
        }
        let name = text(&resolver.resolve(&entry.model)?);
        let state = resolver.resolve(&entry.state)?;
        let state = State::read(&state).map_err(|why| Problem::at(entry.state.span, why))?;
        let model = match Model::of_name(&name) {
            Ok(Model::ApplyBlueprint) => return blueprint(&mut resolver, entry, name),
            Ok(model) => model,
            Err(NotAModel::Unsupported) if self.options.skip_unsupported => {
                let why = NotAModel::Unsupported.message(&name);
                return Ok(left_out(entry, name, why));
            }
            Err(why) => return Err(Problem::at(entry.model.span, why.message(&name)).into()),
        };
        self.binds.set(model == Model::PolicyBinding);
        let mut identifiers = fields(&mut resolver, &entry.identifiers, "identifiers")?;
        for value in identifiers.values_mut() {
            if let Some(pk) = value.get("pk") {
                *value = pk.clone();
            }
        }
        let given_pk = identifiers.remove("pk").filter(|pk| !pk.is_null());
        self.replace_pks(&mut identifiers)?;
        let found = self.find_existing(entry, model, given_pk.as_ref(), &identifiers)?;
        let action = if state == State::Absent {
            match (found, model.kind()) {
                (Some(object), Some(kind)) => {
                    self.staged
                        .removable(kind)
                        .map_err(|miss| miss.at(entry.span))?;
                    Action::Remove(object.stream(), (object.name(), object.pk()))
                }
                _ => Action::Nothing(Outcome::Absent),
            }
        } else {
            if state == State::MustCreated && found.is_some() {
                let message = "state is set to must_created and object exists already";
                return Err(Problem::at(entry.span, message).into());
            }
            let mut data = fields(&mut resolver, &entry.attrs, "attrs")?;
            self.replace_pks(&mut data)?;
            merge(&mut data, identifiers);
            let mut filled = modernise(model, &mut data);
            if model == Model::Prompt && !data.contains_key("name") {
                let (document, staged, is_new) = (self.document, self.staged, found.is_none());
                let more = modernise_prompt(document, entry, &mut data, staged, is_new);
                filled.extend(more.map_err(|miss| miss.at(entry.span))?);
            }
            let grants = self.grants(&mut resolver, entry, model)?;
            let draft = Draft {
                model,
                existing: found,
                whole: false,
                data: &data,
                pk: given_pk.as_ref(),
                encoded: self.encoded,
                understood: self.understood,
            };
            self.write(entry, &draft, state, filled, &grants)?
        };
        Ok(Step {
            model: name,
            given_pk,
            action,
        })
    }

    fn write(
        &self,
        entry: &Entry,
        draft: &Draft<'_>,
        state: State,
        mut filled: Filled,
        grants: &[Grant],
    ) -> Result<Action, Stop> {
        let mut written =
            write(draft, self.staged, self.clock).map_err(|refused| refusal(entry, refused))?;
        if let Some(object) = draft.existing.filter(|_| state == State::Created) {
            written.object = object.clone();
            written.others.clear();
            written.ignored.clear();
            filled.clear();
        }
        if state != State::Created {
            self.check_secrets(entry, draft)?;
        }
        let given = grant::give(grants, &mut written, self.staged, self.clock);
        given.map_err(|miss| miss.at(entry.span))?;
        Ok(Action::Write {
            outcome: match draft.existing {
                None => Outcome::Created,
                Some(old) if old.is_like(&written.object) && written.others.is_empty() => {
                    Outcome::Unchanged
                }
                Some(_) => Outcome::Updated,
            },
            object: Box::new(written.object),
            others: written.others,
            ignored: written.ignored,
            filled,
        })
    }

    /// Checks that the entry does not send the secrets of a stage where whoever wrote it can read
    /// them. Superusers may.
    fn check_secrets(&self, entry: &Entry, draft: &Draft<'_>) -> Result<(), Stop> {
        let asks = self.options.granted.filter(|it| !it.is_superuser());
        if let (Some(_), Some(Object::Stage(stage))) = (asks, draft.existing)
            && let Some(field) = stage.sends_elsewhere(draft.data)
        {
            let problem = Problem::at(place(entry, field), POINTED).of_field(field);
            return Err(problem.into());
        }
        Ok(())
    }

    /// The permissions that the entry gives on its object.
    fn grants(
        &self,
        resolver: &mut Resolver<'_>,
        entry: &Entry,
        model: Model,
    ) -> Result<Vec<Grant>, Stop> {
        let mut grants = Vec::with_capacity(entry.permissions.len());
        for permission in &entry.permissions {
            let mut given = resolver.resolve(permission)?;
            if let Value::Object(fields) = &mut given {
                self.replace_pks(fields)?;
            }
            let grant = grant::read(&given, model, self.staged);
            grants.push(grant.map_err(|miss| miss.at(permission.span))?);
        }
        Ok(grants)
    }

    /// The object with the given key, or else the one with all other identifiers.
    fn find_existing(
        &self,
        entry: &Entry,
        model: Model,
        pk: Option<&Value>,
        identifiers: &Map<String, Value>,
    ) -> Result<Option<&Object>, Stop> {
        let span = entry.identifiers.span;
        if pk.is_none() && identifiers.is_empty() {
            return Err(Problem::at(span, "No or invalid identifiers").into());
        }
        if let Some(pk) = pk {
            // The key that an earlier entry has in truth, if the blueprint called it so.
            let pk = self.handles.pks.get(&text(pk)).unwrap_or(pk);
            let pair = [("pk".to_owned(), pk.clone())];
            let found = lookup::find(model, &pair, self.staged).map_err(|miss| miss.at(span))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if identifiers.is_empty() {
            return Ok(None);
        }
        let pairs = identifiers.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        lookup::find(model, &pairs, self.staged).map_err(|miss| miss.at(span))
    }

    /// Replaces keys that the blueprint gave by those that the objects have.
    fn replace_pks(&self, fields: &mut Map<String, Value>) -> Result<(), Stop> {
        for value in fields.values_mut() {
            match value {
                Value::Array(items) => {
                    items
                        .iter_mut()
                        .try_for_each(|item| self.replace_pk(item))?;
                }
                Value::Object(map) => {
                    map.values_mut()
                        .try_for_each(|item| self.replace_pk(item))?;
                }
                single => self.replace_pk(single)?,
            }
        }
        Ok(())
    }

    pub(super) fn replace_pk(&self, value: &mut Value) -> Result<(), Stop> {
        if !matches!(value, Value::String(_) | Value::Number(_)) {
            return Ok(());
        }
        let given = text(value);
        if let Some(pk) = self.handles.pks.get(&given) {
            *value = pk.clone();
        } else if self.handles.left_out_pks.contains(&given) {
            return Err(Stop::LeftOut(given));
        }
        Ok(())
    }
}

/// An entry that is left out. Its key is kept, as written, to recognise what refers to it.
pub(super) fn left_out(entry: &Entry, model: String, why: String) -> Step {
    let given_pk = match &entry.identifiers.form {
        Form::Mapping(pairs) => pairs.iter().find_map(|(name, value)| match &value.form {
            Form::Literal(pk) if name == "pk" => Some(pk.clone()),
            _ => None,
        }),
        _ => None,
    };
    Step {
        model,
        given_pk,
        action: Action::LeaveOut { why, closes: None },
    }
}

/// A mapping of fields; null is an empty one.
fn fields(
    resolver: &mut Resolver<'_>,
    expr: &Expr,
    what: &str,
) -> Result<Map<String, Value>, Stop> {
    match resolver.resolve(expr)? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(Problem::at(expr.span, format!("{what} has to be a mapping")).into()),
    }
}

/// The entry that asks for another blueprint.
fn blueprint(resolver: &mut Resolver<'_>, entry: &Entry, model: String) -> Result<Step, Stop> {
    let attrs = fields(resolver, &entry.attrs, "attrs")?;
    let identifiers = attrs.get("identifiers").and_then(Value::as_object);
    let span = place(entry, "identifiers");
    let Some(identifiers) = identifiers.filter(|it| !it.is_empty()) else {
        let message = "This field is required.";
        return Err(Problem::at(span, message).of_field("identifiers").into());
    };
    let name = identifiers.get("name").and_then(Value::as_str);
    Ok(Step {
        model,
        given_pk: None,
        action: Action::Blueprint {
            // Whoever asks for a path or anything else asks for what does not exist here.
            name: name.filter(|_| identifiers.len() == 1).map(str::to_owned),
            required: attrs.get("required").is_none_or(is_true),
            span,
        },
    })
}

pub(super) fn refusal(entry: &Entry, refused: Refused) -> Stop {
    let fields = match refused {
        Refused::Need(need) => return Stop::Need(need),
        Refused::Fields(fields) => fields,
    };
    let problems = fields
        .into_iter()
        .map(|(field, message)| Problem::at(place(entry, &field), message).of_field(&field));
    Stop::Wrong(problems.collect())
}

/// Where a field of the entry is given, or else where the entry begins.
fn place(entry: &Entry, field: &str) -> Span {
    let within = |expr: &Expr| match &expr.form {
        Form::Mapping(pairs) => pairs
            .iter()
            .find_map(|(name, value)| (name == field).then_some(value.span)),
        _ => None,
    };
    within(&entry.attrs)
        .or_else(|| within(&entry.identifiers))
        .unwrap_or(entry.span)
}
