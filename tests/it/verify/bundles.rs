//! Executions of all sorts as bundles: nothing in them that is secret or personal, and they run
//! again on a machine that has nothing else.
//!
//! With `GATELOG_GOLDEN=1` they are kept as golden journals; see `golden`.

use std::path::Path;

use serde_json::{Value, json};

use super::{bundles_latest, verifies_elsewhere};
use crate::authenticator::{VALIDATE, begins, sets_up_app, shifts, types};
use crate::flows::enrollment::signs_up;
use crate::flows::{EMAIL, Link, with_mail};
use crate::support::{Flow, LOGIN, MailSink, Person, TestServer, with_server};

/// A login without policies: nothing of it is run in another process.
const PLAIN: &str = "plain-login";

/// The same files without the hash that stands for every other one, and is nobody's.
fn without_nobodys_hash(folder: &Path) -> tempfile::TempDir {
    let nobodys = "pbkdf2_sha256$1$gatelog$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let copies = tempfile::tempdir().expect("a directory");
    for file in std::fs::read_dir(folder).expect("a directory") {
        let file = file.expect("a file");
        let text = std::fs::read_to_string(file.path()).expect("text");
        let copy = copies.path().join(file.file_name());
        std::fs::write(copy, text.replace(nobodys, "")).expect("a copy");
    }
    copies
}

fn plain() -> Flow {
    Flow::new(PLAIN).identification_and_password().stage(
        "user_login",
        "plain-login-login",
        json!({}),
    )
}

#[test]
fn a_bundle_holds_nothing_secret_or_personal_and_runs_again_elsewhere() {
    with_mail(async |server, sink| {
        let folder = tempfile::tempdir().expect("a directory");
        records(server, sink, folder.path()).await;
        server
            .canaries()
            .search_files(without_nobodys_hash(folder.path()).path());
        let ran = verifies_elsewhere(folder.path(), &["--json"]);
        let count = ran.succeeds().values().remove(0);
        assert_eq!(count["same"], count["executions"], "{count}");
        assert!(count["executions"].as_u64() >= Some(9), "{count}");
        let file = folder.path().join("enrolment.bundle");
        let shown = [
            "execution",
            "show",
            "--file",
            file.to_str().expect("a path"),
        ];
        server.gatelog(&shown).succeeds().prints("wrote user");
        if std::env::var_os("GATELOG_GOLDEN").is_some_and(|it| it == "1") {
            super::golden::keep(folder.path());
        }
    });
}

/// Goes through flows of all sorts, and writes each as a bundle.
#[expect(
    clippy::too_many_lines,
    reason = "one execution of each sort, one after the other"
)]
async fn records(server: &mut TestServer, sink: &MailSink, folder: &Path) {
    let person = server.person();
    let made = |server: &TestServer, name: &str| bundles_latest(server, folder, name);

    server.has_flow(&plain());
    let mut visitor = server.visitor();
    visitor.opens(PLAIN).await.sees("ak-stage-identification");
    visitor
        .answers(json!({ "uid_field": person.mail.to_uppercase() }))
        .await;
    visitor
        .answers(json!({ "password": "not-the-password" }))
        .await;
    visitor
        .answers(json!({ "password": person.password }))
        .await
        .is_redirected_to("/");
    made(server, "plain-login");

    let stranger = Person::new(server.canaries());
    let mut visitor = server.visitor();
    visitor.opens(LOGIN).await;
    visitor.answers(json!({ "uid_field": stranger.mail })).await;
    visitor
        .answers(json!({ "password": stranger.password }))
        .await;
    made(server, "stranger");

    let mut first = server.visitor();
    first.logs_in(&person).await;
    let app = sets_up_app(server, &mut first).await;
    made(server, "totp-setup");
    let mut second = server.visitor();
    begins(&mut second, &person).await.sees(VALIDATE);
    types(&mut second, &app.wrong_code()).await.sees(VALIDATE);
    shifts(server, 2).await;
    types(&mut second, &app.code(1)).await.is_redirected_to("/");
    made(server, "totp-login");

    // An expression that tells what it knows of the user.
    let talks = "ak_message('No entry, ' + request.user.name)\n\
                 ak_logger.info('sent away', mail=request.user.email)\n\
                 context['flow_plan'].context['seen'] = request.user.username\n\
                 return request.user.username == request.user.email";
    let flow = Flow::new("talkative-login")
        .identification_and_password()
        .expression("talkative-policy", talks)
        .bound(
            "deny",
            "talkative-deny",
            json!({}),
            json!({ "evaluate_on_plan": false, "re_evaluate_policies": true }),
        )
        .asks(
            "talkative-deny",
            "talkative-policy",
            json!({ "negate": true }),
        );
    server.has_flow(&flow);
    let mut visitor = server.visitor();
    visitor.opens("talkative-login").await;
    visitor
        .answers(json!({ "uid_field": person.username }))
        .await;
    visitor
        .answers(json!({ "password": person.password }))
        .await
        .sees("ak-stage-access-denied");
    made(server, "denied-by-expression");

    server
        .gatelog(&["blueprint", "enable", "enrollment"])
        .succeeds();
    let newcomer = Person::new(server.canaries());
    let mut visitor = server.visitor();
    signs_up(&mut visitor, &newcomer).await.sees(EMAIL);
    let mail = sink.wait_for(1).await.remove(0);
    let link = Link::of(&mail, server);
    link.confirmed_by(&mut server.visitor())
        .await
        .is_redirected_to("/");
    made(server, "enrolment");

    server
        .gatelog(&["blueprint", "enable", "recovery"])
        .succeeds();
    let mut visitor = server.visitor();
    visitor
        .opens("default-recovery-flow")
        .await
        .sees("ak-stage-identification");
    visitor.answers(json!({ "uid_field": newcomer.mail })).await;
    made(server, "recovery-that-waits");

    let mut visitor = server.visitor();
    visitor.opens(PLAIN).await;
    visitor
        .answers(json!({ "uid_field": person.username }))
        .await;
    visitor.gets("/flows/-/cancel/").await;
    made(server, "cancelled");

    let mut visitor = server.visitor();
    visitor.logs_in(&newcomer).await;
    visitor
        .opens("default-user-settings-flow")
        .await
        .sees("ak-stage-prompt");
    let typed = json!({ "username": newcomer.username, "name": "Somebody Else Entirely",
        "email": newcomer.mail, "attributes.settings.locale": "de" });
    server
        .canaries()
        .personal("another name", "Somebody Else Entirely");
    visitor.answers(typed).await;
    made(server, "user-settings");
}

#[test]
fn a_name_in_an_address_within_an_address_does_not_stay() {
    with_server(async |server| {
        let person = server.person();
        server.has_flow(&plain());
        let (name, place) = person.mail.split_once('@').expect("an address");
        let mut visitor = server.visitor();
        let query = format!("next=%2Fapp%3Flogin_hint%3D{name}%2540{place}");
        visitor.opens_with(PLAIN, &query).await;
        visitor.answers(json!({ "uid_field": person.mail })).await;
        visitor
            .answers(json!({ "password": person.password }))
            .await;
        let folder = tempfile::tempdir().expect("a directory");
        let bundle = bundles_latest(server, folder.path(), "hinted");
        assert!(bundle["problem"].is_null(), "{bundle}");
        let text = bundle.to_string();
        assert!(text.contains("login_hint"), "{text}");
        assert!(
            !text.to_lowercase().contains(&name.to_lowercase()),
            "{text}"
        );
        verifies_elsewhere(folder.path(), &[]).succeeds();
    });
}

#[test]
fn a_bundle_in_which_an_address_is_left_says_so() {
    with_server(async |server| {
        let person = server.person();
        let expression = format!("return request.user.email != '{}x'", person.mail);
        let flow = Flow::new("by-mail")
            .identification_and_password()
            .expression("by-mail-policy", &expression)
            .stage("user_login", "by-mail-login", json!({}))
            .asks("by-mail-login", "by-mail-policy", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.opens("by-mail").await;
        visitor.answers(json!({ "uid_field": person.mail })).await;
        visitor
            .answers(json!({ "password": person.password }))
            .await
            .is_redirected_to("/");
        let id = server.latest();
        // The hash that stands for every password is in it, so it is not printed.
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join("by-mail.bundle").display().to_string();
        let made = server.gatelog(&["execution", "bundle", &id, "--out", &file]);
        made.succeeds()
            .says("what should have been replaced is left in it, at objects/");
        let written = std::fs::read(&file).expect("the bundle");
        let bundle: Value = serde_json::from_slice(&written).expect("JSON");
        let problem = bundle["problem"].as_str().expect("a problem");
        assert!(!problem.contains(&person.mail), "{problem}");
    });
}

#[test]
fn a_policy_that_goes_by_a_name_is_told_of_and_can_be_given_it() {
    with_server(async |server| {
        let person = server.person();
        let expression = format!("return request.user.username == '{}'", person.username);
        let flow = Flow::new("by-name")
            .identification_and_password()
            .expression("by-name-policy", &expression)
            .stage("user_login", "by-name-login", json!({}))
            .asks("by-name-login", "by-name-policy", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.opens("by-name").await;
        visitor
            .answers(json!({ "uid_field": person.username }))
            .await;
        visitor
            .answers(json!({ "password": person.password }))
            .await
            .is_redirected_to("/");
        let id = server.latest();
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join("by-name.bundle");
        let file = file.to_str().expect("a path");

        let told = server.gatelog(&["execution", "bundle", &id, "--out", file]);
        told.succeeds()
            .says("does not run again")
            .says("--personal");
        let ran = verifies_elsewhere(folder.path(), &[]);
        ran.fails_with(1).prints("differs at record 2");

        let again = server.gatelog(&["execution", "bundle", &id, "--out", file]);
        again.fails_with(1).says("cannot be made");
        std::fs::remove_file(file).expect("it goes");
        let kept = server.gatelog(&["execution", "bundle", &id, "--personal", "--out", file]);
        assert_eq!(kept.succeeds().stderr, "");
        verifies_elsewhere(folder.path(), &[]).succeeds();
        let text = std::fs::read_to_string(file).expect("the file");
        assert!(text.contains(&person.username));
        for secret in ["$argon2id$", person.password.as_str()] {
            assert!(!text.contains(secret), "{secret}");
        }
        let bundle: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(bundle["personal"], true);
    });
}
