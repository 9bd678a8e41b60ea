//! What an operator, an administrator and the owner see and do with devices.

use super::{TOTP, TOTP_SETUP, VALIDATE, begins, gets_codes, is_refused, sets_up_app, types};
use crate::support::{forms, with_server};

#[test]
fn an_operator_lists_the_devices_of_a_user_and_removes_one_that_was_lost() {
    with_server(async |server| {
        let person = server.person();
        let name = person.username.as_str();
        let mut owner = server.visitor();
        owner.logs_in(&person).await;
        let none = server.gatelog(&["user", "devices", name, "--json"]);
        assert!(none.succeeds().values().is_empty());
        let app = sets_up_app(server, &mut owner).await;
        let codes = gets_codes(server, &mut owner).await;
        // Half-way through a login, with a device that is about to go.
        let mut late = server.visitor();
        begins(&mut late, &person).await.sees(VALIDATE);

        let listed = server.gatelog(&["user", "devices", name, "--json"]);
        let devices = listed.succeeds().values();
        let classes: Vec<&str> = devices
            .iter()
            .filter_map(|it| it["class"].as_str())
            .collect();
        assert_eq!(classes, ["static", "totp"]);
        assert!(devices.iter().all(|it| it["confirmed"] == true));
        assert!(devices.iter().all(|it| it["locked_until"].is_null()));
        let table = server.gatelog(&["user", "devices", name]);
        table.succeeds().prints("LOCKED UNTIL").prints("totp");
        for code in &codes {
            assert!(!table.stdout.contains(code) && !listed.stdout.contains(code));
        }

        let lost = format!("totp/{}", devices[1]["number"]);
        let unasked = server.gatelog(&["user", "remove-device", name, &lost]);
        unasked.fails_with(1).says("--yes");
        let remove =
            |device: &str| server.gatelog(&["user", "remove-device", name, device, "--yes"]);
        remove("totp/1").fails_with(1).says("has no device");
        remove("nothing").fails_with(1);
        remove(&lost).succeeds().says("Removed totp/");
        remove(&lost).fails_with(1);
        server.says("a device was removed").await;

        is_refused(&types(&mut late, &app.code(1)).await);
        // A wrong code makes the next one wait.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        types(&mut late, &codes[0]).await.is_redirected_to("/");
        let all = ["user", "remove-device", name, "--all", "--yes"];
        server.gatelog(&all).succeeds().says("Removed static/");
        server.gatelog(&all).succeeds().says("no devices");
        // Without a device the default login asks for none.
        server.visitor().logs_in(&person).await;
        let nobody = server.gatelog(&["user", "devices", "nobody-there"]);
        nobody.fails_with(1).says("there is no user");
    });
}

#[test]
fn whoever_owns_a_device_removes_it_over_the_api_and_is_not_asked_for_it_any_more() {
    with_server(async |server| {
        let person = server.person();
        let mut owner = server.visitor();
        owner.logs_in(&person).await;
        sets_up_app(server, &mut owner).await;
        let all = owner.gets("/api/v3/authenticators/all/").await.json();
        assert_eq!(all[0]["confirmed"], true);
        let id = all[0]["pk"].as_str().expect("a number");
        let path = format!("/api/v3/authenticators/totp/{id}/");
        owner.gets(&path).await.has_status(200);
        let csrf = owner.cookies().get("authentik_csrf").expect("a token");
        let headers = [("x-authentik-csrf", csrf.as_str())];
        let gone = owner.sends(reqwest::Method::DELETE, &path, &headers, "");
        gone.await.has_status(204);
        server.visitor().logs_in(&person).await;
        let settings = owner.gets("/api/v3/stages/all/user_settings/").await.json();
        let settings = settings.as_array().expect("a list");
        let app = settings
            .iter()
            .find(|it| it["component"] == "ak-user-settings-authenticator-totp");
        let url = app.and_then(|it| it["configure_url"].as_str());
        let leads = owner.gets(url.expect("it names a flow")).await;
        leads.leads_to(&format!("/if/flow/{TOTP_SETUP}/"));
        owner.opens(TOTP_SETUP).await.sees(TOTP);
    });
}

#[test]
fn a_second_factor_is_shown_on_a_page_without_scripts() {
    with_server(async |server| {
        let person = server.person();
        let mut owner = server.visitor();
        owner.logs_in(&person).await;
        let codes = gets_codes(server, &mut owner).await;
        let mut visitor = server.visitor();
        begins(&mut visitor, &person).await.sees(VALIDATE);
        let path = format!("/if/flow/{}/", crate::support::LOGIN);
        let page = visitor.gets(&path).await;
        page.has_status(200).shows("Recovery code").hides("refresh");
        let form = forms(&page.text).remove(0);
        let wrong = visitor.submits(&form.clone().fill("code", "wrong")).await;
        wrong.has_status(200).shows("This code is not right");
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let form = forms(&wrong.text).remove(0);
        let done = visitor.submits(&form.fill("code", &codes[0])).await;
        done.leads_to("/");
    });
}
