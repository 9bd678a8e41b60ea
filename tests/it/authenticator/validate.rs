//! The stage that asks: guessing, the browser that is not asked again, and users who have nothing.

use serde_json::{Value, json};

use super::{
    STATIC, TOTP, VALIDATE, begins, enters, gets_codes, is_refused, sets_up_app, shifts, types,
};
use crate::support::{Answer, App, Flow, LOGIN, Person, TestServer, Visitor, with_server};

const MFA: &str = "authentik_mfa";

/// A login that asks for a second factor, with these settings.
fn login(slug: &str, attrs: Value) -> Flow {
    let ask = format!("{slug}-ask");
    let end = format!("{slug}-login");
    let flow = Flow::new(slug).identification_and_password();
    flow.stage("authenticator_validate", &ask, attrs)
        .stage("user_login", &end, json!({}))
}

/// Somebody with an app.
async fn with_app(server: &TestServer) -> (Person, App) {
    let person = server.person();
    let mut visitor = server.visitor();
    visitor.logs_in(&person).await;
    let app = sets_up_app(server, &mut visitor).await;
    (person, app)
}

#[test]
fn guessing_is_slow_and_stays_so_when_the_server_is_started_again() {
    with_server(async |server| {
        let (person, mut app) = with_app(server).await;
        let mut guesser = server.visitor();
        begins(&mut guesser, &person).await;
        // Each wrong code makes the next one wait twice as long.
        for shift in [60, 62, 65, 70, 79, 96] {
            shifts(server, shift).await;
            app.shift = shift;
            is_refused(&types(&mut guesser, &app.wrong_code()).await);
            is_refused(&types(&mut guesser, &app.code(0)).await);
        }
        // For half a minute from here on nothing is good, from nowhere.
        server.restart().await;
        let mut owner = server.visitor();
        begins(&mut owner, &person).await.sees(VALIDATE);
        is_refused(&types(&mut owner, &app.code(0)).await);
        let history = server.histories().remove(0);
        let refused = history.iter().find(|it| it["event"] == "mfa_rejected");
        let refused = refused.expect("it is in the trail");
        assert_eq!(refused["reason"]["because"], "locked");
        let counted = history
            .iter()
            .filter(|it| it["event"] == "reputation_changed" && it["amount"] == -1);
        assert_eq!(counted.count(), 1);

        shifts(server, 200).await;
        app.shift = 200;
        types(&mut owner, &app.code(0)).await.is_redirected_to("/");
    });
}

#[test]
fn a_stage_takes_the_classes_that_it_offers_and_costs_the_others_nothing() {
    with_server(async |server| {
        let (person, app) = with_app(server).await;
        let mut visitor = server.visitor();
        begins(&mut visitor, &person).await;
        types(&mut visitor, &app.code(1))
            .await
            .is_redirected_to("/");
        let codes = gets_codes(server, &mut visitor).await;
        server.has_flow(&login("app-only", json!({ "device_classes": ["totp"] })));
        let mut visitor = server.visitor();
        let asked = enters(&mut visitor, "app-only", &person).await;
        let offers = asked.json()["device_challenges"].clone();
        assert_eq!(offers.as_array().map(Vec::len), Some(1), "{offers}");
        is_refused(&types(&mut visitor, &codes[0]).await);
        let webauthn = visitor.answers(json!({ "webauthn": {} })).await;
        webauthn.sees(VALIDATE).with_error("webauthn", "invalid");
        let nothing = visitor.answers(json!({})).await;
        nothing
            .sees(VALIDATE)
            .with_error("non_field_errors", "invalid");
        // The code on paper was not looked at there, so it is good elsewhere, at once.
        let mut visitor = server.visitor();
        begins(&mut visitor, &person).await;
        types(&mut visitor, &codes[0]).await.is_redirected_to("/");
    });
}

#[test]
fn a_client_without_a_page_chooses_and_answers_in_one() {
    with_server(async |server| {
        let (person, app) = with_app(server).await;
        let mut program = server.visitor();
        let asked = begins(&mut program, &person).await;
        let mut offer = asked.json()["device_challenges"][0].clone();
        let chosen = program
            .answers(json!({ "selected_challenge": offer }))
            .await;
        let errors = chosen.json()["response_errors"].clone();
        assert_eq!(errors["non_field_errors"][0]["string"], "Empty response");
        let both = json!({ "selected_challenge": offer, "code": app.code(1) });
        offer["device_uid"] = json!("0");
        let wrong = program
            .answers(json!({ "selected_challenge": offer }))
            .await;
        let errors = wrong.json()["response_errors"].clone();
        assert_eq!(
            errors["selected_challenge"][0]["string"],
            "invalid challenge selected"
        );
        program.answers(both).await.is_redirected_to("/");
        let history = server.histories().remove(0);
        let counted = |it: &&Value| it["event"] == "reputation_changed" && it["amount"] == -1;
        assert_eq!(
            history.iter().filter(counted).count(),
            0,
            "a choice costs nothing"
        );
    });
}

/// Shows the code of another step each time, so that each is a new one.
struct Codes<'a> {
    server: &'a mut TestServer,
    app: App,
    shift: i64,
}

impl Codes<'_> {
    async fn next(&mut self) -> String {
        self.shift += 90;
        shifts(self.server, self.shift).await;
        self.app.shift = self.shift;
        self.app.code(0)
    }
}

/// What is seen after the password by a browser with this cookie.
async fn sees(server: &TestServer, slug: &str, person: &Person, cookie: Option<&str>) -> String {
    let mut visitor = server.visitor();
    if let Some(cookie) = cookie {
        visitor.cookies().put(MFA, cookie);
    }
    enters(&mut visitor, slug, person).await.component()
}

async fn proves(codes: &mut Codes<'_>, slug: &str, person: &Person) -> (Visitor, Answer) {
    let code = codes.next().await;
    let mut visitor = codes.server.visitor();
    enters(&mut visitor, slug, person).await.sees(VALIDATE);
    let end = types(&mut visitor, &code).await;
    end.is_redirected_to("/");
    (visitor, end)
}

#[test]
fn a_browser_is_not_asked_again_for_as_long_as_the_operator_says() {
    with_server(async |server| {
        let (person, app) = with_app(server).await;
        let (other, _) = with_app(server).await;
        server.has_flow(&login("once", json!({ "last_auth_threshold": "hours=1" })));
        server.has_flow(&login("too", json!({ "last_auth_threshold": "hours=1" })));
        server.has_flow(&login("ever", json!({})));
        let mut codes = Codes {
            server,
            app,
            shift: 0,
        };
        let (_, end) = proves(&mut codes, "ever", &person).await;
        assert_eq!(end.cookie(MFA), None);

        let (mut visitor, end) = proves(&mut codes, "once", &person).await;
        let cookie = end.cookie(MFA).expect("the browser gets a cookie");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"));
        let good = visitor.cookies().get(MFA).expect("it was kept");
        // The same browser after a logout.
        visitor.opens("default-invalidation-flow").await;
        enters(&mut visitor, "once", &person)
            .await
            .is_redirected_to("/");
        let history = codes.server.histories().remove(0);
        assert!(history.iter().any(|it| it["event"] == "mfa_waived"));
        let is_let_on = "xak-flow-redirect";
        let cut = &good[..good.len() - 4];
        for (slug, person, cookie, seen) in [
            ("once", &person, Some(good.as_str()), is_let_on),
            ("once", &person, None, VALIDATE),
            ("once", &person, Some(cut), VALIDATE),
            ("once", &person, Some("eyJhbGciOiJub25lIn0.e30."), VALIDATE),
            ("once", &other, Some(good.as_str()), VALIDATE),
            ("too", &person, Some(good.as_str()), VALIDATE),
            ("ever", &person, Some(good.as_str()), VALIDATE),
        ] {
            assert_eq!(
                sees(codes.server, slug, person, cookie).await,
                seen,
                "{slug} {cookie:?}"
            );
        }
        let late = codes.shift + 3_600;
        shifts(codes.server, late).await;
        let seen = sees(codes.server, "once", &person, Some(&good)).await;
        assert_eq!(seen, VALIDATE, "it has run out");
    });
}

#[test]
fn over_tls_the_cookie_is_secure() {
    with_server(async |server| {
        let (person, app) = with_app(server).await;
        server.has_flow(&login("once", json!({ "last_auth_threshold": "hours=1" })));
        let mut visitor = server.visitor();
        visitor.opens("once").await;
        let tls = [("x-forwarded-proto", "https")];
        let mut last = None;
        for body in [
            json!({ "uid_field": person.username }),
            json!({ "password": person.password }),
            json!({ "code": app.code(1) }),
        ] {
            last = Some(visitor.answers_exactly(&body, &tls).await);
        }
        let last = last.expect("three answers");
        let cookie = last.cookie(MFA).expect("the browser gets a cookie");
        assert!(cookie.contains("; Secure"), "{cookie}");
    });
}

/// A login whose users have to set something up, by one of these stages.
fn configures(server: &TestServer, slug: &str, stages: &[&str]) {
    let app = json!({ "digits": "6", "friendly_name": "An app" });
    let setups = Flow::new(&format!("{slug}-setups"))
        .unbound("authenticator_totp", "setup-app", app)
        .unbound("authenticator_static", "setup-codes", json!({}));
    server.has_flow(&setups);
    server.has_flow(&login(slug, json!({})));
    let find = |name: &&str| {
        let model = if *name == "setup-app" {
            "authentik_stages_authenticator_totp.authenticatortotpstage"
        } else {
            "authentik_stages_authenticator_static.authenticatorstaticstage"
        };
        format!("!Find [{model}, [name, {name}]]")
    };
    let stages: Vec<_> = stages.iter().map(find).collect();
    server.apply(&format!(
        "version: 1\nentries:\n\
         - model: authentik_stages_authenticator_validate.authenticatorvalidatestage\n  \
           identifiers: {{name: {slug}-ask}}\n  attrs:\n    \
             not_configured_action: configure\n    \
             configuration_stages: [{}]\n",
        stages.join(", ")
    ));
}

#[test]
fn whoever_has_nothing_sets_up_the_only_thing_that_there_is() {
    with_server(async |server| {
        let person = server.person();
        configures(server, "strict", &["setup-codes"]);
        let mut visitor = server.visitor();
        let shown = enters(&mut visitor, "strict", &person).await;
        shown.sees(STATIC);
        let codes: Vec<String> =
            serde_json::from_value(shown.json()["codes"].clone()).expect("codes");
        for code in &codes {
            server.canaries().secret("a code to write down", code);
        }
        visitor.answers(json!({})).await.is_redirected_to("/");
        let mut again = server.visitor();
        enters(&mut again, "strict", &person).await.sees(VALIDATE);
        types(&mut again, &codes[5]).await.is_redirected_to("/");
    });
}

#[test]
fn whoever_has_nothing_chooses_between_several() {
    with_server(async |server| {
        let person = server.person();
        configures(server, "strict", &["setup-app", "setup-codes"]);
        let mut visitor = server.visitor();
        let asked = enters(&mut visitor, "strict", &person).await;
        asked.sees(VALIDATE).with("device_challenges", json!([]));
        let offered = asked.json()["configuration_stages"].clone();
        assert_eq!(offered[0]["name"], "An app");
        assert_eq!(offered[0]["verbose_name"], "TOTP Authenticator");
        assert_eq!(offered[1]["name"], "setup-codes");
        assert_eq!(
            offered[1]["meta_model_name"],
            "authentik_stages_authenticator_static.authenticatorstaticstage"
        );
        let wrong = json!({ "selected_stage": "00000000-0000-4000-8000-000000000000" });
        let wrong = visitor.answers(wrong).await;
        wrong.sees(VALIDATE).with_error("selected_stage", "invalid");
        let chosen = json!({ "selected_stage": offered[0]["pk"] });
        let shown = visitor.answers(chosen).await;
        shown.sees(TOTP);
        let address = shown.json()["config_url"].clone();
        let app = App::of(address.as_str().expect("an address"), server.canaries());
        types(&mut visitor, &app.code(0))
            .await
            .is_redirected_to("/");
    });
}

#[test]
fn the_default_login_says_nothing_of_who_has_an_authenticator_before_the_password() {
    with_server(async |server| {
        let (person, _) = with_app(server).await;
        let plain = server.person();
        for name in [&person.username, &plain.username, &"nobody".to_owned()] {
            let mut visitor = server.visitor();
            visitor.opens(LOGIN).await;
            let who = json!({ "uid_field": name });
            visitor.answers(who).await.sees("ak-stage-password");
            let what = json!({ "password": "wrong" });
            visitor.answers(what).await.sees("ak-stage-password");
        }
    });
}
