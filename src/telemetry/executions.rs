//! What is counted of executions: how they begin and end, and what their steps take.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::book::Book;
use super::slugs::Slugs;

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The visitor reached its end.
    Completed,
    /// A check stopped it.
    Denied,
    /// The visitor gave it up, or logged out.
    Cancelled,
    /// Its time was over, or there were too many.
    Expired,
}

/// Why a command was judged once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moved {
    /// The execution itself had moved.
    Execution,
    /// Another object had.
    Object,
    /// Somebody else had taken the number of a new user.
    Number,
}

/// A part of a command that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured<'a> {
    /// The stages of a flow were laid out.
    Plan {
        /// The flow's slug.
        flow: &'a str,
    },
    /// A stage made a challenge, or did its work without one.
    Shown {
        /// The kind of stage.
        kind: &'a str,
    },
    /// A stage judged an answer.
    Judged {
        /// The kind of stage.
        kind: &'a str,
    },
    /// The policies of a flow or of a stage were asked.
    Decided,
    /// One policy was asked.
    Evaluated {
        /// The kind of policy.
        kind: &'a str,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfFlow {
    flow_slug: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStage {
    stage_type: String,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPolicy {
    policy_type: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    what: &'static str,
}

/// The counts.
pub struct Executions {
    slugs: Slugs,
    plan_time: Family<OfFlow, Histogram>,
    stage_time: Family<OfStage, Histogram>,
    policy_time: Family<OfPolicy, Histogram>,
    engine_time: Histogram,
    policies_failed: Family<OfPolicy, Counter>,
    ended: Family<Outcome, Counter>,
    answers: Family<Outcome, Counter>,
    passwords: Family<Outcome, Counter>,
    conflicts: Family<What, Counter>,
    /// Executions that began.
    pub begun: Counter,
    /// Executions that are in memory.
    pub awake: Gauge,
    /// Commands that were sent to an execution and that it has not taken up.
    pub mailbox: Gauge,
    /// Seconds that reading an execution back from the journal took.
    pub recovery: Histogram,
    /// Commands that are under way.
    pub admitted: Gauge,
    /// Requests that wait to be admitted.
    pub waiting: Gauge,
    /// Requests that were turned away unlooked at, as too much was going on.
    pub turned_away: Counter,
    /// Effects that are waited for.
    pub effects: Gauge,
}

impl Executions {
    pub(super) fn new(book: &mut Book) -> Self {
        Self {
            slugs: Slugs::default(),
            plan_time: book.seconds_by(
                "authentik_flows_plan_time",
                "Seconds that laying out the stages of a flow took.",
            ),
            stage_time: book.seconds_by(
                "authentik_flows_execution_stage_time",
                "Seconds that a stage took: GET to ask or to do without, POST to judge an answer.",
            ),
            policy_time: book.seconds_by(
                "authentik_policies_execution_time",
                "Seconds that one policy took.",
            ),
            engine_time: book.seconds(
                "authentik_policies_engine_time_total_seconds",
                "Seconds that all policies of a flow, or of a stage's place in one, took.",
            ),
            policies_failed: book.counts(
                "gatelog_policies_failed_total",
                "Policies that failed, so that their bindings said what counts.",
                Family::default(),
            ),
            ended: book.counts(
                "gatelog_executions_ended_total",
                "Executions that ended.",
                Family::default(),
            ),
            answers: book.counts(
                "gatelog_answers_total",
                "Answers that executions took and that are in the journal.",
                Family::default(),
            ),
            passwords: book.counts(
                "gatelog_passwords_total",
                "Passwords that were checked.",
                Family::default(),
            ),
            conflicts: book.counts(
                "gatelog_conflicts_total",
                "Commands that were judged once more because something had moved.",
                Family::default(),
            ),
            begun: book.counter("gatelog_executions_begun_total", "Executions that began."),
            awake: book.gauge("gatelog_executions_awake", "Executions that are in memory."),
            mailbox: book.gauge(
                "gatelog_mailbox_waiting",
                "Commands that were sent to an execution and that it has not taken up.",
            ),
            recovery: book.seconds(
                "gatelog_recovery_seconds",
                "Seconds that reading an execution back from the journal took.",
            ),
            admitted: book.gauge("gatelog_admission_running", "Requests that are in work."),
            waiting: book.gauge(
                "gatelog_admission_waiting",
                "Requests that wait until they are taken into work.",
            ),
            turned_away: book.counter(
                "gatelog_admission_refused_total",
                "Requests that were turned away unlooked at, as too much was going on.",
            ),
            effects: book.gauge(
                "gatelog_effects_in_flight",
                "What executions wait for: other servers, or for time to pass.",
            ),
        }
    }

    /// Notes what a part of a command took.
    pub fn took(&self, part: Measured<'_>, time: Duration) {
        let time = time.as_secs_f64();
        match part {
            Measured::Plan { flow } => {
                let flow_slug = self.slugs.label(flow);
                let labels = OfFlow { flow_slug };
                self.plan_time.get_or_create(&labels).observe(time);
            }
            Measured::Shown { kind } => self.stage(kind, "GET", time),
            Measured::Judged { kind } => self.stage(kind, "POST", time),
            Measured::Decided => self.engine_time.observe(time),
            Measured::Evaluated { kind } => {
                let labels = of_policy(kind);
                self.policy_time.get_or_create(&labels).observe(time);
            }
        }
    }

    fn stage(&self, kind: &str, method: &'static str, time: f64) {
        let labels = OfStage {
            stage_type: kind.to_owned(),
            method,
        };
        self.stage_time.get_or_create(&labels).observe(time);
    }

    /// A policy of this kind failed.
    pub fn policy_failed(&self, kind: &str) {
        self.policies_failed.get_or_create(&of_policy(kind)).inc();
    }

    /// An execution ended.
    pub fn ended(&self, how: End) {
        count(
            &self.ended,
            match how {
                End::Completed => "completed",
                End::Denied => "denied",
                End::Cancelled => "cancelled",
                End::Expired => "expired",
            },
        );
    }

    /// An answer was taken, or was not good.
    pub fn answered(&self, is_good: bool) {
        count(&self.answers, if is_good { "taken" } else { "rejected" });
    }

    /// A password was checked.
    pub fn password(&self, is_right: bool) {
        count(&self.passwords, if is_right { "right" } else { "wrong" });
    }

    /// A command has to be judged once more.
    pub fn conflict(&self, moved: Moved) {
        let what = match moved {
            Moved::Execution => "execution",
            Moved::Object => "object",
            Moved::Number => "user_number",
        };
        self.conflicts.get_or_create(&What { what }).inc();
    }
}

fn of_policy(kind: &str) -> OfPolicy {
    OfPolicy {
        policy_type: kind.to_owned(),
    }
}

fn count(family: &Family<Outcome, Counter>, outcome: &'static str) {
    family.get_or_create(&Outcome { outcome }).inc();
}
