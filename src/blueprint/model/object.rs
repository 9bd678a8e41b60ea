//! One of the objects that a blueprint can make, whatever its type.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Model;
use crate::catalog::stage::SECRETS;
use crate::catalog::{
    Application, BlueprintInstance, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt,
    Source, Stage, WebhookMapping,
};
use crate::directory::{Group, Invitation, Role, Token, User};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Key, Kind, StreamId, Version, Write};
use crate::{policy, stage};

/// An object of the catalog or the directory.
#[derive(Clone)]
pub(crate) enum Object {
    Flow(Flow),
    Binding(FlowStageBinding),
    Stage(Stage),
    Policy(Policy),
    PolicyBinding(PolicyBinding),
    Source(Source),
    Application(Box<Application>),
    Brand(Box<Brand>),
    User(Box<User>),
    Group(Group),
    Role(Role),
    Token(Token),
    Prompt(Prompt),
    Invitation(Invitation),
    WebhookMapping(WebhookMapping),
    BlueprintInstance(Box<BlueprintInstance>),
}

/// Does the same with the object, whatever its type.
macro_rules! each {
    ($object:expr, $it:ident => $result:expr) => {
        match $object {
            Object::Flow($it) => $result,
            Object::Binding($it) => $result,
            Object::Stage($it) => $result,
            Object::Policy($it) => $result,
            Object::PolicyBinding($it) => $result,
            Object::Source($it) => $result,
            Object::Application($it) => {
                let $it = $it.as_ref();
                $result
            }
            Object::Brand($it) => {
                let $it = $it.as_ref();
                $result
            }
            Object::User($it) => {
                let $it = $it.as_ref();
                $result
            }
            Object::Group($it) => $result,
            Object::Role($it) => $result,
            Object::Token($it) => $result,
            Object::Prompt($it) => $result,
            Object::Invitation($it) => $result,
            Object::WebhookMapping($it) => $result,
            Object::BlueprintInstance($it) => {
                let $it = $it.as_ref();
                $result
            }
        }
    };
}

impl Object {
    pub(crate) fn stream(&self) -> StreamId {
        fn of<T: Stored>(it: &T) -> StreamId {
            object::stream::<T>(it.id())
        }
        each!(self, it => of(it))
    }

    pub(crate) fn unique(&self) -> Vec<Key> {
        each!(self, it => it.unique())
    }

    pub(crate) fn put(&self, expected: Version) -> Write {
        each!(self, it => object::put(it, expected))
    }

    /// The object as it is stored, secrets included.
    pub(super) fn body(&self) -> Map<String, Value> {
        let body = each!(self, it => serde_json::to_value(it));
        match body {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }

    /// Whether both would be stored alike.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.body() == other.body()
    }

    /// Whether it is an object of this model.
    pub(crate) fn is_a(&self, model: Model) -> bool {
        match (self, model) {
            (Self::Stage(stage), Model::Stage(kind)) => stage.kind == kind.name(),
            (Self::Policy(policy), Model::Policy(kind)) => policy.kind == kind.name(),
            (Self::Source(source), Model::Source(kind)) => source.kind == kind,
            _ => model.kind() == Some(self.stream().kind),
        }
    }

    /// The name of its model, such as `authentik_flows.flow`.
    pub(crate) fn model_name(&self) -> &'static str {
        match self {
            Self::Flow(_) => "authentik_flows.flow",
            Self::Binding(_) => "authentik_flows.flowstagebinding",
            Self::Stage(stage) => stage::Kind::from_name(&stage.kind)
                .map_or("authentik_flows.stage", stage::Kind::model),
            Self::Policy(policy) => policy::Kind::from_name(&policy.kind)
                .map_or("authentik_policies.policy", policy::Kind::model),
            Self::PolicyBinding(_) => "authentik_policies.policybinding",
            Self::Source(source) => source.kind.model(),
            Self::Application(_) => "authentik_core.application",
            Self::Brand(_) => "authentik_brands.brand",
            Self::User(_) => "authentik_core.user",
            Self::Group(_) => "authentik_core.group",
            Self::Role(_) => "authentik_rbac.role",
            Self::Token(_) => "authentik_core.token",
            Self::Prompt(_) => "authentik_stages_prompt.prompt",
            Self::Invitation(_) => "authentik_stages_invitation.invitation",
            Self::WebhookMapping(_) => "authentik_events.notificationwebhookmapping",
            Self::BlueprintInstance(_) => "authentik_blueprints.blueprintinstance",
        }
    }

    /// By what others refer to it: a number for a user, else an identifier.
    pub(crate) fn pk(&self) -> Value {
        match self {
            Self::User(user) => user.pk.into(),
            other => other.stream().id.to_string().into(),
        }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Flow(flow) => flow.slug.to_string(),
            Self::Binding(binding) => binding.pk.to_string(),
            Self::Stage(stage) => stage.name.clone(),
            Self::Policy(policy) => policy.name.clone(),
            Self::PolicyBinding(binding) => binding.pk.to_string(),
            Self::Source(source) => source.slug.to_string(),
            Self::Application(application) => application.slug.to_string(),
            Self::Brand(brand) => brand.domain.clone(),
            Self::User(user) => user.username.clone(),
            Self::Group(group) => group.name.clone(),
            Self::Role(role) => role.name.clone(),
            Self::Token(token) => token.identifier.to_string(),
            Self::Prompt(prompt) => prompt.name.clone(),
            Self::Invitation(invitation) => invitation.name.to_string(),
            Self::WebhookMapping(mapping) => mapping.name.clone(),
            Self::BlueprintInstance(instance) => instance.name.clone(),
        }
    }

    /// The secrets that the two do not have in common, by their fields.
    pub(in crate::blueprint) fn other_secrets(&self, other: Option<&Self>) -> Vec<&'static str> {
        let own = self.secrets();
        let others = other.map(Self::secrets).unwrap_or_default();
        let changed = own.into_iter().filter(|(name, secret)| {
            let before = others.iter().find(|(other, _)| other == name);
            match (before, secret.as_str()) {
                (Some((_, before)), _) => before != secret,
                (None, Some(secret)) => !secret.is_empty(),
                (None, None) => false,
            }
        });
        changed.map(|(name, _)| name).collect()
    }

    /// What is never shown of it.
    fn secrets(&self) -> Vec<(&'static str, Value)> {
        let (names, mut fields): (&[&'static str], _) = match self {
            Self::Stage(stage) => (SECRETS, stage.settings.clone()),
            Self::User(_) => (&["password"], self.body()),
            Self::Token(_) => (&["key"], self.body()),
            _ => return Vec::new(),
        };
        let found = names.iter();
        let found = found.filter_map(|name| fields.remove(*name).map(|secret| (*name, secret)));
        found.collect()
    }

    /// What policies are bound to it under, if they can be.
    pub(crate) fn pbm(&self) -> Option<Uuid> {
        match self {
            Self::Flow(flow) => Some(flow.pbm),
            Self::Binding(binding) => Some(binding.pbm),
            Self::Source(source) => Some(source.pbm),
            Self::Application(application) => Some(application.pk),
            _ => None,
        }
    }

    /// Its fields as the API shows them, without secrets. `user_pk` gives a user's number,
    /// `target_pk` the key of what policies are bound to under an identifier of its own.
    pub(crate) fn row(
        &self,
        user_pk: impl Fn(Uuid) -> Value,
        target_pk: impl Fn(Uuid) -> Value,
    ) -> Map<String, Value> {
        let mut row = self.body();
        if let Some(pbm) = row.remove("pbm") {
            row.insert("policybindingmodel_ptr_id".to_owned(), pbm);
        }
        match self {
            Self::Stage(stage) => {
                row.remove("settings");
                row.remove("kind");
                let shown = stage.settings.iter();
                let shown = shown.filter(|(name, _)| !SECRETS.contains(&name.as_str()));
                row.extend(shown.map(|(name, value)| (name.clone(), value.clone())));
            }
            Self::Policy(policy) => {
                row.remove("settings");
                row.remove("kind");
                row.extend(policy.settings.clone());
            }
            Self::PolicyBinding(binding) => {
                let user = binding.user.map_or(Value::Null, user_pk);
                row.insert("user".to_owned(), user);
                row.insert("target".to_owned(), target_pk(binding.target));
            }
            Self::User(_) => {
                row.remove("password");
            }
            Self::Token(token) => {
                row.remove("key");
                row.insert("user".to_owned(), user_pk(token.user));
            }
            Self::Group(group) => {
                row.insert("num_pk".to_owned(), group.num_pk().into());
            }
            // What it permits on single objects is said with those.
            Self::Role(_) => {
                row.remove("objects");
            }
            Self::Source(_) => {
                row.remove("kind");
            }
            // Whoever else keeps it at the moment is no business of a file.
            Self::Invitation(invitation) => {
                row.remove("reserved");
                row.insert("fixed_data".to_owned(), invitation.shown_data().into());
            }
            Self::Flow(_)
            | Self::Binding(_)
            | Self::Application(_)
            | Self::Brand(_)
            | Self::Prompt(_)
            | Self::WebhookMapping(_)
            | Self::BlueprintInstance(_) => {}
        }
        row.insert("pk".to_owned(), self.pk());
        row
    }

    /// Reads the current revision of an object of a kind that a blueprint knows.
    pub(crate) fn open(stored: &journal::Object) -> journal::Result<Versioned<Self>> {
        fn of<T: Stored>(
            stored: &journal::Object,
            wrap: fn(T) -> Object,
        ) -> journal::Result<Versioned<Object>> {
            let Versioned { version, value } = object::open::<T>(stored)?;
            Ok(Versioned {
                version,
                value: wrap(value),
            })
        }
        match stored.stream.kind {
            Flow::KIND => of(stored, Self::Flow),
            FlowStageBinding::KIND => of(stored, Self::Binding),
            Stage::KIND => of(stored, Self::Stage),
            Policy::KIND => of(stored, Self::Policy),
            PolicyBinding::KIND => of(stored, Self::PolicyBinding),
            Source::KIND => of(stored, Self::Source),
            Application::KIND => of(stored, |it| Self::Application(Box::new(it))),
            Brand::KIND => of(stored, |brand| Self::Brand(Box::new(brand))),
            User::KIND => of(stored, |user| Self::User(Box::new(user))),
            Group::KIND => of(stored, Self::Group),
            Role::KIND => of(stored, Self::Role),
            Token::KIND => of(stored, Self::Token),
            Prompt::KIND => of(stored, Self::Prompt),
            Invitation::KIND => of(stored, Self::Invitation),
            WebhookMapping::KIND => of(stored, Self::WebhookMapping),
            BlueprintInstance::KIND => of(stored, |it| Self::BlueprintInstance(Box::new(it))),
            _ => Err(journal::Error::Corrupt {
                stream: stored.stream,
                version: stored.version,
                problem: "no blueprint knows this kind of object".to_owned(),
            }),
        }
    }
}

impl Model {
    /// The kind of its objects; none for the model that is no object.
    pub(crate) fn kind(self) -> Option<Kind> {
        Some(match self {
            Self::Flow => Flow::KIND,
            Self::Binding => FlowStageBinding::KIND,
            Self::Stage(_) => Stage::KIND,
            Self::Policy(_) => Policy::KIND,
            Self::PolicyBinding => PolicyBinding::KIND,
            Self::Source(_) => Source::KIND,
            Self::Application => Application::KIND,
            Self::Brand => Brand::KIND,
            Self::User => User::KIND,
            Self::Group => Group::KIND,
            Self::Role => Role::KIND,
            Self::Token => Token::KIND,
            Self::Prompt => Prompt::KIND,
            Self::Invitation => Invitation::KIND,
            Self::WebhookMapping => WebhookMapping::KIND,
            Self::BlueprintInstance => BlueprintInstance::KIND,
            Self::ApplyBlueprint => return None,
        })
    }
}
