//! `/flows/instances/` and `/flows/bindings/`: flows, and which stages they have.
//!
//! Source: authentik `flows/api/flows.py`, `flows/api/bindings.py`.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::operation::Operation;
use super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown};
use super::schema::{Components, request};
use super::stage_base::{self, Stage};
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields};
use crate::catalog::{self, FlowStageBinding, PolicyBinding};
use crate::flow::challenge::DEFAULT_BACKGROUND;
use crate::flow::model::{
    Authentication, DeniedAction, Designation, InvalidResponseAction, Layout, PolicyEngineMode,
};
use crate::journal::object::Stored;

/// A flow as it is shown.
#[derive(Serialize, ToSchema)]
struct Flow {
    #[schema(read_only)]
    pk: Uuid,
    #[schema(read_only)]
    policybindingmodel_ptr_id: Uuid,
    name: String,
    slug: String,
    title: String,
    #[schema(schema_with = designation)]
    designation: Designation,
    #[schema(required = false)]
    background: String,
    #[schema(read_only)]
    background_url: String,
    #[schema(read_only, required = true)]
    background_themed_urls: Option<ThemedUrls>,
    #[schema(read_only)]
    stages: Vec<Uuid>,
    #[schema(read_only)]
    policies: Vec<Uuid>,
    /// Plans are never kept for others here.
    #[schema(read_only)]
    cache_count: u32,
    #[schema(required = false, schema_with = policy_engine_mode)]
    policy_engine_mode: PolicyEngineMode,
    #[schema(required = false)]
    compatibility_mode: bool,
    #[schema(read_only)]
    export_url: String,
    #[schema(required = false, schema_with = layout)]
    layout: Layout,
    #[schema(required = false, schema_with = denied_action)]
    denied_action: DeniedAction,
    #[schema(required = false, schema_with = authentication)]
    authentication: Authentication,
}

/// The addresses of a picture that has a form for each theme.
#[derive(Serialize, ToSchema)]
pub(super) struct ThemedUrls {
    light: Option<String>,
    dark: Option<String>,
}

/// A flow, as it is shown within a stage.
#[derive(Serialize, ToSchema)]
pub(super) struct FlowSet {
    #[schema(read_only)]
    pk: Uuid,
    #[schema(read_only)]
    policybindingmodel_ptr_id: Uuid,
    name: String,
    slug: String,
    title: String,
    #[schema(schema_with = designation)]
    designation: Designation,
    #[schema(read_only)]
    background_url: String,
    #[schema(required = false, schema_with = policy_engine_mode)]
    policy_engine_mode: PolicyEngineMode,
    #[schema(required = false)]
    compatibility_mode: bool,
    #[schema(read_only)]
    export_url: String,
    #[schema(required = false, schema_with = layout)]
    layout: Layout,
    #[schema(required = false, schema_with = denied_action)]
    denied_action: DeniedAction,
}

/// A stage's place in a flow, as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowStageBinding)]
pub(super) struct Binding {
    #[schema(read_only)]
    pk: Uuid,
    #[schema(read_only)]
    policybindingmodel_ptr_id: Uuid,
    target: Uuid,
    stage: Uuid,
    #[schema(read_only)]
    stage_obj: Stage,
    #[schema(required = false)]
    evaluate_on_plan: bool,
    #[schema(required = false)]
    re_evaluate_policies: bool,
    order: i32,
    #[schema(required = false, schema_with = policy_engine_mode)]
    policy_engine_mode: PolicyEngineMode,
    #[schema(required = false, schema_with = invalid_response_action)]
    invalid_response_action: InvalidResponseAction,
}

/// Makes functions that name the schemas of words.
macro_rules! named {
    ($($function:ident = $name:literal;)+) => {
        $(fn $function() -> utoipa::openapi::Ref {
            utoipa::openapi::Ref::from_schema_name($name)
        })+
    };
}

named! {
    designation = "FlowDesignationEnum";
    policy_engine_mode = "PolicyEngineMode";
    layout = "FlowLayoutEnum";
    denied_action = "DeniedActionEnum";
    authentication = "AuthenticationEnum";
    invalid_response_action = "InvalidResponseActionEnum";
}

fn designations() -> Vec<&'static str> {
    Designation::ALL.iter().map(|it| it.as_str()).collect()
}

fn denied_actions() -> Vec<&'static str> {
    DeniedAction::ALL.iter().map(|it| it.as_str()).collect()
}

fn engine_modes() -> Vec<&'static str> {
    PolicyEngineMode::ALL.iter().map(|it| it.as_str()).collect()
}

fn response_actions() -> Vec<&'static str> {
    let all = InvalidResponseAction::ALL.iter();
    all.map(|it| it.as_str()).collect()
}

pub(super) static FLOWS: Resource = Resource {
    path: "/flows/instances/",
    prefix: "flows_instances",
    key: "slug",
    key_field: KeyField::Field("slug"),
    scope: Scope::Of(Model::Flow),
    name: "Flow",
    noun: "authentik_flows.flow",
    search: &["name", "slug", "designation", "title", "denied_action"],
    filters: &[
        Filter::of("denied_action", Fits::Word(denied_actions)),
        Filter::of("designation", Fits::Word(designations)),
        Filter::of("flow_uuid", Fits::Uuid),
        Filter::of("name", Fits::Text),
        Filter::of("slug", Fits::Text),
    ],
    order: &["slug", "name"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_flow,
};

static BINDINGS: Resource = Resource {
    path: "/flows/bindings/",
    prefix: "flows_bindings",
    key: "fsb_uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::Binding),
    name: "FlowStageBinding",
    noun: "authentik_flows.flowstagebinding",
    search: &["stage__name"],
    filters: &[
        Filter::of("evaluate_on_plan", Fits::Flag),
        Filter::of("fsb_uuid", Fits::Uuid),
        Filter::of("invalid_response_action", Fits::Word(response_actions)),
        Filter::of("order", Fits::Integer),
        Filter::of("pbm_uuid", Fits::Uuid),
        Filter::of("policy_engine_mode", Fits::Word(engine_modes)),
        Filter::of("re_evaluate_policies", Fits::Flag),
        Filter::of("stage", Fits::Uuid),
        Filter::of("target", Fits::Uuid),
    ],
    order: &["order", "pk"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_binding,
};

/// The operations on both.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = FLOWS.operations();
    all.extend(BINDINGS.operations());
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.add::<Flow>();
    components.add::<Binding>();
    request(components, "Flow", fields(Model::Flow).iter(), None);
    let binding = fields(Model::Binding).iter();
    request(components, "FlowStageBinding", binding, None);
}

/// Where a flow is exported.
fn export_url(flow: &catalog::Flow) -> String {
    format!("/api/v3/flows/instances/{}/export/", flow.slug)
}

/// The picture behind a flow, in the form for this theme.
fn background(flow: &catalog::Flow, theme: &str) -> String {
    if flow.background.is_empty() {
        DEFAULT_BACKGROUND.to_owned()
    } else {
        flow.background.replace("%(theme)s", theme)
    }
}

/// A flow as it is shown by itself and within other objects.
///
/// # Errors
/// What has to be read first.
pub(super) fn show_flow(object: &Object, staged: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Flow(flow) = object else {
        return Err(Miss::Wrong("this is no flow".to_owned()));
    };
    let mut bound: Vec<&FlowStageBinding> = bindings(staged)?
        .filter(|it| it.target == flow.pk)
        .collect();
    bound.sort_by_key(|it| (it.order, it.pk));
    let conditions = staged.all(PolicyBinding::KIND)?.into_iter();
    let mut conditions: Vec<&PolicyBinding> = conditions
        .filter_map(|object| match object {
            Object::PolicyBinding(it) if it.target == flow.pbm => Some(it),
            _ => None,
        })
        .collect();
    conditions.sort_by_key(|it| (it.order, it.pk));
    let themes = flow.background.contains("%(theme)s");
    Ok(json!(Flow {
        pk: flow.pk,
        policybindingmodel_ptr_id: flow.pbm,
        name: flow.name.clone(),
        slug: flow.slug.to_string(),
        title: flow.title.clone(),
        designation: flow.designation,
        background: flow.background.clone(),
        background_url: background(flow, "light"),
        background_themed_urls: themes.then(|| ThemedUrls {
            light: Some(background(flow, "light")),
            dark: Some(background(flow, "dark")),
        }),
        stages: bound.iter().map(|it| it.stage).collect(),
        policies: conditions.iter().filter_map(|it| it.policy).collect(),
        cache_count: 0,
        policy_engine_mode: flow.policy_engine_mode,
        compatibility_mode: flow.compatibility_mode,
        export_url: export_url(flow),
        layout: flow.layout,
        denied_action: flow.denied_action,
        authentication: flow.authentication,
    }))
}

/// The flows that a stage is bound to, as they are shown within it.
pub(super) fn flow_set(stage: Uuid, staged: &Staged) -> Result<Vec<FlowSet>, Miss> {
    let mut shown: Vec<FlowSet> = Vec::new();
    for binding in bindings(staged)?.filter(|it| it.stage == stage) {
        let flow = staged.get(catalog::Flow::KIND, binding.target)?;
        let Some(Object::Flow(flow)) = flow else {
            continue;
        };
        if shown.iter().any(|it| it.pk == flow.pk) {
            continue;
        }
        shown.push(FlowSet {
            pk: flow.pk,
            policybindingmodel_ptr_id: flow.pbm,
            name: flow.name.clone(),
            slug: flow.slug.to_string(),
            title: flow.title.clone(),
            designation: flow.designation,
            background_url: background(flow, "light"),
            policy_engine_mode: flow.policy_engine_mode,
            compatibility_mode: flow.compatibility_mode,
            export_url: export_url(flow),
            layout: flow.layout,
            denied_action: flow.denied_action,
        });
    }
    shown.sort_by(|one, other| one.slug.cmp(&other.slug));
    Ok(shown)
}

fn bindings(staged: &Staged) -> Result<impl Iterator<Item = &FlowStageBinding>, Miss> {
    let all = staged.all(FlowStageBinding::KIND)?.into_iter();
    Ok(all.filter_map(|object| match object {
        Object::Binding(it) => Some(it),
        _ => None,
    }))
}

fn show_binding(object: &Object, staged: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Binding(binding) = object else {
        return Err(Miss::Wrong("this is no binding".to_owned()));
    };
    Ok(json!(shown_binding(binding, staged)?))
}

/// A binding as it is shown.
///
/// # Errors
/// What has to be read first, or that its stage is gone.
pub(super) fn shown_binding(binding: &FlowStageBinding, staged: &Staged) -> Result<Binding, Miss> {
    let stage = staged.get(catalog::Stage::KIND, binding.stage)?;
    let Some(Object::Stage(stage)) = stage else {
        return Err(Miss::Wrong("its stage is gone".to_owned()));
    };
    Ok(Binding {
        pk: binding.pk,
        policybindingmodel_ptr_id: binding.pbm,
        target: binding.target,
        stage: binding.stage,
        stage_obj: stage_base::shown(stage, staged)?,
        evaluate_on_plan: binding.evaluate_on_plan,
        re_evaluate_policies: binding.re_evaluate_policies,
        order: binding.order,
        policy_engine_mode: binding.policy_engine_mode,
        invalid_response_action: binding.invalid_response_action,
    })
}
