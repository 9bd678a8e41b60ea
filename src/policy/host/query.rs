//! Queries, as Django's models have them: `Model.objects`, `user.groups`, and what is chained to
//! them.
//!
//! A query is a handle that stands for its place among those of this evaluation; it reads nothing
//! until its rows are asked for. Where a condition has a lookup of its own, only what that finds
//! is read; else all objects of the kind are, up to a limit.

use std::rc::Rc;

use uuid::Uuid;

use super::row::Row;
use super::{Answers, absent, device, lookup, names, no_method};
use crate::directory::DeviceClass;
use crate::expression::{Call, Failure, Object, Value};
use crate::policy::context;

/// The class of what queries begin with.
pub(super) const MANAGER: &str = "Manager";
/// The class of queries; the program around an expression asks for their rows.
pub(super) const QUERY_SET: &str = "QuerySet";

/// What a query asks for.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) source: Source,
    steps: Vec<Step>,
    order: Vec<String>,
    columns: Option<Columns>,
}

/// Where the rows of a query come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// All objects of a model.
    All(Model),
    /// These.
    These(Model, Vec<Uuid>),
    /// The groups that a user is put in.
    GroupsOf(Uuid),
    /// Those and all above.
    AllGroupsOf(Uuid),
    /// The users that are put in a group.
    UsersIn(Uuid),
    /// The groups directly below one.
    Below(Uuid),
    /// The stages of a flow.
    StagesOf(Uuid),
    /// Nothing at all.
    Nothing,
}

/// A model of which there are rows here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Model {
    User,
    Group,
    Flow,
    /// Stages; of one class only, where it is named.
    Stage(Option<String>),
    Binding,
    Condition,
    /// Policies; of one class only, where it is named.
    Policy(Option<String>),
    Brand,
    Application,
    /// Devices; of one class only, where it is named.
    Device(Option<DeviceClass>),
    /// One of which this server has none, by its name.
    Absent(String),
}

#[derive(Clone, Debug)]
struct Step {
    /// Whether what fits is left out instead of kept.
    negated: bool,
    conditions: Vec<(String, Value)>,
}

#[derive(Clone, Debug)]
struct Columns {
    names: Vec<String>,
    flat: bool,
}

impl Model {
    /// The model of a class.
    pub(super) fn of(class: &str) -> Self {
        let concrete = |base: &str| (class != base).then(|| class.to_owned());
        match class {
            context::USER => Self::User,
            context::GROUP => Self::Group,
            "Flow" => Self::Flow,
            "FlowStageBinding" => Self::Binding,
            "PolicyBinding" => Self::Condition,
            "Brand" => Self::Brand,
            "Application" => Self::Application,
            "Device" => Self::Device(None),
            name if device::class(name).is_some() => Self::Device(device::class(name)),
            class if names::is_stage(class) => Self::Stage(concrete("Stage")),
            class if names::is_policy(class) => Self::Policy(concrete("Policy")),
            class => Self::Absent(class.to_owned()),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::User => context::USER,
            Self::Group => context::GROUP,
            Self::Flow => "Flow",
            Self::Stage(class) => class.as_deref().unwrap_or("Stage"),
            Self::Binding => "FlowStageBinding",
            Self::Condition => "PolicyBinding",
            Self::Policy(class) => class.as_deref().unwrap_or("Policy"),
            Self::Brand => "Brand",
            Self::Application => "Application",
            Self::Device(class) => class.map_or("Device", device::name),
            Self::Absent(name) => name,
        }
    }

    /// What rows can be found by, or `None` where any name will do.
    pub(super) fn has_column(&self, name: &str) -> bool {
        let columns: &[&str] = match self {
            Self::User => &super::user::COLUMNS,
            Self::Group => &[
                "group_uuid",
                "name",
                "is_superuser",
                "attributes",
                "parents",
                "children",
                "users",
            ],
            Self::Flow => &[
                "flow_uuid",
                "name",
                "slug",
                "title",
                "designation",
                "background",
                "layout",
                "compatibility_mode",
                "denied_action",
                "authentication",
                "policy_engine_mode",
                "pbm_uuid",
                "policybindingmodel_ptr_id",
                "stages",
            ],
            Self::Binding => &[
                "fsb_uuid",
                "target",
                "stage",
                "order",
                "evaluate_on_plan",
                "re_evaluate_policies",
                "invalid_response_action",
                "policy_engine_mode",
                "pbm_uuid",
                "policybindingmodel_ptr_id",
            ],
            Self::Condition => &[
                "policy_binding_uuid",
                "target",
                "policy",
                "group",
                "user",
                "negate",
                "enabled",
                "order",
                "timeout",
                "failure_result",
            ],
            Self::Application => &[
                "application_uuid",
                "pbm_uuid",
                "policybindingmodel_ptr_id",
                "name",
                "slug",
                "group",
                "meta_launch_url",
                "meta_hide",
                "policy_engine_mode",
            ],
            Self::Brand => &[
                "brand_uuid",
                "domain",
                "default",
                "branding_title",
                "attributes",
            ],
            Self::Device(class) => {
                let all = || DeviceClass::ALL.iter();
                let has = |class: &DeviceClass| device::has_column(*class, name);
                return name == "pk" || class.as_ref().map_or_else(|| all().all(has), has);
            }
            Self::Stage(None) => &["stage_uuid", "name"],
            Self::Policy(None) => &["policy_uuid", "name", "execution_logging"],
            // What a kind has of its own is known to its settings only.
            Self::Stage(Some(_)) | Self::Policy(Some(_)) | Self::Absent(_) => return true,
        };
        matches!(name, "pk") || columns.contains(&name)
    }

    /// What its rows are sorted by where nobody says.
    fn order(&self) -> &'static [&'static str] {
        match self {
            Self::User => &["pk"],
            Self::Flow => &["slug"],
            Self::Binding | Self::Condition => &["order"],
            Self::Brand => &["domain"],
            Self::Device(_) => &["created"],
            Self::Group | Self::Application | Self::Stage(_) | Self::Policy(_) => &["name"],
            Self::Absent(_) => &[],
        }
    }
}

impl Source {
    fn model(&self) -> Model {
        match self {
            Self::All(model) | Self::These(model, _) => model.clone(),
            Self::GroupsOf(_) | Self::AllGroupsOf(_) | Self::Below(_) => Model::Group,
            Self::UsersIn(_) => Model::User,
            Self::StagesOf(_) => Model::Stage(None),
            Self::Nothing => Model::Absent(String::new()),
        }
    }
}

impl Query {
    /// All rows of a source.
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            steps: Vec::new(),
            order: Vec::new(),
            columns: None,
        }
    }

    /// Only the rows that fit all conditions, or with `negated` only the others.
    ///
    /// # Errors
    /// `FieldError` when the model has no such field.
    pub(super) fn step(
        mut self,
        negated: bool,
        conditions: Vec<(String, Value)>,
    ) -> Result<Self, Failure> {
        let model = self.source.model();
        for (path, _) in &conditions {
            let first = path.split("__").next().unwrap_or_default();
            if !model.has_column(first) {
                return Err(no_field(first));
            }
        }
        self.steps.push(Step {
            negated,
            conditions,
        });
        Ok(self)
    }
}

/// Django's words for a field that a model has not.
pub(super) fn no_field(name: &str) -> Failure {
    let text = format!("FieldError: Cannot resolve keyword '{name}' into field.");
    Failure::raise("FieldError", text)
}

impl Answers<'_> {
    /// A handle of what queries begin with.
    pub(super) fn manager(&self, query: Query) -> Value {
        self.enlist(MANAGER, query)
    }

    /// A handle of a query.
    pub(super) fn query_set(&self, query: Query) -> Value {
        self.enlist(QUERY_SET, query)
    }

    fn enlist(&self, class: &str, query: Query) -> Value {
        let mut queries = self.queries.borrow_mut();
        queries.push(query);
        Object::new(class, (queries.len() - 1).to_string()).into()
    }

    /// The query behind a handle.
    pub(super) fn query(&self, object: &Object) -> Result<Query, Failure> {
        let at = object.id.parse::<usize>().ok();
        let query = at.and_then(|at| self.queries.borrow().get(at).cloned());
        query.ok_or_else(|| Failure::raise("ValueError", "the query is another expression's"))
    }

    pub(super) async fn query_method(
        &self,
        object: &Object,
        call: &Call,
    ) -> Result<Value, Failure> {
        let mut query = self.query(object)?;
        let texts = || {
            call.args
                .iter()
                .filter_map(Value::as_text)
                .map(str::to_owned)
        };
        match call.name.as_str() {
            "all" | "distinct" | "select_related" | "prefetch_related" | "select_subclasses" => {
                Ok(self.query_set(query))
            }
            name @ ("filter" | "exclude") => {
                let query = query.step(name == "exclude", conditions(call)?)?;
                Ok(self.query_set(query))
            }
            "order_by" => {
                query.order = texts().collect();
                Ok(self.query_set(query))
            }
            "values_list" => {
                let flat = call.argument(usize::MAX, "flat") == Some(&Value::Bool(true));
                let names = texts().collect();
                query.columns = Some(Columns { names, flat });
                Ok(self.query_set(query))
            }
            "__iter__" => Ok(Value::List(self.shown_rows(&query).await?)),
            "exists" => Ok(Value::Bool(!self.members(&query).await?.is_empty())),
            "count" => {
                let count = self.members(&query).await?.len();
                Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
            }
            "first" => Ok(self.shown_rows(&query).await?.into_iter().next().into()),
            "last" => Ok(self.shown_rows(&query).await?.pop().into()),
            "get" => self.the_one(query.step(false, conditions(call)?)?).await,
            "add" | "remove" => match query.source {
                Source::GroupsOf(user) => self.change_groups(user, call).await,
                _ => Err(absent(&format!("{}() of these objects", call.name))),
            },
            "create" | "get_or_create" | "update_or_create" | "bulk_create" | "update"
            | "delete" | "set" | "clear" => Err(absent(&format!("{}() of a query", call.name))),
            name => Err(no_method(&object.class, name)),
        }
    }

    /// The only row of a query.
    async fn the_one(&self, query: Query) -> Result<Value, Failure> {
        let model = query.source.model();
        let mut rows = self.shown_rows(&query).await?;
        match (rows.len(), rows.pop()) {
            (1, Some(row)) => Ok(row),
            (0, _) => {
                let text = format!("{} matching query does not exist.", model.name());
                Err(Failure::raise("LookupError", text))
            }
            (count, _) => {
                let name = model.name();
                let text = format!("get() returned more than one {name} -- it returned {count}!");
                Err(Failure::raise("MultipleObjectsReturned", text))
            }
        }
    }

    /// The rows of a query, as an expression gets them.
    async fn shown_rows(&self, query: &Query) -> Result<Vec<Value>, Failure> {
        let rows = self.members(query).await?;
        let Some(Columns { names, flat }) = &query.columns else {
            let rows = rows.iter().map(|row| self.handle(row).into());
            return Ok(rows.collect());
        };
        let mut shown = Vec::new();
        for row in rows {
            let mut values = Vec::new();
            for name in names {
                let (found, _) = self.found(&row, name).await?;
                values.push(found.into_iter().next().into());
            }
            shown.push(match (flat, values.pop()) {
                (true, Some(value)) if values.is_empty() => value,
                (_, last) => {
                    values.extend(last);
                    Value::Tuple(values)
                }
            });
        }
        Ok(shown)
    }

    /// The rows of a query, in order.
    pub(super) async fn members(&self, query: &Query) -> Result<Vec<Rc<Row>>, Failure> {
        let kept = query.steps.iter().filter(|step| !step.negated);
        let kept: Vec<_> = kept.flat_map(|step| &step.conditions).collect();
        let mut rows = Vec::new();
        for row in self.candidates(&query.source, &kept).await? {
            let mut fits = true;
            for step in &query.steps {
                fits = fits && self.fits(&row, &step.conditions).await? != step.negated;
            }
            if fits {
                rows.push(row);
            }
        }
        let model = query.source.model();
        if query.order.is_empty() {
            for name in model.order() {
                self.sort(&mut rows, name).await?;
            }
        }
        // Stable, so that the first name counts most when it comes last.
        for name in query.order.iter().rev() {
            let first = name.trim_start_matches('-').split("__").next();
            if !model.has_column(first.unwrap_or_default()) {
                return Err(no_field(first.unwrap_or_default()));
            }
            self.sort(&mut rows, name).await?;
        }
        Ok(rows)
    }

    async fn fits(&self, row: &Rc<Row>, conditions: &[(String, Value)]) -> Result<bool, Failure> {
        for (path, wanted) in conditions {
            let (found, operator) = self.found(row, path).await?;
            if !self.matches(operator, &found, wanted).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn sort(&self, rows: &mut Vec<Rc<Row>>, name: &str) -> Result<(), Failure> {
        let path = name.trim_start_matches('-');
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            let (found, _) = self.found(&row, path).await?;
            keyed.push((found.into_iter().next().unwrap_or(Value::None), row));
        }
        keyed.sort_by(|(one, _), (other, _)| {
            let order = lookup::order(one, other).unwrap_or(std::cmp::Ordering::Equal);
            if name.starts_with('-') {
                order.reverse()
            } else {
                order
            }
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Ok(())
    }
}

/// What a call asks for by name.
fn conditions(call: &Call) -> Result<Vec<(String, Value)>, Failure> {
    if call.args.is_empty() {
        Ok(call.kwargs.clone())
    } else {
        Err(absent("a condition without a name, such as Q()"))
    }
}
