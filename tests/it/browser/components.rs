//! Every page that a flow can show, as axe sees it in light and dark, wide and narrow.

use std::fmt::Write as _;

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::second_factor::app_of;
use super::{Window, axe_everywhere, with_browsers};
use crate::support::{Flow, MailSink, Options, SmsProvider, TestServer};

/// The types of a prompt, and what each begins with.
const FIELDS: [(&str, &str); 17] = [
    ("text", ""),
    ("text_area", "Two\nlines"),
    ("text_read_only", "Fixed"),
    ("text_area_read_only", "Fixed\nlines"),
    ("username", ""),
    ("email", "somebody@example.org"),
    ("password", ""),
    ("number", "7"),
    ("checkbox", ""),
    ("radio-button-group", "red"),
    ("dropdown", "green"),
    ("date", "2026-01-31"),
    ("date-time", ""),
    ("file", ""),
    ("separator", ""),
    (
        "static",
        "<p>Something to read, with a <a href='/'>link</a>.</p>",
    ),
    ("ak-locale", ""),
];

/// A flow that asks for one of each.
fn every_field() -> String {
    let mut entries = vec![json!({
        "model": "authentik_flows.flow",
        "identifiers": { "slug": "every-field" },
        "attrs": {
            "name": "every-field", "title": "Every field", "designation": "enrollment",
            "authentication": "none",
        },
    })];
    for (order, (kind, begins)) in FIELDS.iter().enumerate() {
        let is_choice = ["radio-button-group", "dropdown"].contains(kind);
        let placeholder = if is_choice {
            "return ['red', 'green']"
        } else {
            ""
        };
        entries.push(json!({
            "model": "authentik_stages_prompt.prompt",
            "identifiers": { "name": format!("every-{kind}") },
            "attrs": {
                "field_key": kind.replace('-', "_"),
                "label": format!("The field {kind}"),
                "type": kind,
                "required": true,
                "placeholder": placeholder,
                "placeholder_expression": is_choice,
                "initial_value": begins,
                "sub_text": "What it is <b>for</b>.",
                "order": order,
            },
        }));
    }
    let mut yaml = "version: 1\nentries:\n".to_owned();
    for entry in &entries {
        writeln!(yaml, "- {entry}").expect("a string takes any text");
    }
    let find = |it: &(&str, &str)| {
        let kind = it.0;
        format!("!Find [authentik_stages_prompt.prompt, [name, every-{kind}]]")
    };
    let fields: Vec<String> = FIELDS.iter().map(find).collect();
    write!(
        yaml,
        "- model: authentik_stages_prompt.promptstage\n  id: asks\n  identifiers:\n    name: every-asks\n  \
         attrs:\n    fields: [{}]\n\
         - model: authentik_flows.flowstagebinding\n  identifiers:\n    \
         target: !Find [authentik_flows.flow, [slug, every-field]]\n    stage: !KeyOf asks\n    order: 0\n",
        fields.join(", ")
    )
    .expect("a string takes any text");
    yaml
}

async fn looks_at(window: &Window, slug: &str, selector: &str) -> WebDriverResult<()> {
    window.opens_flow(slug).await?;
    window.sees(selector).await?;
    axe_everywhere(window).await
}

/// The pages of somebody who is nobody yet.
async fn before_a_login(server: &TestServer, window: &Window) -> WebDriverResult<()> {
    for ready in ["recovery", "enrollment", "passwordless"] {
        server.gatelog(&["blueprint", "enable", ready]).succeeds();
    }
    server.apply(&every_field());
    let no = json!({ "deny_message": "Not today." });
    server.has_flow(&Flow::new("no").stage("deny", "no-entry", no));
    server.has_flow(&Flow::new("says").dummy("says-something"));
    looks_at(
        window,
        "default-authentication-flow",
        "input[name=uid_field]",
    )
    .await?;
    looks_at(window, "every-field", "input[type=date]").await?;
    looks_at(window, "no", "[role=alert]").await?;
    looks_at(window, "says", "[value=ak-stage-dummy]").await?;
    // Whoever has to be logged in first is told so.
    looks_at(window, "default-password-change", "main a").await?;
    window.expects("404");
    window.opens("/nothing/here/").await?;
    window.sees("main a").await?;
    axe_everywhere(window).await
}

/// The pages on which somebody sets up what they show later.
async fn setting_up(
    server: &TestServer,
    window: &Window,
    provider: &SmsProvider,
) -> WebDriverResult<()> {
    let sets_up = |slug: &str, kind: &str, attrs: &Value| {
        let flow = Flow::new(slug).with("designation", "stage_configuration");
        server.has_flow(&flow.stage(kind, &format!("{slug}-stage"), attrs.clone()));
    };
    let sms = json!({
        "provider": "generic", "from_number": "us", "account_sid": provider.url(),
        "auth": provider.auth, "auth_type": "bearer",
    });
    sets_up("telephone", "authenticator_sms", &sms);
    sets_up("mailbox", "authenticator_email", &json!({}));
    looks_at(window, "telephone", "input[name=phone_number]").await?;
    let number = SmsProvider::number(server.canaries(), "07");
    window.types("phone_number", &number).await?;
    window.presses().await?;
    window.sees("input[name=code]").await?;
    axe_everywhere(window).await?;
    looks_at(window, "mailbox", "input[name=code], input[name=email]").await?;

    window
        .opens_flow("default-authenticator-static-setup")
        .await?;
    for code in window.find_all(By::Css(".codes code")).await? {
        let code = code.text().await?;
        server.canaries().secret("a code to write down", &code);
    }
    axe_everywhere(window).await?;
    window.presses().await?;
    window.opens("/").await?;
    let app = app_of(server, window).await?;
    window.types("code", &app.code(0)).await?;
    window.presses().await?;
    window.arrives("/").await?;
    window
        .opens_flow("default-authenticator-webauthn-setup")
        .await?;
    window.sees("#webauthn-start, [role=status]").await?;
    axe_everywhere(window).await
}

#[test]
fn axe_finds_nothing_on_any_page_of_a_flow() {
    let sink = MailSink::start();
    let options = sink.serves(Options::default());
    with_browsers(options, async |server, browsers| {
        let provider = SmsProvider::start().await;
        provider.tells(server.canaries());
        let window = browsers.open().await?;
        before_a_login(server, &window).await?;
        let alice = server.person();
        window.logs_in(&alice).await?;
        setting_up(server, &window, &provider).await?;
        window.logs_out().await?;

        // The login asks whoever has several which of them it shall be.
        window.opens_flow("default-authentication-flow").await?;
        window.names(&alice).await?;
        window.proves(&alice).await?;
        window.sees("main details, input[name=code]").await?;
        axe_everywhere(&window).await?;

        // And whoever has none which of them it shall become.
        server.has_flow(&Flow::new("pick").identification_and_password().stage(
            "authenticator_validate",
            "pick-asks",
            json!({}),
        ));
        server.apply(
            "version: 1\nentries:\n\
             - model: authentik_stages_authenticator_validate.authenticatorvalidatestage\n  \
               identifiers: {name: pick-asks}\n  attrs:\n    \
                 not_configured_action: configure\n    \
                 configuration_stages:\n    \
                 - !Find [authentik_stages_authenticator_totp.authenticatortotpstage, \
                          [name, default-authenticator-totp-setup]]\n    \
                 - !Find [authentik_stages_authenticator_static.authenticatorstaticstage, \
                          [name, default-authenticator-static-setup]]\n",
        );
        let stay = json!({ "remember_me_offset": "days=7" });
        server.has_flow(&Flow::new("stay").identification_and_password().stage(
            "user_login",
            "stay-login",
            stay,
        ));
        let bob = server.person();
        let other = browsers.open().await?;
        other.opens_flow("pick").await?;
        other.names(&bob).await?;
        other.proves(&bob).await?;
        other.sees("button[name=selected_stage]").await?;
        axe_everywhere(&other).await?;
        other.opens_flow("stay").await?;
        other.names(&bob).await?;
        other.proves(&bob).await?;
        other.sees("button[name=remember_me]").await?;
        axe_everywhere(&other).await
    });
}
