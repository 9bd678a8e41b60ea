//! Blueprints of small flows.

use std::fmt::Write as _;

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

    /// Adds a stage that is in no flow, for others to name it as `!KeyOf <name>`. It comes
    /// before those that are added later.
    pub(crate) fn unbound(mut self, kind: &str, name: &str, attrs: Value) -> Self {
        self = self.bound(kind, name, attrs, Value::Null);
        self
    }

    /// The blueprint.
    pub(crate) fn yaml(&self) -> String {
        let slug = json!(self.slug);
        let mut yaml = format!(
            "version: 1\nmetadata:\n  name: {slug}\nentries:\n\
             - model: authentik_flows.flow\n  id: flow\n  identifiers:\n    slug: {slug}\n"
        );
        attributes(&mut yaml, &Value::Object(self.attrs.clone()));
        for (order, stage) in self.stages.iter().enumerate() {
            let Stage {
                model,
                name,
                attrs,
                binding,
            } = stage;
            let quoted = json!(name);
            let stage = format!("id: {quoted}\n  identifiers:\n    name: {quoted}\n");
            writes(&mut yaml, format_args!("- model: {model}\n  {stage}"));
            attributes(&mut yaml, attrs);
            if binding.is_null() {
                continue;
            }
            let between = format_args!(
                "- model: authentik_flows.flowstagebinding\n  identifiers:\n    \
                 target: !KeyOf flow\n    stage: !KeyOf {name}\n    order: {order}\n"
            );
            writes(&mut yaml, between);
            attributes(&mut yaml, binding);
        }
        yaml
    }
}

/// Writes the fields of an entry. JSON is YAML too; a text that begins with `!` is a tag.
fn attributes(yaml: &mut String, attrs: &Value) {
    let fields = attrs.as_object().expect("fields are an object");
    if fields.is_empty() {
        return;
    }
    yaml.push_str("  attrs:\n");
    for (key, value) in fields {
        match value.as_str().filter(|text| text.starts_with('!')) {
            Some(tag) => writes(yaml, format_args!("    {key}: {tag}\n")),
            None => writes(yaml, format_args!("    {key}: {value}\n")),
        }
    }
}

fn writes(yaml: &mut String, text: std::fmt::Arguments<'_>) {
    yaml.write_fmt(text).expect("a string takes any text");
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
