//! What the API can do with each sort of object: list, make, show, change and remove them, and say
//! what refers to one. A [`Resource`] says how its objects are addressed, searched and shown; what
//! fits in their fields is the business of [`crate::blueprint::edit`].
//!
//! Source: authentik's viewsets on Django's REST framework.

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};
use crate::blueprint::edit::{Miss, Model, Object, Staged};
use crate::directory::User;
use crate::http::Error;
use crate::journal::Kind;

mod beside;
mod filter;
mod find;
mod list;
mod order;
mod pointed;
mod related;
pub(super) mod schema;
mod used_by;
mod write;

pub(crate) use filter::{Filter, Fits, flag, id, ids, number, text, word};
pub(crate) use find::{found, may};

/// Which objects a resource is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scope {
    /// Those of a model.
    Of(Model),
    /// All of a kind, whatever their models.
    All(Kind),
}

impl Scope {
    /// The kind of its objects.
    ///
    /// # Panics
    /// Never: every model of a resource has objects.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Of(model) => model.kind().expect("a model of a resource has objects"),
            Self::All(kind) => kind,
        }
    }

    /// Whether it is about this object.
    pub(crate) fn has(self, object: &Object) -> bool {
        match self {
            Self::Of(model) => object.is_a(model),
            Self::All(kind) => object.stream().kind == kind,
        }
    }
}

/// How an object of a resource is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyField {
    /// By its identifier, or a user's number.
    Pk,
    /// By a field that is unique, such as a slug.
    Field(&'static str),
}

/// Shows an object as clients know it; asked again when something had to be read for it.
pub(crate) type Show = fn(&Object, &Staged, &Shown<'_>) -> Result<Value, Miss>;

/// What an answer depends on beside the objects.
pub(crate) struct Shown<'a> {
    /// What every handler needs.
    pub(crate) state: &'a crate::http::State,
    /// The request's query string, for those that change the answer.
    pub(crate) query: &'a crate::flow::query::Query,
    /// What is known of the object beside what is stored in it.
    pub(crate) beside: Option<&'a Map<String, Value>>,
}

impl Shown<'_> {
    /// What is known of the object under this name, beside what is stored in it.
    pub(crate) fn beside(&self, name: &str) -> Option<&Value> {
        self.beside.and_then(|beside| beside.get(name))
    }
}

/// Changes or refuses what a caller wants to write, before it is: the object as it is, none when it
/// is to be made, and the fields that were given.
pub(crate) type Guard = for<'a> fn(
    &'a Call,
    Option<&'a Object>,
    &'a mut Map<String, Value>,
) -> LocalBoxFuture<'a, Result<(), Error>>;

/// What can be done with objects of one sort.
#[derive(Clone, Copy)]
pub(crate) struct Resource {
    /// Where they are, below `/api/v3`, such as `/flows/instances/`.
    pub(crate) path: &'static str,
    /// What the names of their operations begin with, such as `flows_instances`.
    pub(crate) prefix: &'static str,
    /// What the path calls the key of one, such as `slug`.
    pub(crate) key: &'static str,
    /// Which field that is.
    pub(crate) key_field: KeyField,
    /// Which objects.
    pub(crate) scope: Scope,
    /// What the description calls one as it is shown, such as `Flow`; what is said of one that is not
    /// there has the same name.
    pub(crate) name: &'static str,
    /// The permission's noun, such as `authentik_flows.flow`.
    pub(crate) noun: &'static str,
    /// The fields that a search looks at.
    pub(crate) search: &'static [&'static str],
    /// By what lists can be filtered.
    pub(crate) filters: &'static [Filter],
    /// The fields by which a list is sorted where nobody says; one with a minus goes down.
    pub(crate) order: &'static [&'static str],
    /// The fields of blueprints that callers of the API may not write.
    pub(crate) closed: &'static [&'static str],
    /// Whose it is, where people may see and change their own without a permission.
    pub(crate) is_own: Option<fn(&Object, &User) -> bool>,
    /// What the caller's own rights over fields are.
    pub(crate) guard: Option<Guard>,
    /// Shows one.
    pub(crate) show: Show,
}

impl Resource {
    /// The permission to do this with its objects, such as `authentik_flows.view_flow`.
    pub(crate) fn permission(&self, verb: &str) -> String {
        match self.noun.split_once('.') {
            Some((app, noun)) => format!("{app}.{verb}_{noun}"),
            None => format!("{verb}_{}", self.noun),
        }
    }

    /// Every operation on its objects, those of CRUD and `used_by`.
    pub(crate) fn operations(&'static self) -> Vec<Operation> {
        let mut all = vec![self.list(), self.create()];
        all.extend(self.operations_on_one());
        all
    }

    /// The operations of objects that cannot be made here: list, show, remove and `used_by`.
    pub(crate) fn reading_operations(&'static self) -> Vec<Operation> {
        vec![self.list(), self.retrieve(), self.destroy(), self.used_by()]
    }

    fn operations_on_one(&'static self) -> Vec<Operation> {
        let (update, partial) = (self.update(Method::Put), self.update(Method::Patch));
        vec![
            self.retrieve(),
            update,
            partial,
            self.destroy(),
            self.used_by(),
        ]
    }

    /// `GET /<path>/`
    pub(crate) fn list(&'static self) -> Operation {
        let id = format!("{}_list", self.prefix);
        let operation = Operation::new(Method::Get, self.path, &id, move |call| {
            list::list(self, call)
        });
        let operation = operation.answers(200, Content::Page(self.name.to_owned()));
        schema::list_parameters(operation, self)
    }

    /// `POST /<path>/`
    pub(crate) fn create(&'static self) -> Operation {
        let id = format!("{}_create", self.prefix);
        Operation::new(Method::Post, self.path, &id, move |call| {
            write::create(self, call)
        })
        .takes(Content::One(format!("{}Request", self.name)))
        .answers(201, Content::One(self.name.to_owned()))
    }

    /// `GET /<path>/<key>/`
    pub(crate) fn retrieve(&'static self) -> Operation {
        let id = format!("{}_retrieve", self.prefix);
        Operation::new(Method::Get, &self.one(""), &id, move |call| {
            find::retrieve(self, call)
        })
        .key(self.key, &schema::key(self))
        .answers(200, Content::One(self.name.to_owned()))
    }

    /// `PUT` and `PATCH /<path>/<key>/`
    pub(crate) fn update(&'static self, method: Method) -> Operation {
        let (verb, patched) = match method {
            Method::Put => ("update", ""),
            _ => ("partial_update", "Patched"),
        };
        let id = format!("{}_{verb}", self.prefix);
        Operation::new(method, &self.one(""), &id, move |call| {
            write::update(self, method, call)
        })
        .key(self.key, &schema::key(self))
        .takes(Content::One(format!("{patched}{}Request", self.name)))
        .answers(200, Content::One(self.name.to_owned()))
    }

    /// `DELETE /<path>/<key>/`
    pub(crate) fn destroy(&'static self) -> Operation {
        let id = format!("{}_destroy", self.prefix);
        Operation::new(Method::Delete, &self.one(""), &id, move |call| {
            write::destroy(self, call)
        })
        .key(self.key, &schema::key(self))
        .answers(204, Content::Nothing)
    }

    /// Answers `DELETE /<path>/<key>/`, for operations that look at more before.
    pub(crate) async fn remove(&self, call: Call) -> Answered {
        write::destroy(self, call).await
    }

    /// `GET /<path>/<key>/used_by/`
    pub(crate) fn used_by(&'static self) -> Operation {
        let id = format!("{}_used_by_list", self.prefix);
        Operation::new(Method::Get, &self.one("used_by/"), &id, move |call| {
            used_by::used_by(self, call)
        })
        .key(self.key, &schema::key(self))
        .answers(200, Content::List("UsedBy".to_owned()))
    }

    /// The path of one of its objects, and what comes after.
    pub(crate) fn one(&self, rest: &str) -> String {
        format!("{}{{{}}}/{rest}", self.path, self.key)
    }
}
