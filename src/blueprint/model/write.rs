//! From the fields of an entry to the object that it wants.
//!
//! An existing object keeps what the entry does not mention; a new one gets the defaults.

use secrecy::SecretString;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::resolve::{Miss, Need};
use super::super::staged::Staged;
use super::field::{self, Field};
use super::{Model, Object, Understood, check, permission, secret, syntax};
use crate::catalog::{
    Application, BlueprintInstance, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt,
    PromptType, Source, Stage, WebhookMapping,
};
use crate::clock::Clock;
use crate::directory::invitation::{Invitation, LIFETIME, later};
use crate::directory::token::Intent;
use crate::directory::{Group, NewUser, Role, Token, User};
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::Designation;

/// What an entry wants of one object.
pub(in crate::blueprint) struct Draft<'a> {
    pub(in crate::blueprint) model: Model,
    /// The object as it is; none when it is to be made.
    pub(in crate::blueprint) existing: Option<&'a Object>,
    /// Whether whatever has to be there must be given, although the object is there already.
    pub(in crate::blueprint) whole: bool,
    /// The fields that are given.
    pub(in crate::blueprint) data: &'a Map<String, Value>,
    /// The key that a new object has to get.
    pub(in crate::blueprint) pk: Option<&'a Value>,
    /// The password of the entry, encoded; asked for with [`Need::Password`].
    pub(in crate::blueprint) encoded: Option<&'a SecretString>,
    /// Which of its expressions are understood; asked for with [`Need::Syntax`].
    pub(in crate::blueprint) understood: &'a [Understood],
}

/// The object as it is to be, and other objects that change with it.
pub(in crate::blueprint) struct Written {
    pub(in crate::blueprint) object: Object,
    pub(in crate::blueprint) others: Vec<Object>,
    /// Given fields that the model does not have.
    pub(in crate::blueprint) ignored: Vec<String>,
}

/// Why there is no such object.
pub(in crate::blueprint) enum Refused {
    /// Something is needed first.
    Need(Need),
    /// These fields are wrong, each with its message.
    Fields(Vec<(String, String)>),
}

/// Makes the object that the draft describes; changes nothing.
pub(crate) fn write(draft: &Draft<'_>, staged: &Staged, clock: &Clock) -> Result<Written, Refused> {
    let fields = field::fields(draft.model);
    if draft.model == Model::ApplyBlueprint {
        return Err(Refused::Fields(Vec::new()));
    }
    let mut body = match draft.existing {
        Some(object) => object.body(),
        None => blank(draft, staged, clock)?,
    };
    let mut errors = Errors::default();
    for field in fields {
        match draft.data.get(field.name) {
            Some(value) => match check::check(field.shape, value, staged) {
                // References to what this version does not have are not stored.
                Ok(_) if matches!(field.shape, field::Shape::Nothing { .. }) => {}
                Ok(value) => {
                    body.insert(field.name.to_owned(), value);
                }
                Err(miss) => errors.miss(field.name, miss)?,
            },
            None if field.required && (draft.whole || draft.existing.is_none()) => {
                errors.add(field.name, Problem::Required.to_string());
            }
            None => {}
        }
    }
    if let Some(settings) = settings(draft, fields, &mut errors, staged)? {
        body.insert("settings".to_owned(), Value::Object(settings));
    }
    if draft.model == Model::User {
        secret::check(draft, &mut errors)?;
        permission::check_own(draft, staged, &mut errors)?;
    }
    let mut others = if draft.model == Model::Group {
        members(draft, &body, &mut errors, staged, clock)?
    } else {
        Vec::new()
    };
    errors.none_or_refuse()?;
    let (mut object, problems) = typed(draft.model, body)?;
    for invalid in problems {
        errors.add(invalid.field, invalid.problem.to_string());
    }
    errors.none_or_refuse()?;
    if let Object::Prompt(prompt) = &object {
        syntax::check_prompt(draft, prompt, &mut errors)?;
        errors.none_or_refuse()?;
    }
    if let Object::WebhookMapping(mapping) = &object {
        syntax::check_mapping(draft, mapping, &mut errors)?;
        errors.none_or_refuse()?;
    }
    if let Object::User(user) = &mut object {
        secret::apply(draft, user, clock);
        let role = permission::own(draft, user, staged, clock);
        others.extend(role.map_err(Refused::Need)?);
        if draft
            .existing
            .is_some_and(|old| !old.is_like(&Object::User(user.clone())))
        {
            user.last_updated = clock.now();
        }
    }
    if let Object::Invitation(invitation) = &mut object
        && invitation.expires.is_none()
    {
        // One without an end gets one; that of one that is there stays.
        invitation.expires = match draft.existing {
            Some(Object::Invitation(existing)) => existing.expires,
            _ => later(clock.now(), LIFETIME),
        };
    }
    Ok(Written {
        ignored: ignored(draft, fields, &object),
        object,
        others,
    })
}

/// The complaints so far, by field.
#[derive(Default)]
pub(super) struct Errors(Vec<(String, String)>);

impl Errors {
    pub(super) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    /// A need is passed on at once, everything else is collected.
    fn miss(&mut self, field: &str, miss: Miss) -> Result<(), Refused> {
        match miss {
            Miss::Need(need) => return Err(Refused::Need(need)),
            Miss::Wrong(message) | Miss::LeftOut(message) => self.add(field, message),
        }
        Ok(())
    }

    fn none_or_refuse(&mut self) -> Result<(), Refused> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Refused::Fields(std::mem::take(&mut self.0)))
        }
    }
}

/// A new object with every default, as it would be stored. What is required is overwritten.
fn blank(draft: &Draft<'_>, staged: &Staged, clock: &Clock) -> Result<Map<String, Value>, Refused> {
    let slug = || "new".parse().expect("three letters are a slug");
    let nowhere = Uuid::nil();
    let object = match draft.model {
        Model::Flow => Object::Flow(Flow::new(clock, slug(), "", Designation::Authentication)),
        Model::Binding => Object::Binding(FlowStageBinding::new(clock, nowhere, nowhere, 0)),
        Model::Stage(kind) => Object::Stage(Stage::new(clock, kind.name(), "", Map::new())),
        Model::Policy(kind) => Object::Policy(Policy::new(clock, kind.name(), "", Map::new())),
        Model::PolicyBinding => Object::PolicyBinding(PolicyBinding::new(clock, nowhere, 0)),
        Model::Source(kind) => Object::Source(Source::new(clock, kind, slug())),
        Model::Application => Object::Application(Box::new(Application::new(clock, slug()))),
        Model::Brand => Object::Brand(Box::new(Brand::new(clock, ""))),
        Model::Group => Object::Group(Group::new(clock, "")),
        Model::Role => Object::Role(Role::new(clock, "")),
        Model::Prompt => Object::Prompt(Prompt::new(clock, "", "", PromptType::Text)),
        Model::Invitation => Object::Invitation(Invitation::new(clock, slug())),
        Model::WebhookMapping => Object::WebhookMapping(WebhookMapping::new(clock, "")),
        Model::BlueprintInstance => {
            Object::BlueprintInstance(Box::new(BlueprintInstance::new(clock, "")))
        }
        Model::Token => Object::Token(Token::new(clock, slug(), Intent::default(), nowhere)),
        Model::User => {
            let number = match draft.pk {
                Some(pk) => pk.as_i64().filter(|pk| *pk > 0).ok_or_else(|| {
                    Refused::Fields(vec![("pk".into(), "A valid integer is required.".into())])
                })?,
                None => staged.next_user_pk().map_err(needed)?,
            };
            let user = NewUser::named("").into_user(number, clock);
            return Ok(Object::User(Box::new(user)).body());
        }
        Model::ApplyBlueprint => return Ok(Map::new()),
    };
    let mut body = object.body();
    if let Some(pk) = draft.pk {
        let id = pk.as_str().and_then(|text| text.parse::<Uuid>().ok());
        let Some(id) = id else {
            let message = format!("“{}” is not a valid UUID.", super::super::format::text(pk));
            return Err(Refused::Fields(vec![("pk".into(), message)]));
        };
        let kind = object.stream().kind;
        if staged.exists(kind, id).map_err(needed)? {
            let message = format!("another {kind} already has the pk {id}");
            return Err(Refused::Fields(vec![("pk".into(), message)]));
        }
        let name = match draft.model {
            Model::Brand => "brand_uuid",
            Model::Token => "token_uuid",
            _ => "pk",
        };
        body.insert(name.to_owned(), id.to_string().into());
    }
    Ok(body)
}

pub(crate) fn needed(miss: Miss) -> Refused {
    match miss {
        Miss::Need(need) => Refused::Need(need),
        Miss::Wrong(message) | Miss::LeftOut(message) => {
            Refused::Fields(vec![(Invalid::ALL_FIELDS.to_owned(), message)])
        }
    }
}

/// The settings of a stage or a policy: those that it has, and over them those that are given.
fn settings(
    draft: &Draft<'_>,
    fields: &[Field],
    errors: &mut Errors,
    staged: &Staged,
) -> Result<Option<Map<String, Value>>, Refused> {
    let mut settings = match draft.existing {
        Some(Object::Stage(stage)) => stage.settings.clone(),
        Some(Object::Policy(policy)) => policy.settings.clone(),
        _ => Map::new(),
    };
    let given = draft.data.iter().filter(|(name, _)| {
        *name != "pk" && !fields.iter().any(|field| field.name == name.as_str())
    });
    settings.extend(given.map(|(name, value)| (name.clone(), value.clone())));
    if draft.whole && draft.existing.is_some() {
        missing(draft, fields, errors);
    }
    let validated = match draft.model {
        Model::Stage(kind) => {
            match check::settings(&settings, staged) {
                Ok(checked) => settings = checked,
                Err(misses) => {
                    for (field, miss) in misses {
                        errors.miss(&field, miss)?;
                    }
                }
            }
            kind.validate(&settings)
        }
        Model::Policy(kind) => kind.validate(&settings),
        _ => return Ok(None),
    };
    let settings = match validated {
        Ok(settings) => settings,
        Err(found) => {
            for (field, complaints) in found {
                for complaint in complaints {
                    errors.add(&field, complaint.string);
                }
            }
            return Ok(None);
        }
    };
    if let Model::Policy(kind) = draft.model {
        syntax::check_policy(draft, kind, &settings, errors)?;
    }
    Ok(Some(settings))
}

/// Complains of settings that have to be given with a whole object, and are not.
fn missing(draft: &Draft<'_>, fields: &[Field], errors: &mut Errors) {
    let mut given = draft.data.clone();
    given.retain(|name, _| !fields.iter().any(|field| field.name == name.as_str()));
    let alone = match draft.model {
        Model::Stage(kind) => kind.validate(&given),
        Model::Policy(kind) => kind.validate(&given),
        _ => return,
    };
    for (field, complaints) in alone.err().unwrap_or_default() {
        let required = complaints.iter().any(|it| it.code == "required");
        if required && !given.contains_key(&field) {
            errors.add(&field, Problem::Required.to_string());
        }
    }
}

/// A group's `users`: who of them is not in it yet, and who is in it without being of them.
fn members(
    draft: &Draft<'_>,
    body: &Map<String, Value>,
    errors: &mut Errors,
    staged: &Staged,
    clock: &Clock,
) -> Result<Vec<Object>, Refused> {
    let Some(Value::Array(wanted)) = draft.data.get("users") else {
        return Ok(Vec::new());
    };
    let group = body
        .get("pk")
        .and_then(Value::as_str)
        .and_then(|pk| pk.parse().ok());
    let Some(group): Option<Uuid> = group else {
        return Ok(Vec::new());
    };
    let mut members = Vec::new();
    for value in wanted {
        match check::user(value, staged) {
            Ok(user) => members.push(user),
            Err(miss) => errors.miss("users", miss)?,
        }
    }
    let mut changed = Vec::new();
    for user in staged.users().map_err(needed)? {
        let (is_in, shall) = (user.groups.contains(&group), members.contains(&user.uuid));
        if is_in != shall {
            let mut user = user.clone();
            user.groups.retain(|id| *id != group);
            user.groups.extend(shall.then_some(group));
            user.last_updated = clock.now();
            changed.push(Object::User(Box::new(user)));
        }
    }
    Ok(changed)
}

/// The object of a complete body, and what its own rules say about it.
fn typed(model: Model, body: Map<String, Value>) -> Result<(Object, Vec<Invalid>), Refused> {
    let body = Value::Object(body);
    let read = match model {
        Model::Flow => serde_json::from_value(body).map(|it: Flow| {
            let problems = it.problems();
            (Object::Flow(it), problems)
        }),
        Model::Binding => serde_json::from_value(body).map(|it: FlowStageBinding| {
            let problems = it.problems();
            (Object::Binding(it), problems)
        }),
        Model::Stage(_) => serde_json::from_value(body).map(|it: Stage| {
            let problems = it.problems();
            (Object::Stage(it), problems)
        }),
        Model::Policy(_) => serde_json::from_value(body).map(|it: Policy| {
            let problems = it.problems();
            (Object::Policy(it), problems)
        }),
        Model::PolicyBinding => serde_json::from_value(body).map(|it: PolicyBinding| {
            let problems = it.problems();
            (Object::PolicyBinding(it), problems)
        }),
        Model::Source(_) => serde_json::from_value(body).map(|it: Source| {
            let problems = it.problems();
            (Object::Source(it), problems)
        }),
        Model::Application => serde_json::from_value(body).map(|it: Application| {
            let problems = it.problems();
            (Object::Application(Box::new(it)), problems)
        }),
        Model::Brand => serde_json::from_value(body).map(|it: Brand| {
            let problems = it.problems();
            (Object::Brand(Box::new(it)), problems)
        }),
        Model::User => serde_json::from_value(body).map(|it: User| {
            let problems = it.problems();
            (Object::User(Box::new(it)), problems)
        }),
        Model::Group => serde_json::from_value(body).map(|it: Group| {
            let problems = it.problems();
            (Object::Group(it), problems)
        }),
        Model::Role => serde_json::from_value(body).map(|it: Role| {
            let problems = it.problems();
            (Object::Role(it), problems)
        }),
        Model::Token => serde_json::from_value(body).map(|it: Token| {
            let problems = it.problems();
            (Object::Token(it), problems)
        }),
        Model::Prompt => serde_json::from_value(body).map(|it: Prompt| {
            let problems = it.problems();
            (Object::Prompt(it), problems)
        }),
        Model::BlueprintInstance => serde_json::from_value(body).map(|it: BlueprintInstance| {
            let problems = it.problems();
            (Object::BlueprintInstance(Box::new(it)), problems)
        }),
        Model::WebhookMapping => serde_json::from_value(body).map(|it: WebhookMapping| {
            let problems = it.problems();
            (Object::WebhookMapping(it), problems)
        }),
        Model::Invitation => {
            serde_json::from_value(body).map(|it| (Object::Invitation(it), Vec::new()))
        }
        Model::ApplyBlueprint => return Err(Refused::Fields(Vec::new())),
    };
    // The text of the error could quote a secret field, so it is not passed on.
    read.map_err(|_| {
        let message = "The fields do not make a valid object.".to_owned();
        Refused::Fields(vec![(Invalid::ALL_FIELDS.to_owned(), message)])
    })
}

/// The given fields that nobody read.
fn ignored(draft: &Draft<'_>, fields: &[Field], object: &Object) -> Vec<String> {
    let known = |name: &str| {
        fields.iter().any(|field| field.name == name)
            || name == "pk"
            || name.contains("__")
            || match object {
                Object::Stage(stage) => stage.settings.contains_key(name),
                Object::Policy(policy) => policy.settings.contains_key(name),
                Object::User(_) => secret::FIELDS.contains(&name) || name == permission::FIELD,
                Object::Group(_) => name == "users",
                _ => false,
            }
    };
    let names = draft.data.keys().filter(|name| !known(name));
    names.cloned().collect()
}
