//! The way through a flow: which stages were passed, left out, or are still to come, and why.

use serde::Serialize;
use uuid::Uuid;

use super::Place;
use crate::flow::execution::{End, Execution};
use crate::flow::plan::PlannedStage;
use crate::flow::verdict::{PlanChange, Target};
use crate::flow::{Event, event::Check};

/// How it went at a place of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A flow begins here: the first one, the same again, or another.
    Flow,
    /// The stage was passed.
    Passed,
    /// The stage was left out.
    Skipped,
    /// The visitor is at it.
    Here,
    /// The stage could not do its work.
    Failed,
    /// Here the visitor was refused.
    Denied,
    /// It was given up, began again or was left for something else.
    Left,
    /// The stage is still to come.
    Ahead,
}

/// A place of the way: a stage, or the beginning of a flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// The stage's name, or the flow's slug.
    pub name: String,
    /// The stage's kind, where it is known.
    pub kind: Option<String>,
    /// The stage, where it is known.
    pub stage: Option<Uuid>,
    /// The binding that put it there.
    pub binding: Option<Uuid>,
    /// How it went.
    pub how: How,
    /// The policy that put it there.
    pub by: Option<String>,
    /// What policies said of it, and what else decided.
    pub reasons: Vec<String>,
    /// How many answers were refused there.
    pub refused: u32,
    /// Where it was entered.
    pub from: Option<Place>,
    /// Where it was decided how it went.
    pub to: Option<Place>,
}

impl Node {
    fn of(stage: &PlannedStage, how: How) -> Self {
        let is_made_up = stage.settings.is_some();
        Self {
            name: stage.name.clone(),
            kind: Some(stage.kind.clone()),
            stage: (!is_made_up).then_some(stage.stage.id),
            binding: (!is_made_up).then_some(stage.binding.id),
            how,
            by: None,
            reasons: Vec::new(),
            refused: 0,
            from: None,
            to: None,
        }
    }

    fn named(name: &str, binding: Option<Uuid>, how: How, to: Place) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
            stage: None,
            binding,
            how,
            by: None,
            reasons: Vec::new(),
            refused: 0,
            from: None,
            to: Some(to),
        }
    }
}

/// Follows the way from event to event.
#[derive(Debug, Default)]
pub(super) struct Way {
    behind: Vec<Node>,
    /// What the current stage's place has besides what the plan says.
    here: Here,
    /// What policies said since the last that was decided about.
    said: Vec<String>,
    /// Whether that came to a decision.
    decided: bool,
    /// Which policies put stages into the plan, by the stage's name.
    inserted: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Here {
    reasons: Vec<String>,
    refused: u32,
    from: Option<Place>,
}

impl Way {
    /// `before` is the state that the event meets; `lines` tell the event.
    pub(super) fn takes(
        &mut self,
        before: &Execution,
        event: &Event,
        lines: &[String],
        place: Place,
    ) {
        match event {
            Event::Started { slug, .. } => self.begins(slug, Vec::new(), place),
            Event::PolicyEvaluated(_) | Event::PolicyFailed(_) => {
                if std::mem::take(&mut self.decided) {
                    self.said.clear();
                }
                self.said.extend_from_slice(lines);
            }
            Event::EngineDecided(decided) => {
                if std::mem::replace(&mut self.decided, true) {
                    self.said.clear();
                }
                self.said.extend_from_slice(lines);
                match &decided.target {
                    Target::Flow { .. } => {
                        let said = std::mem::take(&mut self.said);
                        let flow = self.behind.iter_mut().rfind(|it| it.how == How::Flow);
                        if let Some(flow) = flow {
                            flow.reasons.extend(said);
                        }
                    }
                    Target::Binding { .. } if decided.passing => {
                        self.here.reasons = std::mem::take(&mut self.said);
                    }
                    Target::Binding { .. } | Target::Application { .. } | Target::Prompt { .. } => {
                    }
                }
            }
            Event::StageSkipped { stage, binding, .. } => {
                let current = current(before).filter(|it| it.binding.id == *binding);
                let mut node = current.map_or_else(
                    || Node::named(stage, Some(*binding), How::Skipped, place),
                    |it| Node::of(it, How::Skipped),
                );
                node.reasons = std::mem::take(&mut self.said);
                node.from = self.here.from;
                self.leaves(node, place);
            }
            Event::StageEntered { .. } => self.here.from = Some(place),
            Event::ResponseRejected { .. } => self.here.refused += 1,
            Event::StageCompleted { .. } => self.current(before, How::Passed, Vec::new(), place),
            Event::PlanChanged { change, by } => {
                let (PlanChange::Insert { stage, .. }
                | PlanChange::Append { stage }
                | PlanChange::Redirect { stage }) = change;
                self.inserted.push((stage.name.clone(), by.clone()));
                if let PlanChange::Redirect { .. } = change {
                    self.current(before, How::Left, lines.to_vec(), place);
                }
            }
            Event::Restarted { .. } => {
                self.current(before, How::Left, Vec::new(), place);
                let slug = before.latest().map(|it| it.slug.clone());
                self.begins(&slug.unwrap_or_default(), lines.to_vec(), place);
            }
            Event::Redirected { slug, .. } => {
                self.current(before, How::Passed, Vec::new(), place);
                self.begins(slug, lines.to_vec(), place);
            }
            Event::Denied { check, .. } => self.denied(before, check, lines, place),
            Event::Cancelled { .. } | Event::Expired => {
                self.current(before, How::Left, lines.to_vec(), place);
            }
            _ => {}
        }
    }

    fn begins(&mut self, slug: &str, reasons: Vec<String>, place: Place) {
        let mut node = Node::named(slug, None, How::Flow, place);
        node.reasons = reasons;
        self.leaves(node, place);
    }

    /// The current stage becomes part of what is behind; nothing where there is none.
    fn current(&mut self, before: &Execution, how: How, reasons: Vec<String>, place: Place) {
        let Some(stage) = current(before) else {
            return;
        };
        let mut node = Node::of(stage, how);
        node.reasons = std::mem::take(&mut self.here.reasons);
        node.reasons.extend(reasons);
        node.refused = self.here.refused;
        node.from = self.here.from;
        self.leaves(node, place);
    }

    fn denied(&mut self, before: &Execution, check: &Check, lines: &[String], place: Place) {
        let by_flow = matches!(check, Check::Requirement | Check::Policies | Check::Next);
        let is_at_stage = before.running().is_some_and(|it| it.entered);
        if is_at_stage && !by_flow {
            return self.current(before, How::Denied, lines.to_vec(), place);
        }
        let slug = before.latest().map(|it| it.slug.clone());
        let mut node = Node::named(&slug.unwrap_or_default(), None, How::Denied, place);
        node.reasons = lines.to_vec();
        self.leaves(node, place);
    }

    fn leaves(&mut self, mut node: Node, place: Place) {
        node.to = Some(place);
        node.by = self.inserter(&node.name);
        self.behind.push(node);
        self.here = Here::default();
    }

    fn inserter(&self, name: &str) -> Option<String> {
        let mut all = self.inserted.iter().rev();
        let (_, by) = all.find(|(stage, _)| stage == name)?;
        Some(by.clone())
    }

    /// All of it: what is behind, where `now` stands, and what is ahead.
    pub(super) fn nodes(&self, now: &Execution) -> Vec<Node> {
        let mut nodes = self.behind.clone();
        let Execution::Running(running) = now else {
            if let Execution::Ended(ended) = now
                && !matches!(ended.how, End::Completed { .. })
            {
                // What would have come, had it not ended before.
                let was_at = usize::from(ended.last.entered);
                let rest = ended.last.plan.0.iter().skip(was_at);
                nodes.extend(rest.map(|stage| self.ahead(stage)));
            }
            return nodes;
        };
        for (place, stage) in running.plan.0.iter().enumerate() {
            let mut node = self.ahead(stage);
            if place == 0 {
                node.reasons.clone_from(&self.here.reasons);
                if running.entered {
                    node.how = How::Here;
                    node.refused = self.here.refused;
                    node.from = self.here.from;
                }
                if let Some(failure) = &running.failure {
                    node.how = How::Failed;
                    node.reasons.push(failure.clone());
                }
            }
            nodes.push(node);
        }
        nodes
    }

    fn ahead(&self, stage: &PlannedStage) -> Node {
        let mut node = Node::of(stage, How::Ahead);
        node.by = self.inserter(&stage.name);
        node
    }
}

fn current(before: &Execution) -> Option<&PlannedStage> {
    before.running()?.plan.current()
}
