//! Devices over the API.

use uuid::Uuid;

use super::*;
use crate::directory::change::history;
use crate::directory::device::{Credential, RecoveryCode, Totp};
use crate::directory::{Authenticator, Device};

const ALL: &str = "/api/v3/authenticators/all/";
const TOTP: &str = "/api/v3/authenticators/totp/";

impl Server {
    /// A confirmed device of somebody.
    async fn device(&self, owner: &User, name: &str, of: Authenticator) -> Device {
        let clock = &self.state.clock;
        let mut device = Device::new(clock.opaque_id(), owner.uuid, name, of, clock.now());
        device.confirmed = true;
        self.put(&device).await;
        device
    }

    async fn totp(&self, owner: &User, name: &str) -> Device {
        let of = Totp {
            key: "00112233445566778899".into(),
            digits: 6,
            step: 30,
            drift: 0,
            last_t: -1,
        };
        self.device(owner, name, Authenticator::Totp(of)).await
    }

    /// A program that acts as somebody.
    async fn administrator(&self) -> Browser {
        let found = crate::directory::user_by_username(&*self.state.journal, "akadmin").await;
        let admin = found.expect("a read").expect("the administrator").value;
        self.program(&admin).await
    }
}

impl Browser {
    async fn patch(&mut self, path: &str, body: &Value) -> Answer {
        self.send(TestRequest::patch().uri(path).set_json(body))
            .await
    }

    async fn put(&mut self, path: &str, body: &Value) -> Answer {
        self.send(TestRequest::put().uri(path).set_json(body)).await
    }

    async fn delete(&mut self, path: &str) -> Answer {
        self.send(TestRequest::delete().uri(path)).await
    }
}

fn key(aaguid: Uuid) -> Authenticator {
    Authenticator::Webauthn(Box::new(Credential {
        credential_id: "Zm9v".to_owned(),
        public_key: "cHVibGlj".to_owned(),
        sign_count: 3,
        rp_id: "localhost".to_owned(),
        aaguid,
        attestation_certificate_pem: None,
        attestation_certificate_fingerprint: None,
    }))
}

#[actix_web::test]
async fn everybody_has_their_own_devices_and_sees_no_secret_of_them() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let bob = server.user("bob", "correct horse").await;
    let own = server.totp(&alice, "my phone").await;
    let others = server.totp(&bob, "his phone").await;
    let mut program = server.program(&alice).await;
    let list = program.get(TOTP).await.is(200).json();
    assert_eq!(list["pagination"]["count"], 1);
    let shown = &list["results"][0];
    assert_eq!(shown["name"], "my phone");
    assert_eq!(shown["user"]["username"], "alice");
    let mut keys: Vec<&String> = shown.as_object().expect("an object").keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["name", "pk", "user"]);
    let one = format!("{TOTP}{}/", own.pk);
    assert_eq!(program.get(&one).await.is(200).json(), *shown);
    assert_eq!(
        program.get(&format!("{one}used_by/")).await.is(200).json(),
        json!([])
    );
    for path in [
        format!("{TOTP}{}/", others.pk),
        format!("{TOTP}{}/used_by/", others.pk),
        format!("{TOTP}nine/"),
        format!("/api/v3/authenticators/static/{}/", own.pk),
    ] {
        let missing = program.get(&path).await.is(404).json();
        let detail = missing["detail"].as_str().expect("a text");
        assert!(detail.ends_with("matches the given query."), "{detail}");
    }
    program
        .delete(&format!("{TOTP}{}/", others.pk))
        .await
        .is(404);
    program.get("/api/v3/authenticators/pigeon/").await.is(404);
    program.post(TOTP, &json!({"name": "x"})).await.is(405);
    server.browser().get(TOTP).await.is(403);
}

#[actix_web::test]
async fn a_device_is_renamed_and_removed() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let device = server.totp(&alice, "my phone").await;
    let path = format!("{TOTP}{}/", device.pk);
    let mut program = server.program(&alice).await;
    let renamed = program.patch(&path, &json!({"name": " work "})).await;
    assert_eq!(renamed.is(200).json()["name"], "work");
    let same = program.patch(&path, &json!({})).await;
    assert_eq!(same.is(200).json()["name"], "work");
    let ignored = json!({"name": "home", "user": 1, "pk": 7, "confirmed": false});
    let renamed = program.put(&path, &ignored).await.is(200).json();
    assert_eq!(renamed["name"], "home");
    assert_eq!(renamed["pk"], device.pk);
    for (body, complaint) in [
        (json!({}), "This field is required."),
        (json!({"name": ""}), "This field may not be blank."),
        (json!({"name": null}), "This field may not be null."),
        (
            json!({"name": "x".repeat(65)}),
            "Ensure this field has no more than 64 characters.",
        ),
    ] {
        let wrong = program.put(&path, &body).await.is(400).json();
        assert_eq!(wrong, json!({"name": [complaint]}));
    }
    program.delete(&path).await.is(204);
    program.delete(&path).await.is(404);
    program.get(&path).await.is(404);
    let journal = &*server.state.journal;
    let stream = object::stream::<Device>(device.uuid);
    let revisions = journal.read(stream, Version::NONE).await.expect("a read");
    assert_eq!(revisions.len(), 4, "made, renamed twice, removed");
    let noted = history(journal, stream).await.expect("a history");
    let authors = noted.iter().filter_map(|it| it.change.as_ref());
    let authors: Vec<_> = authors.map(|it| it.author.user).collect();
    assert_eq!(authors, [Some(alice.uuid); 3], "all but the first");
}

#[actix_web::test]
async fn a_browser_has_to_show_that_its_own_page_asked() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let device = server.totp(&alice, "my phone").await;
    let path = format!("{TOTP}{}/", device.pk);
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    browser.get(&path).await.is(200);
    browser.delete(&path).await.is(403);
    let csrf = browser.csrf();
    let mut ours = browser.with_header("x-authentik-csrf", &csrf);
    ours.delete(&path).await.is(204);
}

#[actix_web::test]
async fn the_list_is_searched_filtered_and_sorted() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    for name in ["b phone", "a tablet", "c phone"] {
        server.totp(&alice, name).await;
    }
    let mut unconfirmed = server.totp(&alice, "begun").await;
    let version = object::get::<Device>(&*server.state.journal, unconfirmed.uuid).await;
    let version = version.expect("a read").expect("a device").version;
    unconfirmed.confirmed = false;
    server.write(vec![object::put(&unconfirmed, version)]).await;
    let mut program = server.program(&alice).await;
    for (query, names) in [
        ("", vec!["a tablet", "b phone", "c phone"]),
        ("?ordering=-name", vec!["c phone", "b phone", "a tablet"]),
        ("?ordering=colour", vec!["a tablet", "b phone", "c phone"]),
        ("?search=PHONE", vec!["b phone", "c phone"]),
        ("?name=a%20tablet", vec!["a tablet"]),
        ("?page_size=2&page=2", vec!["c phone"]),
    ] {
        let list = program.get(&format!("{TOTP}{query}")).await.is(200).json();
        let results = list["results"].as_array().expect("a list").iter();
        let found: Vec<&str> = results.filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(found, names, "{query}");
    }
    let beyond = program.get(&format!("{TOTP}?page=9")).await;
    assert_eq!(beyond.is(404).json()["detail"], "Invalid page.");
}

#[actix_web::test]
async fn recovery_codes_are_shown_to_their_owner_alone() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let codes = vec![RecoveryCode {
        code: "c0dec0dec0de".into(),
    }];
    let device = server
        .device(&alice, "Static Token", Authenticator::Static { codes })
        .await;
    let path = format!("static/{}/", device.pk);
    let mut program = server.program(&alice).await;
    let own = program.get(&format!("/api/v3/authenticators/{path}")).await;
    assert_eq!(
        own.is(200).json()["token_set"],
        json!([{"token": "c0dec0dec0de"}])
    );
    let mut admin = server.administrator().await;
    for path in [path.as_str(), "static/", "all/"] {
        let seen = admin
            .get(&format!("/api/v3/authenticators/admin/{path}"))
            .await;
        assert!(!seen.is(200).body.contains("c0de"), "{}", seen.body);
    }
    let all = program.get(ALL).await;
    assert!(!all.is(200).body.contains("c0de"), "{}", all.body);
}

#[actix_web::test]
async fn all_devices_are_told_by_their_classes() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    server.totp(&alice, "my phone").await;
    let model = uuid::uuid!("cb69481e-8ff7-4039-93ec-0a2729a154a8");
    let device = server.device(&alice, "my key", key(model)).await;
    let mut program = server.program(&alice).await;
    let all = program.get(ALL).await.is(200).json();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    assert_eq!(
        all[0]["type"],
        "authentik_stages_authenticator_totp.TOTPDevice"
    );
    assert_eq!(
        all[1],
        json!({
            "verbose_name": "WebAuthn Device",
            "verbose_name_plural": "WebAuthn Devices",
            "meta_model_name": "authentik_stages_authenticator_webauthn.webauthndevice",
            "pk": device.pk.to_string(),
            "name": "my key",
            "type": "authentik_stages_authenticator_webauthn.WebAuthnDevice",
            "confirmed": true,
            "created": device.created,
            "last_updated": device.last_updated,
            "last_used": null,
            "extra_description": "YubiKey 5 Series",
            "external_id": model,
        })
    );
    let path = format!("/api/v3/authenticators/webauthn/{}/", device.pk);
    let one = program.get(&path).await.is(200).json();
    assert_eq!(one["device_type"]["description"], "YubiKey 5 Series");
    for secret in ["cHVibGlj", "Zm9v"] {
        assert!(!one.to_string().contains(secret), "{one}");
    }
}

#[actix_web::test]
async fn an_administrator_removes_a_lost_device_and_nobody_else_may() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let bob = server.user("bob", "correct horse").await;
    let lost = server.totp(&alice, "my phone").await;
    server.totp(&bob, "his phone").await;
    let admin_path = "/api/v3/authenticators/admin/";
    let mut stranger = server.program(&bob).await;
    for path in ["totp/", "all/", "endpoint/", &format!("totp/{}/", lost.pk)] {
        stranger.get(&format!("{admin_path}{path}")).await.is(403);
    }
    stranger
        .delete(&format!("{admin_path}totp/{}/", lost.pk))
        .await
        .is(403);
    let mut admin = server.administrator().await;
    let all = admin.get(&format!("{admin_path}all/")).await.is(200).json();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    let path = format!("{admin_path}all/?user={}", alice.pk);
    let hers = admin.get(&path).await.is(200).json();
    assert_eq!(hers[0]["pk"], lost.pk.to_string());
    let none = admin.get(&format!("{admin_path}all/?user=999")).await;
    assert_eq!(none.is(200).json(), json!([]));
    admin.get(&format!("{admin_path}all/?user=x")).await.is(400);
    let path = format!("{admin_path}totp/{}/", lost.pk);
    let renamed = admin.patch(&path, &json!({"name": "lost"})).await;
    assert_eq!(renamed.is(200).json()["user"]["username"], "alice");
    admin.delete(&path).await.is(204);
    admin.get(&path).await.is(404);
}

#[actix_web::test]
async fn what_an_administrator_makes_counts_for_nothing() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut admin = server.administrator().await;
    let path = "/api/v3/authenticators/admin/";
    for class in ["totp", "static"] {
        let body = json!({"name": "made", "user": alice.pk});
        let made = admin.post(&format!("{path}{class}/"), &body).await;
        let made = made.is(201).json();
        assert_eq!(made["user"]["username"], "alice");
    }
    for class in ["webauthn", "duo", "sms", "email"] {
        let made = admin
            .post(&format!("{path}{class}/"), &json!({"name": "made"}))
            .await;
        assert!(made.is(400).body.contains("only be set up by its owner"));
    }
    let unknown = json!({"name": "made", "user": 999});
    let unknown = admin.post(&format!("{path}totp/"), &unknown).await;
    assert_eq!(
        unknown.is(400).json()["user"],
        json!(["Invalid pk \"999\" - object does not exist."])
    );
    let mut program = server.program(&alice).await;
    assert_eq!(program.get(ALL).await.is(200).json(), json!([]));
    let own = program.get(TOTP).await.is(200).json();
    assert_eq!(own["pagination"]["count"], 0);
}

#[actix_web::test]
async fn there_are_no_endpoint_devices_and_clients_may_ask() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut program = server.program(&alice).await;
    let path = "/api/v3/authenticators/endpoint/";
    let list = program.get(path).await.is(200).json();
    assert_eq!(list["results"], json!([]));
    assert_eq!(list["pagination"]["total_pages"], 1);
    program
        .get(&format!("{path}{}/", Uuid::nil()))
        .await
        .is(404);
    program
        .delete(&format!("{path}{}/", Uuid::nil()))
        .await
        .is(405);
}

#[actix_web::test]
async fn users_are_told_what_they_can_set_up() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let setup = server
        .flow(
            "setup",
            Designation::StageConfiguration,
            &[(Kind::Dummy, json!({}))],
        )
        .await;
    let stages = [
        (
            Kind::Password,
            json!({"configure_flow": setup.pk, "backends": ["authentik.core.auth.InbuiltBackend"]}),
        ),
        (
            Kind::AuthenticatorTotp,
            json!({"configure_flow": setup.pk, "friendly_name": "An app", "digits": "6"}),
        ),
        (Kind::AuthenticatorStatic, json!({})),
    ];
    server
        .flow("mine", Designation::StageConfiguration, &stages)
        .await;
    server
        .browser()
        .get("/api/v3/stages/all/user_settings/")
        .await
        .is(403);
    let mut program = server.program(&alice).await;
    let shown = program.get("/api/v3/stages/all/user_settings/").await;
    let shown = shown.is(200).json();
    let shown = shown.as_array().expect("a list");
    let told: Vec<(&str, &str, bool)> = shown
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap_or_default();
            let url = it["configure_url"].as_str();
            let leads = url == Some(&format!("/flows/-/configure/{}/", text("object_uid")));
            (text("component"), text("title"), leads)
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "ak-user-settings-authenticator-static",
                "Static Authenticator Setup Stage",
                false
            ),
            ("ak-user-settings-authenticator-totp", "An app", true),
            ("ak-user-settings-password", "Change Password", true),
        ]
    );
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    let url = shown[1]["configure_url"].as_str().expect("an address");
    let leads = browser.get(url).await;
    assert_eq!(leads.is(302).location(), "/if/flow/setup/");
}
