//! Applying blueprints: all of them in one commit, or nothing.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};
use tokio::sync::MutexGuard;
use uuid::Uuid;

use super::document::{Document, Entry};
use super::entry::{Action, Handles, Step, Turn, refusal};
use super::format::text;
use super::incomplete::{close, closed_by};
use super::model::{Object, Refused, Understood, apps};
use super::options::{Error, Options};
use super::problem::{Problem, Span};
use super::report::{Applied, Changed, Note, Outcome, Report, of_fields};
use super::resolve::{Miss, Need, Stop};
use super::staged::Staged;
use super::tag::{Expr, Form};
use super::value::merge_context;
use crate::catalog::{Flow, FlowStageBinding, Stage};
use crate::clock::Clock;
use crate::directory::change;
use crate::directory::password::{Busy, Pool, Verdict};
use crate::flow::field::Invalid;
use crate::journal::object::Stored;
use crate::journal::{self, Commit, Durability, Journal, Write};
use crate::stage;

/// How often an import is done over when somebody else wrote in the meantime.
const ATTEMPTS: usize = 12;

/// Applies the documents in order, in one commit, and returns once that is durable.
///
/// # Errors
/// [`Error::Invalid`] has every problem of the first entry that cannot be applied; nothing is
/// written then.
pub async fn apply(
    journal: &dyn Journal,
    clock: &Clock,
    documents: &[Document],
    options: &Options<'_>,
) -> Result<Report, Error> {
    let _turn = turn(options).await;
    let mut attempt = 1;
    loop {
        let (report, mut writes) = tried(journal, clock, documents, options).await?;
        if writes.is_empty() || options.dry_run {
            return Ok(report);
        }
        let correlation = options.correlation.unwrap_or_else(|| clock.ordered_id());
        change::note(&mut writes, &options.author, correlation);
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: clock.now(),
            correlation,
        };
        match journal.commit(commit).await {
            Ok(_) => return Ok(report),
            Err(journal::Error::Conflict { .. } | journal::Error::Taken { .. })
                if attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What applying the documents would write, and what would be said of it. Nothing is written.
///
/// # Errors
/// Those of [`apply`].
pub async fn draft(
    journal: &dyn Journal,
    clock: &Clock,
    documents: &[Document],
    options: &Options<'_>,
) -> Result<(Report, Vec<Write>), Error> {
    let _turn = turn(options).await;
    tried(journal, clock, documents, options).await
}

/// The turn of whoever changes objects, or looks at what changing them would come to.
async fn turn<'a>(options: &Options<'a>) -> Option<MutexGuard<'a, ()>> {
    match options.turns {
        Some(turns) => Some(turns.take().await),
        None => None,
    }
}

async fn tried(
    journal: &dyn Journal,
    clock: &Clock,
    documents: &[Document],
    options: &Options<'_>,
) -> Result<(Report, Vec<Write>), Error> {
    let mut run = Run {
        journal,
        clock,
        documents,
        options,
        staged: Staged::default(),
        names: HashSet::new(),
        report: Report::default(),
        incomplete: BTreeMap::new(),
        flows: BTreeMap::new(),
    };
    for document in documents {
        run.document(document, true).await?;
    }
    run.close().await?;
    run.report.changes = run.changes().await?;
    let writes = run.staged.writes(journal).await?;
    Ok((run.report, writes))
}

struct Run<'a> {
    journal: &'a dyn Journal,
    clock: &'a Clock,
    documents: &'a [Document],
    options: &'a Options<'a>,
    staged: Staged,
    /// Names of blueprints that are applied already, or being applied.
    names: HashSet<String>,
    report: Report,
    /// The flows of which something was left out, and what that was first.
    incomplete: BTreeMap<Uuid, Applied>,
    /// The flows that there are entries for, with a note to be written.
    flows: BTreeMap<Uuid, Note>,
}

impl Run<'_> {
    /// What is different now. Whoever looks at it first reads what others are called.
    async fn changes(&mut self) -> Result<Vec<Changed>, Error> {
        if self.options.dry_run {
            self.staged.read_names(self.journal).await?;
        }
        Ok(self.staged.changes())
    }

    /// `named` says whether whoever started the import named this document.
    async fn document(&mut self, document: &Document, named: bool) -> Result<(), Error> {
        if let Some(name) = &document.name
            && !self.names.insert(name.clone())
        {
            return Ok(());
        }
        let context = self.context(document, named);
        let mut handles = Handles::default();
        for entry in &document.entries {
            self.entry(document, entry, &context, &mut handles).await?;
        }
        Ok(())
    }

    fn context(&self, document: &Document, named: bool) -> Vec<(String, Expr)> {
        let mut context = document.context.clone();
        let built_in = json!({
            "goauthentik.io/enterprise/licensed": false,
            "goauthentik.io/rbac/models": apps(),
        });
        let mut add = |value: Value| {
            if let Form::Mapping(pairs) = Expr::literal(value, Span::default()).form {
                merge_context(&mut context, pairs);
            }
        };
        add(built_in);
        if named {
            add(Value::Object(self.options.context.clone()));
        }
        context
    }

    async fn entry(
        &mut self,
        document: &Document,
        entry: &Entry,
        context: &[(String, Expr)],
        handles: &mut Handles,
    ) -> Result<(), Error> {
        let invalid = |problems: Vec<Problem>| {
            let problems = problems.into_iter();
            let named = problems.map(|it| it.within(&entry.name).in_file(&document.file));
            Error::Invalid(named.collect())
        };
        let mut encoded = None;
        let mut understood = Vec::new();
        let step = loop {
            let turn = Turn {
                document,
                staged: &self.staged,
                handles,
                context,
                options: self.options,
                clock: self.clock,
                encoded: encoded.as_ref(),
                understood: &understood,
                binds: Cell::new(false),
            };
            let step = turn.step(entry);
            match step.or_else(|stop| turn.left_out(entry, stop)) {
                Ok(step) => {
                    if let Action::Write { object, .. } = &step.action {
                        let collisions = self.staged.collisions(self.journal, object).await?;
                        if let Err(Stop::Wrong(problems)) = free(entry, collisions) {
                            return Err(invalid(problems));
                        }
                    }
                    break step;
                }
                Err(Stop::Need(Need::Read(read))) => self.staged.meet(self.journal, read).await?,
                Err(Stop::Need(Need::Password { typed, current })) => {
                    let Some(pool) = self.options.passwords else {
                        let message = "a password cannot be set here; give a password_hash";
                        return Err(invalid(vec![Problem::at(entry.span, message)]));
                    };
                    encoded = Some(match current {
                        Some(current) if is_right(pool, &typed, &current).await? => current,
                        _ => pool.hash(typed).await?,
                    });
                }
                Err(Stop::Need(Need::Syntax(source))) => {
                    let problem = self.options.syntax.problem(&source).await;
                    let Some(problem) = problem.map_err(Error::Unchecked)? else {
                        let message = "an expression cannot be checked here";
                        return Err(invalid(vec![Problem::at(entry.span, message)]));
                    };
                    understood.push(Understood { source, problem });
                }
                Err(Stop::LeftOut(id)) => {
                    let message = format!("it builds on {id}, which is left out");
                    return Err(invalid(vec![Problem::at(entry.span, message)]));
                }
                Err(Stop::Wrong(problems)) => return Err(invalid(problems)),
            }
        };
        if let Action::Blueprint {
            name,
            required,
            span,
        } = &step.action
        {
            let outcome = self.other(name.as_deref()).await?;
            if outcome == Outcome::Missing && *required {
                let message = "Required blueprint does not exist";
                return Err(invalid(vec![Problem::at(*span, message)]));
            }
            self.done(document, entry, &step, outcome, None);
            return Ok(());
        }
        self.perform(document, entry, step, handles);
        Ok(())
    }

    /// Applies the blueprint of this name, unless that happened already.
    async fn other(&mut self, name: Option<&str>) -> Result<Outcome, Error> {
        let Some(name) = name else {
            return Ok(Outcome::Missing);
        };
        if self.names.contains(name) {
            return Ok(Outcome::Applied);
        }
        let documents = self.documents;
        let given = documents.iter().find(|it| it.name.as_deref() == Some(name));
        if let Some(document) = given {
            Box::pin(self.document(document, true)).await?;
            return Ok(Outcome::Applied);
        }
        let known = self.options.known.iter().find(|(known, _)| *known == name);
        let Some((name, source)) = known else {
            return Ok(Outcome::Missing);
        };
        let document = Document::read(source, name).map_err(Error::Invalid)?;
        Box::pin(self.document(&document, false)).await?;
        Ok(Outcome::Applied)
    }

    fn perform(
        &mut self,
        document: &Document,
        entry: &Entry,
        mut step: Step,
        handles: &mut Handles,
    ) {
        let action = std::mem::replace(&mut step.action, Action::Nothing(Outcome::Absent));
        match action {
            Action::Nothing(outcome) => self.done(document, entry, &step, outcome, None),
            Action::Blueprint { .. } => {}
            Action::LeaveOut { why, closes } => {
                if let Some(flow) = closes {
                    let gap = told(document, entry, &step, Outcome::Unsupported);
                    self.incomplete.entry(flow).or_insert(gap);
                }
                handles.left_out.extend(entry.name.id.clone());
                handles
                    .left_out_pks
                    .extend(step.given_pk.as_ref().map(text));
                self.report.entries.push(Applied {
                    name: entry.label(),
                    why: Some(why),
                    ..told(document, entry, &step, Outcome::Unsupported)
                });
            }
            Action::Write {
                object,
                others,
                ignored,
                filled,
                outcome,
            } => {
                let object = *object;
                for text in of_fields(&ignored, &filled) {
                    self.note(document, entry, text);
                }
                self.note_flow(document, entry, &object);
                let named = (object.name(), object.pk());
                register(entry, &step, &named.1, handles);
                if outcome != Outcome::Unchanged {
                    self.staged.put(object);
                    for other in others {
                        self.staged.put(other);
                    }
                }
                self.done(document, entry, &step, outcome, Some(named));
                if let Some(done) = self.report.entries.last_mut() {
                    (done.ignored, done.filled) = (ignored, filled);
                }
            }
            Action::Remove(stream, object) => {
                self.staged.remove(stream);
                self.done(document, entry, &step, Outcome::Deleted, Some(object));
            }
        }
    }

    fn note_flow(&mut self, document: &Document, entry: &Entry, object: &Object) {
        if let Object::Flow(flow) = object {
            let note = note(document, entry, String::new());
            self.flows.insert(flow.pk, note);
        }
    }

    fn note(&mut self, document: &Document, entry: &Entry, text: String) {
        self.report.notes.push(note(document, entry, text));
    }

    fn done(
        &mut self,
        document: &Document,
        entry: &Entry,
        step: &Step,
        outcome: Outcome,
        object: Option<(String, Value)>,
    ) {
        let (name, pk) = object.unzip();
        self.report.entries.push(Applied {
            name,
            pk,
            ..told(document, entry, step, outcome)
        });
    }

    /// Keeps closed what became incomplete, and tells of what is still closed.
    async fn close(&mut self) -> Result<(), Error> {
        if self.flows.is_empty() && self.incomplete.is_empty() {
            return Ok(());
        }
        for kind in [Flow::KIND, Stage::KIND, FlowStageBinding::KIND] {
            self.staged.read(self.journal, kind).await?;
        }
        for (flow, gap) in std::mem::take(&mut self.incomplete) {
            self.flows.remove(&flow);
            let closed = close(flow, &self.staged, self.clock).map_err(|miss| {
                let message = match miss {
                    Miss::Wrong(message) | Miss::LeftOut(message) => message,
                    Miss::Need(need) => format!("the flow cannot be kept closed: {need:?}"),
                };
                let problem = Problem::at(gap.span, message).within(&gap.entry);
                Error::Invalid(vec![problem.in_file(&gap.file)])
            })?;
            let Some(closed) = closed else {
                continue;
            };
            let models = [
                stage::Kind::Deny.model(),
                "authentik_flows.flowstagebinding",
            ];
            for ((object, outcome), model) in [closed.stage, closed.binding].into_iter().zip(models)
            {
                self.report.entries.push(Applied {
                    model: model.to_owned(),
                    outcome,
                    name: Some(object.name()),
                    pk: Some(object.pk()),
                    why: Some(
                        "the flow is kept closed, because something of it is left out".into(),
                    ),
                    ..gap.clone()
                });
                if outcome == Outcome::Created {
                    self.staged.put(object);
                }
            }
        }
        for (flow, note) in std::mem::take(&mut self.flows) {
            if let Ok(Some(stage)) = closed_by(flow, &self.staged) {
                let text = format!(
                    "the flow is still closed by the stage {stage}, since something of it was \
                     left out once; remove that stage when nothing is missing"
                );
                self.report.notes.push(Note { text, ..note });
            }
        }
        Ok(())
    }
}

/// Whether the names that an entry wants are free.
fn free(entry: &Entry, collisions: Vec<Invalid>) -> Result<(), Stop> {
    if collisions.is_empty() {
        return Ok(());
    }
    let fields = collisions.into_iter();
    let fields = fields.map(|it| (it.field.to_owned(), it.problem.to_string()));
    Err(refusal(entry, Refused::Fields(fields.collect())))
}

fn note(document: &Document, entry: &Entry, text: String) -> Note {
    Note {
        file: document.file.clone(),
        span: entry.span,
        entry: entry.name.clone(),
        text,
    }
}

/// What is reported of every entry.
fn told(document: &Document, entry: &Entry, step: &Step, outcome: Outcome) -> Applied {
    Applied {
        file: document.file.clone(),
        span: entry.span,
        entry: entry.name.clone(),
        model: step.model.clone(),
        outcome,
        name: None,
        pk: None,
        why: None,
        ignored: Vec::new(),
        filled: Map::new(),
    }
}

fn register(entry: &Entry, step: &Step, pk: &Value, handles: &mut Handles) {
    if let Some(id) = &entry.name.id {
        // The first entry of an id is the one that is meant.
        handles.ids.entry(id.clone()).or_insert_with(|| pk.clone());
    }
    if let Some(given) = &step.given_pk {
        handles.pks.insert(text(given), pk.clone());
    }
}

async fn is_right(
    pool: &Pool,
    typed: &secrecy::SecretString,
    encoded: &secrecy::SecretString,
) -> Result<bool, Busy> {
    let verdict = pool.verify(typed.clone(), encoded.clone()).await?;
    Ok(matches!(verdict, Verdict::Accepted { .. }))
}
