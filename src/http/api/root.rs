//! `/root/config/`: what this server can do.

use actix_web::HttpResponse;
use serde_json::json;

/// `GET /root/config/`, for everybody. Errors are reported to nobody, and nothing is cached.
pub(super) async fn config() -> HttpResponse {
    HttpResponse::Ok().json(json!({
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
    }))
}
