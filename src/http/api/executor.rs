//! The flow executor in the table of operations, so that it is described like all others.

use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};
use crate::http::executor;

/// Where it is, below `/api/v3`.
pub(super) const PATH: &str = "/flows/executor/{flow_slug}/";

/// The operations. Other methods are answered as well, see [`executor::other`].
pub(super) fn operations() -> Vec<Operation> {
    let challenge = || Content::One("ChallengeTypes".to_owned());
    vec![
        Operation::new(Method::Get, PATH, "flows_executor_get", handle)
            .access(Access::Public)
            .asks("query", serde_json::json!({ "type": "string" }))
            .answers(200, challenge()),
        Operation::new(Method::Post, PATH, "flows_executor_solve", handle)
            .access(Access::Public)
            .asks("query", serde_json::json!({ "type": "string" }))
            .takes(Content::One("FlowChallengeResponseRequest".to_owned()))
            .answers(200, challenge()),
    ]
}

async fn handle(mut call: Call) -> Answered {
    let payload = call.payload()?;
    let slug = call.path("flow_slug").to_owned();
    executor::handle(&call.request, slug, payload, &call.state, call.arrival).await
}
