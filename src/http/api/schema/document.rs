//! The document around the schemas: every operation, with what it asks, takes and answers.

use serde_json::{Map, Value, json};

use super::{Components, reference, words};
use crate::http::api::operation::{Access, Content, Method, Operation, Parameter};

/// The description of these operations, with these schemas.
pub(crate) fn document(operations: &[Operation], mut components: Components) -> Value {
    common(&mut components);
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        for content in [&operation.body, &operation.answer] {
            if let Content::Page(name) = content {
                components.put(&format!("Paginated{name}List"), paginated(name));
            }
        }
        let methods = paths.entry(operation.path.clone());
        let methods = methods.or_insert_with(|| json!({}));
        methods[operation.method.as_str()] = describe(operation, &components);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gatelog",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The management API, and the flow executor.",
        },
        "servers": [{ "url": "/api/v3" }],
        "paths": paths,
        "components": {
            "schemas": components.into_map(),
            "responses": {
                "ValidationErrorResponse": answer(&Content::One("ValidationError".to_owned())),
                "GenericErrorResponse": answer(&Content::One("GenericError".to_owned())),
            },
            "securitySchemes": { "authentik": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn describe(operation: &Operation, components: &Components) -> Value {
    let tag = operation.path.trim_start_matches('/');
    let tag = tag.split('/').next().unwrap_or_default();
    let mut shown = json!({
        "operationId": operation.id,
        "tags": [tag],
        "security": [{ "authentik": [] }],
        "responses": responses(operation),
    });
    if operation.access == Access::Public {
        shown["security"] = json!([{}]);
    }
    if !operation.parameters.is_empty() {
        let parameters = operation.parameters.iter();
        let parameters = parameters.map(|it| parameter(it, components));
        shown["parameters"] = parameters.collect();
    }
    if operation.body != Content::Nothing {
        let mut body = answer(&operation.body);
        if let Some(body) = body.as_object_mut() {
            body.remove("description");
            // Whatever a part speaks of may be left out.
            body.insert(
                "required".to_owned(),
                (operation.method != Method::Patch).into(),
            );
        }
        shown["requestBody"] = body;
    }
    shown
}

fn parameter(parameter: &Parameter, components: &Components) -> Value {
    let place = if parameter.in_path { "path" } else { "query" };
    let mut schema = parameter.schema.clone();
    if let Some(name) = components.name_of_words(&schema) {
        schema = reference(name);
    } else if let Some(name) = components.name_of_words(&schema["items"]) {
        schema["items"] = reference(name);
    }
    let mut shown = json!({ "in": place, "name": parameter.name, "schema": schema });
    if parameter.in_path {
        shown["required"] = true.into();
    }
    shown
}

fn responses(operation: &Operation) -> Value {
    let refer = |name: &str| json!({ "$ref": format!("#/components/responses/{name}") });
    let mut responses = json!({
        "400": refer("ValidationErrorResponse"),
        "403": refer("GenericErrorResponse"),
    });
    let has_key = operation.parameters.iter().any(|it| it.in_path);
    if has_key || matches!(operation.answer, Content::Page(_)) {
        responses["404"] = refer("GenericErrorResponse");
    }
    if operation.body != Content::Nothing {
        responses["413"] = refer("GenericErrorResponse");
        responses["415"] = refer("GenericErrorResponse");
    }
    responses["503"] = refer("GenericErrorResponse");
    responses[operation.status.to_string()] = answer(&operation.answer);
    responses
}

/// Content, as an answer holds it.
fn answer(content: &Content) -> Value {
    let json = |schema: Value| json!({ "application/json": { "schema": schema } });
    let content = match content {
        Content::Nothing => return json!({ "description": "No answer body" }),
        Content::One(name) => json(reference(name)),
        Content::List(name) => json(json!({ "type": "array", "items": reference(name) })),
        Content::Page(name) => json(reference(&format!("Paginated{name}List"))),
        Content::Json(schema) => json(schema.clone()),
        Content::Media(media) => {
            let schema = json!({ "type": "string", "format": "binary" });
            json!({ *media: { "schema": schema } })
        }
        Content::Several(media) => media
            .iter()
            .map(|media| (*media).to_owned())
            .map(|media| {
                (
                    media,
                    json!({ "schema": { "type": "object", "additionalProperties": {} } }),
                )
            })
            .collect::<Map<_, _>>()
            .into(),
        Content::Form(schema) => json!({ "multipart/form-data": { "schema": schema } }),
    };
    json!({ "description": "", "content": content })
}

fn paginated(name: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            "pagination": reference("Pagination"),
            "results": { "type": "array", "items": reference(name) },
            "autocomplete": reference("Autocomplete"),
        },
        "required": ["autocomplete", "pagination", "results"],
    })
}

/// The schemas that every part of the API has.
fn common(components: &mut Components) {
    let numbers = [
        "next",
        "previous",
        "count",
        "current",
        "total_pages",
        "start_index",
        "end_index",
    ];
    let properties = numbers.map(|name| (name.to_owned(), json!({ "type": "number" })));
    components.put(
        "Pagination",
        json!({
            "type": "object",
            "properties": Map::from_iter(properties),
            "required": numbers,
        }),
    );
    components.put(
        "Autocomplete",
        json!({ "type": "object", "additionalProperties": {} }),
    );
    components.put(
        "GenericError",
        json!({
            "type": "object",
            "properties": { "detail": { "type": "string" }, "code": { "type": "string" } },
            "required": ["detail"],
        }),
    );
    components.put(
        "ValidationError",
        json!({
            "type": "object",
            "properties": {
                "non_field_errors": { "type": "array", "items": { "type": "string" } },
                "code": { "type": "string" },
            },
            "additionalProperties": {},
        }),
    );
    let text = json!({ "type": "string" });
    components.put(
        "UsedBy",
        json!({
            "type": "object",
            "properties": {
                "app": text,
                "model_name": text,
                "pk": text,
                "name": text,
                "action": reference("UsedByActionEnum"),
            },
            "required": ["action", "app", "model_name", "name", "pk"],
        }),
    );
    let actions = [
        "cascade",
        "cascade_many",
        "set_null",
        "set_default",
        "left_dangling",
    ];
    components.put("UsedByActionEnum", words(&actions));
}
