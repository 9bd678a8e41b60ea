//! One object at a time, as the management API makes, changes and removes them: by the same fields
//! and with the same complaints as an entry of a blueprint, in one commit with a note of who did it.
//!
//! Nothing here knows of HTTP or of who may do what.

use secrecy::SecretString;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Syntax;
pub(crate) use super::lookup::{compare, find, follow, show};
pub(crate) use super::model::{ANY_LENGTH, Field, Shape, fields};
use super::model::{Draft, Refused, Understood, Written, needed, write};
pub(crate) use super::model::{Model, Object};
pub(crate) use super::references::{Use, uses};
use super::resolve::Need;
pub(crate) use super::resolve::{Found, Miss};
pub(crate) use super::staged::Staged;
use crate::clock::Clock;
use crate::directory::change::Author;
use crate::directory::command::commit_noted;
use crate::directory::password::{Busy, Pool};
use crate::directory::turns::Turns;
use crate::expression;
use crate::flow::field::Invalid;
use crate::journal::{self, Journal, StreamId, Write};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// These fields are wrong, each with its message.
    #[error("{} fields are wrong", .0.len())]
    Fields(Vec<(String, String)>),
    /// The journal failed, or others kept writing to the same objects.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Too many passwords are being hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It could not be found out whether an expression is understood.
    #[error("an expression could not be checked: {0}")]
    Unchecked(#[source] expression::Error),
}

impl From<Miss> for Refusal {
    fn from(miss: Miss) -> Self {
        let message = match miss {
            Miss::Wrong(message) | Miss::LeftOut(message) => message,
            Miss::Need(need) => format!("{need:?} is not to be had here"),
        };
        Self::Fields(vec![(Invalid::ALL_FIELDS.to_owned(), message)])
    }
}

/// Asks a question of the objects, and reads what it needs until there is an answer.
///
/// # Errors
/// What the question complains of, or the journal's.
pub(crate) async fn ask<T>(
    staged: &mut Staged,
    journal: &dyn Journal,
    question: impl Fn(&Staged) -> Result<T, Miss>,
) -> Result<T, Refusal> {
    loop {
        match question(staged) {
            Err(Miss::Need(Need::Read(read))) => staged.meet(journal, read).await?,
            answer => return answer.map_err(Refusal::from),
        }
    }
}

/// A field of an object by which the API addresses it; `None` of others.
pub(crate) fn field(object: &Object, name: &str) -> Option<String> {
    match (object, name) {
        (Object::Source(source), "slug") => Some(source.slug.to_string()),
        (Object::Flow(flow), "slug") => Some(flow.slug.to_string()),
        (Object::Application(it), "slug") => Some(it.slug.to_string()),
        _ => None,
    }
}

/// How much of an object a change speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Whatever has to be there is given.
    Whole,
    /// What is not given stays.
    Part,
}

/// Changes objects on somebody's behalf.
pub(crate) struct Edit<'a> {
    pub(crate) journal: &'a dyn Journal,
    pub(crate) clock: &'a Clock,
    /// Encodes passwords; without it, a password is a complaint.
    pub(crate) passwords: Option<&'a Pool>,
    /// Has all who change objects go one after the other.
    pub(crate) turns: &'a Turns,
    /// Says whether expressions are understood.
    pub(crate) syntax: Syntax<'a>,
    /// Who is noted to have done it.
    pub(crate) author: &'a Author,
    /// The request, which names the commit.
    pub(crate) correlation: Uuid,
}

impl Edit<'_> {
    /// Makes an object of these fields, and returns it.
    ///
    /// # Errors
    /// The complaints, or why it cannot be done at the moment.
    pub(crate) async fn create(
        &self,
        model: Model,
        data: &Map<String, Value>,
    ) -> Result<Object, Refusal> {
        let attempt = async || self.try_write(model, None, data, Extent::Whole).await;
        let made = self.turns.until(attempt).await?;
        made.ok_or_else(|| self.contended())
    }

    /// The object of these fields, as it would be made. Nothing is.
    ///
    /// # Errors
    /// Those of [`Edit::create`].
    pub(crate) async fn draft(
        &self,
        model: Model,
        data: &Map<String, Value>,
    ) -> Result<Object, Refusal> {
        let mut staged = Staged::default();
        let written = self.written(&mut staged, model, None, data, Extent::Whole);
        Ok(written.await?.object)
    }

    /// Changes these fields of an object, and returns it; `None` when it is not there.
    ///
    /// # Errors
    /// The complaints, or why it cannot be done at the moment.
    pub(crate) async fn update(
        &self,
        model: Model,
        stream: StreamId,
        data: &Map<String, Value>,
        extent: Extent,
    ) -> Result<Option<Object>, Refusal> {
        let attempt = async || {
            if self.journal.get(stream).await?.is_none() {
                return Ok(Some(None));
            }
            let written = self.try_write(model, Some(stream), data, extent).await?;
            Ok::<_, Refusal>(written.map(Some))
        };
        let changed = self.turns.until(attempt).await?;
        changed.ok_or_else(|| self.contended())
    }

    /// Removes an object and what cannot be without it, and clears what refers to it; whether it
    /// was there.
    ///
    /// # Errors
    /// Why it cannot be done at the moment.
    pub(crate) async fn delete(&self, stream: StreamId) -> Result<bool, Refusal> {
        let attempt = async || {
            let mut staged = Staged::default();
            let look = |staged: &Staged| {
                staged.removable(stream.kind)?;
                staged.exists(stream.kind, stream.id)
            };
            if !ask(&mut staged, self.journal, look).await? {
                return Ok(Some(false));
            }
            staged.remove(stream);
            let removed = self.commit(staged.writes(self.journal).await?).await?;
            Ok::<_, Refusal>(removed.then_some(true))
        };
        let was_there = self.turns.until(attempt).await?;
        was_there.ok_or_else(|| self.contended())
    }

    /// `None` when somebody else was faster.
    async fn try_write(
        &self,
        model: Model,
        stream: Option<StreamId>,
        data: &Map<String, Value>,
        extent: Extent,
    ) -> Result<Option<Object>, Refusal> {
        let mut staged = Staged::default();
        let written = self.written(&mut staged, model, stream, data, extent);
        let mut written = match written.await {
            // The number of a new object is the server's choice: somebody else was given it.
            Err(Refusal::Fields(fields)) if stream.is_none() && has(&fields, "pk") => {
                return Ok(None);
            }
            written => written?,
        };
        if let (Object::Invitation(invitation), None) = (&mut written.object, stream) {
            invitation.created_by = self.author.user;
        }
        let object = written.object.clone();
        staged.put(written.object);
        for other in written.others {
            staged.put(other);
        }
        let committed = self.commit(staged.writes(self.journal).await?).await?;
        Ok(committed.then_some(object))
    }

    /// What is to be written; reads what it needs for that.
    async fn written(
        &self,
        staged: &mut Staged,
        model: Model,
        stream: Option<StreamId>,
        data: &Map<String, Value>,
        extent: Extent,
    ) -> Result<Written, Refusal> {
        let mut encoded: Option<SecretString> = None;
        let mut understood: Vec<Understood> = Vec::new();
        loop {
            let attempt = attempt(staged, self.clock, model, stream, |existing| Draft {
                model,
                existing,
                whole: extent == Extent::Whole,
                data,
                pk: None,
                encoded: encoded.as_ref(),
                understood: &understood,
            });
            match attempt {
                Ok(written) => {
                    let object = &written.object;
                    let taken = staged.collisions(self.journal, object).await?;
                    if taken.is_empty() {
                        return Ok(written);
                    }
                    let fields = taken.into_iter();
                    let fields = fields.map(|it| (it.field.to_owned(), it.problem.to_string()));
                    return Err(Refusal::Fields(fields.collect()));
                }
                Err(Refused::Fields(fields)) => return Err(Refusal::Fields(fields)),
                Err(Refused::Need(Need::Read(read))) => staged.meet(self.journal, read).await?,
                Err(Refused::Need(Need::Password { typed, .. })) => {
                    let Some(pool) = self.passwords else {
                        let message = "a password cannot be set here".to_owned();
                        return Err(Refusal::Fields(vec![("password".to_owned(), message)]));
                    };
                    encoded = Some(pool.hash(typed).await?);
                }
                Err(Refused::Need(Need::Syntax(source))) => {
                    let problem = self.syntax.problem(&source).await;
                    let Some(problem) = problem.map_err(Refusal::Unchecked)? else {
                        let message = "an expression cannot be checked here".to_owned();
                        return Err(Refusal::Fields(vec![("expression".to_owned(), message)]));
                    };
                    understood.push(Understood { source, problem });
                }
            }
        }
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<bool, Refusal> {
        if writes.is_empty() {
            return Ok(true);
        }
        let (author, correlation) = (self.author, self.correlation);
        match commit_noted(self.journal, self.clock, writes, author, correlation).await {
            Err(journal::Error::Taken { .. }) => Ok(false),
            committed => Ok(committed?),
        }
    }

    fn contended(&self) -> Refusal {
        let problem = format!(
            "others kept changing the same objects ({})",
            self.correlation
        );
        Refusal::Journal(journal::Error::Unavailable(problem.into()))
    }
}

/// Whether this field is among those that were complained of.
fn has(fields: &[(String, String)], name: &str) -> bool {
    fields.iter().any(|(field, _)| field == name)
}

/// What is to be written, whoever has its names.
fn attempt<'s>(
    staged: &'s Staged,
    clock: &Clock,
    model: Model,
    stream: Option<StreamId>,
    draft: impl FnOnce(Option<&'s Object>) -> Draft<'s>,
) -> Result<Written, Refused> {
    let existing = match stream {
        Some(stream) => staged.get(stream.kind, stream.id).map_err(needed)?,
        None => None,
    };
    debug_assert!(existing.is_none_or(|object| object.is_a(model)));
    write(&draft(existing), staged, clock)
}
