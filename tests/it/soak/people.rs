//! What people do: they log in, mistype their password, go away, or wait for a mail.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::ledger::{Ledger, challenge};
use crate::flows::{EMAIL, Link};
use crate::support::{Answer, LOGIN, MailSink, Person, TestServer, Visitor};

/// The flow that waits for a mail.
const RECOVERY: &str = "default-recovery-flow";

/// What became of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It came to its end.
    Done,
    /// The server said that it cannot, with this status.
    Refused(u16),
    /// The connection broke.
    CutOff,
}

/// Those who have an account, and what they were told.
pub(super) struct People {
    all: Vec<Person>,
    newcomer: Visitor,
    pub(super) ledger: Ledger,
}

impl People {
    /// So many people with an account on this server.
    pub(super) fn of(server: &TestServer, count: usize) -> Self {
        Self {
            all: (0..count).map(|_| server.person()).collect(),
            newcomer: server.visitor(),
            ledger: Ledger::default(),
        }
    }

    /// One of them, and a browser that was never here.
    pub(super) fn somebody(&self) -> (&Person, Visitor) {
        (&self.all[0], self.newcomer.as_somebody_else())
    }

    /// So many people log in side by side, each after typing so many wrong passwords.
    pub(super) async fn log_in(&self, visits: usize, mistakes: usize) -> Vec<Ended> {
        let mut ended = Vec::new();
        let people: Vec<&Person> = self.all.iter().cycle().take(visits).collect();
        for group in people.chunks(self.all.len()) {
            let visits = group.iter().map(|person| self.logs_in(person, mistakes));
            ended.extend(join_all(visits).await);
        }
        ended
    }

    /// The same, where nothing stands in the way.
    pub(super) async fn all_log_in(&self, visits: usize, mistakes: usize) {
        let ended = self.log_in(visits, mistakes).await;
        assert!(ended.iter().all(|it| *it == Ended::Done), "{ended:?}");
    }

    /// People log in for as long as they are let.
    pub(super) async fn log_in_until(&self, is_over: impl Fn() -> bool) {
        let visits = self.all.iter().map(async |person| {
            while !is_over() {
                if self.logs_in(person, 0).await != Ended::Done {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
        join_all(visits).await;
    }

    async fn logs_in(&self, person: &Person, mistakes: usize) -> Ended {
        let mut visitor = self.newcomer.as_somebody_else();
        match self.begins(&mut visitor).await {
            Ended::Done => self.goes_on(&mut visitor, person, mistakes).await,
            other => other,
        }
    }

    /// Opens the login.
    pub(super) async fn begins(&self, visitor: &mut Visitor) -> Ended {
        visitor.points_at(LOGIN);
        let shown = visitor.try_to_look().await;
        self.noted(visitor, shown, None)
    }

    /// Answers what is asked, from the name on.
    pub(super) async fn goes_on(
        &self,
        visitor: &mut Visitor,
        person: &Person,
        mistakes: usize,
    ) -> Ended {
        let name = json!({ "component": "ak-stage-identification", "uid_field": person.username });
        let password = |typed: &str| json!({ "component": "ak-stage-password", "password": typed });
        let mut answers = vec![name];
        answers.extend((0..mistakes).map(|_| password("not-the-password")));
        answers.push(password(&person.password));
        for answer in &answers {
            let ended = self.answers(visitor, answer).await;
            if ended != Ended::Done {
                return ended;
            }
        }
        Ended::Done
    }

    async fn answers(&self, visitor: &mut Visitor, answer: &Value) -> Ended {
        let asked = visitor.challenge.clone();
        let told = visitor.try_to_answer(answer, &[]).await;
        self.noted(visitor, told, asked.as_deref())
    }

    /// Writes down what was acknowledged.
    fn noted(
        &self,
        visitor: &mut Visitor,
        told: reqwest::Result<Answer>,
        asked: Option<&str>,
    ) -> Ended {
        let Ok(answer) = told else {
            self.ledger.cut_off.set(self.ledger.cut_off.get() + 1);
            return Ended::CutOff;
        };
        if answer.status != 200 {
            self.ledger.refused.set(self.ledger.refused.get() + 1);
            return Ended::Refused(answer.status.as_u16());
        }
        if let Some((execution, number)) = asked.and_then(|it| it.split_once('-')) {
            let number = number.parse().expect("a number");
            let is_complete = answer.component() == "xak-flow-redirect";
            if !is_complete {
                let (same, next) = challenge(&answer).expect("a challenge");
                assert!(same == execution && next > number, "{answer:?}");
            }
            self.ledger.takes(execution, number, is_complete);
        }
        visitor.notes(&answer);
        Ended::Done
    }

    /// So many people open the login and go away.
    pub(super) async fn leave(&self, visits: usize) {
        for _ in 0..visits.div_ceil(16) {
            let visits = (0..16).map(async |_| {
                let mut visitor = self.newcomer.as_somebody_else();
                self.begins(&mut visitor).await
            });
            let ended = join_all(visits).await;
            assert!(ended.iter().all(|it| *it == Ended::Done), "{ended:?}");
        }
    }

    /// So many people ask for a mail; every other one follows its link.
    pub(super) async fn wait_for_mails(&self, server: &TestServer, sink: &MailSink, visits: usize) {
        let before = sink.taken().len();
        for person in self.all.iter().cycle().take(visits) {
            let mut visitor = self.newcomer.as_somebody_else();
            visitor
                .opens(RECOVERY)
                .await
                .sees("ak-stage-identification");
            let who = json!({ "uid_field": person.mail });
            visitor.answers(who).await.sees(EMAIL);
        }
        let mails = sink.wait_for(before + visits).await;
        for mail in mails[before..].iter().step_by(2) {
            let mut visitor = self.newcomer.as_somebody_else();
            let confirmed = Link::of(mail, server).confirmed_by(&mut visitor).await;
            confirmed.sees("ak-stage-prompt");
        }
    }
}
