//! Prompts as a browser without scripts sees and fills them.

use super::*;

/// The page of a flow.
async fn page(visitor: &Visitor, slug: &str) -> Answer {
    visitor.gets(&format!("/if/flow/{slug}/")).await
}

#[test]
fn a_page_can_be_filled_whatever_its_fields_are_called() {
    with_server(async |server| {
        let ask = Ask::new("filled")
            .prompt("username", "username", json!({"label": "User"}))
            .prompt("csrf", "text", json!({"required": false}))
            .prompt("challenge", "number", json!({"required": false}))
            .prompt("text:\"><i>", "text", json!({"initial_value": "odd"}))
            .prompt("terms", "checkbox", json!({}))
            .prompt("note", "text_area", json!({"initial_value": "first"}))
            .prompt(
                "at",
                "date-time",
                json!({"initial_value": "2024-01-05T10:00:00Z"}),
            )
            .prompt("password", "password", json!({}))
            .prompt("repeat", "password", json!({}));
        server.apply(&ask.yaml());
        let visitor = server.visitor();
        let shown = page(&visitor, "filled").await;
        shown
            .has_status(200)
            .shows("<label for=\"prompt-0\">User</label>")
            .shows("autocomplete=\"username\"")
            .shows("autocomplete=\"new-password\"")
            .shows("value=\"2024-01-05T10:00:00\"")
            .hides("text:\"><i>");
        let form = forms(&shown.text).remove(0);
        let password = random(16);
        let mut form = form
            .fill("text:username", "ann-of-the-page")
            .fill("text:csrf", "typed")
            .fill("secret:password", &password)
            .fill("secret:repeat", &random(16));
        form.fields.push(("text:note".into(), "one\r\ntwo".into()));
        server.canaries().secret("a typed password", &password);
        let refused = visitor.submits(&form).await;
        refused
            .has_status(200)
            .shows("Passwords don&#x27;t match.")
            .shows("value=\"ann-of-the-page\"")
            .shows("value=\"typed\"")
            .shows("one\ntwo</textarea>")
            .hides(&password);
        let form = forms(&refused.text).remove(0);
        let mut form = form
            .fill("secret:password", &password)
            .fill("secret:repeat", &password);
        form.fields.push(("text:note".into(), "one\r\ntwo".into()));
        let next = visitor.submits(&form).await;
        next.leads_to("/if/flow/filled/");
        let kept = prompted(server)["value"].clone();
        for (key, value) in [
            ("username", json!("ann-of-the-page")),
            ("csrf", json!("typed")),
            ("text:\"><i>", json!("odd")),
            ("note", json!("one\ntwo")),
            ("at", json!("2024-01-05T10:00:00Z")),
        ] {
            assert_eq!(kept[key]["value"], value, "{key}");
        }
        assert!(kept.get("challenge").is_none(), "an empty number is none");
    });
}

#[test]
fn labels_are_text_and_markup_is_tame() {
    with_server(async |server| {
        let evil = "<script>alert(1)</script><img src=x onerror=alert(2)>";
        let attrs = |more: Value| {
            let mut attrs = json!({"label": evil, "placeholder": evil, "sub_text":
                format!("{evil}<b onclick=\"alert(3)\">bold</b><a href=\"javascript:alert(4)\">x</a>")});
            for (key, value) in more.as_object().expect("an object") {
                attrs[key] = value.clone();
            }
            attrs
        };
        let mut ask = Ask::new("evil");
        for kind in [
            "text",
            "text_area",
            "text_read_only",
            "text_area_read_only",
            "username",
            "email",
            "password",
            "number",
            "checkbox",
            "radio-button-group",
            "dropdown",
            "date",
            "date-time",
            "file",
            "separator",
            "hidden",
            "static",
            "ak-locale",
        ] {
            let attrs = attrs(json!({"initial_value": evil}));
            ask = ask.prompt(&format!("{kind}\"'><script>"), kind, attrs);
        }
        server.apply(&ask.yaml());
        let visitor = server.visitor();
        let shown = page(&visitor, "evil").await;
        shown
            .has_status(200)
            .hides("<script>")
            .hides("<img src=x")
            .hides("onclick=\"")
            .hides("<a href=\"javascript")
            .shows("<b>bold</b>")
            .shows("&lt;script&gt;");
        let form = forms(&shown.text).remove(0);
        let refused = visitor.submits(&form).await;
        refused
            .has_status(200)
            .hides("<script>")
            .hides("<img src=x");
    });
}

#[test]
fn errors_stand_beside_their_fields() {
    with_server(async |server| {
        let ask = Ask::new("beside")
            .prompt("name", "text", json!({}))
            .prompt("mail", "email", json!({}))
            .prompt("cv", "file", json!({"required": false}));
        server.apply(&ask.yaml());
        let visitor = server.visitor();
        let shown = page(&visitor, "beside").await;
        shown.shows("cannot read a file");
        let form = forms(&shown.text).remove(0);
        let form = form.fill("text:name", "Ann").fill("text:mail", "a@b");
        let refused = visitor.submits(&form).await;
        refused
            .has_status(200)
            .shows("id=\"error-prompt-1\"")
            .shows("Enter a valid email address.")
            .shows("aria-describedby=\"error-prompt-1\"")
            .hides("id=\"error-form\"");
    });
}
