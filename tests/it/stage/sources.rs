//! Other places to log in at: shown where somebody says who they are.

use serde_json::{Value, json};

use crate::support::{Flow, TestServer, addresses, text_of, with_server};

/// A source as a blueprint has it.
fn source(kind: &str, slug: &str, attrs: &str) -> String {
    let model = match kind {
        "oauth" => "authentik_sources_oauth.oauthsource",
        _ => "authentik_sources_saml.samlsource",
    };
    format!("- model: {model}\n  identifiers: {{slug: {slug}}}\n  attrs: {{{attrs}}}\n")
}

fn apply(server: &TestServer, entries: &[String]) {
    server.apply(&format!("version: 1\nentries:\n{}", entries.concat()));
}

/// A flow that shows these sources.
fn has_flow(server: &TestServer, slug: &str, sources: &[(&str, &str)], attrs: &Value) {
    let found = sources.iter().map(|(kind, slug)| {
        let model = match *kind {
            "oauth" => "authentik_sources_oauth.oauthsource",
            _ => "authentik_sources_saml.samlsource",
        };
        format!("!Find [{model}, [slug, {slug}]]")
    });
    let found = found.collect::<Vec<_>>().join(", ");
    let stage = format!("{slug}-who");
    server.apply(&format!(
        "version: 1
entries:
- model: authentik_flows.flow
  identifiers: {{slug: {slug}}}
  id: flow
  attrs: {{name: {slug}, title: {slug}, designation: authentication}}
- model: authentik_stages_identification.identificationstage
  identifiers: {{name: {stage}}}
  id: who
  attrs:
    sources: [{found}]
    user_fields: {}
    show_source_labels: {}
    pretend_user_exists: false
- model: authentik_flows.flowstagebinding
  identifiers: {{target: !KeyOf flow, stage: !KeyOf who, order: 0}}
",
        attrs["user_fields"], attrs["labels"]
    ));
}

fn three_sources(server: &TestServer) {
    let secret = server.canaries();
    secret.secret("a key that was left out", "not-for-the-disk-1234567");
    apply(
        server,
        &[
            source(
                "oauth",
                "forge",
                "name: Forge, provider_type: github, consumer_key: not-for-the-disk-1234567, \
                 consumer_secret: not-for-the-disk-1234567",
            ),
            source(
                "saml",
                "company",
                "name: A company, promoted: true, icon: /static/a.svg, sso_url: 'https://a.example'",
            ),
            source("oauth", "old", "name: Old one, enabled: false"),
        ],
    );
}

const ALL: &[(&str, &str)] = &[("oauth", "forge"), ("oauth", "old"), ("saml", "company")];

#[test]
fn a_challenge_lists_the_enabled_sources_by_name() {
    with_server(async |server| {
        three_sources(server);
        let attrs = json!({ "user_fields": ["username"], "labels": true });
        has_flow(server, "many", ALL, &attrs);
        let shown = server.visitor().opens("many").await;
        shown.sees("ak-stage-identification").with(
            "sources",
            json!([
                {
                    "name": "A company",
                    "icon_url": "/static/a.svg",
                    "promoted": true,
                    "challenge": {
                        "component": "xak-flow-redirect", "to": "/source/saml/company/",
                    },
                },
                {
                    "name": "Forge",
                    "icon_url": "/static/authentik/sources/default.svg",
                    "promoted": false,
                    "challenge": {
                        "component": "xak-flow-redirect", "to": "/source/oauth/login/forge/",
                    },
                },
            ]),
        );
        shown.with("show_source_labels", true);
        let icon = server
            .visitor()
            .gets("/static/authentik/sources/default.svg")
            .await;
        icon.has_status(200);
    });
}

#[test]
fn sources_alone_are_enough_to_ask_for_and_a_refused_answer_lists_them_again() {
    with_server(async |server| {
        three_sources(server);
        let attrs = json!({ "user_fields": [], "labels": false });
        has_flow(server, "only", ALL, &attrs);
        let mut visitor = server.visitor();
        let shown = visitor.opens("only").await;
        shown
            .with("user_fields", json!([]))
            .with("show_source_labels", false);
        let refused = visitor
            .answers(json!({ "uid_field": "somebody-here" }))
            .await;
        refused.with_error("non_field_errors", "invalid");
        assert_eq!(refused.json()["sources"], shown.json()["sources"]);
        let page = visitor.gets("/if/flow/only/").await;
        let links = addresses(&page.text);
        for link in ["/source/oauth/login/forge/", "/source/saml/company/"] {
            assert!(links.iter().any(|it| it == link), "{links:?}");
        }
        page.hides("There is no way to log in");
        // The name of a small one is the text of its picture.
        page.shows("alt=\"Forge\"");
        let text = text_of(&page.text);
        assert!(text.contains("Continue with A company"), "{text}");
        assert!(!text.contains("Old one"), "{text}");
    });
}

#[test]
fn what_a_provider_wants_is_left_out_and_told() {
    with_server(async |server| {
        let yaml = format!(
            "version: 1\nentries:\n{}",
            source(
                "oauth",
                "forge",
                "name: Forge, provider_type: openidconnect, consumer_key: an-id, \
                 consumer_secret: not-for-the-disk-1234567"
            )
        );
        let canaries = server.canaries();
        canaries.secret("a key that was left out", "not-for-the-disk-1234567");
        let ran = server.gatelog_reading(&["blueprint", "apply", "-"], &yaml);
        let ran = ran.succeeds();
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            told.contains("are ignored: provider_type, consumer_key, consumer_secret"),
            "{told}"
        );
    });
}

#[test]
fn a_source_that_is_removed_leaves_the_stage_without_it() {
    with_server(async |server| {
        three_sources(server);
        let attrs = json!({ "user_fields": ["username"], "labels": false });
        has_flow(server, "many", ALL, &attrs);
        server.apply(
            "version: 1\nentries:\n- model: authentik_sources_saml.samlsource\n  state: absent\n  \
             identifiers: {slug: company}\n",
        );
        let shown = server.visitor().opens("many").await;
        let shown = shown.json();
        assert_eq!(shown["sources"][0]["name"], "Forge");
        assert_eq!(shown["sources"][1], Value::Null);
        // A name that is not one of a source is refused.
        let wrong = Flow::new("wrong").stage(
            "identification",
            "wrong-who",
            json!({ "sources": ["00000000-0000-4000-8000-000000000001"] }),
        );
        let ran = server.gatelog_reading(&["blueprint", "apply", "-"], &wrong.yaml());
        ran.fails_with(1).says("object does not exist");
    });
}

#[test]
fn other_flows_are_linked_to_with_the_query_of_the_page() {
    with_server(async |server| {
        let other = Flow::new("other").with("designation", "enrollment");
        server.has_flow(&other.dummy("other-first"));
        let find = "!Find [authentik_flows.flow, [slug, other]]";
        let attrs = json!({
            "user_fields": ["username"],
            "enrollment_flow": find,
            "recovery_flow": find,
            "passwordless_flow": find,
        });
        server.has_flow(&Flow::new("links").stage("identification", "links-who", attrs));
        let mut visitor = server.visitor();
        let query = "next=%2Fa%3Fb&theme=dark";
        let shown = visitor.opens_with("links", query).await;
        for name in ["enroll_url", "recovery_url", "passwordless_url"] {
            shown.with(name, format!("/if/flow/other/?{query}"));
        }
        let page = visitor.gets("/if/flow/links/").await;
        page.shows("Use a passkey").shows("Sign up.");
        let links = addresses(&page.text);
        assert!(links.iter().any(|it| it == "/if/flow/other/"), "{links:?}");
    });
}
