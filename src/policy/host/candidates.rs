//! Which rows a query has to look at: those that a lookup finds where a condition has one, else
//! all of the kind.

use std::rc::Rc;

use uuid::Uuid;

use super::query::{Model, Source};
use super::row::Row;
use super::{Answers, Effect, abort, device, names};
use crate::catalog::{
    self, Application, Brand, Flow, FlowStageBinding, PolicyBinding, Stage, bindings_of,
};
use crate::directory::group::with_ancestors;
use crate::directory::user::users_in;
use crate::directory::{Device, Group, User};
use crate::expression::{Failure, Object, Value};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Key};
use crate::policy::context;
use crate::world::Change;

/// How many objects one query may read; each is noted in the journal.
const MOST: usize = 5_000;

/// A condition that has to be met: path and value.
type Condition<'c> = &'c (String, Value);

impl Answers<'_> {
    /// All rows that may be among those of a query.
    pub(super) async fn candidates(
        &self,
        source: &Source,
        conditions: &[Condition<'_>],
    ) -> Result<Vec<Rc<Row>>, Failure> {
        let objects = self.request.world.objects();
        match source {
            Source::Nothing => Ok(Vec::new()),
            Source::All(model) => self.all(model, conditions).await,
            Source::These(model, ids) => {
                let mut rows = Vec::new();
                for id in ids {
                    let object = Object::new(model.name(), id.to_string());
                    rows.extend(self.row(&object).await?);
                }
                Ok(rows)
            }
            Source::GroupsOf(user) | Source::AllGroupsOf(user) => {
                let row = self.user(*user).await?;
                let Some(Row::User(user)) = row.as_deref() else {
                    return Ok(Vec::new());
                };
                let mut rows = Vec::new();
                if matches!(source, Source::AllGroupsOf(_)) {
                    let groups = with_ancestors(objects, &user.value.groups).await;
                    for group in groups.map_err(abort)? {
                        rows.push(self.seen(Row::Group(group.value)));
                    }
                } else {
                    for id in &user.value.groups {
                        let group = Object::new(context::GROUP, id.to_string());
                        rows.extend(self.row(&group).await?);
                    }
                }
                Ok(rows)
            }
            Source::UsersIn(group) => {
                let users = users_in(objects, *group).await.map_err(abort)?;
                let mut rows: Vec<_> = users
                    .into_iter()
                    .map(|it| self.seen(Row::User(it)))
                    .collect();
                self.add_changed(&mut rows);
                let is_in = |row: &Rc<Row>| match &**row {
                    Row::User(user) => user.value.groups.contains(group),
                    _ => false,
                };
                rows.retain(is_in);
                Ok(rows)
            }
            Source::Below(group) => {
                let found = scanned(object::scan(objects, Key::new("parent", *group)).await)?;
                let rows = found.into_iter().map(|it| self.seen(Row::Group(it.value)));
                Ok(rows.collect())
            }
            Source::StagesOf(flow) => {
                let mut rows = Vec::new();
                for binding in bindings_of(objects, *flow).await.map_err(abort)? {
                    let stage = Object::new("Stage", binding.value.stage.to_string());
                    rows.extend(self.row(&stage).await?);
                }
                Ok(rows)
            }
        }
    }

    async fn all(
        &self,
        model: &Model,
        conditions: &[Condition<'_>],
    ) -> Result<Vec<Rc<Row>>, Failure> {
        let class = |row: &Rc<Row>, class: &Option<String>| {
            class
                .as_ref()
                .is_none_or(|class| row.object().class == *class)
        };
        Ok(match model {
            Model::User => {
                let found = self.some::<User>(conditions, user_key).await?;
                let mut rows: Vec<_> = found
                    .into_iter()
                    .map(|it| self.seen(Row::User(it)))
                    .collect();
                self.add_changed(&mut rows);
                rows
            }
            Model::Group => {
                let named = |path: &str, value: &Value| match path {
                    "name" => unique("name", value),
                    "pk" | "group_uuid" => by_id(value),
                    _ => None,
                };
                self.kept(self.some(conditions, named).await?, |it: Group| {
                    Row::Group(it)
                })
            }
            Model::Flow => {
                let named = |path: &str, value: &Value| match path {
                    "slug" => unique("slug", value),
                    "pk" | "flow_uuid" => by_id(value),
                    "pbm_uuid" | "policybindingmodel_ptr_id" => {
                        id(value).map(|id| Way::Unique(Key::new("pbm", id)))
                    }
                    _ => None,
                };
                self.kept(self.some(conditions, named).await?, |it: Flow| {
                    Row::Flow(it)
                })
            }
            Model::Stage(wanted) => self.stages(wanted.as_deref(), conditions).await?,
            Model::Policy(wanted) => {
                let named = |path: &str, value: &Value| match path {
                    "name" => unique("name", value),
                    "pk" | "policy_uuid" => by_id(value),
                    _ => None,
                };
                let found = self.some(conditions, named).await?;
                let mut rows = self.kept(found, |it: catalog::Policy| Row::Policy(it));
                rows.retain(|row| class(row, wanted));
                rows
            }
            Model::Binding => {
                let named = |path: &str, value: &Value| match path {
                    "target" | "stage" | "target__pk" | "stage__pk" => {
                        let name = if path.starts_with("target") {
                            "target"
                        } else {
                            "stage"
                        };
                        id(value).map(|id| Way::Index(Key::new(name, id)))
                    }
                    "pk" | "fsb_uuid" => by_id(value),
                    _ => None,
                };
                let found = self.some(conditions, named).await?;
                self.kept(found, |it: FlowStageBinding| Row::Binding(it))
            }
            Model::Condition => {
                let named = |path: &str, value: &Value| match path {
                    "policy" | "policy__pk" => {
                        id(value).map(|id| Way::Index(Key::new("policy", id)))
                    }
                    "pk" | "policy_binding_uuid" => by_id(value),
                    _ => None,
                };
                let found = self.some(conditions, named).await?;
                self.kept(found, |it: PolicyBinding| Row::Condition(it))
            }
            Model::Application => {
                let found = self.some(conditions, |_, _| None).await?;
                self.kept(found, |it: Application| Row::Application(Box::new(it)))
            }
            Model::Brand => {
                let found = self.some(conditions, |_, _| None).await?;
                self.kept(found, |it: Brand| Row::Brand(it))
            }
            Model::Device(_) => {
                let named = |path: &str, value: &Value| match path {
                    "user" => id(value).map(|id| Way::Index(Key::new("user", id))),
                    _ => None,
                };
                let found = self.some(conditions, named).await?;
                let rows = self.kept(found, |it: Device| Row::Device(it));
                device::of_class(rows, model)
            }
            Model::Absent(_) => Vec::new(),
        })
    }

    async fn stages(
        &self,
        wanted: Option<&str>,
        conditions: &[Condition<'_>],
    ) -> Result<Vec<Rc<Row>>, Failure> {
        let named = |path: &str, value: &Value| match path {
            "name" => unique("name", value),
            "pk" | "stage_uuid" => by_id(value),
            _ => None,
        };
        let found: Vec<Versioned<Stage>> = self.some(conditions, named).await?;
        let is_wanted = |it: &Versioned<Stage>| {
            let class = names::stage(&it.value.kind);
            wanted.is_none_or(|wanted| class == wanted)
        };
        let found = found.into_iter().filter(is_wanted);
        Ok(found.map(|it| self.seen(Row::Stage(it))).collect())
    }

    fn kept<T>(&self, found: Vec<Versioned<T>>, row: impl Fn(T) -> Row) -> Vec<Rc<Row>> {
        let found = found.into_iter();
        found.map(|it| self.seen(row(it.value))).collect()
    }

    /// The objects that the best way finds.
    async fn some<T: Stored>(
        &self,
        conditions: &[Condition<'_>],
        way: impl Fn(&str, &Value) -> Option<Way>,
    ) -> Result<Vec<Versioned<T>>, Failure> {
        let objects = self.request.world.objects();
        let mut ways = conditions.iter().filter_map(|(path, value)| {
            let path = path.strip_suffix("__exact").unwrap_or(path);
            way(path, value)
        });
        let found = match ways.next() {
            Some(Way::Id(id)) => {
                let found = object::get(objects, id).await;
                return Ok(found.map_err(abort)?.into_iter().collect());
            }
            Some(Way::Unique(key)) => {
                let found = object::find(objects, key).await;
                return Ok(found.map_err(abort)?.into_iter().collect());
            }
            Some(Way::Index(key)) => object::scan(objects, key).await,
            None => {
                let found = objects.list(T::KIND, None, MOST + 1).await;
                found.and_then(|found| found.iter().map(object::open).collect())
            }
        };
        scanned(found)
    }

    /// Users that this command changes may be found by what they will be.
    fn add_changed(&self, rows: &mut Vec<Rc<Row>>) {
        for wish in self.request.scope.wishes() {
            let Effect::Change(Change::WriteUser(user)) = wish else {
                continue;
            };
            if rows.iter().all(|row| row.id() != user.value.uuid) {
                rows.push(self.seen(Row::User(*user)));
            }
        }
    }
}

/// How objects are found without reading all.
enum Way {
    Id(Uuid),
    Unique(Key),
    Index(Key),
}

fn unique(name: &'static str, value: &Value) -> Option<Way> {
    value
        .as_text()
        .map(|text| Way::Unique(Key::new(name, text)))
}

fn by_id(value: &Value) -> Option<Way> {
    id(value).map(Way::Id)
}

fn id(value: &Value) -> Option<Uuid> {
    match value {
        Value::Text(text) => text.parse().ok(),
        Value::Object(object) => object.id.parse().ok(),
        _ => None,
    }
}

fn user_key(path: &str, value: &Value) -> Option<Way> {
    let index = |name| {
        let text = value.as_text()?;
        (!text.is_empty()).then(|| Way::Index(Key::new(name, text)))
    };
    let in_any_case = |name| {
        let text = value.as_text()?.to_lowercase();
        (!text.is_empty()).then(|| Way::Index(Key::new(name, text)))
    };
    match path {
        "username" => unique("username", value),
        "pk" | "id" => match value {
            Value::Int(pk) => Some(Way::Unique(Key::new("pk", pk.to_be_bytes()))),
            _ => None,
        },
        "uuid" => by_id(value),
        "email" => index("email"),
        "attributes__upn" => index("upn"),
        "username__iexact" => in_any_case("username_ci"),
        "email__iexact" => in_any_case("email_ci"),
        "groups" | "groups__pk" => id(value).map(|id| Way::Index(Key::new("group", id))),
        _ => None,
    }
}

fn scanned<T>(found: journal::Result<Vec<T>>) -> Result<Vec<T>, Failure> {
    let found = found.map_err(abort)?;
    if found.len() > MOST {
        let text =
            format!("more than {MOST} objects would have to be read; ask by what identifies them");
        return Err(Failure::raise("RuntimeError", text));
    }
    Ok(found)
}
