//! Passwords that a user had before.

use base64::Engine as _;
use gatelog::catalog::{Policy, PolicyBinding};
use gatelog::directory::password::{self, verify};
use gatelog::directory::{Keeping, PasswordHistory, User, set_password, setup};
use gatelog::journal::{Version, object};
use gatelog::policy::unique_password::keeping;
use gatelog::{blueprint, policy};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::super::bench::Bench;
use super::typed;

const USED: &str = "This password has been used previously. Please choose a different one.";

impl Bench {
    /// A policy that compares with so many former passwords, and its binding.
    async fn unique(&self, most: u32) -> (Policy, PolicyBinding) {
        let name = format!("differs from {most}");
        let settings = json!({"num_historical_passwords": most});
        let policy = self.policy("unique_password", &name, settings).await;
        let slug = format!("change-{most}");
        let laid = self.dummies(&slug).await;
        let binding = self.bind(laid.bindings[0].pbm, &policy).await;
        (policy, binding)
    }

    /// Gives a user another password, as an operator does.
    async fn changes(&self, user: &User, to: &str) {
        let keeping = keeping(self.journal.as_ref()).await.expect("a read");
        let encoded = password::hash(&to.into(), &self.clock);
        let journal = self.journal.as_ref();
        let set = set_password(journal, &self.clock, user.uuid, encoded, keeping);
        set.await.expect("a password");
    }

    async fn says_of(&self, policy: &Policy, user: &User, password: &str) -> (bool, Vec<String>) {
        let tested = self.tries(policy, Some(user), typed(password)).await;
        assert!(tested.failed.is_none(), "{tested:?}");
        (tested.judged.passing, tested.judged.messages)
    }

    /// How many former passwords of a user are kept.
    async fn kept(&self, user: &User) -> usize {
        let found = object::get::<PasswordHistory>(self.journal.as_ref(), user.uuid).await;
        found.expect("a read").map_or(0, |it| it.value.former.len())
    }

    async fn removes<T: gatelog::journal::object::Stored>(&self, id: uuid::Uuid) {
        let version = self.stored::<T>(id).await.version;
        self.write(vec![object::delete::<T>(id, version)]).await;
    }
}

#[actix::test]
async fn a_former_password_is_refused_and_any_other_is_not() {
    let bench = Bench::new().await;
    let (policy, _) = bench.unique(2).await;
    let ann = bench.user("ann", |_| ()).await;
    let passes = (true, vec![]);
    // Nothing is known of her yet; the current one is no former one.
    assert_eq!(bench.says_of(&policy, &ann, "password").await, passes);
    for new in ["one", "two", "three"] {
        bench.changes(&ann, new).await;
    }
    let refused = (false, vec![USED.to_owned()]);
    assert_eq!(bench.says_of(&policy, &ann, "one").await, refused);
    assert_eq!(bench.says_of(&policy, &ann, "two").await, refused);
    assert_eq!(bench.says_of(&policy, &ann, "three").await, passes);
    assert_eq!(bench.says_of(&policy, &ann, "four").await, passes);
    // It was the third to last.
    assert_eq!(bench.says_of(&policy, &ann, "password").await, passes);
    let bob = bench.user("bob", |_| ()).await;
    assert_eq!(bench.says_of(&policy, &bob, "one").await, passes);
}

#[actix::test]
async fn without_a_password_or_a_number_there_is_nothing_to_compare() {
    let bench = Bench::new().await;
    let (policy, _) = bench.unique(1).await;
    let ann = bench.user("ann", |_| ()).await;
    let not_set = (false, vec!["Password not set in context".to_owned()]);
    assert_eq!(bench.says_of(&policy, &ann, "").await, not_set);
    bench.changes(&ann, "new").await;
    let (lenient, _) = bench.unique(0).await;
    assert_eq!(
        bench.says_of(&lenient, &ann, "password").await,
        (true, vec![])
    );
    let nobody = bench.tries(&policy, None, typed("password")).await;
    assert!(nobody.judged.passing);
}

/// Whatever made the encoding; one that cannot be read is passed over.
#[actix::test]
async fn other_ways_of_encoding_are_compared_too() {
    let bench = Bench::new().await;
    let (policy, _) = bench.unique(3).await;
    let ann = bench.user("ann", |_| ()).await;
    // Made with Django's own code: `make_password("former", salt="salt", hasher=...)`.
    let django = pbkdf2("former");
    let former = |hash: &str| gatelog::directory::password_history::Former {
        hash: hash.to_owned().into(),
        created_at: bench.clock.now(),
    };
    let history = PasswordHistory {
        user: ann.uuid,
        former: vec![former("md5$salt$0123"), former(&django)],
    };
    bench.put(&history).await;
    assert!(!bench.says_of(&policy, &ann, "former").await.0);
    assert!(bench.says_of(&policy, &ann, "latter").await.0);
}

fn pbkdf2(password: &str) -> String {
    let mut key = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.as_bytes(), b"salt", 1000, &mut key);
    let key = base64::prelude::BASE64_STANDARD.encode(key);
    let encoded = format!("pbkdf2_sha256$1000$salt${key}");
    let verdict = verify(&password.into(), &encoded.clone().into());
    assert!(matches!(verdict, password::Verdict::Accepted { .. }));
    encoded
}

#[actix::test]
async fn former_passwords_are_kept_only_while_a_policy_is_in_use() {
    let bench = Bench::new().await;
    let ann = bench.user("ann", |_| ()).await;
    bench.changes(&ann, "one").await;
    assert_eq!(bench.kept(&ann).await, 0, "there is no policy");
    let settings = json!({"num_historical_passwords": 5});
    let policy = bench.policy("unique_password", "unique", settings).await;
    bench.changes(&ann, "two").await;
    assert_eq!(bench.kept(&ann).await, 0, "it is not bound");
    let laid = bench.dummies("change").await;
    let pbm = laid.bindings[0].pbm;
    let mut binding = bench
        .bind_with(pbm, &policy, |binding| binding.enabled = false)
        .await;
    bench.changes(&ann, "three").await;
    assert_eq!(bench.kept(&ann).await, 0, "the binding is disabled");
    binding.enabled = true;
    bench.write(vec![object::put(&binding, Version(1))]).await;
    bench.changes(&ann, "four").await;
    assert_eq!(bench.kept(&ann).await, 1);
}

#[actix::test]
async fn as_many_are_kept_as_the_most_demanding_policy_asks_for() {
    let bench = Bench::new().await;
    let ann = bench.user("ann", |_| ()).await;
    let _two = bench.unique(2).await;
    let (four, binding) = bench.unique(4).await;
    for number in 0..7 {
        bench.changes(&ann, &format!("number {number}")).await;
    }
    assert_eq!(bench.kept(&ann).await, 4);
    bench.removes::<PolicyBinding>(binding.pk).await;
    bench.removes::<Policy>(four.pk).await;
    bench.executions.sweep().await.expect("a sweep");
    assert_eq!(bench.kept(&ann).await, 2);
}

#[actix::test]
async fn nothing_is_kept_once_there_is_no_policy() {
    let bench = Bench::new().await;
    let ann = bench.user("ann", |_| ()).await;
    let bob = bench.user("bob", |_| ()).await;
    let (policy, binding) = bench.unique(2).await;
    bench.changes(&ann, "one").await;
    bench.changes(&bob, "one").await;
    bench.removes::<PolicyBinding>(binding.pk).await;
    bench.removes::<Policy>(policy.pk).await;
    bench.changes(&ann, "two").await;
    assert_eq!((bench.kept(&ann).await, bench.kept(&bob).await), (0, 1));
    bench.executions.sweep().await.expect("a sweep");
    assert_eq!(bench.kept(&bob).await, 0);
    // Another policy begins anew.
    let (policy, _) = bench.unique(3).await;
    bench.changes(&ann, "three").await;
    assert_eq!(bench.kept(&ann).await, 1);
    assert!(!bench.says_of(&policy, &ann, "two").await.0);
}

#[actix::test]
async fn every_way_of_setting_a_password_keeps_the_former_one() {
    let bench = Bench::new().await;
    let (policy, _) = bench.unique(3).await;
    let ann = bench.user("ann", |_| ()).await;
    let (journal, clock) = (bench.journal.as_ref(), &bench.clock);
    let keeping = keeping(journal).await.expect("a read");
    assert_eq!(
        keeping,
        Keeping {
            records: true,
            most: 3
        }
    );
    let encoded = password::hash(&"from the operator".into(), clock);
    let set = setup::set_password(journal, clock, "ann", &encoded, keeping).await;
    set.expect("a password");
    assert_eq!(bench.kept(&ann).await, 1);
    let encoded = password::hash(&"from a file".into(), clock);
    let text = format!(
        "version: 1\nentries:\n- model: authentik_core.user\n  identifiers: {{username: ann}}\n  \
         attrs: {{password_hash: '{}'}}\n",
        encoded.expose_secret()
    );
    for _ in 0..2 {
        // Once more changes nothing.
        let document = blueprint::Document::read(&text, "test.yaml").expect("a blueprint");
        let options = blueprint::Options::default();
        let applied = blueprint::apply(journal, clock, &[document], &options).await;
        applied.expect("it is applied");
        assert_eq!(bench.kept(&ann).await, 2);
    }
    for former in ["password", "from the operator"] {
        assert!(!bench.says_of(&policy, &ann, former).await.0, "{former}");
    }
    assert!(bench.says_of(&policy, &ann, "from a file").await.0);
    assert_eq!(
        policy::Kind::from_name(&policy.kind).map(policy::Kind::model),
        Some("authentik_policies_unique_password.uniquepasswordpolicy")
    );
}

/// What was typed is compared where a flow runs, and nothing of it is needed to run it again.
#[actix::test]
async fn a_flow_compares_what_was_typed() {
    let bench = Bench::new().await;
    let (_, _) = bench.unique(1).await;
    let ann = bench.user("ann", |_| ()).await;
    bench.changes(&ann, "new").await;
    let mut visitor = bench.visitor("change-1");
    visitor.logs_in(&ann).await;
    visitor.begins_anew(typed("password")).await;
    visitor.opens().await.is_at("change-1-1");
    assert_eq!(bench.told("differs from 1").await.messages(), [USED]);
    visitor.begins_anew(typed("another")).await;
    visitor.opens().await.is_at("change-1-0");
    bench.check().await;
}

/// It was taken away by another policy, and may not come back.
#[actix::test]
async fn a_password_that_expired_is_a_former_one() {
    let bench = Bench::new().await;
    let (policy, _) = bench.unique(1).await;
    let ann = bench.user("ann", |_| ()).await;
    let laid = bench.dummies("login").await;
    let expiry = bench
        .policy("password_expiry", "old", json!({"days": 0}))
        .await;
    bench.bind(laid.bindings[0].pbm, &expiry).await;
    let mut visitor = bench.visitor("login");
    visitor.logs_in(&ann).await.opens().await;
    let refused = (false, vec![USED.to_owned()]);
    assert_eq!(bench.says_of(&policy, &ann, "password").await, refused);
    // What nobody could type takes no place.
    bench.changes(&ann, "new").await;
    assert_eq!(bench.says_of(&policy, &ann, "password").await, refused);
    bench.check().await;
}
