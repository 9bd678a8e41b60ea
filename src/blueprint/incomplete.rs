//! A flow of which something was left out must not become more open than its author meant.
//!
//! A stage binding or a policy binding may be what keeps strangers out. Where one is left out, a
//! deny stage is bound to its flow in front of everything else. It stays until somebody removes
//! it: that one file is complete does not say that the flow is.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::document::{Entry, State};
use super::entry::{Action, Step, Turn, left_out};
use super::format::text;
use super::model::{Model, Object};
use super::problem::Problem;
use super::report::Outcome;
use super::resolve::{Miss, Resolver, Stop};
use super::staged::Staged;
use super::tag::{Expr, Form};
use crate::catalog::{Flow, FlowStageBinding, Stage};
use crate::clock::Clock;
use crate::journal::object::Stored;
use crate::stage::Kind;

/// Before every stage that does not ask for the same place.
const FIRST: i32 = i32::MIN;

const MESSAGE: &str = "This flow is incomplete: it misses stages or policies that this version \
                       does not have.";

/// The objects that keep a flow closed.
pub(super) struct Closed {
    pub(super) stage: (Object, Outcome),
    pub(super) binding: (Object, Outcome),
}

impl Turn<'_> {
    /// What is to be done for an entry that stopped so: one that is left out is looked at for the
    /// flow that it would have guarded.
    ///
    /// # Errors
    /// What it stopped with, or why the flow cannot be told.
    pub(super) fn left_out(&self, entry: &Entry, stop: Stop) -> Result<Step, Stop> {
        let Stop::LeftOut(id) = stop else {
            return Err(stop);
        };
        let flow = match self.guarded(entry) {
            Ok(flow) => flow,
            // What it would have been bound to is left out as well.
            Err(Stop::LeftOut(_)) => None,
            Err(Stop::Wrong(_)) => {
                let message = format!(
                    "it builds on {id}, which is left out, and cannot be left out itself: of \
                     which flow it is cannot be told by its target, so the flow cannot be kept closed"
                );
                return Err(Problem::at(entry.span, message).into());
            }
            Err(need @ Stop::Need(_)) => return Err(need),
        };
        let model = entry.name.model.clone().unwrap_or_default();
        let why = format!("it builds on {id}, which is left out");
        let mut left = left_out(entry, model, why);
        if let Action::LeaveOut { closes, .. } = &mut left.action {
            *closes = flow;
        }
        Ok(left)
    }

    /// The flow that the entry would have bound something to.
    fn guarded(&self, entry: &Entry) -> Result<Option<Uuid>, Stop> {
        let mut resolver = Resolver::new(self, self.context, &self.options.host);
        self.binds.set(false);
        let binds = match resolver.resolve(&entry.model) {
            Ok(name) => matches!(
                Model::of_name(&text(&name)),
                Ok(Model::Binding | Model::PolicyBinding)
            ),
            // It could be one.
            Err(Stop::LeftOut(_)) => true,
            Err(stop) => return Err(stop),
        };
        let goes = match resolver.resolve(&entry.state) {
            Ok(state) => State::read(&state) == Ok(State::Absent),
            Err(Stop::LeftOut(_)) => false,
            Err(stop) => return Err(stop),
        };
        if !binds || goes {
            return Ok(None);
        }
        let mut target = Value::Null;
        for fields in [&entry.identifiers, &entry.attrs] {
            if target.is_null() {
                target = of_field(&mut resolver, fields, "target")?;
            }
        }
        if let Some(pk) = target.get("pk") {
            target = pk.clone();
        }
        self.replace_pk(&mut target)?;
        let id = target.as_str().and_then(|id| id.parse().ok());
        let found = match id {
            Some(id) => self.staged.target(id).map_err(|miss| miss.at(entry.span))?,
            None => None,
        };
        match found {
            Some(Object::Flow(flow)) => Ok(Some(flow.pk)),
            Some(Object::Binding(binding)) => Ok(Some(binding.target)),
            // Nobody logs in there yet, so nothing is open.
            Some(Object::Source(_)) => Ok(None),
            _ => Err(Problem::at(entry.span, "no such target").into()),
        }
    }
}

/// One of the fields, without a look at the others, which may be what cannot be resolved.
fn of_field(resolver: &mut Resolver<'_>, fields: &Expr, name: &str) -> Result<Value, Stop> {
    match &fields.form {
        Form::Mapping(pairs) => match pairs.iter().find(|(field, _)| field == name) {
            Some((_, value)) => resolver.resolve(value),
            None => Ok(Value::Null),
        },
        _ => Ok(resolver
            .resolve(fields)?
            .get(name)
            .cloned()
            .unwrap_or_default()),
    }
}

/// What the stage is called that keeps this flow closed.
fn name_of(flow: &Flow) -> String {
    format!("{}-incomplete", flow.slug)
}

/// The objects that keep a flow closed, made unless they are there; none if there is no such flow.
/// Flows, stages and bindings have been read.
///
/// # Errors
/// Why the flow cannot be closed.
pub(super) fn close(flow: Uuid, staged: &Staged, clock: &Clock) -> Result<Option<Closed>, Miss> {
    let Some(Object::Flow(flow)) = staged.get(Flow::KIND, flow)? else {
        return Ok(None);
    };
    let name = name_of(flow);
    let stage = match staged.holder(Stage::KIND, "name", name.as_bytes().to_vec())? {
        Some(Object::Stage(stage)) if stage.kind == Kind::Deny.name() => {
            (stage.clone(), Outcome::Unchanged)
        }
        Some(_) => {
            return Err(Miss::Wrong(format!(
                "flow {} has to be closed, but its stage {name} is no deny stage",
                flow.slug
            )));
        }
        None => {
            let mut settings = Map::new();
            settings.insert("deny_message".to_owned(), MESSAGE.into());
            let stage = Stage::new(clock, Kind::Deny.name(), &name, settings);
            (stage, Outcome::Created)
        }
    };
    let first = staged.all(FlowStageBinding::KIND)?.into_iter();
    let first = first.filter_map(|object| match object {
        Object::Binding(it) if it.target == flow.pk && it.order == FIRST => Some(it),
        _ => None,
    });
    let (mut own, others): (Vec<_>, Vec<_>) = first.partition(|it| it.stage == stage.0.pk);
    if !others.is_empty() {
        return Err(Miss::Wrong(format!(
            "flow {} has to be closed, but no stage can come before that at order {FIRST}",
            flow.slug
        )));
    }
    let binding = if let Some(binding) = own.pop() {
        (Object::Binding(binding.clone()), Outcome::Unchanged)
    } else {
        let binding = FlowStageBinding::new(clock, flow.pk, stage.0.pk, FIRST);
        (Object::Binding(binding), Outcome::Created)
    };
    Ok(Some(Closed {
        stage: (Object::Stage(stage.0), stage.1),
        binding,
    }))
}

/// The stage that an earlier import closed this flow with, if it is still bound to it.
pub(super) fn closed_by(flow: Uuid, staged: &Staged) -> Result<Option<String>, Miss> {
    let Some(Object::Flow(flow)) = staged.get(Flow::KIND, flow)? else {
        return Ok(None);
    };
    let name = name_of(flow);
    let Some(stage) = staged.holder(Stage::KIND, "name", name.as_bytes().to_vec())? else {
        return Ok(None);
    };
    let place = FlowStageBinding::place(flow.pk, stage.stream().id, FIRST);
    let bound = staged.holder(FlowStageBinding::KIND, "place", place)?;
    Ok(bound.map(|_| name))
}
