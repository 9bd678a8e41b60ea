//! Blueprints of small flows.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// A flow, its stages and their bindings.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    slug: String,
    attrs: Map<String, Value>,
    stages: Vec<Stage>,
    policies: Vec<Policy>,
    conditions: Vec<Condition>,
}

/// A policy, as a blueprint has it.
#[derive(Clone, Debug)]
struct Policy {
    kind: String,
    name: String,
    attrs: Value,
}

/// Something that the flow, or one of its stages, is bound to.
#[derive(Clone, Debug)]
struct Condition {
    /// The stage; `None` for the flow itself.
    stage: Option<String>,
    /// `policy`, `group` or `user`, and the value of that field.
    asks: (&'static str, String),
    attrs: Value,
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
            policies: Vec::new(),
            conditions: Vec::new(),
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

    /// Adds a policy; `kind` as in `dummy` or `expression`.
    pub(crate) fn policy(mut self, kind: &str, name: &str, attrs: Value) -> Self {
        self.policies.push(Policy {
            kind: kind.to_owned(),
            name: name.to_owned(),
            attrs,
        });
        self
    }

    /// Adds a policy that says what the expression returns.
    pub(crate) fn expression(self, name: &str, expression: &str) -> Self {
        self.policy("expression", name, json!({ "expression": expression }))
    }

    /// Adds a policy that always says the same.
    pub(crate) fn saying(self, name: &str, result: bool) -> Self {
        self.policy("dummy", name, json!({ "result": result }))
    }

    /// Binds the flow itself to a policy.
    pub(crate) fn lets_in(self, policy: &str, attrs: Value) -> Self {
        let asks = ("policy", format!("!KeyOf policy-{policy}"));
        self.condition(None, asks, attrs)
    }

    /// Binds a stage to a policy, with fields of that binding.
    pub(crate) fn asks(self, stage: &str, policy: &str, attrs: Value) -> Self {
        let asks = ("policy", format!("!KeyOf policy-{policy}"));
        self.condition(Some(stage), asks, attrs)
    }

    /// Binds a stage, or the flow, to a group by its name.
    pub(crate) fn for_group(self, stage: Option<&str>, group: &str, attrs: Value) -> Self {
        let find = format!("!Find [authentik_core.group, [name, {group}]]");
        self.condition(stage, ("group", find), attrs)
    }

    /// Binds a stage, or the flow, to a user by name.
    pub(crate) fn for_user(self, stage: Option<&str>, user: &str, attrs: Value) -> Self {
        let find = format!("!Find [authentik_core.user, [username, {user}]]");
        self.condition(stage, ("user", find), attrs)
    }

    fn condition(
        mut self,
        stage: Option<&str>,
        asks: (&'static str, String),
        attrs: Value,
    ) -> Self {
        self.conditions.push(Condition {
            stage: stage.map(str::to_owned),
            asks,
            attrs,
        });
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
        for policy in &self.policies {
            yaml.push_str(&entry(&policy.kind, &policy.name));
            attributes(&mut yaml, &policy.attrs);
        }
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
                "- model: authentik_flows.flowstagebinding\n  id: at-{name}\n  identifiers:\n    \
                 target: !KeyOf flow\n    stage: !KeyOf {name}\n    order: {order}\n"
            );
            writes(&mut yaml, between);
            attributes(&mut yaml, binding);
        }
        for (order, condition) in self.conditions.iter().enumerate() {
            let target = match &condition.stage {
                Some(stage) => format!("at-{stage}"),
                None => "flow".to_owned(),
            };
            let (field, value) = &condition.asks;
            let condition_of = format_args!(
                "- model: authentik_policies.policybinding\n  identifiers:\n    \
                 target: !KeyOf {target}\n    {field}: {value}\n    order: {order}\n"
            );
            writes(&mut yaml, condition_of);
            attributes(&mut yaml, &condition.attrs);
        }
        yaml
    }
}

/// A blueprint that gives a policy other settings.
pub(crate) fn policy(kind: &str, name: &str, attrs: &Value) -> String {
    let mut yaml = "version: 1\nentries:\n".to_owned();
    yaml.push_str(&entry(kind, name));
    attributes(&mut yaml, attrs);
    yaml
}

fn entry(kind: &str, name: &str) -> String {
    let kind = gatelog::policy::Kind::from_name(kind).expect("a kind of policy");
    format!(
        "- model: {}\n  id: policy-{name}\n  identifiers:\n    name: {}\n",
        kind.model(),
        json!(name)
    )
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
        "authenticator_validate" => {
            "authentik_stages_authenticator_validate.authenticatorvalidatestage"
        }
        "authenticator_webauthn" => {
            "authentik_stages_authenticator_webauthn.authenticatorwebauthnstage"
        }
        "captcha" => "authentik_stages_captcha.captchastage",
        "consent" => "authentik_stages_consent.consentstage",
        "deny" => "authentik_stages_deny.denystage",
        "dummy" => "authentik_stages_dummy.dummystage",
        "identification" => "authentik_stages_identification.identificationstage",
        "invitation" => "authentik_stages_invitation.invitationstage",
        "password" => "authentik_stages_password.passwordstage",
        "redirect" => "authentik_stages_redirect.redirectstage",
        "user_delete" => "authentik_stages_user_delete.userdeletestage",
        "user_login" => "authentik_stages_user_login.userloginstage",
        "user_logout" => "authentik_stages_user_logout.userlogoutstage",
        "user_write" => "authentik_stages_user_write.userwritestage",
        other => match gatelog::stage::Kind::from_name(other) {
            Some(kind) => kind.model(),
            None => panic!("no stage is called {other}"),
        },
    }
}
