//! The few resources beside the executor that a flow's interface asks for, and health.

use reqwest::Method;

use crate::support::with_server;

#[test]
fn the_server_says_that_it_lives_and_is_ready() {
    with_server(async |server| {
        let visitor = server.visitor();
        for path in ["/-/health/live/", "/-/health/ready/"] {
            for method in [Method::GET, Method::HEAD] {
                let answer = visitor.sends(method, path, &[], "").await;
                answer.has_status(200);
                assert!(answer.cookie("authentik_session").is_none());
            }
        }
    });
}

#[test]
fn the_brand_names_the_default_flows() {
    with_server(async |server| {
        let brand = server.visitor().gets("/api/v3/core/brands/current/").await;
        brand.has_status(200);
        let brand = brand.json();
        assert_eq!(brand["branding_title"], "Gatelog");
        assert_eq!(brand["flow_authentication"], "default-authentication-flow");
        assert_eq!(brand["flow_invalidation"], "default-invalidation-flow");
        for key in ["branding_logo", "branding_favicon", "ui_theme", "flags"] {
            assert!(brand.get(key).is_some(), "no {key}: {brand}");
        }
    });
}

#[test]
fn the_configuration_has_what_clients_need() {
    with_server(async |server| {
        let config = server.visitor().gets("/api/v3/root/config/").await;
        config.has_status(200);
        let config = config.json();
        for key in [
            "error_reporting",
            "capabilities",
            "cache_timeout",
            "cache_timeout_flows",
            "cache_timeout_policies",
        ] {
            assert!(config.get(key).is_some(), "no {key}: {config}");
        }
    });
}

#[test]
fn the_countries_that_a_policy_may_allow_are_listed_for_everybody() {
    with_server(async |server| {
        let path = "/api/v3/policies/geoip_iso3166/";
        let countries = server.visitor().gets(path).await;
        let countries = countries.has_status(200).json();
        let countries = countries.as_array().expect("a list");
        assert_eq!(countries.len(), 249);
        let norway = serde_json::json!({"code": "NO", "name": "Norway"});
        assert!(countries.contains(&norway));
    });
}

#[test]
fn an_unknown_token_opens_nothing() {
    with_server(async |server| {
        let visitor = server.visitor();
        let token = [("authorization", "Bearer nothing-of-the-kind")];
        let path = "/api/v3/core/users/me/";
        let answer = visitor.sends(Method::GET, path, &token, "").await;
        answer.has_status(403);
        assert_eq!(answer.json()["detail"], "Token invalid/expired");
        assert_eq!(answer.header("www-authenticate"), "");
    });
}

#[test]
fn what_is_not_there_is_said_in_the_callers_form() {
    with_server(async |server| {
        let visitor = server.visitor();
        let api = visitor.gets("/api/v3/nothing/").await;
        api.has_status(404);
        assert_eq!(api.json()["detail"], "Not found.");
        let page = visitor.gets("/nothing/").await;
        page.has_status(404).shows("Page not found");
        let wrong = visitor
            .sends(Method::POST, "/api/v3/core/users/me/", &[], "")
            .await;
        wrong.has_status(405);
    });
}

#[test]
fn the_operators_routes_are_not_on_the_network() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        visitor.logs_in(&server.administrator).await;
        for path in [
            "/operator/status",
            "/operator/users",
            "/operator/executions",
        ] {
            visitor.gets(path).await.has_status(404);
        }
    });
}
