//! What becomes of a mail in the outbox, whatever its server does.

use std::time::Duration;

use gatelog::catalog::Stage;
use gatelog::courier::Outcome;
use gatelog::courier::outbox::{self, State};
use gatelog::journal::{Version, object};
use serde_json::json;
use uuid::Uuid;

use super::mail;
use super::post::{Post, courier};
use crate::support::{At, MailSink, Plan, Sink, block_on};

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { problem } => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mail_is_sent_told_and_forgotten() {
    block_on(async {
        let sink = MailSink::start();
        let post = Post::to(&sink);
        post.starts();
        let mail = mail(&post.clock, "alice@example.net");
        post.posts(&mail).await;
        let taken = sink.wait_for(1).await.remove(0);
        assert_eq!(taken.from, "gatelog@localhost");
        assert_eq!(taken.to, ["alice@example.net"]);
        assert!(!taken.is_encrypted && taken.login.is_none());
        let letter = taken.letter();
        assert_eq!(letter.header("to"), "Some Body <alice@example.net>");
        assert_eq!(letter.header("subject"), "Hello");
        assert_eq!(letter.kind(), "multipart/related");
        assert_eq!(
            letter.text().trim_end(),
            mail.text,
            "dots and lines are as they were"
        );
        assert_eq!(letter.html().trim_end(), mail.html);
        assert_eq!(letter.link(), "https://login.test/?token=abc");
        let logo = letter.part("image/png").expect("a picture");
        assert_eq!(logo.header("content-id"), "<logo>");
        assert!(logo.content().starts_with(b"\x89PNG"));
        assert_eq!(post.hears(1).await, [Outcome::Sent]);
        let report = post.reports.lock().expect("not poisoned")[0].clone();
        assert_eq!((report.mail, report.execution), (mail.id, mail.execution));
        post.forgets(&mail).await;
        post.courier.stop().await;
        assert_eq!((sink.taken().len(), post.outcomes().len()), (1, 1));
    });
}

#[test]
fn what_was_in_the_outbox_before_the_start_is_sent_too() {
    block_on(async {
        let sink = MailSink::start();
        let post = Post::to(&sink);
        for number in 0..30 {
            let mail = mail(&post.clock, &format!("person{number}@example.net"));
            post.posts(&mail).await;
        }
        post.starts();
        let taken = sink.wait_for(30).await;
        let mut recipients: Vec<_> = taken.iter().map(|it| it.to[0].clone()).collect();
        recipients.sort();
        recipients.dedup();
        assert_eq!(recipients.len(), 30);
        post.hears(30).await;
        post.courier.stop().await;
    });
}

#[test]
fn two_nodes_that_both_believe_that_they_send_for_all_send_no_mail_twice() {
    block_on(async {
        let sink = MailSink::start();
        let post = Post::to(&sink);
        let to = |number| mail(&post.clock, &format!("person{number}@example.net"));
        let mails: Vec<_> = (0..30).map(to).collect();
        for mail in &mails {
            post.posts(mail).await;
        }
        // One of them has lost the lease and does not know it yet.
        let other = courier(&post.journal, &post.clock, &post.settings);
        post.starts();
        other.start(post.reporter());
        for mail in &mails {
            post.until("it is known what came of it", async || {
                post.waits(Duration::from_millis(100));
                post.found(mail).await.is_none()
            })
            .await;
        }
        post.courier.stop().await;
        other.stop().await;
        let taken = sink.taken();
        let mut recipients: Vec<_> = taken.iter().map(|it| it.to[0].clone()).collect();
        recipients.sort();
        recipients.dedup();
        assert_eq!(recipients.len(), taken.len(), "a mail was sent twice");
        let outcomes = post.outcomes();
        let of = |outcome| outcomes.iter().filter(|it| **it == outcome).count();
        assert!(of(Outcome::Sent) <= taken.len(), "{outcomes:?}");
        assert_eq!(
            of(Outcome::Sent) + of(Outcome::Unknown),
            mails.len(),
            "{outcomes:?}"
        );
    });
}

#[test]
fn a_mail_that_is_refused_for_the_moment_is_tried_again_later() {
    block_on(async {
        let sink = MailSink::start();
        let refusals = [
            Plan::Reply(At::Greeting, "421 4.3.2 not now"),
            Plan::Reply(At::Hello, "421 4.3.2 not now"),
            Plan::Reply(At::Sender, "451 4.3.0 not now"),
            Plan::Reply(At::Recipient, "450 4.2.0 greylisted"),
            Plan::Reply(At::Data, "451 4.3.0 not now"),
            Plan::Reply(At::Message, "452 4.3.1 the disk is full"),
            Plan::Reply(At::Greeting, "554 5.3.2 not for you"),
            Plan::Drop(At::Greeting),
            Plan::Drop(At::Recipient),
            Plan::Drop(At::Data),
            Plan::Stall(At::Hello),
        ];
        let count = u32::try_from(refusals.len()).expect("it is small");
        sink.plans(refusals);
        let post = Post::to(&sink);
        post.starts();
        let mut mail = mail(&post.clock, "alice@example.net");
        mail.until = post.clock.now() + Duration::from_hours(24);
        post.posts(&mail).await;
        for attempt in 1..=count {
            post.waits_after(&mail, attempt).await;
            let due = post.found(&mail).await.expect("it is there").value.due;
            assert!(due > post.clock.now(), "there is a pause");
            assert!(sink.taken().is_empty() && post.outcomes().is_empty());
            post.waits(Duration::from_mins(10));
        }
        sink.wait_for(1).await;
        assert_eq!(post.hears(1).await, [Outcome::Sent]);
        post.forgets(&mail).await;
        post.courier.stop().await;
        assert_eq!(sink.taken().len(), 1);
    });
}

#[test]
fn what_waits_is_listed_and_tried_at_once_after_a_start() {
    block_on(async {
        let sink = MailSink::start();
        sink.plans([Plan::Reply(At::Sender, "451 4.3.0 not now")]);
        let mut post = Post::to(&sink);
        post.starts();
        let mail = mail(&post.clock, "alice@example.net");
        post.posts(&mail).await;
        post.waits_after(&mail, 1).await;
        let waiting = post.courier.waiting().await.expect("it reads");
        let [only] = &waiting[..] else {
            panic!("{waiting:?}");
        };
        assert_eq!((only.mail, only.execution), (mail.id, mail.execution));
        assert_eq!((only.attempts, only.state), (1, "waiting"));
        assert!(only.due > post.clock.now());
        let problem = only.problem.as_deref().unwrap_or_default();
        assert!(problem.contains("451 4.3.0"), "{problem}");
        assert!(!format!("{only:?}").contains("alice"), "{only:?}");

        post.starts_anew().await;
        sink.wait_for(1).await;
        assert_eq!(post.hears(1).await, [Outcome::Sent]);
        post.forgets(&mail).await;
        let report = post.reports.lock().expect("not poisoned")[0].clone();
        assert_eq!(report.place, format!("127.0.0.1:{}", sink.port()));
        let waiting = post.courier.waiting().await.expect("it reads");
        assert_eq!(waiting, []);
        post.courier.stop().await;
    });
}

#[test]
fn a_mail_that_is_refused_for_good_is_not_tried_again() {
    block_on(async {
        let sink = MailSink::start();
        let post = Post::to(&sink);
        post.starts();
        for (at, what) in [
            (At::Sender, "the sender"),
            (At::Recipient, "the recipient"),
            (At::Data, "the message"),
            (At::Message, "the message"),
        ] {
            let before = post.outcomes().len();
            sink.plans([Plan::Reply(at, "550 5.1.1 <alice@example.net> is unknown")]);
            let mail = mail(&post.clock, "alice@example.net");
            post.posts(&mail).await;
            let outcome = post.hears(before + 1).await.remove(before);
            assert_eq!(
                why(&outcome),
                format!("the mail server refused {what}: 550 5.1.1")
            );
            post.forgets(&mail).await;
        }
        post.waits(Duration::from_mins(20));
        post.courier.stop().await;
        assert_eq!((sink.connections(), sink.taken().len()), (4, 0));
    });
}

#[test]
fn a_mail_that_may_have_arrived_is_never_sent_again() {
    block_on(async {
        let sink = MailSink::start();
        let mut post = Post::to(&sink);
        post.starts();
        let plans = [
            Plan::DropInMessage(10),
            Plan::Drop(At::Message),
            Plan::TakeAndDie,
        ];
        for plan in plans {
            let before = post.outcomes().len();
            sink.plans([plan.clone()]);
            let mail = mail(&post.clock, "alice@example.net");
            post.posts(&mail).await;
            let outcome = post.hears(before + 1).await.remove(before);
            assert_eq!(outcome, Outcome::Unknown, "{plan:?}");
            post.forgets(&mail).await;
        }
        post.waits(Duration::from_mins(20));
        post.starts_anew().await;
        post.courier.stop().await;
        assert_eq!((sink.connections(), sink.taken().len()), (3, 1));
    });
}

#[test]
fn a_mail_found_half_sent_at_the_start_is_told_as_unknown() {
    block_on(async {
        let sink = MailSink::start();
        let post = Post::to(&sink);
        let mut mail = mail(&post.clock, "alice@example.net");
        mail.state = State::Sending;
        post.posts(&mail).await;
        post.starts();
        assert_eq!(post.hears(1).await, [Outcome::Unknown]);
        post.forgets(&mail).await;
        post.courier.stop().await;
        assert_eq!(sink.connections(), 0);
    });
}

#[test]
fn a_report_that_is_not_taken_is_made_again_and_the_mail_is_not_sent_again() {
    block_on(async {
        let sink = MailSink::start();
        let mut post = Post::to(&sink);
        *post.refused.lock().expect("not poisoned") = 2;
        post.starts();
        let mail = mail(&post.clock, "alice@example.net");
        post.posts(&mail).await;
        post.hears(1).await;
        post.starts_anew().await;
        assert_eq!(post.hears(2).await, [Outcome::Sent, Outcome::Sent]);
        let kept = post.found(&mail).await.expect("it was not told yet").value;
        assert_eq!(kept.state, State::Done(Outcome::Sent));
        assert!(kept.html.is_empty() && kept.text.is_empty());
        post.until("it is told again", async || {
            post.waits(Duration::from_secs(5));
            post.outcomes().len() == 3
        })
        .await;
        post.forgets(&mail).await;
        post.courier.stop().await;
        assert_eq!((sink.connections(), sink.taken().len()), (1, 1));
    });
}

#[test]
fn a_mail_is_not_tried_after_its_time() {
    block_on(async {
        let sink = MailSink::start();
        sink.always(Plan::Reply(At::Recipient, "450 4.2.0 greylisted"));
        let post = Post::to(&sink);
        let mut late = mail(&post.clock, "late@example.net");
        late.until = post.clock.now();
        post.posts(&late).await;
        post.starts();
        let outcome = post.hears(1).await.remove(0);
        assert_eq!(why(&outcome), "its time ran out before it could be sent");
        assert_eq!(sink.connections(), 0);

        let mut mail = mail(&post.clock, "alice@example.net");
        mail.until = post.clock.now() + Duration::from_secs(12);
        post.posts(&mail).await;
        post.waits_after(&mail, 1).await;
        post.waits(Duration::from_secs(5));
        let outcome = post.hears(2).await.remove(1);
        let problem = "it could not be sent in time; at last: the mail server refused the recipient: \
                       450 4.2.0";
        assert_eq!(why(&outcome), problem);
        post.forgets(&mail).await;
        post.courier.stop().await;
    });
}

#[test]
fn a_dead_server_holds_up_nobody_elses_mails() {
    block_on(async {
        let (dead, sink) = (MailSink::start(), MailSink::start());
        dead.always(Plan::Stall(At::Greeting));
        let post = Post::to(&sink);
        let settings = json!({ "host": "127.0.0.1", "port": dead.port(), "timeout": 30 });
        let settings = settings.as_object().expect("an object").clone();
        let stage = Stage::new(&post.clock, "email", "dead", settings);
        post.commits(vec![object::put(&stage, Version::NONE)]).await;
        for number in 0..20 {
            let mut mail = mail(&post.clock, &format!("person{number}@example.net"));
            mail.server = Some(stage.pk);
            post.posts(&mail).await;
        }
        post.starts();
        dead.wait_for_stalls(4).await;
        post.posts(&mail(&post.clock, "alice@example.net")).await;
        let taken = sink.wait_for(1).await;
        assert_eq!(taken[0].to, ["alice@example.net"]);
        post.courier.stop().await;
        assert_eq!(dead.connections(), 4, "no more at once");
    });
}

#[test]
fn a_corrected_password_helps_the_mails_that_wait() {
    block_on(async {
        let sink = Sink::default().with_login("gatelog", "right").start();
        let post = Post::with(None);
        let settings = json!({
            "host": "127.0.0.1", "port": sink.port(), "username": "gatelog", "password": "wrong",
            "from_address": "login@example.org",
        });
        let settings = settings.as_object().expect("an object").clone();
        let mut stage = Stage::new(&post.clock, "email", "mails", settings);
        post.commits(vec![object::put(&stage, Version::NONE)]).await;
        post.starts();
        let mut mail = mail(&post.clock, "alice@example.net");
        mail.server = Some(stage.pk);
        post.posts(&mail).await;
        post.waits_after(&mail, 1).await;
        stage.settings.insert("password".to_owned(), json!("right"));
        post.commits(vec![object::put(&stage, Version(1))]).await;
        post.waits(Duration::from_secs(5));
        let taken = sink.wait_for(1).await.remove(0);
        assert_eq!(
            (taken.login, taken.from.as_str()),
            (Some("PLAIN"), "login@example.org")
        );
        assert_eq!(post.hears(1).await, [Outcome::Sent]);
        post.courier.stop().await;
    });
}

#[test]
fn settings_that_cannot_be_meant_are_told_at_once() {
    block_on(async {
        let post = Post::with(None);
        let both = json!({ "use_tls": true, "use_ssl": true });
        let both = both.as_object().expect("an object").clone();
        let stage = Stage::new(&post.clock, "email", "both", both);
        post.commits(vec![object::put(&stage, Version::NONE)]).await;
        post.starts();
        for (server, problem) in [
            (stage.pk, "use_tls and use_ssl are both set"),
            (Uuid::from_u128(1), "the stage that it was sent by is gone"),
        ] {
            let before = post.outcomes().len();
            let mut mail = mail(&post.clock, "alice@example.net");
            mail.server = Some(server);
            post.posts(&mail).await;
            let outcome = post.hears(before + 1).await.remove(before);
            assert!(why(&outcome).starts_with(problem), "{outcome:?}");
        }
        let before = post.outcomes().len();
        post.posts(&mail(&post.clock, "no address")).await;
        let outcome = post.hears(before + 1).await.remove(before);
        assert_eq!(why(&outcome), "the recipient's address is no mail address");
        post.courier.stop().await;
    });
}

#[test]
fn a_mail_to_nobody_goes_nowhere_and_is_told_and_forgotten() {
    block_on(async {
        let sink = MailSink::start();
        let post = Post::to(&sink);
        post.starts();
        let mail = mail(&post.clock, "");
        post.posts(&mail).await;
        assert_eq!(post.hears(1).await, [Outcome::Nobody]);
        post.forgets(&mail).await;
        post.courier.stop().await;
        assert_eq!(sink.connections(), 0);
    });
}

#[test]
fn without_a_server_a_mail_becomes_a_file() {
    block_on(async {
        let post = Post::with(None);
        post.starts();
        let mail = mail(&post.clock, "alice@example.net");
        post.posts(&mail).await;
        assert_eq!(post.hears(1).await, [Outcome::Sent]);
        let folder = post.directory.path().join("mail");
        let name = format!("20261126T150000Z-{}.eml", mail.id);
        let letter = std::fs::read(folder.join(name)).expect("a file");
        let letter = crate::support::Letter::read(&letter);
        assert_eq!(letter.link(), "https://login.test/?token=abc");
        post.courier.stop().await;
    });
}

#[test]
fn a_stop_leaves_a_mail_that_no_server_has_for_the_next_start() {
    block_on(async {
        let sink = MailSink::start();
        sink.plans([Plan::Stall(At::Recipient)]);
        let mut post = Post::to(&sink);
        post.settings.email.timeout = Duration::from_mins(1);
        post.courier = courier(&post.journal, &post.clock, &post.settings);
        post.starts();
        let mail = mail(&post.clock, "alice@example.net");
        post.posts(&mail).await;
        sink.wait_for_stalls(1).await;
        tokio::time::timeout(Duration::from_secs(5), post.starts_anew())
            .await
            .expect("it stops soon");
        sink.wait_for(1).await;
        assert_eq!(post.hears(1).await, [Outcome::Sent]);
        post.forgets(&mail).await;
        post.courier.stop().await;
        assert_eq!(sink.taken().len(), 1);
    });
}

#[test]
fn mails_wait_for_a_server_that_is_away_and_reach_it_when_it_is_back() {
    block_on(async {
        let where_it_was = MailSink::start().port();
        let post = Post::with(Some(where_it_was));
        post.starts();
        let mail = mail(&post.clock, "alice@example.net");
        // The one that is away may need a moment to leave.
        tokio::time::sleep(Duration::from_millis(100)).await;
        post.posts(&mail).await;
        post.waits_after(&mail, 1).await;
        let sink = Sink::default().on_port(where_it_was).start();
        post.waits(Duration::from_secs(5));
        sink.wait_for(1).await;
        assert_eq!(post.hears(1).await, [Outcome::Sent]);
        post.forgets(&mail).await;
        post.courier.stop().await;
    });
}

#[test]
fn a_mail_that_the_courier_is_told_of_costs_no_look_at_all_the_others() {
    block_on(async {
        let sink = MailSink::start();
        let post = Post::to(&sink);
        post.starts();
        post.posts(&mail(&post.clock, "first@example.net")).await;
        post.hears(1).await;
        let others = ["second@example.net", "third@example.net"];
        let others = others.map(|address| mail(&post.clock, address));
        for other in &others {
            post.commits(outbox::enqueue(other)).await;
        }
        post.posts(&mail(&post.clock, "fourth@example.net")).await;
        post.hears(2).await;
        for other in &others {
            let found = post.found(other).await.expect("it is there").value;
            assert_eq!((found.attempts, found.state), (0, State::Waiting));
        }
        let taken = sink.taken();
        let recipients: Vec<_> = taken.iter().map(|it| it.to[0].as_str()).collect();
        assert_eq!(recipients, ["first@example.net", "fourth@example.net"]);
        // They are found all the same, a few seconds later.
        post.hears(4).await;
        post.courier.stop().await;
        assert_eq!(sink.taken().len(), 4);
    });
}
