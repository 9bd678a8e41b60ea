//! Prompts whose expressions are tried out before anybody is asked.

use serde_json::json;

use super::acting::Administrator;
use crate::support::with_server;

const PREVIEW: &str = "/api/v3/stages/prompt/prompts/preview/";

#[test]
fn a_preview_shows_what_the_expressions_of_a_prompt_give() {
    with_server(async |server| {
        let admin = Administrator::of(server).await;
        let body = json!({
            "field_key": "key", "label": "Label", "type": "text", "order": 1,
            "placeholder": "return 'for ' + user.username", "placeholder_expression": true,
            "initial_value": "return 1 + 1", "initial_value_expression": true,
        });
        let shown = admin.acts(reqwest::Method::POST, PREVIEW, &body).await;
        assert_eq!(
            shown.has_status(200).json(),
            json!({ "component": "ak-stage-prompt", "fields": [{
                "field_key": "key", "label": "Label", "type": "text", "required": true,
                "placeholder": "for akadmin", "initial_value": "2", "order": 1, "sub_text": "",
                "choices": null,
            }] })
        );
        for (source, part) in [
            ("return [", "Syntax"),
            ("return nothing_such", "nothing_such"),
        ] {
            let mut wrong = body.clone();
            wrong["placeholder"] = source.into();
            let refused = admin.is_refused(PREVIEW, &wrong).await;
            let said = refused["non_field_errors"][0].as_str().unwrap_or_default();
            assert!(said.contains(part), "{refused}");
        }
    });
}
