//! Goes through an execution once and keeps what an explanation speaks of.

use jiff::Timestamp;
use serde_json::Value as Json;
use uuid::Uuid;

use super::note::{Note, Spared, What};
use crate::flow::context::key;
use crate::flow::effect::{Effect, Outcome};
use crate::flow::event::{Check, EMPTY_RESPONSE, Errors, Event};
use crate::flow::input::Request;
use crate::flow::plan::PlannedStage;
use crate::flow::timer::Deadline;
use crate::flow::verdict::{EngineDecided, Target};
use crate::flow::{Execution, evolve};
use crate::replay::Entry;

/// How somebody was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How<'a> {
    /// They typed it.
    Typed(&'a str),
    /// They showed a passkey.
    Passkey,
    /// It was known, by whatever led here.
    Known,
}

/// Somebody was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Naming<'a> {
    pub(super) how: How<'a>,
    /// Whom it belongs to, and whether they were active.
    pub(super) user: Option<Uuid>,
    pub(super) active: bool,
}

/// What policies said of one target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict<'a> {
    pub(super) decided: &'a EngineDecided,
    /// [`Event::PolicyEvaluated`] and [`Event::PolicyFailed`], in order.
    pub(super) answers: Vec<&'a Event>,
}

/// What an execution came through.
pub(super) struct Story<'a> {
    pub(super) entries: &'a [Entry],
    /// Where it stands.
    pub(super) state: Execution,
    pub(super) names: Vec<Naming<'a>>,
    pub(super) notes: Vec<Note<'a>>,
    /// What policies said last.
    pub(super) verdict: Option<Verdict<'a>>,
    /// The record in which it ended.
    pub(super) end: Option<&'a Entry>,
    /// What happened since the visitor came to the stage that they came to last.
    pub(super) visit: Vec<&'a Event>,
    /// The policies that answered and whose answers have become none yet.
    asked: Vec<&'a Event>,
    typed: Option<&'a str>,
}

impl<'a> Story<'a> {
    pub(super) fn of(entries: &'a [Entry]) -> Self {
        let mut story = Self {
            entries,
            state: Execution::default(),
            names: Vec::new(),
            notes: Vec::new(),
            verdict: None,
            end: None,
            visit: Vec::new(),
            asked: Vec::new(),
            typed: None,
        };
        for entry in entries {
            story.record(entry);
        }
        story
    }

    /// The record that decided: the one in which it ended, or the last one.
    pub(super) fn decisive(&self) -> &'a Entry {
        self.end.unwrap_or(&self.entries[self.entries.len() - 1])
    }

    fn record(&mut self, entry: &'a Entry) {
        let body = entry.record.input.body.as_ref();
        let typed = body
            .and_then(|it| it.get("uid_field"))
            .and_then(Json::as_str);
        self.typed = typed.filter(|it| !it.is_empty()).or(self.typed);
        if self.is_stale(entry) {
            self.note(What::Stale);
        }
        for event in &entry.record.events {
            self.see(entry, event);
            let was_over = self.state.is_over();
            self.state = evolve(std::mem::take(&mut self.state), event);
            if self.state.is_over() && !was_over {
                self.end = Some(entry);
            }
        }
    }

    /// Whether an answer was to a question that was no longer asked.
    fn is_stale(&self, entry: &Entry) -> bool {
        let is_answer = matches!(entry.record.input.request, Request::Answer { .. });
        let was_taken = entry.record.events.iter().any(|event| {
            matches!(
                event,
                Event::ResponseReceived { .. }
                    | Event::Resumed { .. }
                    | Event::Denied { .. }
                    | Event::StageFailed { .. }
            )
        });
        is_answer && !was_taken && self.state.running().is_some()
    }

    fn see(&mut self, entry: &'a Entry, event: &'a Event) {
        match event {
            Event::StageEntered { .. } => self.visit.clear(),
            Event::UserIdentified { user, active } => self.named(entry, *user, *active),
            Event::PolicyEvaluated(_) | Event::PolicyFailed(_) => self.asked.push(event),
            Event::EngineDecided(decided) => self.decided(decided),
            Event::StageSkipped { stage, when, .. } => {
                let verdict = self.verdict.clone();
                let what = What::LeftOut {
                    stage,
                    when: *when,
                    verdict,
                };
                self.note(what);
            }
            Event::StageCompleted { .. } => {
                if let Some(spared) = self.spared() {
                    self.note(What::Spared(spared));
                }
            }
            _ => {
                if let Some(what) = self.trouble(entry, event) {
                    self.note(what);
                }
            }
        }
        self.visit.push(event);
    }

    fn named(&mut self, entry: &'a Entry, user: Option<Uuid>, active: bool) {
        let events = &entry.record.events;
        let by_key = events
            .iter()
            .any(|it| matches!(it, Event::MfaVerified { class, .. } if class == "webauthn"));
        let is_written =
            |it: &Event| matches!(it, Event::UserWritten { .. } | Event::UserDeleted { .. });
        let how = match (by_key, self.typed) {
            (true, _) => How::Passkey,
            // Whoever becomes active, or is deleted, was named before.
            _ if events.iter().any(is_written) => return,
            (false, Some(typed)) if self.asks_who() => How::Typed(typed),
            _ => How::Known,
        };
        let naming = Naming { how, user, active };
        if self.names.last() != Some(&naming) {
            self.names.push(naming);
        }
    }

    fn asks_who(&self) -> bool {
        let current = self.state.running().and_then(|it| it.plan.current());
        current.is_some_and(|it| it.kind == "identification")
    }

    fn decided(&mut self, decided: &'a EngineDecided) {
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for answer in std::mem::take(&mut self.asked) {
            let binding = match answer {
                Event::PolicyEvaluated(it) => it.binding,
                Event::PolicyFailed(it) => it.binding,
                _ => None,
            };
            // What a policy asks of another one counts for nothing but that policy's own answer.
            let is_own = binding.is_some() || matches!(decided.target, Target::Prompt { .. });
            if is_own { &mut own } else { &mut other }.push(answer);
        }
        let harmless = other
            .iter()
            .chain(decided.passing.then_some(&own).into_iter().flatten());
        let failed: Vec<_> = harmless
            .filter_map(|answer| match answer {
                Event::PolicyFailed(failed) => Some(What::PolicyFailed {
                    name: &failed.name,
                    policy: failed.policy,
                    error: failed.named().0,
                    passing: failed.passing,
                }),
                _ => None,
            })
            .collect();
        for what in failed {
            self.note(what);
        }
        self.verdict = Some(Verdict {
            decided,
            answers: own,
        });
    }

    /// Why a stage is passed that has asked nothing.
    fn spared(&self) -> Option<Spared> {
        let current = self.state.running()?.plan.current()?;
        let set = |name: &str| {
            self.visit.iter().any(
                |it| matches!(it, Event::ContextChanged { key, value: Some(_), .. } if key == name),
            )
        };
        let any = |is: fn(&Event) -> bool| self.visit.iter().any(|it| is(it));
        let asked = any(|it| matches!(it, Event::ChallengeIssued { .. }));
        match current.kind.as_str() {
            "authenticator_validate" if set(key::VALIDATE_CONFIGURES) => Some(Spared::ToSetUp),
            _ if asked => None,
            "authenticator_validate" if any(|it| matches!(it, Event::MfaWaived { .. })) => {
                Some(Spared::Remembered)
            }
            "authenticator_validate" if set(key::VALIDATE_CHALLENGES) => Some(Spared::NoFactor),
            "authenticator_validate" => Some(Spared::Nobody),
            "consent" => Some(Spared::Consented),
            "invitation" if !any(|it| matches!(it, Event::InvitationUsed { .. })) => {
                Some(Spared::Uninvited)
            }
            "email" => Some(Spared::Confirmed),
            "identification" => Some(Spared::Named),
            "authenticator_totp" | "authenticator_static" | "authenticator_webauthn" => {
                Some(Spared::NobodyToSetUp)
            }
            _ => None,
        }
    }

    /// What held the visitor up, or led them elsewhere.
    fn trouble(&self, entry: &'a Entry, event: &'a Event) -> Option<What<'a>> {
        let running = self.state.running();
        let ends = entry
            .record
            .events
            .iter()
            .any(|it| matches!(it, Event::Denied { .. }));
        Some(match event {
            Event::PasswordRejected { reason, .. } => What::Password(*reason),
            Event::MfaRejected { class, reason, .. } => What::Factor { class, reason },
            Event::ResponseRejected { errors } => return self.complaint(entry, errors),
            Event::CaptchaAssessed {
                passed: false,
                score,
                codes,
            } => What::Captcha {
                score: *score,
                codes,
            },
            Event::MailWithheld { recent } => What::Withheld { recent: *recent },
            Event::StageFailed { error, .. } => What::StageFailed { error },
            Event::ExpressionFailed { of, error } => What::ExpressionFailed { of, error },
            Event::ConfigurationError { what, problem } if !ends => {
                What::Misconfigured { what, problem }
            }
            Event::Refused { why } if !ends => What::Refused { why },
            Event::EffectFinished { effect, outcome } => {
                let asked = self.state.latest()?.effects.get(effect)?;
                return effect_failed(asked, outcome);
            }
            Event::EffectOutcomeUnknown { effect } => {
                let asked = self.state.latest()?.effects.get(effect)?;
                return effect_failed(asked, &Outcome::Unknown);
            }
            Event::WaitAbandoned { .. } => What::Abandoned,
            Event::TimerFired { timer } => match running?.timers.get(timer)?.of {
                Deadline::Effect { .. } => return None,
                Deadline::Code { .. } => What::CodeRanOut,
                Deadline::Link { .. } => What::LinkRanOut,
            },
            Event::Restarted { keep_context } => What::Restarted {
                keep: *keep_context,
            },
            Event::LinkConsumed { .. } => What::Moved {
                elsewhere: running.is_some_and(|it| !is_of(event, it.session)),
            },
            Event::LinkOpened { .. } => What::LinkOpened,
            Event::Redirected {
                slug, keep_context, ..
            } => What::Redirected {
                slug,
                keep: *keep_context,
            },
            Event::EntryLeft { .. } => What::WayGivenUp,
            Event::PlanChanged { change, by } => What::PlanChanged { change, by },
            _ => return None,
        })
    }

    /// An answer was not accepted; `None` where another event of the same record says why.
    fn complaint(&self, entry: &'a Entry, errors: &'a Errors) -> Option<What<'a>> {
        let events = &entry.record.events;
        let is_told = |it: &Event| {
            matches!(
                it,
                Event::PasswordRejected { .. }
                    | Event::MfaRejected { .. }
                    | Event::CaptchaAssessed { passed: false, .. }
            )
        };
        let chose = |it: &Event| matches!(it, Event::MfaChallenged { .. } | Event::Resumed { .. });
        let mut all = errors.values().flatten();
        let says_nothing = all.clone().all(|it| it.string == EMPTY_RESPONSE);
        if events.iter().any(is_told) || (says_nothing && events.iter().any(chose)) {
            return None;
        }
        if all.any(|it| it.code == "email-sent") {
            return Some(What::SentAgain);
        }
        let kind = self.current().map_or("", |it| it.kind.as_str());
        if kind == "consent" && errors.contains_key("token") {
            return Some(What::ConsentStale);
        }
        let refuses = self.verdict.as_ref().filter(|it| {
            let is_prompt = matches!(it.decided.target, Target::Prompt { .. });
            let is_here = events.iter().any(
                |event| matches!(event, Event::EngineDecided(it2) if std::ptr::eq(it2, it.decided)),
            );
            is_prompt && is_here && !it.decided.passing
        });
        Some(match refuses {
            Some(verdict) => What::PromptPolicies {
                verdict: verdict.clone(),
            },
            None => What::Complaint { errors },
        })
    }

    /// The stage that the visitor is at, or was at when it ended.
    pub(super) fn current(&self) -> Option<&PlannedStage> {
        self.state.latest()?.plan.current()
    }

    fn note(&mut self, what: What<'a>) {
        let stage = self.current().cloned();
        let since = self.notes.iter().rposition(|it| it.what.is_turn());
        let since = since.map_or(0, |it| it + 1);
        let same = self.notes[since..]
            .iter_mut()
            .find(|it| it.what == what && it.stage == stage);
        if let Some(same) = same {
            same.times += 1;
            return;
        }
        self.notes.push(Note {
            stage,
            times: 1,
            what,
        });
    }

    /// The check that refused, where one did.
    pub(super) fn check(&self) -> Option<(&'a Check, &'a str)> {
        self.end?
            .record
            .events
            .iter()
            .find_map(|event| match event {
                Event::Denied { check, message } => Some((check, message.as_str())),
                _ => None,
            })
    }

    /// When it ended.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        self.end.map(|it| it.at)
    }
}

fn is_of(event: &Event, own: Uuid) -> bool {
    matches!(event, Event::LinkConsumed { session, .. } if *session == own)
}

/// What failed that was asked of others, where no other event says so.
fn effect_failed<'a>(asked: &Effect, outcome: &'a Outcome) -> Option<What<'a>> {
    let effect = match asked {
        Effect::Mail { .. } => "the mail",
        Effect::Sms { .. } => "the text message",
        Effect::DuoEnrolment { .. } | Effect::DuoEnrolmentStatus { .. } => "the enrolment by Duo",
        // These are judged, and the judgement is an event.
        Effect::Captcha { .. }
        | Effect::Push { .. }
        | Effect::PushStatus { .. }
        | Effect::Pause => return None,
    };
    match outcome {
        Outcome::Done | Outcome::Answered { .. } => None,
        Outcome::Failed { problem } => Some(What::EffectFailed { effect, problem }),
        Outcome::TimedOut => Some(What::EffectTimedOut { effect }),
        Outcome::Unknown => Some(What::EffectUnknown { effect }),
    }
}
