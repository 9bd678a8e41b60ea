//! Somebody with a browser that asks again when it gets no answer, each time in another way.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Town;
use super::dice::Dice;
use crate::flows::EMAIL;
use crate::soak::ledger::challenge;
use crate::support::{Answer, Person, Visitor};

const IDENTIFICATION: &str = "ak-stage-identification";
const PASSWORD: &str = "ak-stage-password";
const PROMPT: &str = "ak-stage-prompt";
const CONSENT: &str = "ak-stage-consent";
const DENIED: &str = "ak-stage-access-denied";
/// What asks for a second factor.
pub(super) const VALIDATE: &str = "ak-stage-authenticator-validate";
const REDIRECT: &str = "xak-flow-redirect";

const ME: &str = "/api/v3/core/users/me/";

/// How long the server honours the cookie from before somebody has shown who they are.
const GRACE: Duration = Duration::from_secs(10);

/// The pause before a browser asks again.
const PAUSE: Duration = Duration::from_millis(30);

/// How a walk through a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// They are in.
    In,
    /// A mail is on its way.
    Waits,
    /// The link, or whoever came, is not taken.
    Denied,
    /// What became of the last answer they do not know, and their cookie is too old by now.
    Gone,
    /// They get no push for a while, since too many came to nothing.
    Enough,
}

/// What an answer came to.
pub(super) enum Came {
    To(Answer),
    /// Nothing, and there is no use in another one.
    ToNoMore,
    /// This browser has another execution now, or none; whether it learnt that by looking, without sending
    /// the answer again.
    Elsewhere {
        looked: bool,
    },
}

pub(super) struct Guest<'a> {
    town: &'a Town,
    dice: &'a mut Dice,
    visitor: Visitor,
    /// What the browser shows while a mail is on its way.
    shown: Option<Answer>,
    /// The execution that asked for the last mail.
    waits: Option<String>,
}

impl<'a> Guest<'a> {
    /// Somebody who was never here.
    pub(super) fn new(town: &'a Town, dice: &'a mut Dice) -> Self {
        Self {
            town,
            dice,
            visitor: town.ways[0].as_somebody_else(),
            shown: None,
            waits: None,
        }
    }

    /// The same person at another browser.
    pub(super) fn takes_another_browser(&mut self) {
        self.visitor = self.visitor.as_somebody_else();
        self.shown = None;
    }

    /// Opens a flow, and goes on until it is over or waits for a mail.
    pub(super) async fn visits(&mut self, slug: &str, query: &str, person: &Person) -> End {
        self.visitor.points_at_with(slug, query);
        let mut shown = self.looks().await;
        loop {
            match shown.component().as_str() {
                REDIRECT => return End::In,
                DENIED => return End::Denied,
                EMAIL => {
                    self.waits = challenge(&shown).map(|(execution, _)| execution);
                    self.shown = Some(shown);
                    return End::Waits;
                }
                _ => {}
            }
            let since = self.town.clock.monotonic();
            let came = if shown.component() == VALIDATE {
                self.asks_for_push(shown.clone()).await
            } else {
                self.answers(&shown, person).await
            };
            match came {
                Came::To(next) => shown = next,
                Came::ToNoMore => return End::Enough,
                Came::Elsewhere { .. } if self.is_in(person).await => return End::In,
                Came::Elsewhere { looked } => return self.is_gone(&shown, since, looked),
            }
        }
    }

    /// Has the mail sent again.
    pub(super) async fn asks_again(&mut self, person: &Person) {
        let shown = self.shown.take().expect("a mail is waited for");
        match self.answers(&shown, person).await {
            Came::To(next) => {
                next.sees(EMAIL);
                self.shown = Some(next);
            }
            Came::ToNoMore | Came::Elsewhere { .. } => panic!("acknowledged was {shown:?}"),
        }
    }

    /// What followed upon an answer to the challenge `answered`, whose execution is not shown any more.
    pub(super) fn through(&self, answered: &(String, u64), told: Answer) -> Came {
        if told.component() != REDIRECT {
            return Came::Elsewhere { looked: true };
        }
        let (execution, number) = answered;
        self.town.ledger.takes(execution, *number, true);
        Came::To(told)
    }

    /// Nobody loses their place, unless the browser gets another secret by an answer that is lost, and does
    /// not come soon enough with the one before, or does not send the answer again: who only looks, with the
    /// secret from before the login, is asked to log in.
    fn is_gone(&self, shown: &Answer, since: Instant, looked: bool) -> End {
        let waited = self.town.clock.monotonic() - since;
        let may_rotate = match shown.component().as_str() {
            PASSWORD | CONSENT | VALIDATE => true,
            PROMPT => fields(shown) == ["password", "password_repeat"],
            _ => false,
        };
        assert!(
            may_rotate && (looked || waited > GRACE),
            "acknowledged was {shown:?}, and {waited:?} later it is gone"
        );
        End::Gone
    }

    /// Answers what is shown, until somebody says what came of it.
    async fn answers(&mut self, shown: &Answer, person: &Person) -> Came {
        let Some((execution, number)) = challenge(shown) else {
            return self.confirms(shown, person).await;
        };
        let body = typed(shown, person);
        let id = format!("{execution}-{number}");
        // Our own pages send the answer again, with what it answers. Others look first.
        let is_stubborn = self.dice.coin();
        let header = [("x-gatelog-challenge", id.as_str())];
        let headers = if is_stubborn { &header[..] } else { &[] };
        let mut was_lost = false;
        loop {
            let looks = was_lost && !is_stubborn;
            let told = if looks {
                self.looks().await
            } else if let Some(told) = self.posts(&body, headers).await {
                told
            } else {
                was_lost = true;
                continue;
            };
            let ledger = &self.town.ledger;
            match challenge(&told) {
                Some((same, next)) if same == execution && next > number => {
                    if told.component() != EMAIL {
                        told.without_errors();
                    }
                    ledger.takes(&execution, number, false);
                    return Came::To(told);
                }
                Some((same, next)) if same == execution && next == number => {
                    // Whose cookie is too old by now comes as somebody new, by the link: that moves the
                    // execution to them, and they are asked again.
                    let is_new = told.cookie("authentik_session").is_some();
                    assert!(looks || is_new, "it was not taken: {told:?}");
                    was_lost = false;
                }
                Some((same, _)) if same == execution => panic!("it went back: {told:?}"),
                _ if !looks && told.component() == REDIRECT => {
                    ledger.takes(&execution, number, true);
                    return Came::To(told);
                }
                _ => {
                    assert!(was_lost, "{told:?}");
                    return Came::Elsewhere { looked: looks };
                }
            }
        }
    }

    /// Confirms what a link asks, which is no challenge yet: the execution comes to this browser only by it.
    async fn confirms(&mut self, shown: &Answer, person: &Person) -> Came {
        let is_stubborn = self.dice.coin();
        let mut body = typed(shown, person);
        let mut was_lost = false;
        loop {
            let looks = was_lost && !is_stubborn;
            let told = if looks {
                self.looks().await
            } else if let Some(told) = self.posts(&body, &[]).await {
                told
            } else {
                was_lost = true;
                continue;
            };
            let is_over = !looks && told.component() == REDIRECT;
            if is_over || challenge(&told).is_some() {
                let whose = self.waits.clone().expect("a link was asked for");
                self.town.confirmed.borrow_mut().push(whose);
                return Came::To(told);
            }
            if told.component() != CONSENT {
                assert!(was_lost, "{told:?}");
                return Came::Elsewhere { looked: looks };
            }
            assert!(looks, "it was not taken: {told:?}");
            was_lost = false;
            body = typed(&told, person);
        }
    }

    pub(super) async fn posts(&mut self, body: &Value, headers: &[(&str, &str)]) -> Option<Answer> {
        self.turns();
        let asked = self.visitor.try_to_answer(body, headers).await;
        let told = self.heard(asked).await?;
        self.visitor.notes(&told);
        Some(told)
    }

    pub(super) async fn looks(&mut self) -> Answer {
        loop {
            self.turns();
            let asked = self.visitor.try_to_look().await;
            if let Some(answer) = self.heard(asked).await {
                self.visitor.notes(&answer);
                return answer;
            }
        }
    }

    /// Whether this browser is logged in as somebody.
    async fn is_in(&mut self, person: &Person) -> bool {
        loop {
            self.turns();
            let nothing = String::new();
            let asked = self.visitor.asks(reqwest::Method::GET, ME, &[], nothing);
            let asked = asked.await;
            let Ok(answer) = asked else {
                self.town.lost.set(self.town.lost.get() + 1);
                self.town.waits(PAUSE).await;
                continue;
            };
            match answer.status.as_u16() {
                200 => return answer.json()["user"]["username"] == person.username.as_str(),
                403 => return false,
                502..=504 => self.town.waits(PAUSE).await,
                _ => panic!("{answer:?}"),
            }
        }
    }

    /// Goes by the proxy, or straight to a node, which may be dead.
    fn turns(&mut self) {
        let nodes = self.town.ways.len() - 1;
        let way = if self.dice.coin() {
            0
        } else {
            1 + self.dice.below(nodes)
        };
        self.visitor.turns_as(&self.town.ways[way]);
    }

    /// What somebody was told; nothing where that is only that something is wrong.
    async fn heard(&self, asked: reqwest::Result<Answer>) -> Option<Answer> {
        match asked {
            Ok(answer) if ![502, 503, 504].contains(&answer.status.as_u16()) => {
                answer.has_status(200);
                self.town.goes_on();
                Some(answer)
            }
            _ => {
                self.town.lost.set(self.town.lost.get() + 1);
                self.town.waits(PAUSE).await;
                None
            }
        }
    }
}

/// The keys of the fields of a prompt.
fn fields(shown: &Answer) -> Vec<String> {
    let all = shown.json()["fields"].clone();
    let all = all.as_array().cloned().unwrap_or_default();
    let keys = all.iter().filter_map(|it| it["field_key"].as_str());
    keys.map(str::to_owned).collect()
}

/// What somebody answers.
fn typed(shown: &Answer, person: &Person) -> Value {
    let component = shown.component();
    let mut body = match component.as_str() {
        IDENTIFICATION => json!({ "uid_field": person.username }),
        PASSWORD => json!({ "password": person.password }),
        CONSENT => json!({ "token": shown.json()["token"] }),
        EMAIL => json!({}),
        PROMPT => fields(shown)
            .into_iter()
            .map(|key| {
                let value = match key.as_str() {
                    "username" => &person.username,
                    "name" => &person.name,
                    "email" => &person.mail,
                    _ => &person.password,
                };
                (key, json!(value))
            })
            .collect(),
        _ => panic!("nobody asked for this: {shown:?}"),
    };
    body["component"] = json!(component);
    body
}
