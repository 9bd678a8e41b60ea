//! What one node does for all, and what becomes of it when that node is gone.

use serde_json::json;

use super::{ME, logins_of, started, until};
use crate::support::{LOGIN, MailSink, Options, TestServer, block_on};

const RECOVERY: &str = "default-recovery-flow";

/// Two servers on one database, and where their mails go.
async fn with_mails() -> Option<(TestServer, TestServer, MailSink)> {
    let sink = MailSink::start();
    let (one, other) = started(sink.serves(Options::default())).await?;
    one.gatelog(&["blueprint", "enable", "recovery"]).succeeds();
    Some((one, other, sink))
}

/// Asks for a mailed link, of either server by turns, and says at which challenge that ends.
async fn asks_for_a_link(first: &TestServer, then: &TestServer, name: &str) {
    let mut visitor = first.visitor();
    let opened = visitor.opens(RECOVERY).await;
    opened.sees("ak-stage-identification");
    visitor.turns_to(then);
    let asked = visitor.answers(json!({ "uid_field": name })).await;
    asked.sees("ak-stage-email");
}

#[test]
fn a_mail_that_any_node_posts_is_sent_once() {
    block_on(async {
        let Some((one, other, sink)) = with_mails().await else {
            return;
        };
        let people: Vec<_> = (0..6).map(|_| one.person()).collect();
        for (number, person) in people.iter().enumerate() {
            if number.is_multiple_of(2) {
                asks_for_a_link(&one, &other, &person.mail).await;
            } else {
                asks_for_a_link(&other, &one, &person.mail).await;
            }
        }
        let taken = sink.wait_for(people.len()).await;
        let to = taken.into_iter().flat_map(|it| it.to);
        let mut to: Vec<_> = to.map(|it| it.to_lowercase()).collect();
        to.sort();
        let mut expected: Vec<_> = people.iter().map(|it| it.mail.to_lowercase()).collect();
        expected.sort();
        assert_eq!(to, expected, "each has one mail");
        one.finish().await;
        other.finish().await;
    });
}

#[test]
fn when_the_node_that_does_it_for_all_is_killed_another_one_goes_on() {
    block_on(async {
        let Some((mut one, other, sink)) = with_mails().await else {
            return;
        };
        let (alice, bob) = (one.person(), one.person());
        asks_for_a_link(&one, &other, &alice.mail).await;
        sink.wait_for(1).await;
        assert!(does_it_for_all(&one), "the first one that was there");
        assert!(!does_it_for_all(&other), "there is one only");
        let mut visitor = one.visitor();
        visitor.logs_in(&bob).await;
        one.dies();
        // Whoever was served there goes on elsewhere at once.
        visitor.turns_to(&other);
        visitor.gets(ME).await.has_status(200);
        asks_for_a_link(&other, &other, &bob.mail).await;
        let taken = sink.wait_for(2).await;
        assert_eq!(taken[1].to[0].to_lowercase(), bob.mail.to_lowercase());
        assert!(does_it_for_all(&other));
        // What was recorded is told once, whoever tells it.
        let mut administrator = other.visitor();
        administrator.logs_in(&one.administrator).await;
        let told = async || logins_of(&administrator, &bob.username).await;
        until("the login is told", async || told().await > 0).await;
        assert_eq!(told().await, 1);
        one.begin().await;
        let mut visitor = one.visitor();
        visitor.opens(LOGIN).await.sees("ak-stage-identification");
        assert!(!begins_again(&one), "it came late");
        assert_eq!(sink.taken().len(), 2, "nothing is sent again");
        one.finish().await;
        other.finish().await;
    });
}

const SAYS_SO: &str = "for all from now on";

/// Whether a server has ever said that it does what one does for all.
fn does_it_for_all(server: &TestServer) -> bool {
    server.output().contains(SAYS_SO)
}

/// Whether it has said so more than once.
fn begins_again(server: &TestServer) -> bool {
    server.output().matches(SAYS_SO).count() > 1
}
