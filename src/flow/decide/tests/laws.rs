//! What holds for every order of commands.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn facts() -> impl Strategy<Value = Event> {
    let user = || (0u128..3).prop_map(Uuid::from_u128);
    prop_oneof![
        (
            "[a-c]",
            prop_oneof![
                Just(None),
                any::<String>().prop_map(|it| Some(Value::text(it)))
            ],
        )
            .prop_map(|(key, value)| Event::ContextChanged {
                key,
                value,
                by: "stage".to_owned(),
            }),
        (prop::option::of(user()), any::<bool>())
            .prop_map(|(user, active)| Event::UserIdentified { user, active }),
        user().prop_map(|user| Event::PasswordVerified {
            user,
            backend: "inbuilt".to_owned(),
            set: None
        }),
        prop::option::of(user()).prop_map(|user| Event::PasswordRejected {
            user,
            reason: PasswordProblem::Wrong,
        }),
        user().prop_map(|user| Event::SessionEnded {
            session: Uuid::nil(),
            user: Some(user),
        }),
        (0usize..4, 5u128..9).prop_map(|(at, number)| Event::PlanChanged {
            change: PlanChange::Insert {
                at,
                stage: stage(number)
            },
            by: "a policy".to_owned(),
        }),
        (5u128..9).prop_map(|number| Event::PlanChanged {
            change: PlanChange::Append {
                stage: stage(number)
            },
            by: "a policy".to_owned(),
        }),
        (5u128..9).prop_map(|number| Event::PlanChanged {
            change: PlanChange::Redirect {
                stage: stage(number)
            },
            by: "a policy".to_owned(),
        }),
        prop::collection::vec(ids(), 0..3).prop_map(|failed| Event::EngineDecided(EngineDecided {
            target: Target::Binding {
                binding: Uuid::nil(),
                stage: "a stage".to_owned()
            },
            mode: PolicyEngineMode::Any,
            passing: true,
            members: Vec::new(),
            failed,
        })),
    ]
}

fn ids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

/// So few that the same comes up again.
fn small_ids() -> impl Strategy<Value = Uuid> {
    (0u128..3).prop_map(Uuid::from_u128)
}

fn issued(link: Uuid) -> Event {
    Event::LinkIssued {
        link,
        stage: None,
        user: Some(Uuid::from_u128(1)),
        expires: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => Just(start()),
        4 => (0u128..4).prop_map(plan),
        4 => Just(Command::Enter),
        4 => Just(ask()),
        4 => prop::collection::vec(any::<String>(), 0..3)
            .prop_map(|fields| Command::Receive { fields }),
        4 => prop::collection::vec(facts(), 0..4).prop_map(Command::Learn),
        1 => Just(Command::Learn(vec![Event::Expired])),
        2 => any::<(String, String)>().prop_map(|(string, code)| {
            let error = FieldError { string, code };
            Command::Reject(Errors::from([("password".to_owned(), vec![error])]))
        }),
        4 => Just(Command::Pass),
        2 => Just(Command::Skip),
        1 => ids().prop_map(|binding| Command::Omit { binding, stage: "omitted".to_owned() }),
        2 => "[a-b]".prop_map(Command::Fail),
        2 => any::<bool>().prop_map(|keep_context| Command::Restart { keep_context }),
        1 => Just(deny()),
        1 => Just(finish()),
        3 => small_ids().prop_map(|effect| Command::Learn(vec![requested(effect)])),
        3 => small_ids().prop_map(|effect| Command::Suspend { effect }),
        3 => (small_ids(), small_ids()).prop_map(|(timer, effect)| {
            Command::Learn(vec![set(timer, Deadline::Effect { effect })])
        }),
        2 => (small_ids(), small_ids()).prop_map(|(timer, device)| {
            Command::Learn(vec![set(timer, Deadline::Code { device })])
        }),
        3 => small_ids().prop_map(|timer| Command::Fire { timer }),
        2 => Just(Command::Resume),
        1 => Just(Command::Abandon),
        2 => (small_ids(), any::<bool>()).prop_map(|(effect, known)| Command::Conclude {
            effect,
            outcome: if known { Outcome::Done } else { Outcome::Unknown },
        }),
        3 => small_ids().prop_map(|link| Command::Learn(vec![issued(link)])),
        2 => small_ids().prop_map(|link| Command::Open { link }),
        2 => (small_ids(), small_ids()).prop_map(|(link, session)| Command::Confirm {
            link,
            session,
            query: format!("flow_token={link}"),
        }),
        1 => small_ids().prop_map(|session| Command::Forget { session }),
        1 => any::<bool>().prop_map(|keep_context| Command::Redirect {
            flow: Pinned { id: Uuid::from_u128(8), version: 1 },
            slug: "other".to_owned(),
            query: "next=%2Fa".to_owned(),
            keep_context,
        }),
        1 => Just(Command::Cancel(Canceller::Visitor)),
        1 => Just(Command::Expire),
    ]
}

/// Whether the state shows that the event happened.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for every event, so that none is forgotten"
)]
fn is_reflected(before: &Execution, event: &Event, after: &Execution) -> bool {
    let (old, Some(new)) = (before.running(), after.latest()) else {
        return false;
    };
    let count = |of: fn(&crate::flow::execution::Running) -> u32| old.map_or(0, of);
    match event {
        Event::Started { execution, .. } => new.execution == *execution && !new.planned,
        Event::Planned { plan } => {
            let appended = old.map(|old| &old.appended).into_iter().flatten();
            let tail = plan.0.iter().rev().take(appended.clone().count()).rev();
            new.plan == *plan && tail.eq(appended) && new.planned && !new.entered
        }
        Event::Restarted { keep_context } => {
            new.restarts == count(|it| it.restarts) + 1
                && !new.planned
                && new.challenge.is_none()
                && (*keep_context || new.context == new.context.entry())
                && old.is_none_or(|old| {
                    let kept = old.plan.0.iter().filter(|stage| stage.appended);
                    new.appended
                        .iter()
                        .rev()
                        .take(kept.clone().count())
                        .rev()
                        .eq(kept)
                })
        }
        Event::StageEntered { .. } => new.entered,
        Event::ChallengeIssued {
            number, component, ..
        } => new
            .challenge
            .as_ref()
            .is_some_and(|it| it.number == *number && it.component == *component),
        Event::ResponseReceived { .. } => new.answers == count(|it| it.answers) + 1,
        Event::StageCompleted { .. } => {
            Some(new.plan.0.len() + 1) == old.map(|old| old.plan.0.len()) && !new.entered
        }
        Event::StageSkipped {
            when: When::Run, ..
        } => Some(new.plan.0.len() + 1) == old.map(|old| old.plan.0.len()) && !new.entered,
        Event::PlanChanged { change, .. } => match change {
            PlanChange::Append { .. } => new.plan.0.back().is_some_and(|it| it.appended),
            PlanChange::Insert { at, stage } => {
                let last = new.plan.0.len() - 1;
                new.plan.0.get((*at).min(last)) == Some(stage)
            }
            PlanChange::Redirect { stage } => new.plan.current() == Some(stage) && !new.entered,
        },
        Event::EngineDecided(decided) => new.failed_policies.as_ref() == Some(&decided.failed),
        Event::StageFailed { error, .. } => new.failure.as_ref() == Some(error),
        Event::ContextChanged { key, value, .. } => new.context.get(key) == value.as_ref(),
        Event::UserIdentified { user, active } => {
            new.identified == user.map(|user| (user, *active))
        }
        Event::PasswordRejected { .. } => {
            new.password_failures == count(|it| it.password_failures) + 1
        }
        Event::PasswordVerified { user, set, .. } => new.proven == set.map(|set| (*user, set)),
        Event::UserWritten { fields, .. } | Event::UserChanged { fields, .. } => {
            new.proven.is_none() || !fields.iter().any(|field| field.contains("password"))
        }
        Event::Denied { .. }
        | Event::Cancelled { .. }
        | Event::Expired
        | Event::Completed { .. } => after.is_over(),
        Event::EffectRequested { effect, what } => new.effects.get(effect) == Some(what),
        Event::Suspended { effect } => new.wait.as_ref().is_some_and(|it| it.effect == *effect),
        Event::EffectFinished { effect, .. } | Event::EffectOutcomeUnknown { effect } => {
            let of = Deadline::Effect { effect: *effect };
            !new.effects.contains_key(effect)
                && new.timers.values().all(|timer| timer.of != of)
                && new
                    .wait
                    .as_ref()
                    .is_none_or(|it| it.effect != *effect || it.outcome.is_some())
        }
        Event::Resumed { .. } | Event::WaitAbandoned { .. } => new.wait.is_none(),
        Event::TimerSet { timer, of, .. } => {
            let same = new.timers.values().filter(|it| it.of == *of).count();
            new.timers.contains_key(timer) && same == 1
        }
        Event::TimerFired { timer } => !new.timers.contains_key(timer),
        Event::LinkIssued { link, .. } => new.links.contains_key(link),
        Event::LinkOpened { link } => new.links[link].opened > 0,
        Event::LinkConsumed { link, session, .. } => {
            let unused = new.links.values().filter(|link| !link.used);
            new.links[link].used
                && unused.count() == 0
                && new.session == *session
                && new.entries.last().is_some_and(|it| it.session == *session)
                && new.context.get("is_restored").is_some()
                && new.challenge.is_none()
        }
        Event::EntryLeft { session } => new.entries.iter().all(|it| it.session != *session),
        Event::Redirected { slug, flow, .. } => {
            let own: Vec<_> = new
                .entries
                .iter()
                .filter(|it| it.session == new.session)
                .collect();
            new.slug == *slug
                && new.flow == *flow
                && !new.planned
                && own.len() == 1
                && own[0].slug == *slug
                && new.context.get("is_redirected").is_some()
        }
        // These are read from the trail; nothing that is decided later hangs on them.
        Event::ResponseRejected { .. }
        | Event::StageSkipped {
            when: When::Plan, ..
        }
        | Event::PolicyEvaluated(_)
        | Event::PolicyFailed(_)
        | Event::CustomEvent { .. }
        | Event::ReputationChanged { .. }
        | Event::SessionStarted { .. }
        | Event::PromptSubmitted { .. }
        | Event::UserDeleted { .. }
        | Event::CaptchaAssessed { .. }
        | Event::ConsentGranted { .. }
        | Event::InvitationUsed { .. }
        | Event::ExpressionFailed { .. }
        | Event::ConfigurationError { .. }
        | Event::Refused { .. }
        | Event::MailWithheld { .. }
        | Event::MfaChallenged { .. }
        | Event::PushSent { .. }
        | Event::MfaVerified { .. }
        | Event::MfaRejected { .. }
        | Event::MfaRemembered { .. }
        | Event::MfaWaived { .. }
        | Event::DeviceEnrolled { .. }
        | Event::SessionEnded { .. } => old == after.running(),
    }
}

proptest! {
    #[test]
    fn whatever_is_asked_is_refused_or_happens(
        // Most of them after a start, or hardly any would be more than refused.
        started in any::<bool>(), commands in prop::collection::vec(commands(), 0..40),
    ) {
        let first = started.then(start);
        let mut state = Execution::default();
        let mut all = Vec::new();
        for command in first.into_iter().chain(commands) {
            for event in decide(&state, command).unwrap_or_default() {
                let after = evolve(state.clone(), &event);
                prop_assert!(is_reflected(&state, &event, &after), "{event:?} in {state:?}");
                state = after;
                all.push(event);
            }
        }
        prop_assert_eq!(fold(&all), state);
    }

    #[test]
    fn folding_a_part_and_then_the_rest_is_folding_all(
        commands in prop::collection::vec(commands(), 0..40), at in any::<prop::sample::Index>(),
    ) {
        let mut state = given(vec![start()]);
        let mut all = decide(&Execution::default(), start()).expect("a start");
        for command in commands {
            let events = decide(&state, command).unwrap_or_default();
            state = events.iter().fold(state, evolve);
            all.extend(events);
        }
        let (first, rest) = all.split_at(at.index(all.len()));
        // What is kept in between may also have been written down and read again.
        let kept = serde_json::to_string(&fold(first)).expect("JSON");
        let kept: Execution = serde_json::from_str(&kept).expect("a state");
        prop_assert_eq!(rest.iter().fold(kept, evolve), fold(&all));
    }
}
