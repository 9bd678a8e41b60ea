//! What the small resources send that no object of ours stands for: the caller, the brand of this
//! host, the configuration, a policy's test, what users can set up, the inspector.

use serde_json::{Value, json};

use super::shape::{Member, Of, has, may, object};
use crate::policy::geoip::countries::COUNTRIES;

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "SessionUser",
        &[
            has("user", Of::To("UserSelf")),
            may("original", Of::To("UserSelf")),
            has("users", Of::List(&Of::To("UserSelf"))),
        ],
    ),
    (
        "UserSelf",
        &[
            has("pk", Of::Number),
            has("username", Of::Text),
            has("name", Of::Text),
            has("is_active", Of::Flag),
            has("is_superuser", Of::Flag),
            has("groups", Of::List(&Of::To("UserSelfGroups"))),
            has("roles", Of::List(&Of::To("UserSelfRoles"))),
            may("email", Of::Text),
            has("avatar", Of::Text),
            has("uid", Of::Text),
            has("settings", Of::Object),
            may("type", Of::To("UserTypeEnum")),
            has("system_permissions", Of::List(&Of::Text)),
            has("is_current", Of::Flag),
        ],
    ),
    (
        "UserSelfGroups",
        &[has("name", Of::Text), has("pk", Of::Text)],
    ),
    (
        "UserSelfRoles",
        &[has("name", Of::Text), has("pk", Of::Text)],
    ),
    (
        "CurrentBrand",
        &[
            has("matched_domain", Of::Text),
            has("branding_title", Of::Text),
            has("branding_logo", Of::Text),
            has(
                "branding_logo_themed_urls",
                Of::OrNull(&Of::To("ThemedUrls")),
            ),
            has("branding_favicon", Of::Text),
            has(
                "branding_favicon_themed_urls",
                Of::OrNull(&Of::To("ThemedUrls")),
            ),
            has("branding_custom_css", Of::Text),
            has("branding_map_tiles", Of::Text),
            has("ui_footer_links", Of::List(&Of::To("FooterLink"))),
            has("ui_theme", Of::To("UiThemeEnum")),
            may("flow_authentication", Of::Text),
            may("flow_invalidation", Of::Text),
            may("flow_recovery", Of::Text),
            may("flow_unenrollment", Of::Text),
            may("flow_user_settings", Of::Text),
            may("flow_device_code", Of::Text),
            has("default_locale", Of::Text),
            has("flags", Of::Object),
        ],
    ),
    (
        "FooterLink",
        &[has("href", Of::OrNull(&Of::Text)), has("name", Of::Text)],
    ),
    (
        "Config",
        &[
            has("error_reporting", Of::To("ErrorReportingConfig")),
            has("capabilities", Of::List(&Of::To("CapabilitiesEnum"))),
            has("cache_timeout", Of::Number),
            has("cache_timeout_flows", Of::Number),
            has("cache_timeout_policies", Of::Number),
        ],
    ),
    (
        "ErrorReportingConfig",
        &[
            has("enabled", Of::Flag),
            has("sentry_dsn", Of::Text),
            has("environment", Of::Text),
            has("send_pii", Of::Flag),
            has("traces_sample_rate", Of::Real),
        ],
    ),
    (
        "PolicyTestRequest",
        &[has("user", Of::Number), may("context", Of::Object)],
    ),
    (
        "PolicyTestResult",
        &[
            has("passing", Of::Flag),
            has("messages", Of::List(&Of::Text)),
            has("log_messages", Of::List(&Of::To("LogEvent"))),
        ],
    ),
    (
        "LogEvent",
        &[
            has("timestamp", Of::Format("date-time")),
            has("log_level", Of::To("LogLevelEnum")),
            has("logger", Of::Text),
            has("event", Of::Text),
            has("attributes", Of::Object),
        ],
    ),
    (
        "UserSetting",
        &[
            has("object_uid", Of::Text),
            has("component", Of::Text),
            has("title", Of::Text),
            may("configure_url", Of::Text),
            may("icon_url", Of::Text),
        ],
    ),
    (
        "DetailedCountry",
        &[
            has("code", Of::To("CountryCodeEnum")),
            has("name", Of::Text),
        ],
    ),
    (
        "FlowInspection",
        &[
            has("plans", Of::List(&Of::To("FlowInspectorPlan"))),
            may("current_plan", Of::To("FlowInspectorPlan")),
            has("is_completed", Of::Flag),
        ],
    ),
    (
        "FlowInspectorPlan",
        &[
            has("current_stage", Of::Object),
            has("next_planned_stage", Of::Object),
            has("plan_context", Of::Object),
            has("session_id", Of::Text),
        ],
    ),
];

const WORDS: &[(&str, &[&str])] = &[
    (
        "CapabilitiesEnum",
        &[
            "can_save_media",
            "can_save_reports",
            "can_geo_ip",
            "can_asn",
            "can_impersonate",
            "can_debug",
            "is_enterprise",
        ],
    ),
    ("UiThemeEnum", &["automatic", "light", "dark"]),
    (
        "LogLevelEnum",
        &[
            "critical",
            "exception",
            "error",
            "warn",
            "warning",
            "info",
            "debug",
            "notset",
        ],
    ),
    ("FormatEnum", &["json", "yaml"]),
    ("DuoResponseEnum", &["success", "waiting", "invalid"]),
    (
        "UserTypeEnum",
        &[
            "internal",
            "external",
            "service_account",
            "internal_service_account",
        ],
    ),
];

/// The schemas, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let objects = OBJECTS.iter();
    let objects = objects.map(|(name, members)| (*name, object(members.iter().copied())));
    let words = WORDS.iter();
    let words = words.map(|(name, words)| (*name, Of::Word(words).schema()));
    let countries: Vec<&str> = COUNTRIES.iter().map(|(code, _)| *code).collect();
    let countries = json!({ "type": "string", "enum": countries });
    objects
        .chain(words)
        .chain([("CountryCodeEnum", countries)])
        .collect()
}
