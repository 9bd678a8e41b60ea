//! `ak_send_email`: what a policy mails, and what it does not.

use std::time::Duration;

use serde_json::json;

use super::bench::Bench;
use crate::support::{Flow, MailSink, Options, with_server_of};

#[actix::test]
async fn a_mail_that_cannot_be_one_raises_what_authentik_raises() {
    let bench = Bench::new().await;
    for (slug, call, error) in [
        (
            "both",
            "'a@b.c', 's', body='x', template='y'",
            "body and template parameters are mutually exclusive",
        ),
        (
            "neither",
            "'a@b.c', 's'",
            "Either body or template parameter must be provided",
        ),
        (
            "nobody",
            "[], 's', body='x'",
            "Address list cannot be empty",
        ),
        (
            "number",
            "7, 's', body='x'",
            "Address must be a string or list of strings",
        ),
        (
            "numbers",
            "['a@b.c', 7], 's', body='x'",
            "Address must be a string or list of strings",
        ),
    ] {
        let source = format!(
            "try:\n    ak_send_email({call})\nexcept ValueError as error:\n    \
             return str(error) == '{error}'\nreturn False"
        );
        let told = bench.asks(slug, &source, None).await;
        assert!(told.passes(), "{slug}: {told:?}");
    }
    let told = bench
        .asks(
            "no-address",
            "return ak_send_email('ann', 's', body='x')",
            None,
        )
        .await;
    assert!(!told.passes(), "{told:?}");
    bench.check().await;
}

#[test]
fn a_policy_mails_what_it_says_to_everybody_once_it_has_ended_well() {
    let sink = MailSink::start();
    with_server_of(sink.serves(Options::default()), async |server| {
        let person = server.person();
        let text = "return ak_send_email(['one@mail.test', 'two@mail.test'], 'Hello', \
             body='Somebody came: ' + context['flow_plan'].context['pending_user'].username, \
             cc='three@mail.test')";
        let letter = "return ak_send_email('four@mail.test', 'Ours', \
                      template='email/event_notification.html', \
                      context={'title': 'A login', 'body': 'It was short.'})";
        let fails = "ak_send_email('nobody@mail.test', 's', body='x')\nreturn 1 / 0";
        let missing = "return ak_send_email('nobody@mail.test', 's', template='email/none.html')";
        server.has_flow(
            &Flow::new("mails")
                .expression("text", text)
                .expression("letter", letter)
                .expression("fails", fails)
                .expression("missing", missing)
                .identification_and_password()
                .dummy("end")
                .asks("end", "text", json!({}))
                .asks("end", "letter", json!({}))
                .asks("end", "fails", json!({ "failure_result": true }))
                .asks("end", "missing", json!({})),
        );
        let tried = server.gatelog(&["policy", "test", "letter"]);
        tried.succeeds().prints("passes");
        let mut visitor = server.visitor();
        visitor.opens("mails").await;
        let who = json!({ "uid_field": person.username });
        visitor.answers(who).await.sees("ak-stage-password");
        let what = json!({ "password": person.password });
        visitor.answers(what).await.sees("ak-stage-dummy");
        let mails = sink.wait_for(4).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(sink.taken().len(), 4, "what failed mails nothing");
        let mut to: Vec<String> = mails.iter().flat_map(|it| it.to.clone()).collect();
        to.sort();
        let all = ["four", "one", "three", "two"].map(|name| format!("{name}@mail.test"));
        assert_eq!(to, all);
        for mail in &mails {
            let letter = mail.letter();
            if mail.to[0].starts_with("four") {
                assert_eq!(letter.header("Subject"), "Ours");
                assert!(letter.text().contains("It was short."), "{}", letter.text());
            } else {
                assert_eq!(letter.header("Subject"), "Hello");
                let said = format!("Somebody came: {}", person.username);
                assert_eq!(letter.text().trim(), said);
            }
        }
        let history = server.histories().remove(0);
        let count = |name: &str| history.iter().filter(|it| it["event"] == name).count();
        assert_eq!(count("effect_requested"), 4);
        assert_eq!(
            count("configuration_error"),
            1,
            "the template that is missing"
        );
    });
}
