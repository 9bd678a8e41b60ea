//! The plan: what is left to do, and what an expression may change in it.
//!
//! Source: authentik `flows/planner.py`.

use serde_json::{Map, json};
use uuid::Uuid;

use super::catalog::setting;
use super::{Answers, absent, names, no_method};
use crate::catalog::stage::SECRETS;
use crate::expression::{Call, Failure, Object, Value};
use crate::flow::event::Event;
use crate::flow::plan::{Pinned, Plan, PlannedStage};
use crate::flow::verdict::PlanChange;
use crate::policy::{Effect, request};

/// A stage, or a stage's place, that no flow binds: after a question mark, which no identifier
/// begins with, its place in the plan counted from the end, so that a stage in front of it does
/// not make it another one.
const MADE: char = '?';

/// What a handle means that no flow binds.
pub(super) struct Made {
    from_end: usize,
    is_binding: bool,
}

/// The place in the plan that a handle means.
pub(super) fn made(object: &Object) -> Option<Made> {
    let is_binding = object.class == "FlowStageBinding";
    if !is_binding && !names::is_stage(&object.class) {
        return None;
    }
    let from_end = object.id.strip_prefix(MADE)?.parse().ok()?;
    Some(Made {
        from_end,
        is_binding,
    })
}

impl Answers<'_> {
    /// The plan with all that is wanted so far.
    pub(super) fn plan(&self) -> Option<Plan> {
        let mut plan = self.request.scope.plan()?;
        for wish in self.request.scope.wishes() {
            if let Effect::Learn(Event::PlanChanged { change, .. }) = wish {
                plan.change(&change);
            }
        }
        Some(plan)
    }

    pub(super) fn plan_attribute(&self, name: &str) -> Result<Option<Value>, Failure> {
        let stages = self.plan().unwrap_or_default().0;
        let count = stages.len();
        Ok(Some(match name {
            "flow_pk" => {
                let flow = match self.request.object {
                    request::Object::Flow(flow) => Some(flow.pk),
                    request::Object::Binding(binding) => Some(binding.target),
                    request::Object::None | request::Object::Application(_) => None,
                };
                flow.map(|flow| flow.simple().to_string()).into()
            }
            "has_stages" => Value::Bool(count > 0),
            "bindings" => {
                let binding = |(at, stage): (usize, &PlannedStage)| {
                    let id = if stage.binding.version > 0 {
                        stage.binding.id.to_string()
                    } else {
                        format!("{MADE}{}", count - at)
                    };
                    Value::Object(Object::new("FlowStageBinding", id))
                };
                Value::List(stages.iter().enumerate().map(binding).collect())
            }
            "markers" => {
                let marker = |(at, stage): (usize, &PlannedStage)| {
                    let class = if stage.re_evaluate {
                        "ReevaluateMarker"
                    } else {
                        "StageMarker"
                    };
                    Value::Object(Object::new(class, at.to_string()))
                };
                Value::List(stages.iter().enumerate().map(marker).collect())
            }
            _ => return Ok(None),
        }))
    }

    /// A stage, or a stage's place, that no flow binds.
    pub(super) async fn of_made(&self, made: &Made, name: &str) -> Result<Option<Value>, Failure> {
        let stages = self.plan().unwrap_or_default().0;
        let at = stages.len().checked_sub(made.from_end);
        let Some(stage) = at.and_then(|at| stages.get(at)) else {
            return Ok(None);
        };
        if !made.is_binding {
            return Ok(match name {
                "name" => Some(Value::text(&stage.name)),
                "pk" => Some(Value::None),
                name if SECRETS.contains(&name) => None,
                name => stage.settings.as_ref().and_then(|it| setting(it, name)),
            });
        }
        Ok(Some(match name {
            "stage" if stage.settings.is_none() => self.stage(stage.stage.id).await?,
            "stage" => {
                let id = format!("{MADE}{}", made.from_end);
                Value::Object(Object::new(names::stage(&stage.kind), id))
            }
            "order" => Value::Int(0),
            "pk" => Value::None,
            "evaluate_on_plan" | "re_evaluate_policies" => Value::Bool(false),
            "invalid_response_action" => Value::text(stage.on_invalid.as_str()),
            _ => return Ok(None),
        }))
    }

    pub(super) async fn plan_method(&self, call: &Call) -> Result<Value, Failure> {
        let change = match call.name.as_str() {
            "redirect" => PlanChange::Redirect {
                stage: redirect(call.argument(0, "destination"))?,
            },
            "insert_stage" => {
                let stage = self.planned(call).await?;
                let length = self.plan().unwrap_or_default().0.len();
                let at = match call.argument(2, "index") {
                    None => 1,
                    Some(Value::Int(at)) => *at,
                    Some(_) => return Err(Failure::raise("TypeError", "index is a number")),
                };
                let at = place(at, length);
                PlanChange::Insert { at, stage }
            }
            "append_stage" => PlanChange::Append {
                stage: self.planned(call).await?,
            },
            name => return Err(no_method("FlowPlan", name)),
        };
        if self.request.scope.plan().is_none() {
            return Err(absent("a change of the plan where there is none"));
        }
        self.learn(Event::PlanChanged {
            change,
            by: self.request.policy.to_owned(),
        });
        Ok(Value::None)
    }

    /// The stage that a call names, pinned to the revision that it has now.
    async fn planned(&self, call: &Call) -> Result<PlannedStage, Failure> {
        if !matches!(call.argument(1, "marker"), None | Some(Value::None)) {
            return Err(absent("a marker of a stage"));
        }
        let named = match call.argument(0, "stage") {
            Some(Value::Object(stage)) if names::is_stage(&stage.class) => stage,
            _ => return Err(Failure::raise("TypeError", "a stage is expected")),
        };
        let row = self.row(named).await?;
        let Some(super::Row::Stage(stage)) = row.as_deref() else {
            return Err(Failure::raise("ValueError", "there is no such stage"));
        };
        Ok(PlannedStage {
            stage: Pinned {
                id: stage.value.pk,
                version: stage.version.0,
            },
            kind: stage.value.kind.clone(),
            name: stage.value.name.clone(),
            ..PlannedStage::nowhere()
        })
    }
}

/// As `list.insert` understands a place.
fn place(at: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if at < 0 { length + at } else { at };
    usize::try_from(at.clamp(0, length)).unwrap_or_default()
}

/// A stage that leads to `destination`. Its name says where to, but not what the address holds.
fn redirect(destination: Option<&Value>) -> Result<PlannedStage, Failure> {
    let Some(Value::Text(destination)) = destination else {
        return Err(Failure::raise("TypeError", "a destination is a text"));
    };
    let place = match url::Url::parse(destination.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            url.host_str().unwrap_or_default().to_owned()
        }
        Ok(_) => {
            let text = "a destination is a path or an http(s) address";
            return Err(Failure::raise("ValueError", text));
        }
        Err(_) => {
            let path = destination.split(['?', '#']).next();
            path.unwrap_or_default().to_owned()
        }
    };
    if destination.trim().is_empty() {
        return Err(Failure::raise("ValueError", "a destination is not empty"));
    }
    let settings = Map::from_iter([
        ("mode".to_owned(), json!("static")),
        ("target_static".to_owned(), json!(destination)),
        ("target_flow".to_owned(), json!(None::<Uuid>)),
        ("keep_context".to_owned(), json!(true)),
    ]);
    let name = format!("redirect to {place}");
    Ok(PlannedStage::made_up("redirect", &name, settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_as_python_does() {
        assert_eq!(
            [place(1, 3), place(9, 3), place(-1, 3), place(-9, 3)],
            [1, 3, 2, 0]
        );
    }

    #[test]
    fn a_redirect_is_called_by_where_it_leads_and_by_nothing_that_the_address_holds() {
        let named = |to: &str| redirect(Some(&to.into())).map(|stage| stage.name).ok();
        for (to, name) in [
            (
                "https://app.example/x?code=1",
                Some("redirect to app.example"),
            ),
            ("/if/user/?code=1", Some("redirect to /if/user/")),
            ("javascript:alert(1)", None),
            ("  ", None),
        ] {
            assert_eq!(named(to).as_deref(), name, "{to}");
        }
    }
}
