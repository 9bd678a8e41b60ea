//! Users: attributes and methods. Never the hash of a password.

use std::rc::Rc;

use secrecy::SecretString;
use uuid::Uuid;

use super::query::{Query, Source};
use super::row::Row;
use super::{Answers, abort, absent, no_method};
use crate::directory::user::{has_usable_password, last_login_counter};
use crate::directory::{self, User, attributes, avatar};
use crate::expression::{Call, Failure, Object, Value};
use crate::flow::context::{Value as Known, key};
use crate::journal::object::Versioned;
use crate::policy::context;
use crate::world::PasswordAnswer;

/// What a user can be found by.
pub(super) const COLUMNS: [&str; 16] = [
    "pk",
    "id",
    "uuid",
    "username",
    "name",
    "email",
    "is_active",
    "attributes",
    "path",
    "type",
    "groups",
    "ak_groups",
    "date_joined",
    "last_updated",
    "last_login",
    "password_change_date",
];

impl Answers<'_> {
    pub(super) async fn user_attribute(
        &self,
        object: &Object,
        name: &str,
    ) -> Result<Option<Value>, Failure> {
        match self.row(object).await?.as_deref() {
            Some(Row::User(user)) => self.of_user(user, name).await,
            _ if object.class == context::ANONYMOUS => Ok(self.of_nobody(name)),
            _ => match object.id.strip_prefix('?') {
                Some(typed) => Ok(self.of_stranger(typed, name)),
                None => Err(gone()),
            },
        }
    }

    pub(super) async fn of_user(
        &self,
        user: &Versioned<User>,
        name: &str,
    ) -> Result<Option<Value>, Failure> {
        let world = self.request.world;
        let id = user.value.uuid;
        let User {
            pk,
            username,
            name: full_name,
            email,
            is_active,
            user_type,
            path,
            date_joined,
            password_change_date,
            last_updated,
            ..
        } = &user.value;
        Ok(Some(match name {
            "pk" | "id" => Value::Int(*pk),
            "uuid" => Value::text(id.to_string()),
            "username" => Value::text(username),
            "name" => Value::text(full_name),
            "email" => Value::text(email),
            "is_active" => Value::Bool(*is_active),
            "is_authenticated" => Value::Bool(true),
            "is_anonymous" => Value::Bool(false),
            "is_superuser" => {
                let objects = world.objects();
                let is = directory::is_superuser(objects, &user.value).await;
                Value::Bool(is.map_err(abort)?)
            }
            "attributes" => json(&user.value.attributes),
            "path" => Value::text(path),
            "type" => Value::text(user_type.as_str()),
            "groups" | "ak_groups" => self.manager(Query::new(Source::GroupsOf(id))),
            "date_joined" => Value::Moment(*date_joined),
            "last_updated" => Value::Moment(*last_updated),
            "password_change_date" => Value::Moment(*password_change_date),
            "last_login" => {
                let counter = last_login_counter(id);
                // Its name is of letters, digits and hyphens.
                let counter = String::from_utf8_lossy(&counter);
                let seconds = world.counter(&counter).await.map_err(abort)?;
                let at = jiff::Timestamp::from_second(seconds).ok();
                at.filter(|_| seconds != 0)
                    .map_or(Value::None, Value::Moment)
            }
            "uid" => {
                let install = directory::install(world.objects()).await.map_err(abort)?;
                let uid = install.map(|install| user.value.uid(install.value.install_id));
                uid.into()
            }
            "avatar" => Value::text(avatar::of(&user.value)),
            "backend" => return Ok(self.backend(id)),
            _ => return Ok(None),
        }))
    }

    /// Whoever checked the password leaves a mark on the user who is going through the flow.
    fn backend(&self, user: Uuid) -> Option<Value> {
        let scope = self.request.scope;
        let is_pending = scope.entry(key::PENDING_USER) == Some(Known::User(user));
        let backend = scope.entry(key::USER_BACKEND).filter(|_| is_pending)?;
        Some(context::seen(&backend))
    }

    /// What Django says of a user who was never saved.
    fn of_stranger(&self, typed: &str, name: &str) -> Option<Value> {
        Some(match name {
            "username" | "email" => Value::text(typed),
            "pk" | "id" | "last_login" => Value::None,
            "name" => Value::text(""),
            "is_active" | "is_authenticated" => Value::Bool(true),
            "is_anonymous" | "is_superuser" => Value::Bool(false),
            "attributes" => Value::Dict(Vec::new()),
            "path" => Value::text("users"),
            "type" => Value::text("internal"),
            "groups" | "ak_groups" => self.manager(Query::new(Source::Nothing)),
            "date_joined" | "password_change_date" => Value::Moment(self.request.world.now()),
            "avatar" => Value::text(avatar::initials(typed)),
            _ => return None,
        })
    }

    /// What Django says of `AnonymousUser`.
    fn of_nobody(&self, name: &str) -> Option<Value> {
        Some(match name {
            "username" => Value::text(""),
            "pk" | "id" => Value::None,
            "is_anonymous" => Value::Bool(true),
            "is_active" | "is_authenticated" | "is_superuser" | "is_staff" => Value::Bool(false),
            "groups" => self.manager(Query::new(Source::Nothing)),
            _ => return None,
        })
    }

    pub(super) async fn user_method(&self, object: &Object, call: &Call) -> Result<Value, Failure> {
        let row = self.row(object).await?;
        let user = match row.as_deref() {
            Some(Row::User(user)) => Some(user),
            _ if object.class == context::ANONYMOUS => {
                return match call.name.as_str() {
                    "get_username" => Ok(Value::text("")),
                    name => Err(no_method(context::ANONYMOUS, name)),
                };
            }
            _ if object.id.starts_with('?') => None,
            _ => return Err(gone()),
        };
        match call.name.as_str() {
            "all_groups" => Ok(self.query_set(Query::new(match user {
                Some(user) => Source::AllGroupsOf(user.value.uuid),
                None => Source::Nothing,
            }))),
            "group_attributes" => {
                self.group_attributes(user, call.argument(0, "request"))
                    .await
            }
            "has_usable_password" => Ok(Value::Bool(
                user.is_none_or(|user| has_usable_password(&user.value)),
            )),
            "check_password" => {
                self.check_password(user, call.argument(0, "raw_password"))
                    .await
            }
            "locale" => self.locale(user, call.argument(0, "request")).await,
            "get_username" => Ok(match user {
                Some(user) => Value::text(&user.value.username),
                None => Value::text(object.id.trim_start_matches('?')),
            }),
            // There are no applications to be entitled to.
            "app_entitlements" => Ok(Value::List(Vec::new())),
            "app_entitlements_attributes" => Ok(Value::Dict(Vec::new())),
            "save" => self.save(user, call).await,
            "set_password" | "set_unusable_password" => {
                let what = format!("{}()", call.name);
                Err(absent(&what))
            }
            name => Err(no_method(context::USER, name)),
        }
    }

    /// The brand's attributes are there only if the request is handed in, as in authentik.
    async fn group_attributes(
        &self,
        user: Option<&Versioned<User>>,
        request: Option<&Value>,
    ) -> Result<Value, Failure> {
        let brand = match request {
            Some(Value::Object(_)) => self.brand().await?.attributes,
            _ => serde_json::Map::new(),
        };
        let Some(user) = user else {
            return Ok(json(&brand));
        };
        let objects = self.request.world.objects();
        let groups = directory::groups_of(objects, &user.value).await;
        let groups = groups.map_err(abort)?;
        Ok(json(&attributes::merged(&brand, &groups, &user.value)))
    }

    async fn check_password(
        &self,
        user: Option<&Versioned<User>>,
        typed: Option<&Value>,
    ) -> Result<Value, Failure> {
        let typed: SecretString = match typed {
            Some(Value::Text(text)) => text.as_str().into(),
            Some(Value::Secret(handle)) => self.opened(handle).await?,
            _ => return Ok(Value::Bool(false)),
        };
        let Some(user) = user else {
            return Ok(Value::Bool(false));
        };
        let answer = self.request.world.verify_password(user, &typed).await;
        let answer = answer.map_err(abort)?;
        let fits = matches!(answer, PasswordAnswer::Accepted | PasswordAnswer::Upgraded);
        Ok(Value::Bool(fits))
    }

    async fn locale(
        &self,
        user: Option<&Versioned<User>>,
        request: Option<&Value>,
    ) -> Result<Value, Failure> {
        let of = |attributes: &serde_json::Map<String, serde_json::Value>| {
            let locale = attributes.get("settings")?.get("locale")?;
            locale.as_str().map(str::to_owned)
        };
        if let Some(locale) = user.and_then(|user| of(&user.value.attributes)) {
            return Ok(locale.into());
        }
        let brand = match request {
            Some(Value::Object(_)) => of(&self.brand().await?.attributes),
            _ => None,
        };
        Ok(brand.unwrap_or_default().into())
    }

    /// `group.is_member(user)`: directly or from below.
    pub(super) async fn is_member(&self, group: &Object, call: &Call) -> Result<Value, Failure> {
        let Some(Value::Object(user)) = call.argument(0, "user") else {
            return Ok(Value::Bool(false));
        };
        let Some(row) = self.row(user).await? else {
            return Ok(Value::Bool(false));
        };
        let groups = self
            .members(&Query::new(Source::AllGroupsOf(row.id())))
            .await?;
        let is_it = |row: &Rc<Row>| row.id().to_string() == group.id;
        Ok(Value::Bool(groups.iter().any(is_it)))
    }

    /// The user of this identifier, if they were read before.
    pub(super) fn at_hand(&self, id: Uuid) -> Option<Rc<Row>> {
        self.written(id)
            .map(|user| Rc::new(Row::User(user)))
            .or_else(|| self.rows.borrow().get(&id).cloned().flatten())
    }
}

fn json(map: &serde_json::Map<String, serde_json::Value>) -> Value {
    Value::dict(map.iter().map(|(key, value)| (key, Value::from(value))))
}

fn gone() -> Failure {
    Failure::raise("LookupError", "User matching query does not exist.")
}
