//! Where the policies of each kind are, what they are called, and by what their lists are filtered.
//!
//! Source: authentik `policies/api/policies.py`, `policies/*/api.py`.

use super::show;
use crate::blueprint::edit::Model;
use crate::catalog;
use crate::http::api::resource::{Filter, Fits, KeyField, Resource, Scope};
use crate::http::api::resource::{flag, id, number, text};
use crate::journal::object::Stored as _;
use crate::policy::Kind;

/// What is the same of all of them.
const BASE: Resource = Resource {
    path: "/policies/all/",
    prefix: "policies_all",
    key: "policy_uuid",
    key_field: KeyField::Pk,
    scope: Scope::All(catalog::Policy::KIND),
    name: "Policy",
    noun: "authentik_policies.policy",
    search: &["name"],
    filters: &[
        Filter {
            name: "bindings__isnull",
            field: "bindings__isnull",
            fits: Fits::Flag,
        },
        Filter {
            name: "promptstage__isnull",
            field: "promptstage__isnull",
            fits: Fits::Flag,
        },
    ],
    order: &["name"],
    closed: &[],
    is_own: None,
    guard: None,
    show,
};

/// The policies of all kinds.
pub(super) static ALL: Resource = BASE;

const fn policy(
    kind: Kind,
    path: &'static str,
    prefix: &'static str,
    name: &'static str,
    filters: &'static [Filter],
) -> Resource {
    Resource {
        path,
        prefix,
        name,
        filters,
        scope: Scope::Of(Model::Policy(kind)),
        noun: kind.model(),
        ..BASE
    }
}

/// The policies of each kind.
pub(super) static KINDS: [Resource; 8] = [
    policy(
        Kind::Dummy,
        "/policies/dummy/",
        "policies_dummy",
        "DummyPolicy",
        &[
            flag("execution_logging"),
            id("policy_uuid"),
            flag("result"),
            number("wait_max"),
            number("wait_min"),
            text("name"),
        ],
    ),
    policy(
        Kind::EventMatcher,
        "/policies/event_matcher/",
        "policies_event_matcher",
        "EventMatcherPolicy",
        &[
            text("action"),
            text("app"),
            text("client_ip"),
            flag("execution_logging"),
            text("model"),
            id("policy_uuid"),
            text("query"),
            text("name"),
        ],
    ),
    policy(
        Kind::ExpressionPolicy,
        "/policies/expression/",
        "policies_expression",
        "ExpressionPolicy",
        &[
            flag("execution_logging"),
            text("expression"),
            id("policy_uuid"),
            text("name"),
        ],
    ),
    policy(
        Kind::PasswordPolicy,
        "/policies/password/",
        "policies_password",
        "PasswordPolicy",
        &[
            number("amount_digits"),
            number("amount_lowercase"),
            number("amount_symbols"),
            number("amount_uppercase"),
            flag("check_have_i_been_pwned"),
            flag("check_static_rules"),
            flag("check_zxcvbn"),
            text("error_message"),
            flag("execution_logging"),
            number("hibp_allowed_count"),
            number("length_min"),
            text("password_field"),
            id("policy_uuid"),
            text("symbol_charset"),
            number("zxcvbn_score_threshold"),
            text("name"),
        ],
    ),
    policy(
        Kind::PasswordExpiryPolicy,
        "/policies/password_expiry/",
        "policies_password_expiry",
        "PasswordExpiryPolicy",
        &[
            number("days"),
            flag("deny_only"),
            flag("execution_logging"),
            id("policy_uuid"),
            text("name"),
        ],
    ),
    policy(
        Kind::UniquePasswordPolicy,
        "/policies/unique_password/",
        "policies_unique_password",
        "UniquePasswordPolicy",
        &[
            flag("execution_logging"),
            number("num_historical_passwords"),
            text("password_field"),
            id("policy_uuid"),
            text("name"),
        ],
    ),
    policy(
        Kind::GeoIp,
        "/policies/geoip/",
        "policies_geoip",
        "GeoIPPolicy",
        &[text("name")],
    ),
    policy(
        Kind::Reputation,
        "/policies/reputation/",
        "policies_reputation",
        "ReputationPolicy",
        &[
            flag("check_ip"),
            flag("check_username"),
            flag("execution_logging"),
            id("policy_uuid"),
            number("threshold"),
            text("name"),
        ],
    ),
];
