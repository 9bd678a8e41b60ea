//! Collects what flows need. Reads objects one by one, as they are referred to, and writes nothing.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use super::super::model::{Object, STAGE_LISTS, STAGE_REFERENCES};
use crate::catalog::{
    Flow, Policy, PolicyBinding, Prompt, Source, Stage, WebhookMapping, bindings_of, conditions_of,
};
use crate::directory::{Group, User};
use crate::journal::object::{self, Stored};
use crate::journal::{Journal, Kind, Result};

/// What an export consists of.
pub(super) struct Gathered {
    /// The objects in the order of their entries: nothing refers to what comes after it.
    pub(super) objects: Vec<Object>,
    /// The own key of each flow and each binding, by that under which policies are bound to it.
    pub(super) targets: HashMap<Uuid, Uuid>,
    /// What is referred to and does not come along, by its key.
    pub(super) outside: HashMap<Uuid, Outside>,
}

/// An object that has to be there already, by what people know it.
pub(super) struct Outside {
    pub(super) model: &'static str,
    pub(super) field: &'static str,
    pub(super) called: String,
}

/// Collects the flows with all that they need.
pub(super) async fn gather(objects: &dyn Journal, mut flows: Vec<Flow>) -> Result<Gathered> {
    flows.sort_by(|a, b| a.slug.cmp(&b.slug));
    flows.dedup_by_key(|flow| flow.pk);
    let mut gatherer = Gatherer {
        objects,
        seen: flows.iter().map(|flow| flow.pk).collect(),
        prompts: Vec::new(),
        policies: Vec::new(),
        mappings: Vec::new(),
        groups: Vec::new(),
        stages: Vec::new(),
        bindings: Vec::new(),
        conditions: Vec::new(),
        targets: HashMap::new(),
        outside: HashMap::new(),
    };
    for flow in &flows {
        gatherer.flow(flow).await?;
    }
    let mut all: Vec<Object> = flows.into_iter().map(Object::Flow).collect();
    for part in [
        gatherer.prompts,
        gatherer.policies,
        gatherer.mappings,
        gatherer.groups,
        gatherer.stages,
        gatherer.bindings,
        gatherer.conditions,
    ] {
        all.extend(part);
    }
    Ok(Gathered {
        objects: all,
        targets: gatherer.targets,
        outside: gatherer.outside,
    })
}

struct Gatherer<'a> {
    objects: &'a dyn Journal,
    seen: HashSet<Uuid>,
    prompts: Vec<Object>,
    policies: Vec<Object>,
    mappings: Vec<Object>,
    groups: Vec<Object>,
    stages: Vec<Object>,
    bindings: Vec<Object>,
    conditions: Vec<Object>,
    targets: HashMap<Uuid, Uuid>,
    outside: HashMap<Uuid, Outside>,
}

impl Gatherer<'_> {
    async fn flow(&mut self, flow: &Flow) -> Result<()> {
        self.conditions(flow.pbm, flow.pk).await?;
        for binding in bindings_of(self.objects, flow.pk).await? {
            let binding = binding.value;
            self.conditions(binding.pbm, binding.pk).await?;
            self.stage(binding.stage).await?;
            self.bindings.push(Object::Binding(binding));
        }
        Ok(())
    }

    /// What is bound to a flow or to a stage's place in one.
    async fn conditions(&mut self, pbm: Uuid, target: Uuid) -> Result<()> {
        self.targets.insert(pbm, target);
        for condition in conditions_of(self.objects, pbm).await? {
            let condition = condition.value;
            let PolicyBinding {
                policy,
                group,
                user,
                ..
            } = condition;
            for (kind, id) in [
                (Policy::KIND, policy),
                (Group::KIND, group),
                (User::KIND, user),
            ] {
                if let Some(id) = id {
                    self.refer(kind, id).await?;
                }
            }
            self.conditions.push(Object::PolicyBinding(condition));
        }
        Ok(())
    }

    /// A stage, after all that it refers to.
    fn stage(&mut self, id: Uuid) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if !self.seen.insert(id) {
                return Ok(());
            }
            let Some(stage) = object::get::<Stage>(self.objects, id).await? else {
                return Ok(());
            };
            for (name, kind) in STAGE_REFERENCES.iter().chain(STAGE_LISTS) {
                for id in ids(stage.value.settings.get(*name)) {
                    self.refer(*kind, id).await?;
                }
            }
            self.stages.push(Object::Stage(stage.value));
            Ok(())
        })
    }

    async fn refer(&mut self, kind: Kind, id: Uuid) -> Result<()> {
        match kind {
            Stage::KIND => return self.stage(id).await,
            Group::KIND => return self.group(id).await,
            _ => {}
        }
        if !self.seen.insert(id) {
            return Ok(());
        }
        let objects = self.objects;
        match kind {
            Prompt::KIND => {
                let found = object::get::<Prompt>(objects, id).await?;
                self.prompts
                    .extend(found.map(|it| Object::Prompt(it.value)));
            }
            Policy::KIND => {
                let found = object::get::<Policy>(objects, id).await?;
                self.policies
                    .extend(found.map(|it| Object::Policy(it.value)));
            }
            WebhookMapping::KIND => {
                let found = object::get::<WebhookMapping>(objects, id).await?;
                let found = found.map(|it| Object::WebhookMapping(it.value));
                self.mappings.extend(found);
            }
            _ => {
                if let Some(outside) = outside(objects, kind, id).await? {
                    self.outside.insert(id, outside);
                }
            }
        }
        Ok(())
    }

    /// A group, after those above it.
    fn group(&mut self, id: Uuid) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if !self.seen.insert(id) {
                return Ok(());
            }
            if let Some(group) = object::get::<Group>(self.objects, id).await? {
                for parent in &group.value.parents {
                    self.group(*parent).await?;
                }
                self.groups.push(Object::Group(group.value));
            }
            Ok(())
        })
    }
}

async fn outside(objects: &dyn Journal, kind: Kind, id: Uuid) -> Result<Option<Outside>> {
    let named = |model, field, called| {
        Some(Outside {
            model,
            field,
            called,
        })
    };
    Ok(match kind {
        Flow::KIND => object::get::<Flow>(objects, id)
            .await?
            .and_then(|it| named("authentik_flows.flow", "slug", it.value.slug.to_string())),
        Source::KIND => object::get::<Source>(objects, id)
            .await?
            .and_then(|it| named(it.value.kind.model(), "slug", it.value.slug.to_string())),
        User::KIND => object::get::<User>(objects, id)
            .await?
            .and_then(|it| named("authentik_core.user", "username", it.value.username)),
        _ => None,
    })
}

/// The keys in a setting: one, several, or none.
pub(super) fn ids(value: Option<&Value>) -> Vec<Uuid> {
    let parse = |value: &Value| value.as_str().and_then(|id| id.parse().ok());
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(parse).collect(),
        Some(single) => parse(single).into_iter().collect(),
        None => Vec::new(),
    }
}
