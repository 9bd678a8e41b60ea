//! Mailboxes: the codes go over a real SMTP conversation.

use serde_json::{Value, json};

use crate::support::{
    Answer, Flow, MailSink, Options, Person, Taken, TestServer, Visitor, with_server_of,
};

const SETUP: &str = "ak-stage-authenticator-email";
const VALIDATE: &str = "ak-stage-authenticator-validate";

/// A variable of test binaries only: how many seconds the server's clock is ahead.
const SHIFT: &str = "GATELOG_CLOCK_SHIFT";

fn with_mail(scenario: impl AsyncFnOnce(&mut TestServer, &MailSink)) {
    let sink = MailSink::start();
    with_server_of(sink.serves(Options::default()), async |server| {
        scenario(server, &sink).await;
    });
}

fn has_flows(server: &TestServer, attrs: &Value) {
    server.has_flow(
        &Flow::new("setup")
            .identification_and_password()
            .stage("authenticator_email", "mailbox", attrs.clone())
            .stage("user_login", "setup-login", json!({})),
    );
    server.has_flow(
        &Flow::new("enter")
            .identification_and_password()
            .stage("authenticator_validate", "enter-validate", json!({}))
            .stage("user_login", "enter-login", json!({})),
    );
}

async fn comes(visitor: &mut Visitor, person: &Person, flow: &str) -> Answer {
    visitor.opens(flow).await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let what = json!({ "password": person.password });
    visitor.answers(what).await
}

async fn types_code(visitor: &mut Visitor, code: &str) -> Answer {
    visitor.answers(json!({ "code": code })).await
}

#[track_caller]
fn complains(answer: &Answer, text: &str) {
    let expected = json!([{ "string": text, "code": "invalid" }]);
    let found = &answer.json()["response_errors"]["non_field_errors"];
    assert_eq!(*found, expected, "{answer:?}");
}

/// The code in a mail.
#[track_caller]
fn code(mail: &Taken) -> String {
    let text = mail.letter().text();
    let words = text.split(|it: char| !it.is_ascii_digit());
    let mut codes = words.filter(|word| word.len() == 6);
    codes.next().expect("a code").to_owned()
}

/// The address as anybody may read it.
fn masked(address: &str) -> String {
    let hide = |part: &str| format!("{}{}", &part[..1], "*".repeat(part.len() - 1));
    let (local, domain) = address.split_once('@').expect("an address");
    let (name, last) = domain.split_once('.').expect("a domain");
    format!("{}@{}.{last}", hide(local), hide(name))
}

#[test]
fn a_mailbox_is_set_up_and_logged_in_with() {
    with_mail(async |server, sink| {
        let attrs = json!({ "use_global_settings": true, "subject": "Your code" });
        has_flows(server, &attrs);
        let person = server.person();
        let mut visitor = server.visitor();
        let shown = comes(&mut visitor, &person, "setup").await;
        shown
            .sees(SETUP)
            .with("email_required", false)
            .with("email", masked(&person.mail));
        let mail = sink.wait_for(1).await.remove(0);
        assert!(
            mail.to[0].eq_ignore_ascii_case(&person.mail),
            "{:?}",
            mail.to
        );
        assert_eq!(mail.letter().header("Subject"), "Your code");
        assert!(!mail.letter().text().contains("authentik"));
        let first = code(&mail);
        assert!(mail.letter().html().contains(&first));

        let neither = visitor.answers(json!({})).await;
        complains(&neither, "email required");
        let wrong = if first == "000000" {
            "000001"
        } else {
            "000000"
        };
        complains(
            &types_code(&mut visitor, wrong).await,
            "Code does not match",
        );
        complains(
            &visitor.answers(json!({ "email": "none" })).await,
            "Invalid email",
        );

        // The code of one address is none of another.
        let other = Person::new(server.canaries()).mail;
        let sent = visitor.answers(json!({ "email": other })).await;
        sent.sees(SETUP).with("email", masked(&other));
        assert_eq!(sent.json()["response_errors"], json!({}));
        let mails = sink.wait_for(2).await;
        assert!(mails[1].to[0].eq_ignore_ascii_case(&other));
        let second = code(&mails[1]);
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        if first != second {
            complains(
                &types_code(&mut visitor, &first).await,
                "Code does not match",
            );
            tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
        }
        types_code(&mut visitor, &second)
            .await
            .is_redirected_to("/");

        let mut again = server.visitor();
        let denied = comes(&mut again, &person, "setup").await;
        denied.is_denied("The user already has an email address registered for MFA.");

        let mut visitor = server.visitor();
        let offered = comes(&mut visitor, &person, "enter").await;
        offered.sees(VALIDATE);
        let challenge = offered.json()["device_challenges"][0].clone();
        assert_eq!(
            challenge["challenge"]["email"],
            masked(&other),
            "{challenge}"
        );
        let chosen = visitor
            .answers(json!({ "selected_challenge": challenge }))
            .await;
        complains(&chosen, "Empty response");
        let third = code(&sink.wait_for(3).await[2]);
        let mut other_tab = server.visitor();
        comes(&mut other_tab, &person, "enter").await.sees(VALIDATE);
        let (one, two) = tokio::join!(
            types_code(&mut visitor, &third),
            types_code(&mut other_tab, &third)
        );
        let through = [&one, &two].map(|it| it.component() == "xak-flow-redirect");
        assert_eq!(
            through.iter().filter(|it| **it).count(),
            1,
            "{one:?} {two:?}"
        );
    });
}

#[test]
fn a_code_runs_out_and_another_one_is_mailed() {
    with_mail(async |server, sink| {
        let attrs = json!({ "use_global_settings": true, "token_expiry": "minutes=10" });
        has_flows(server, &attrs);
        let person = server.person();
        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "setup").await.sees(SETUP);
        let old = code(&sink.wait_for(1).await[0]);
        server.sets(SHIFT, "601");
        server.kill().await;
        complains(&types_code(&mut visitor, &old).await, "Code does not match");
        let asked = visitor.answers(json!({ "email": person.mail })).await;
        asked.sees(SETUP);
        let new = code(&sink.wait_for(2).await[1]);
        types_code(&mut visitor, &new).await.is_redirected_to("/");
        server.sets(SHIFT, "0");
        server.kill().await;
    });
}

#[test]
fn somebody_elses_address_is_refused_and_nobodys_mailbox_is_filled() {
    with_mail(async |server, sink| {
        has_flows(server, &json!({ "use_global_settings": true }));
        let (ann, ben) = (server.person(), server.person());
        let mut visitor = server.visitor();
        comes(&mut visitor, &ann, "setup").await.sees(SETUP);
        let first = code(&sink.wait_for(1).await[0]);
        types_code(&mut visitor, &first).await.is_redirected_to("/");
        let mut visitor = server.visitor();
        comes(&mut visitor, &ben, "setup").await.sees(SETUP);
        let taken = visitor.answers(json!({ "email": ann.mail })).await;
        complains(&taken, "Invalid email");
        for _ in 0..4 {
            let asked = visitor.answers(json!({ "email": ben.mail })).await;
            asked.sees(SETUP);
            assert_eq!(asked.json()["response_errors"], json!({}));
        }
        let many = visitor.answers(json!({ "email": ben.mail })).await;
        complains(&many, "Too many codes were sent. Please try again later.");
        sink.wait_for(6).await;
        // Everything that was to be sent was.
        server.restart().await;
        assert_eq!(sink.taken().len(), 6);
    });
}

#[test]
fn the_stages_own_server_sends_and_the_ready_made_flow_needs_a_login() {
    let (sink, of_all) = (MailSink::start(), MailSink::start());
    with_server_of(of_all.serves(Options::default()), async |server| {
        let attrs = json!({
            "host": "127.0.0.1",
            "port": sink.port(),
            "from_address": "codes@example.org",
        });
        has_flows(server, &attrs);
        let person = server.person();
        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "setup").await.sees(SETUP);
        let mail = sink.wait_for(1).await.remove(0);
        assert_eq!(mail.from, "codes@example.org");

        let on = server.gatelog(&["blueprint", "enable", "authenticator-email"]);
        on.succeeds().says("default-authenticator-email-setup");
        let mut nobody = server.visitor();
        let denied = nobody.opens("default-authenticator-email-setup").await;
        denied.sees("ak-stage-access-denied");
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let shown = visitor.opens("default-authenticator-email-setup").await;
        shown.sees(SETUP).with("email", masked(&person.mail));
        assert_ne!(of_all.wait_for(1).await[0].from, mail.from);
        assert_eq!(sink.taken().len(), 1);
    });
}

#[test]
fn asking_again_sends_the_code_that_is_good_already() {
    with_mail(async |server, sink| {
        has_flows(server, &json!({ "use_global_settings": true }));
        let person = server.person();
        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "setup").await.sees(SETUP);
        let first = code(&sink.wait_for(1).await[0]);
        types_code(&mut visitor, &first).await.is_redirected_to("/");
        let mut visitor = server.visitor();
        let offered = comes(&mut visitor, &person, "enter").await;
        let challenge = offered.json()["device_challenges"][0].clone();
        let chosen = json!({ "selected_challenge": challenge });
        visitor.answers(chosen.clone()).await;
        let sent = code(&sink.wait_for(2).await[1]);
        // Somebody who has guessed the password takes nothing away from what is on its way.
        let mut stranger = server.visitor();
        comes(&mut stranger, &person, "enter").await.sees(VALIDATE);
        stranger.answers(chosen.clone()).await;
        assert_eq!(code(&sink.wait_for(3).await[2]), sent);
        // It ends when it would have ended; shortly before there is another one.
        server.sets(SHIFT, "1770");
        server.kill().await;
        visitor.answers(chosen.clone()).await;
        let other = code(&sink.wait_for(4).await[3]);
        types_code(&mut visitor, &other).await.is_redirected_to("/");
        let mut late = server.visitor();
        comes(&mut late, &person, "enter").await.sees(VALIDATE);
        late.answers(chosen).await;
        let next = code(&sink.wait_for(5).await[4]);
        if next != other {
            let used = types_code(&mut late, &other).await;
            used.sees(VALIDATE).with_error("code", "invalid");
        }
        server.sets(SHIFT, "0");
        server.kill().await;
    });
}

#[test]
fn whoever_names_the_address_of_another_uses_up_nothing_that_its_owner_needs() {
    with_mail(async |server, sink| {
        has_flows(server, &json!({ "use_global_settings": true }));
        server.has_flow(
            &Flow::new("elsewhere")
                .identification_and_password()
                .stage(
                    "authenticator_email",
                    "other-mailbox",
                    json!({ "use_global_settings": true }),
                )
                .stage("user_login", "elsewhere-login", json!({})),
        );
        let (ann, ben) = (server.person(), server.person());
        let mut owner = server.visitor();
        comes(&mut owner, &ann, "setup").await.sees(SETUP);
        let first = code(&sink.wait_for(1).await[0]);
        types_code(&mut owner, &first).await.is_redirected_to("/");
        let mut other = server.visitor();
        comes(&mut other, &ben, "elsewhere").await.sees(SETUP);
        for _ in 0..4 {
            let asked = other.answers(json!({ "email": ann.mail })).await;
            assert_eq!(asked.json()["response_errors"], json!({}), "{asked:?}");
        }
        sink.wait_for(6).await;
        let mut owner = server.visitor();
        let offered = comes(&mut owner, &ann, "enter").await;
        let challenge = offered.json()["device_challenges"][0].clone();
        owner
            .answers(json!({ "selected_challenge": challenge }))
            .await;
        let sent = code(&sink.wait_for(7).await[6]);
        types_code(&mut owner, &sent).await.is_redirected_to("/");
    });
}
