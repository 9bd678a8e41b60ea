//! The description of the API.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::http::api::{description, operations};

/// The description as of the last change.
fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json")
}

#[test]
fn a_change_of_the_api_is_seen_in_the_description_that_is_kept() {
    let mut text = serde_json::to_string_pretty(description()).expect("it is JSON");
    text.push('\n');
    if std::env::var_os("GATELOG_GOLDEN").is_some_and(|it| it == "1") {
        std::fs::write(golden(), &text).expect("it is written");
    }
    let kept = std::fs::read_to_string(golden()).expect("the description that is kept");
    let differs = kept.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        kept == text,
        "the API has changed; write its description anew with GATELOG_GOLDEN=1 and look at what \
         became of it. The first line that differs: {differs:?}"
    );
}

#[test]
fn whatever_the_description_refers_to_is_in_it() {
    let description = description();
    let mut missing = BTreeSet::new();
    references(description, &mut |reference| {
        let pointer = reference.strip_prefix('#').expect("it is within");
        if description.pointer(pointer).is_none() {
            missing.insert(reference.to_owned());
        }
    });
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_operation_has_a_name_and_a_place_of_its_own() {
    let mut names = BTreeSet::new();
    let mut places = BTreeSet::new();
    for operation in operations() {
        let (id, path) = (&operation.id, &operation.path);
        assert!(names.insert(id), "{id} is there twice");
        let place = (path, operation.method);
        assert!(places.insert(place), "{place:?} is there twice");
        assert!(path.starts_with('/') && path.ends_with('/'), "{path}");
    }
}

#[test]
fn no_schema_is_kept_that_nothing_refers_to() {
    let mut used = BTreeSet::new();
    references(description(), &mut |reference| {
        used.insert(reference.to_owned());
    });
    let schemas = description()["components"]["schemas"].as_object();
    let schemas = schemas.expect("the schemas").keys();
    let idle: Vec<&String> = schemas
        .filter(|name| !used.contains(&format!("#/components/schemas/{name}")))
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[actix_web::test]
async fn the_description_comes_in_the_form_that_is_asked_for() {
    let server = Server::new().await;
    for (query, accept, media) in [
        ("", "*/*", "application/vnd.oai.openapi"),
        ("", "application/json", "application/json"),
        ("?format=json", "*/*", "application/vnd.oai.openapi+json"),
        ("?format=yaml", "*/*", "application/vnd.oai.openapi"),
        ("", "text/html, application/yaml;q=0.9", "application/yaml"),
    ] {
        let mut program = server.browser().with_header("accept", accept);
        let path = format!("/api/v3/schema/{query}");
        let answer = program.get(&path).await;
        answer.is(200);
        assert_eq!(answer.header("content-type"), media, "{query} {accept}");
        assert_eq!(&answer.json(), description());
    }
}

#[actix_web::test]
async fn people_get_a_page_that_loads_nothing_from_elsewhere() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let page = browser.get("/api/v3/").await;
    page.is(200)
        .shows("data-description=\"&#x2f;api&#x2f;v3&#x2f;schema&#x2f;?format=json\"");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("connect-src 'self'; script-src 'self'; default-src 'none'"));
    assert!(!page.body.contains("://"), "{}", page.body);
}

fn references(value: &Value, found: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(reference) if key == "$ref" => found(reference),
                    // A property may be called so, too; a discriminator's has texts in it.
                    Value::Object(mapping)
                        if key == "mapping" && mapping.values().all(is_place) =>
                    {
                        mapping
                            .values()
                            .filter_map(Value::as_str)
                            .for_each(&mut *found);
                    }
                    value => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|it| references(it, found)),
        _ => {}
    }
}

fn is_place(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with('#'))
}
