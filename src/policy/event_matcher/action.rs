//! What events are called. Names only.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// What events are called, besides what begins with [`CUSTOM`].
pub(super) const ACTIONS: &[&str] = &[
    "login",
    "login_failed",
    "logout",
    "user_write",
    "suspicious_request",
    "password_set",
    "secret_view",
    "secret_rotate",
    "invitation_used",
    "authorize_application",
    "source_linked",
    "impersonation_started",
    "impersonation_ended",
    "flow_execution",
    "policy_execution",
    "policy_exception",
    "property_mapping_exception",
    "system_task_execution",
    "system_task_exception",
    "system_exception",
    "configuration_error",
    "configuration_warning",
    "model_created",
    "model_updated",
    "model_deleted",
    "email_sent",
    "update_available",
    "export_ready",
    "review_initiated",
    "review_overdue",
    "review_attested",
    "review_completed",
];

/// Whatever an expression makes an event of is called so.
pub(super) const CUSTOM: &str = "custom_";

/// The name of an event in the description of the API.
pub struct Action;

impl PartialSchema for Action {
    fn schema() -> RefOr<Schema> {
        let words = ACTIONS.iter().chain([&CUSTOM]).copied();
        let object = ObjectBuilder::new().schema_type(Type::String);
        object.enum_values(Some(words)).into()
    }
}

impl ToSchema for Action {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EventActions")
    }
}
