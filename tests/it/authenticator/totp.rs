//! An app that shows codes: set up, used, and used again.

use serde_json::json;

use super::{TOTP, TOTP_SETUP, begins, is_refused, sets_up_app, types};
use crate::support::{App, addresses, forms, with_server};

#[test]
fn an_app_is_set_up_and_asked_for_from_then_on_and_no_code_is_good_twice() {
    with_server(async |server| {
        let person = server.person();
        let stranger = server.visitor().opens(TOTP_SETUP).await;
        stranger.sees("ak-stage-access-denied");
        let mut first = server.visitor();
        first.logs_in(&person).await;
        let mut app = sets_up_app(server, &mut first).await;

        let mut second = server.visitor();
        let asked = begins(&mut second, &person).await;
        let offers = asked.json()["device_challenges"].clone();
        assert_eq!(offers[0]["device_class"], "totp", "{offers}");
        assert_eq!(offers[0]["challenge"], json!({}));
        assert_eq!(offers[0]["last_used"], json!(null));
        assert_eq!(asked.json()["configuration_stages"], json!([]));
        let code = app.code(1);
        types(&mut second, &code).await.is_redirected_to("/");
        let me = second.gets("/api/v3/core/users/me/").await;
        me.shows(&person.username);

        // Also after a restart, and by somebody else who has seen it.
        super::shifts(server, 2).await;
        app.shift = 2;
        let mut thief = server.visitor();
        let asked = begins(&mut thief, &person).await;
        let last_used = &asked.json()["device_challenges"][0]["last_used"];
        assert!(last_used.is_string(), "{last_used}");
        is_refused(&types(&mut thief, &code).await);
        let history = server.histories().remove(0);
        let refused = history.iter().find(|it| it["event"] == "mfa_rejected");
        let refused = refused.expect("it is in the trail");
        assert_eq!(refused["reason"]["because"], "expired");
        assert_eq!(refused["class"], "totp");

        super::shifts(server, 120).await;
        app.shift = 120;
        types(&mut thief, &app.code(0)).await.is_redirected_to("/");
    });
}

#[test]
fn a_server_that_dies_while_an_app_is_set_up_shows_the_same_key() {
    with_server(async |server| {
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let shown = visitor.opens(TOTP_SETUP).await;
        shown.sees(TOTP);
        let address = shown.json()["config_url"].clone();
        let address = address.as_str().expect("an address").to_owned();
        let app = App::of(&address, server.canaries());
        let wrong = types(&mut visitor, &app.wrong_code()).await;
        let errors = json!({ "code": [{ "string": "Code does not match", "code": "invalid" }] });
        assert_eq!(wrong.json()["response_errors"], errors);
        server.kill().await;
        visitor
            .looks()
            .await
            .sees(TOTP)
            .with("config_url", address.as_str());
        // Another browser of the same user has another one.
        let mut other = server.visitor();
        other.logs_in(&person).await;
        let shown = other.opens(TOTP_SETUP).await;
        let elsewhere = shown.json()["config_url"].clone();
        let elsewhere = elsewhere.as_str().expect("an address");
        App::of(elsewhere, server.canaries());
        assert_ne!(elsewhere, address);
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        types(&mut visitor, &app.code(0))
            .await
            .is_redirected_to("/");
    });
}

#[test]
fn an_app_is_set_up_on_a_page_without_scripts() {
    with_server(async |server| {
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let path = format!("/if/flow/{TOTP_SETUP}/");
        let page = visitor.gets(&path).await;
        page.has_status(200).shows("<svg viewBox");
        let links = addresses(&page.text);
        let address = links.iter().find(|it| it.starts_with("otpauth://"));
        let app = App::of(address.expect("an address"), server.canaries());
        let form = forms(&page.text).remove(0);
        let done = visitor.submits(&form.fill("code", &app.code(0))).await;
        done.leads_to("/");
        let mut again = server.visitor();
        begins(&mut again, &person).await.sees(super::VALIDATE);
    });
}
