//! Users without an authenticator, and people who do not exist: nobody can tell them apart.

use super::*;
use crate::catalog::Stage;

impl Bench {
    /// A flow that asks who somebody is and for a second factor, and nothing in between.
    async fn gate(&self, settings: Value) {
        let who = json!({"user_fields": ["username"], "show_matched_user": false});
        let stages = [
            (Kind::Identification, who),
            (Kind::AuthenticatorValidate, settings),
            (Kind::Dummy, json!({})),
        ];
        self.flow("gate", &stages).await;
    }

    /// A stage that is in no flow.
    pub(super) async fn setup(&self, kind: Kind, name: &str, settings: Value) -> Uuid {
        let settings = settings.as_object().expect("settings");
        let settings = kind.validate(settings).expect("good settings");
        let stage = Stage::new(&self.clock, kind.name(), name, settings);
        self.write(vec![object::put(&stage, Version::NONE)]).await;
        stage.pk
    }

    async fn setups(&self) -> [Uuid; 2] {
        let totp = json!({"digits": "6", "friendly_name": "An app"});
        [
            self.setup(Kind::AuthenticatorTotp, "setup-totp", totp)
                .await,
            self.setup(Kind::AuthenticatorStatic, "setup-static", json!({}))
                .await,
        ]
    }

    /// What somebody sees who says that they are this.
    async fn shown_to(&self, name: &str) -> Value {
        let mut visitor = self.visitor("gate");
        visitor.answers(json!({"uid_field": name})).await;
        let shown = visitor.body().clone();
        let text = Value::Object(shown).to_string();
        serde_json::from_str(&text.replace(name, "NAME")).expect("JSON")
    }
}

#[actix::test]
async fn a_stranger_sees_what_a_user_without_an_authenticator_sees() {
    for (action, component) in [
        ("skip", "ak-stage-dummy"),
        ("deny", "ak-stage-access-denied"),
        ("configure", "ak-stage-authenticator-static"),
    ] {
        let bench = Bench::new();
        bench.user("alice", "correct horse").await;
        let [_, codes] = bench.setups().await;
        bench
            .gate(json!({
                "not_configured_action": action,
                "configuration_stages": [codes],
            }))
            .await;
        let mut known = bench.shown_to("alice").await;
        let mut stranger = bench.shown_to("nobody").await;
        assert_eq!(known["component"], component, "{known:#}");
        for shown in [&mut known, &mut stranger] {
            // These are drawn for each of them, or of the name.
            shown["codes"] = Value::Null;
            shown["pending_user_avatar"] = Value::Null;
        }
        assert_eq!(known, stranger);
        bench.check().await;
    }
}

#[actix::test]
async fn whoever_is_denied_reads_why() {
    let bench = Bench::new();
    bench.user("alice", "correct horse").await;
    bench.gate(json!({"not_configured_action": "deny"})).await;
    let mut alice = bench.visitor("gate");
    alice
        .answers(json!({"uid_field": "alice"}))
        .await
        .is_denied("No (allowed) MFA authenticator configured.");
    bench.check().await;
}

#[actix::test]
async fn a_user_without_an_authenticator_chooses_by_which_stage_to_set_one_up() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    let [totp, codes] = bench.setups().await;
    bench
        .gate(json!({
            "not_configured_action": "configure",
            "configuration_stages": [totp, codes],
        }))
        .await;
    let mut alice = bench.visitor("gate");
    alice.answers(json!({"uid_field": "alice"})).await;
    alice.sees(VALIDATE).shows("device_challenges", json!([]));
    let offered = json!([
        {
            "pk": totp,
            "name": "An app",
            "verbose_name": "TOTP Authenticator",
            "meta_model_name": "authentik_stages_authenticator_totp.authenticatortotpstage",
        },
        {
            "pk": codes,
            "name": "setup-static",
            "verbose_name": "Static Authenticator",
            "meta_model_name": "authentik_stages_authenticator_static.authenticatorstaticstage",
        },
    ]);
    alice.shows("configuration_stages", offered);
    for wrong in ["", "nonsense", &Uuid::from_u128(1).to_string()] {
        alice.answers(json!({"selected_stage": wrong})).await;
        alice.sees(VALIDATE);
        let field = if wrong.is_empty() {
            "non_field_errors"
        } else {
            "selected_stage"
        };
        alice.with_error(field, "invalid");
    }
    alice.types("123456").await.sees(VALIDATE);
    let errors = &alice.body()["response_errors"]["code"];
    assert_eq!(errors[0]["string"], "No compatible device class allowed");
    alice
        .answers(json!({"selected_stage": codes}))
        .await
        .sees("ak-stage-authenticator-static");
    alice.answers(json!({})).await.sees("ak-stage-dummy");
    assert_eq!(bench.devices(&user).await.len(), 1);
    bench.check().await;
}

#[actix::test]
async fn a_choice_is_good_for_one_stage_only() {
    let bench = Bench::new();
    bench.user("alice", "correct horse").await;
    let [totp, codes] = bench.setups().await;
    let configures = json!({
        "not_configured_action": "configure",
        "configuration_stages": [totp, codes],
        "device_classes": ["static"],
    });
    let who = json!({"user_fields": ["username"]});
    let again = (Kind::AuthenticatorValidate, configures.clone());
    let stages = [
        (Kind::Identification, who),
        (Kind::AuthenticatorValidate, configures),
        again,
        (Kind::Dummy, json!({})),
    ];
    bench.flow("gate", &stages).await;
    let mut alice = bench.visitor("gate");
    alice.answers(json!({"uid_field": "alice"})).await;
    alice.answers(json!({"selected_stage": codes})).await;
    alice.answers(json!({})).await.sees(VALIDATE);
    // The second stage asks for what was set up, and takes nothing else.
    alice.answers(json!({"selected_stage": codes})).await;
    alice.with_error("selected_stage", "invalid");
    alice.types("wrong").await.is_refused();
    bench.check().await;
}

#[actix::test]
async fn where_the_setup_stages_are_gone_the_operator_is_told() {
    let bench = Bench::new();
    bench.user("alice", "correct horse").await;
    bench
        .gate(json!({
            "not_configured_action": "configure",
            "configuration_stages": [Uuid::from_u128(1)],
        }))
        .await;
    let mut alice = bench.visitor("gate");
    alice
        .answers(json!({"uid_field": "alice"}))
        .await
        .is_denied("Unknown error");
    let events = bench.events().await;
    let told = |event: &Event| matches!(event, Event::ConfigurationError { .. });
    assert!(events.iter().any(told));
    bench.check().await;
}

#[actix::test]
async fn nobody_at_all_is_asked_for_nothing_where_no_passkey_would_do() {
    let bench = Bench::new();
    let settings = json!({"device_classes": ["totp"], "not_configured_action": "deny"});
    let stages = [
        (Kind::AuthenticatorValidate, settings),
        (Kind::Dummy, json!({})),
    ];
    bench.flow("gate", &stages).await;
    bench.visitor("gate").opens().await.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn of_two_who_set_up_a_first_authenticator_at_the_same_instant_one_does() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    let [_, codes] = bench.setups().await;
    let stages = json!({
        "not_configured_action": "configure",
        "configuration_stages": [codes],
    });
    bench.gate(stages).await;
    let (mut one, mut other) = (bench.visitor("gate"), bench.visitor("gate"));
    for visitor in [&mut one, &mut other] {
        visitor.answers(json!({"uid_field": "alice"})).await;
        visitor.sees("ak-stage-authenticator-static");
    }
    let (one, other) = tokio::join!(
        bench.executions.answer(one.request(), json!({})),
        bench.executions.answer(other.request(), json!({})),
    );
    let through = [one, other].map(|reply| reply.expect("a reply").body["component"].clone());
    let through = through.iter().filter(|it| *it == "ak-stage-dummy").count();
    assert_eq!(through, 1);
    assert_eq!(bench.devices(&user).await.len(), 1);
    bench.check().await;
}
