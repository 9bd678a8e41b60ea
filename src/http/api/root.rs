//! `/root/config/`: what this server can do.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::Get, "/root/config/", "root_config_retrieve", config)
            .access(Access::Public)
            .answers(200, Content::One("Config".to_owned())),
    ]
}

/// `GET /root/config/`, for everybody.
async fn config(_: Call) -> Answered {
    Ok(HttpResponse::Ok().json(shown()))
}

/// What it says. Errors are reported to nobody, and nothing is cached.
pub(in crate::http) fn shown() -> Value {
    json!({
        "error_reporting": {
            "enabled": false,
            "sentry_dsn": "",
            "environment": "gatelog",
            "send_pii": false,
            "traces_sample_rate": 0.0,
        },
        "capabilities": [],
        "cache_timeout": 0,
        "cache_timeout_flows": 0,
        "cache_timeout_policies": 0,
    })
}
