//! Flows that ask with prompts.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::COMPONENT;
use crate::support::{Answer, TestServer, Visitor};

/// A flow whose first stage asks with prompts; a dummy stage follows.
pub(super) struct Ask {
    slug: String,
    prompts: Vec<(String, Value)>,
    policies: Vec<(String, String)>,
    /// An expression that is asked before the stage, and may put something into the plan.
    before: Option<String>,
}

impl Ask {
    pub(super) fn new(slug: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            prompts: Vec::new(),
            policies: Vec::new(),
            before: None,
        }
    }

    /// Adds a prompt of this type under this key.
    pub(super) fn prompt(mut self, key: &str, kind: &str, mut attrs: Value) -> Self {
        let order = self.prompts.len();
        let own = json!({ "field_key": key, "type": kind, "label": key, "order": order });
        for (name, value) in own.as_object().expect("an object") {
            if attrs.get(name).is_none() {
                attrs[name] = value.clone();
            }
        }
        self.prompts.push((format!("{}-{order}", self.slug), attrs));
        self
    }

    /// Adds an expression that has to pass for what was typed.
    pub(super) fn valid(mut self, expression: &str) -> Self {
        let name = format!("{}-valid-{}", self.slug, self.policies.len());
        self.policies.push((name, expression.to_owned()));
        self
    }

    /// Lays this out as `prompt_data` before the stage.
    pub(super) fn knowing(mut self, data: &str) -> Self {
        self.before = Some(format!(
            "context['flow_plan'].context['prompt_data'] = {data}\nreturn True"
        ));
        self
    }

    pub(super) fn yaml(&self) -> String {
        let slug = &self.slug;
        let mut yaml = format!(
            "version: 1\nentries:\n- model: authentik_flows.flow\n  id: flow\n  identifiers: \
             {{slug: {slug}}}\n  attrs: {{name: {slug}, title: {slug}, designation: enrollment, \
             authentication: none}}\n"
        );
        let mut entry = |model: &str, name: &str, attrs: &Value| {
            let name = json!(name);
            write!(
                yaml,
                "- model: {model}\n  id: {name}\n  identifiers: {{name: {name}}}\n  attrs: {attrs}\n"
            )
            .expect("a string takes any text");
        };
        for (name, attrs) in &self.prompts {
            entry("authentik_stages_prompt.prompt", name, attrs);
        }
        let before = format!("{slug}-before");
        let policies = self.before.iter().map(|source| (&before, source));
        let policies = policies.chain(self.policies.iter().map(|(name, source)| (name, source)));
        for (name, expression) in policies {
            let attrs = json!({ "expression": expression });
            entry(
                "authentik_policies_expression.expressionpolicy",
                name,
                &attrs,
            );
        }
        let end = format!("{slug}-end");
        entry("authentik_stages_dummy.dummystage", &end, &json!({}));
        let keys = |names: Vec<&String>| {
            let tags = names.iter().map(|name| format!("!KeyOf {}", json!(name)));
            tags.collect::<Vec<_>>().join(", ")
        };
        let fields = keys(self.prompts.iter().map(|(name, _)| name).collect());
        let policies = keys(self.policies.iter().map(|(name, _)| name).collect());
        write!(
            yaml,
            "- model: authentik_stages_prompt.promptstage\n  id: stage\n  identifiers: {{name: \
             {slug}-stage}}\n  attrs: {{fields: [{fields}], validation_policies: [{policies}]}}\n\
             - model: authentik_flows.flowstagebinding\n  id: place\n  identifiers: {{target: \
             !KeyOf flow, stage: !KeyOf stage, order: 0}}\n\
             - model: authentik_flows.flowstagebinding\n  identifiers: {{target: !KeyOf flow, \
             stage: !KeyOf {end}, order: 1}}\n"
        )
        .expect("a string takes any text");
        if self.before.is_some() {
            write!(
                yaml,
                "- model: authentik_policies.policybinding\n  identifiers: {{target: !KeyOf \
                 place, policy: !KeyOf {before}, order: 0}}\n"
            )
            .expect("a string takes any text");
        }
        yaml
    }

    /// Makes the flow and opens it.
    pub(super) async fn opened(&self, server: &TestServer) -> (Visitor, Answer) {
        server.apply(&self.yaml());
        let mut visitor = server.visitor();
        let answer = visitor.opens(&self.slug).await;
        answer.sees(COMPONENT);
        (visitor, answer)
    }
}
