//! Blueprints of small flows.

use serde_json::{Map, Value, json};

/// A flow, its stages and their bindings.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    slug: String,
    attrs: Map<String, Value>,
    stages: Vec<Stage>,
}

#[derive(Clone, Debug)]
struct Stage {
    model: &'static str,
    name: String,
    attrs: Value,
    binding: Value,
}

impl Flow {
    /// A flow that logs in, with no stage yet.
    pub(crate) fn new(slug: &str) -> Self {
        let attrs = json!({
            "name": slug,
            "title": format!("Title of {slug}"),
            "designation": "authentication",
            "authentication": "none",
        });
        let Value::Object(attrs) = attrs else {
            unreachable!("it is written as an object")
        };
        Self {
            slug: slug.to_owned(),
            attrs,
            stages: Vec::new(),
        }
    }

    /// Sets a field of the flow.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attrs.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a stage; `kind` as in `dummy` or `user_login`.
    pub(crate) fn stage(self, kind: &str, name: &str, attrs: Value) -> Self {
        self.bound(kind, name, attrs, json!({}))
    }

    /// Adds a stage, with fields of its binding.
    pub(crate) fn bound(mut self, kind: &str, name: &str, attrs: Value, binding: Value) -> Self {
        self.stages.push(Stage {
            model: model(kind),
            name: name.to_owned(),
            attrs,
            binding,
        });
        self
    }

    /// Adds a stage that asks for nothing but an answer.
    pub(crate) fn dummy(self, name: &str) -> Self {
        self.stage("dummy", name, json!({}))
    }

    /// Adds the two stages that a login begins with.
    pub(crate) fn identification_and_password(self) -> Self {
        let slug = self.slug.clone();
        let who = json!({ "user_fields": ["username", "email"] });
        let what = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
        self.stage("identification", &format!("{slug}-identification"), who)
            .stage("password", &format!("{slug}-password"), what)
    }

    /// The blueprint. JSON is YAML too, so fields need no other form.
    pub(crate) fn yaml(&self) -> String {
        let Self {
            slug,
            attrs,
            stages,
        } = self;
        let attrs = Value::Object(attrs.clone());
        let mut yaml = format!(
            "version: 1\nmetadata:\n  name: {slug}\nentries:\n\
             - model: authentik_flows.flow\n  id: flow\n  identifiers: {{slug: {slug}}}\n  \
             attrs: {attrs}\n"
        );
        for (order, stage) in stages.iter().enumerate() {
            let Stage {
                model,
                name,
                attrs,
                binding,
            } = stage;
            let name = json!(name);
            yaml.push_str(&format!(
                "- model: {model}\n  id: stage{order}\n  identifiers: {{name: {name}}}\n  \
                 attrs: {attrs}\n\
                 - model: authentik_flows.flowstagebinding\n  identifiers:\n    \
                 target: !KeyOf flow\n    stage: !KeyOf stage{order}\n    order: {order}\n  \
                 attrs: {binding}\n"
            ));
        }
        yaml
    }
}

fn model(kind: &str) -> &'static str {
    match kind {
        "deny" => "authentik_stages_deny.denystage",
        "dummy" => "authentik_stages_dummy.dummystage",
        "identification" => "authentik_stages_identification.identificationstage",
        "password" => "authentik_stages_password.passwordstage",
        "redirect" => "authentik_stages_redirect.redirectstage",
        "user_login" => "authentik_stages_user_login.userloginstage",
        "user_logout" => "authentik_stages_user_logout.userlogoutstage",
        other => panic!("no stage is called {other}"),
    }
}
