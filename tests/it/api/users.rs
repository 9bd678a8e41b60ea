//! Accounts.

use reqwest::Method;
use serde_json::json;

use super::program::{with_program, with_program_of};
use crate::support::{LOGIN, MailSink, Options, Person, random};

#[test]
fn an_account_that_a_program_makes_logs_in_until_it_is_removed_for_good() {
    with_program(async |server, program| {
        let person = Person::new(server.canaries());
        let body = json!({"username": person.username, "name": person.name, "email": person.mail});
        let made = program.makes("/core/users/", &body).await;
        let one = format!("/core/users/{}/", made["pk"]);
        let password = json!({"password": person.password});
        program
            .does(&format!("{one}set_password/"), &password)
            .await;
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let seen = program.gets(&one).await;
        assert!(seen["last_login"].is_string(), "{seen}");
        let found = program.gets("/core/users/?last_login__isnull=false").await;
        assert_eq!(found["pagination"]["count"], 1);

        // An encoded password from elsewhere is as good as a typed one.
        let mut later = person.clone();
        later.password = "correct horse battery staple".to_owned();
        let encoded = "pbkdf2_sha256$1000$saltsaltsaltsaltsalt22$\
            VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=";
        let encoded = json!({"password": encoded});
        program
            .does(&format!("{one}set_password_hash/"), &encoded)
            .await;
        let me = "/api/v3/core/users/me/";
        visitor.gets(me).await.has_status(403);
        visitor.logs_in(&later).await;
        visitor.gets(me).await.has_status(200);

        program.removes(&one).await;
        visitor.gets(me).await.has_status(403);
        program.is_refused(Method::GET, &one, &json!({}), 404).await;
        let mut gone = server.visitor();
        gone.opens(LOGIN).await.sees("ak-stage-identification");
    });
}

#[test]
fn what_somebody_changed_of_themselves_while_logged_in_goes_with_their_account() {
    with_program(async |server, program| {
        let (person, other) = (server.person(), server.person());
        for each in [&person, &other] {
            let mut visitor = server.visitor();
            visitor.logs_in(each).await;
            let flow = "default-user-settings-flow";
            visitor.opens(flow).await.sees("ak-stage-prompt");
            let details = json!({
                "username": each.username, "name": "Renamed", "email": each.mail,
                "attributes.settings.locale": "de",
            });
            visitor.answers(details).await.is_redirected_to("/");
            // A flow that does not ask who they are is theirs all the same.
            visitor.opens("default-authenticator-totp-setup").await;
        }
        let count = || {
            let listed = server.gatelog(&["execution", "list", "--json", "--limit", "100"]);
            let mut rows = listed.succeeds().values();
            rows.retain(|it| it["state"] != "erased");
            let settings = |it: &&serde_json::Value| it["flow"] == "default-user-settings-flow";
            (rows.iter().filter(settings).count(), rows.len())
        };
        assert_eq!(count(), (2, 6));
        let number = program.number_of(&person.username).await;
        program.removes(&format!("/core/users/{number}/")).await;
        assert_eq!(count(), (1, 3), "those of the other are still there");
    });
}

#[test]
fn a_way_back_is_handed_over_or_mailed() {
    let sink = MailSink::start();
    with_program_of(sink.serves(Options::default()), async |server, program| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let mut person = server.person();
        let one = format!("/core/users/{}/", program.number_of(&person.username).await);
        let hour = json!({"token_duration": "hours=1"});
        let made = program
            .sends(Method::POST, &format!("{one}recovery/"), &hour)
            .await;
        let link = made.has_status(200).json()["link"].clone();
        let link = link.as_str().expect("a link");
        assert!(link.starts_with(server.base()), "{link}");
        let (_, first) = link.split_once("flow_token=").expect("a secret");
        server.canaries().secret("a link", first);

        let unknown = json!({"email_stage": "00000000-0000-4000-8000-0000000000ff"});
        let unknown = program
            .sends(Method::POST, &format!("{one}recovery_email/"), &unknown)
            .await;
        let told = unknown.has_status(400).json();
        assert_eq!(told["non_field_errors"], json!(["Email stage not found."]));
        server.apply(
            "entries:\n- model: authentik_stages_email.emailstage\n  \
             identifiers: {pk: 00000000-0000-4000-8000-000000000002}\n  \
             attrs: {name: by-mail, subject: A way back, use_global_settings: true}\n",
        );
        let stage = json!({"email_stage": "00000000-0000-4000-8000-000000000002"});
        program.does(&format!("{one}recovery_email/"), &stage).await;
        let mail = sink.wait_for(1).await.remove(0);
        let to: Vec<String> = mail.to.iter().map(|it| it.to_lowercase()).collect();
        assert_eq!(to, [person.mail.to_lowercase()]);
        let text = String::from_utf8_lossy(&mail.raw).replace("=\r\n", "");
        let (_, secret) = text.split_once("flow_token=").expect("a link");
        let secret: String = secret
            .trim_start_matches("3D")
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        server.canaries().secret("a mailed link", &secret);

        // The later link ended the earlier one.
        let flow = "default-recovery-flow";
        let mut visitor = server.visitor();
        let query = format!("flow_token={secret}");
        let opened = visitor.opens_with(flow, &query).await;
        opened.sees("ak-stage-consent");
        let token = opened.json()["token"].clone();
        let asked = visitor.answers(json!({ "token": token })).await;
        asked.sees("ak-stage-prompt");
        let mut other = server.visitor();
        let query = format!("flow_token={first}");
        other
            .opens_with(flow, &query)
            .await
            .sees("ak-stage-access-denied");
        person.password = random(20);
        server.canaries().secret("a new password", &person.password);
        let typed = json!({"password": person.password, "password_repeat": person.password});
        visitor.answers(typed).await.is_redirected_to("/");
        server.visitor().logs_in(&person).await;
    });
}
