//! Writes what was learnt of a user into the directory. Source: authentik `stages/user_write`.
//!
//! What is written is what `prompt_data` says, and a prompt puts nothing there but its own key.

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::password::Backend;
use super::{Entered, Error, Response, Stage, Turn, Verdict, invitation};
use crate::directory::user::{User, UserType, user_by_username};
use crate::directory::{Group, install, password};
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::world::Change;

mod attribute;
mod entries;

use entries::Draft;

/// The settings of a stage that writes a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = UserWriteStage)]
pub struct UserWrite {
    /// Whether a user is made.
    pub user_creation_mode: CreationMode,
    /// Whether a new user has to be made active by somebody else.
    pub create_users_as_inactive: bool,
    /// The group that whoever is written is put into.
    pub create_users_group: Option<Uuid>,
    /// What sort of user a new one is.
    pub user_type: UserType,
    /// The folder of a new user, as it is; authentik expands nothing in it either.
    pub user_path_template: String,
}

impl Default for UserWrite {
    fn default() -> Self {
        Self {
            user_creation_mode: CreationMode::default(),
            create_users_as_inactive: false,
            create_users_group: None,
            user_type: UserType::External,
            user_path_template: String::new(),
        }
    }
}

/// Whether a user is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserCreationModeEnum)]
pub enum CreationMode {
    /// Only a user who exists is written.
    NeverCreate,
    /// A user is made where nobody is known; else whoever is known is written, also whoever is
    /// merely logged in.
    #[default]
    CreateWhenRequired,
    /// A user is made whoever is known.
    AlwaysCreate,
}

const NO_DATA: &str = "No Pending data.";
const NO_USER: &str = "No user found and can't create new user.";
const UNKNOWN: &str = "Unknown error";

/// The message of every refusal that is about what was typed. It does not say what is wrong: that
/// a name is taken is nobody's business.
const FAILED: &str = "Failed to update user. Please try again later.";

/// The folder of users who are put in none.
const USERS: &str = "users";

/// The entries of the context that only this stage reads.
const USER_TYPE: &str = "user_type";
const USER_PATH: &str = "user_path";
const GROUPS: &str = "groups";
const SOURCE: &str = "goauthentik.io/sources/connection";

/// The attribute that lists the sources by which somebody came.
const SOURCES: &str = "goauthentik.io/user/sources";

/// The longest name and address that are stored.
const LONGEST_NAME: usize = 150;
const LONGEST_ADDRESS: usize = 254;

/// Who is written.
enum Subject {
    New,
    Known(Box<Versioned<User>>),
    /// The message, and why, for the trail.
    Refused(&'static str, &'static str),
}

impl UserWrite {
    /// Somebody who only seems to exist is never written: they would be from then on.
    async fn subject(&self, turn: &Turn<'_>) -> Result<Subject, Error> {
        if self.user_creation_mode == CreationMode::AlwaysCreate {
            return Ok(Subject::New);
        }
        let known = match turn.running.context.get(key::PENDING_USER) {
            Some(Known::User(id)) => match turn.user(*id).await? {
                Some(user) => Some(user),
                None => return Ok(Subject::Refused(FAILED, "the pending user is gone")),
            },
            Some(Known::Stranger { .. }) => {
                return Ok(Subject::Refused(
                    FAILED,
                    "nobody has the pending user's name",
                ));
            }
            _ => turn.session_user().await?,
        };
        Ok(match known {
            Some(user) => Subject::Known(user.into()),
            None if self.user_creation_mode == CreationMode::NeverCreate => {
                Subject::Refused(NO_USER, "nobody is pending or logged in")
            }
            None => Subject::New,
        })
    }

    async fn new_user(&self, turn: &Turn<'_>) -> Result<Versioned<User>, Error> {
        let installed = install(turn.world.objects()).await?;
        let installed = installed
            .ok_or_else(|| Error::Failed("the data directory is not set up".to_owned()))?;
        let context = &turn.running.context;
        let told = context.text(USER_TYPE).and_then(|word| word.parse().ok());
        let path = context.text(USER_PATH).unwrap_or(&self.user_path_template);
        let path = if path.is_empty() { USERS } else { path };
        let now = turn.world.now();
        // Nobody has a password that fits before one is set.
        let seed = SecretString::from(turn.world.draw()?.to_string());
        Ok(Versioned {
            version: Version::NONE,
            value: User {
                uuid: turn.world.draw()?,
                pk: installed.value.next_user_pk,
                username: String::new(),
                name: String::new(),
                email: String::new(),
                is_active: !self.create_users_as_inactive,
                user_type: entries::allowed(told.unwrap_or(self.user_type)),
                path: path.to_owned(),
                attributes: Map::new(),
                groups: Vec::new(),
                roles: Vec::new(),
                date_joined: now,
                password_change_date: now,
                last_updated: now,
                password: password::unusable_after(&seed),
            },
        })
    }

    /// The groups that the user is put into; `None` when the context names one that is gone.
    async fn groups(&self, turn: &Turn<'_>) -> Result<Option<Vec<Uuid>>, Error> {
        let objects = turn.world.objects();
        let mut groups = Vec::new();
        if let Some(id) = self.create_users_group {
            let group: Option<Versioned<Group>> = object::get(objects, id).await?;
            groups.extend(group.map(|group| group.value.pk));
        }
        for id in told_groups(turn.running.context.get(GROUPS)) {
            let group: Option<Versioned<Group>> = match id {
                Some(id) => object::get(objects, id).await?,
                None => None,
            };
            let Some(group) = group else { return Ok(None) };
            groups.push(group.value.pk);
        }
        Ok(Some(groups))
    }

    /// Writes the user; `Some` is the message of a refusal.
    async fn write(&self, turn: &mut Turn<'_>) -> Result<Option<&'static str>, Error> {
        let data = turn.running.context.get(key::PROMPT_DATA);
        let Some(data) = data.and_then(Known::entries) else {
            return Ok(Some(NO_DATA));
        };
        let (user, created) = match self.subject(turn).await? {
            Subject::New => (self.new_user(turn).await?, true),
            Subject::Known(user) => (*user, false),
            Subject::Refused(message, why) => {
                turn.refuse(why);
                return Ok(Some(message));
            }
        };
        let before = user.value.username.clone();
        let mut draft = Draft::new(user.value);
        if let Some(key) = draft.fill(&data, turn).await? {
            turn.refuse(format!("prompt_data[{key:?}] cannot be stored"));
            return Ok(Some(FAILED));
        }
        let Draft {
            user: mut written,
            fields,
        } = draft;
        if let Some(source) = source(turn.running.context.get(SOURCE)) {
            note_source(&mut written, source);
        }
        if written.username.trim().is_empty() {
            turn.refuse("the user has no name");
            return Ok(Some(UNKNOWN));
        }
        let Some(groups) = self.groups(turn).await? else {
            turn.refuse("a group that the context names does not exist");
            return Ok(Some(FAILED));
        };
        let mut joined = Vec::new();
        for group in groups {
            if !written.groups.contains(&group) {
                written.groups.push(group);
                joined.push(group);
            }
        }
        if let Some(why) = misfit(&written) {
            turn.refuse(why);
            return Ok(Some(FAILED));
        }
        // Whoever takes the name in this very moment is found when the command is judged again.
        if written.username != before
            && user_by_username(turn.world.objects(), &written.username)
                .await?
                .is_some()
        {
            turn.refuse("the user name is taken");
            return Ok(Some(FAILED));
        }
        if !invitation::consume(turn).await? {
            return Ok(Some(invitation::NOT_FOUND));
        }
        written.last_updated = turn.world.now();
        let (id, active) = (written.uuid, written.is_active);
        turn.world.change(Change::WriteUser(Box::new(Versioned {
            version: user.version,
            value: written,
        })));
        turn.learn(Event::UserIdentified {
            user: Some(id),
            active,
        });
        turn.learn(Event::UserWritten {
            user: id,
            created,
            fields,
            groups: joined,
        });
        if turn.running.context.pending_user() != Some(id) {
            turn.set(key::PENDING_USER, Some(Known::User(id)));
        }
        if created {
            let backend = Known::text(Backend::Inbuilt.path());
            turn.set(key::USER_BACKEND, Some(backend));
        }
        Ok(None)
    }
}

/// The groups that the context names, `None` for what is no group.
fn told_groups(value: Option<&Known>) -> Vec<Option<Uuid>> {
    match value {
        Some(Known::List(items)) => items.iter().map(told_group).collect(),
        Some(Known::Json(Value::Array(items))) => {
            let ids = items.iter().map(|item| item.as_str()?.parse().ok());
            ids.collect()
        }
        _ => Vec::new(),
    }
}

fn told_group(value: &Known) -> Option<Uuid> {
    match value {
        Known::Group(id) => Some(*id),
        Known::Json(Value::String(text)) => text.parse().ok(),
        _ => None,
    }
}

/// The name of the source by which the visitor came, where one brought them.
fn source(value: Option<&Known>) -> Option<&str> {
    match value? {
        Known::Json(connection) => {
            let source = &connection["source"];
            source["name"].as_str().or_else(|| source.as_str())
        }
        _ => None,
    }
}

fn note_source(user: &mut User, source: &str) {
    let listed = user.attributes.entry(SOURCES).or_insert_with(|| json!([]));
    if !listed.is_array() {
        *listed = json!([]);
    }
    if let Value::Array(listed) = listed
        && !listed.iter().any(|known| known == source)
    {
        listed.push(source.into());
    }
}

/// Why the user cannot be stored. What an address looks like is not asked, as in authentik.
fn misfit(user: &User) -> Option<&'static str> {
    let texts = [&user.username, &user.name, &user.email, &user.path];
    let has_nul = |(key, value): (&String, &Value)| attribute::has_nul(key, value);
    if texts.iter().any(|text| text.contains(char::is_control)) {
        Some("a name, an address or a path has control characters")
    } else if user.username.chars().count() > LONGEST_NAME {
        Some("the user name is too long")
    } else if user.email.chars().count() > LONGEST_ADDRESS {
        Some("the address is too long")
    } else if user.attributes.iter().any(has_nul) {
        Some("an attribute has NUL in it")
    } else {
        None
    }
}

#[async_trait(?Send)]
impl Stage for UserWrite {
    const COMPONENT: &'static str = "ak-stage-user-write";

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        Ok(match self.write(turn).await? {
            None => Entered::Passed,
            Some(message) => Entered::Denied(message.to_owned()),
        })
    }

    async fn challenge(&self, _: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        Ok(Map::new())
    }

    async fn judge(&self, _: Response, _: &mut Turn<'_>) -> Result<Verdict, Error> {
        Ok(Verdict::Passed)
    }
}
