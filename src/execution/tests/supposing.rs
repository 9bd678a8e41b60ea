//! What recorded executions would come to under another flow is what they come to under it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, Limits, login_stages};
use crate::catalog::{Flow, FlowStageBinding, Policy, PolicyBinding, Stage, bindings_of};
use crate::directory::command::prepare;
use crate::directory::device::{Authenticator, Device, RecoveryCode};
use crate::directory::password::Pool;
use crate::directory::{Group, NewUser, User, create_user};
use crate::journal::object;
use crate::journal::{Version, Write};
use crate::replay::what_if::{self, Changes, Missing, Outcome, Range, Row, Table};
use crate::stage::Kind;

/// What somebody does at the login.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Enters,
    MistypesFirst,
    GivesUp,
    LeavesAtOnce,
}

const DOINGS: [Doing; 4] = [
    Doing::Enters,
    Doing::MistypesFirst,
    Doing::GivesUp,
    Doing::LeavesAtOnce,
];

/// A login as often as is told, and people of all sorts.
struct Logins {
    bench: Bench,
    flow: Flow,
    people: Vec<(User, Doing)>,
    staff: Group,
}

impl Logins {
    /// `people` of them; every third is of the staff, every fifth has recovery codes.
    async fn of(people: usize) -> Self {
        let bench = Bench::with(Limits {
            begun_at_once: 1_000_000,
            ..Limits::default()
        });
        let flow = bench.flow("login", &login_stages()).await;
        let staff = Group::new(&bench.clock, "staff");
        bench.write(vec![object::put(&staff, Version::NONE)]).await;
        prepare(bench.journal.as_ref(), &bench.clock)
            .await
            .expect("an installation");
        // One that takes no time to check, as there are many.
        let pool = Pool::no_op(bench.clock.clone());
        let encoded = pool.hash("correct horse".into()).await.expect("a hash");
        let mut all = Vec::new();
        for number in 0..people {
            let named = NewUser::named(&format!("user{number}"));
            let user = create_user(bench.journal.as_ref(), &bench.clock, named).await;
            let user = user.expect("a user");
            let mut user = bench.stored::<User>(user.uuid).await.expect("a user");
            user.value.set_password(encoded.clone(), bench.clock.now());
            if number % 3 == 0 {
                user.value.groups.push(staff.pk);
            }
            let mut writes = vec![object::put(&user.value, user.version)];
            if number % 5 == 0 {
                let codes = vec![RecoveryCode {
                    code: "12345678".into(),
                }];
                let of = Authenticator::Static { codes };
                let id = bench.clock.opaque_id();
                let mut device = Device::new(id, user.value.uuid, "", of, bench.clock.now());
                device.confirmed = true;
                writes.push(object::put(&device, Version::NONE));
            }
            bench.write(writes).await;
            all.push((user.value, DOINGS[number % DOINGS.len()]));
        }
        Self {
            bench,
            flow,
            people: all,
            staff,
        }
    }

    /// All of them come, one after the other: what became of each, in a word.
    async fn come(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (user, doing) in &self.people {
            self.bench.clock.advance(Duration::from_secs(1));
            let mut visitor = self.bench.visitor("login");
            visitor.opens().await;
            if !matches!(doing, Doing::LeavesAtOnce) {
                visitor.answers(json!({"uid_field": user.username})).await;
            }
            if matches!(doing, Doing::MistypesFirst | Doing::GivesUp) {
                visitor.answers(json!({"password": "wrong"})).await;
            }
            if matches!(doing, Doing::Enters | Doing::MistypesFirst) {
                visitor.answers(json!({"password": "correct horse"})).await;
            }
            let word = match visitor.body()["component"].as_str() {
                Some("xak-flow-redirect") => "let in",
                Some("ak-stage-access-denied") => "denied",
                Some("ak-stage-authenticator-validate") => "asked for a second factor",
                _ => "left unfinished",
            };
            *counts.entry(word).or_default() += 1;
        }
        counts
    }

    async fn supposes(&self, writes: Vec<Write>) -> Table {
        let changes = Changes::new(writes, self.bench.clock.now());
        let journal = Arc::clone(&self.bench.journal);
        let supposition = what_if::suppose(journal, changes, None);
        let range = Range {
            limit: usize::MAX,
            ..Range::default()
        };
        what_if::many(&supposition, range, 2)
            .await
            .expect("a table")
    }

    /// A new stage in the flow, between the password and the end.
    fn adds(&self, kind: Kind, settings: &Value) -> (Vec<Write>, FlowStageBinding) {
        let settings = settings.as_object().cloned().expect("an object");
        let settings = kind.validate(&settings).expect("valid settings");
        let clock = &self.bench.clock;
        let stage = Stage::new(clock, kind.name(), "added", settings);
        let mut binding = FlowStageBinding::new(clock, self.flow.pk, stage.pk, 1);
        // It comes after the password, which has the same order, by its identifier.
        binding.order = 1;
        binding.pk = uuid::Uuid::max();
        let writes = vec![
            object::put(&stage, Version::NONE),
            object::put(&binding, Version::NONE),
        ];
        (writes, binding)
    }

    /// Only the staff may use the flow.
    fn admits_staff_only(&self) -> Vec<Write> {
        let mut condition = PolicyBinding::new(&self.bench.clock, self.flow.pbm, 0);
        condition.group = Some(self.staff.pk);
        vec![object::put(&condition, Version::NONE)]
    }
}

fn counts(table: &Table) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for row in &table.rows {
        *counts.entry(row.now).or_default() += row.count;
    }
    counts
}

/// How many logins are recorded; more of them by `GATELOG_LONG`.
fn many() -> usize {
    if std::env::var_os("GATELOG_LONG").is_some() {
        10_000
    } else {
        1_000
    }
}

#[actix::test]
async fn what_is_supposed_of_a_thousand_logins_is_what_really_comes_of_them() {
    let logins = Logins::of(many()).await;
    let was = logins.come().await;
    let unchanged = logins.supposes(Vec::new()).await;
    assert_eq!(counts(&unchanged), was, "nothing was changed");
    assert_eq!(unchanged.changed, 0);
    // Whoever has recovery codes is asked for one, and of the others the staff is let in.
    let validates = json!({"device_classes": ["static"], "not_configured_action": "skip"});
    let (mut writes, binding) = logins.adds(Kind::AuthenticatorValidate, &validates);
    let clock = &logins.bench.clock;
    let mut condition = PolicyBinding::new(clock, binding.pbm, 0);
    condition.group = Some(logins.staff.pk);
    condition.negate = true;
    writes.push(object::put(&condition, Version::NONE));
    // The refusal of those who are of the staff.
    let (denies, place) = {
        let settings = Kind::Deny
            .validate(&serde_json::Map::new())
            .expect("settings");
        let stage = Stage::new(clock, Kind::Deny.name(), "denies", settings);
        let place = FlowStageBinding::new(clock, logins.flow.pk, stage.pk, 7);
        (stage, place)
    };
    let refused = Policy::new(clock, "dummy", "never", dummy(false));
    let mut never = PolicyBinding::new(clock, place.pbm, 0);
    never.policy = Some(refused.pk);
    writes.extend([
        object::put(&denies, Version::NONE),
        object::put(&place, Version::NONE),
        object::put(&refused, Version::NONE),
        object::put(&never, Version::NONE),
    ]);
    let supposed = logins.supposes(writes.clone()).await;
    logins.bench.write(writes).await;
    let really = logins.come().await;
    assert_eq!(counts(&supposed), really);
    assert!(really["asked for a second factor"] > 0 && really["let in"] > 0);
    assert_eq!(supposed.unknown, 0);
}

#[actix::test]
async fn who_may_not_use_the_flow_any_more_would_be_denied_by_name() {
    let logins = Logins::of(12).await;
    logins.come().await;
    let writes = logins.admits_staff_only();
    // Nobody is logged in when a login begins, so nobody is of the staff.
    let table = logins.supposes(writes.clone()).await;
    let by = "by the groups and users that the flow is bound to";
    let is_denied = |row: &Row| row.now == "denied" && row.why.as_deref() == Some(by);
    assert!(table.rows.iter().all(is_denied), "{table:#?}");
    assert_eq!(table.changed, 12);
    logins.bench.write(writes).await;
    assert_eq!(counts(&table), logins.come().await);
    let policy = Policy::new(&logins.bench.clock, "dummy", "closed", dummy(false));
    let mut condition = PolicyBinding::new(&logins.bench.clock, logins.flow.pbm, 0);
    condition.policy = Some(policy.pk);
    let writes = vec![
        object::put(&policy, Version::NONE),
        object::put(&condition, Version::NONE),
    ];
    let table = logins.supposes(writes).await;
    let first = table.rows.first().expect("a row");
    assert_eq!(
        first.why.as_deref(),
        Some("by the flow's policy \"closed\"")
    );
    assert!(!first.examples.is_empty());
}

#[actix::test]
async fn a_login_whose_last_stage_is_left_out_is_no_login() {
    let logins = Logins::of(4).await;
    let was = logins.come().await;
    let journal = logins.bench.journal.as_ref();
    let bindings = bindings_of(journal, logins.flow.pk).await;
    let mut writes = Vec::new();
    for binding in bindings.expect("bindings") {
        let binding: FlowStageBinding = binding.value;
        let stage = logins.bench.stored::<Stage>(binding.stage).await;
        if stage.is_some_and(|it| it.value.kind == Kind::UserLogin.name()) {
            let policy = Policy::new(&logins.bench.clock, "dummy", "closed", dummy(false));
            let mut condition = PolicyBinding::new(&logins.bench.clock, binding.pbm, 0);
            condition.policy = Some(policy.pk);
            writes.push(object::put(&policy, Version::NONE));
            writes.push(object::put(&condition, Version::NONE));
        }
    }
    let table = logins.supposes(writes).await;
    let passed = table
        .rows
        .iter()
        .find(|it| it.now == "passed, nobody logged in");
    let passed = passed.expect("nobody is logged in");
    assert_eq!((passed.was, passed.count), ("let in", was["let in"]));
    assert_eq!(table.changed, passed.count);
}

#[actix::test]
async fn what_was_never_asked_is_unknown_and_says_so() {
    let logins = Logins::of(8).await;
    logins.come().await;
    let (writes, _) = logins.adds(Kind::Consent, &json!({"mode": "always_require"}));
    let table = logins.supposes(writes).await;
    let unknown = table.rows.iter().find(|it| it.now == "unknown");
    let unknown = unknown.expect("some would be asked");
    let why = "the stage \"added\" would ask, and was never answered";
    assert_eq!((unknown.was, unknown.why.as_deref()), ("let in", Some(why)));
    assert_eq!(table.unknown, unknown.count);
    // Where an address is was not looked up then, and only a policy that asks for it wants it.
    let policy = Policy::new(
        &logins.bench.clock,
        "geoip",
        "near",
        json!({"asns": [1], "countries": []})
            .as_object()
            .cloned()
            .expect("settings"),
    );
    let mut condition = PolicyBinding::new(&logins.bench.clock, logins.flow.pbm, 0);
    condition.policy = Some(policy.pk);
    let writes = vec![
        object::put(&policy, Version::NONE),
        object::put(&condition, Version::NONE),
    ];
    let table = logins.supposes(writes).await;
    assert_eq!(table.unknown, table.executions, "{table:#?}");
}

#[actix::test]
async fn a_stage_that_takes_the_place_of_another_gets_its_answers() {
    let logins = Logins::of(8).await;
    let was = logins.come().await;
    let journal = logins.bench.journal.as_ref();
    let places = bindings_of(journal, logins.flow.pk)
        .await
        .expect("bindings");
    let password = places.into_iter().nth(1).expect("the password");
    let settings = json!({"backends": ["authentik.core.auth.InbuiltBackend"]});
    let settings = Kind::Password.validate(settings.as_object().expect("an object"));
    let clock = &logins.bench.clock;
    let stage = Stage::new(
        clock,
        Kind::Password.name(),
        "other",
        settings.expect("valid"),
    );
    let mut place = password.value;
    place.stage = stage.pk;
    let writes = vec![
        object::put(&stage, Version::NONE),
        object::put(&place, password.version),
    ];
    let table = logins.supposes(writes).await;
    assert_eq!(counts(&table), was, "{table:#?}");
    assert_eq!((table.changed, table.unknown), (0, 0));
}

#[actix::test]
async fn what_was_deleted_since_is_there_in_what_is_supposed() {
    let logins = Logins::of(1).await;
    logins.come().await;
    // The device of the one user, who is asked for nothing, is not there any more.
    let user = &logins.people[0].0;
    let journal = logins.bench.journal.as_ref();
    let devices = crate::directory::devices_of(journal, user.uuid)
        .await
        .expect("devices");
    let device = &devices[0];
    logins.bench.clock.advance(Duration::from_secs(1));
    let gone = object::delete::<Device>(device.value.uuid, device.version);
    logins.bench.write(vec![gone]).await;
    let validates = json!({"device_classes": ["static"], "not_configured_action": "skip"});
    let (writes, _) = logins.adds(Kind::AuthenticatorValidate, &validates);
    let table = logins.supposes(writes).await;
    assert_eq!(table.rows[0].now, "asked for a second factor", "{table:#?}");
    assert_eq!(table.reconstructed, 1);
}

#[test]
fn what_is_missing_says_nothing_personal() {
    let stage = "second".to_owned();
    let unknown = Outcome::Unknown {
        why: Missing::Outcome { stage },
    };
    assert_eq!(unknown.words(), "unknown");
    let more = unknown.more().expect("a reason");
    assert_eq!(
        more,
        "the stage \"second\" would wait for another server, which was never asked"
    );
}

fn dummy(result: bool) -> serde_json::Map<String, Value> {
    let settings = json!({"result": result, "wait_min": 0, "wait_max": 0});
    settings.as_object().cloned().expect("an object")
}
