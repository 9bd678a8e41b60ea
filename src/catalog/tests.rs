//! The catalog on a journal: orders, and what there can be only one of.

use jiff::Timestamp;
use serde_json::Map;
use uuid::Uuid;

use super::*;
use crate::clock::Clock;
use crate::flow::model::{Designation, Slug};
use crate::journal::memory::MemoryJournal;
use crate::journal::object::{Stored, Versioned, put};
use crate::journal::{Commit, Durability, Journal, Version};

async fn store<T: Stored>(journal: &MemoryJournal, values: &[T]) -> journal::Result<()> {
    let commit = Commit {
        writes: values.iter().map(|it| put(it, Version::NONE)).collect(),
        durability: Durability::Relaxed,
        fence: None,
        at: Timestamp::UNIX_EPOCH,
        correlation: Uuid::nil(),
    };
    journal.commit(commit).await.map(drop)
}

fn start() -> (Clock, MemoryJournal) {
    let clock = Clock::system();
    (clock.clone(), MemoryJournal::new(clock))
}

fn flow(clock: &Clock, slug: &str) -> Flow {
    let slug: Slug = slug.parse().expect("a slug");
    Flow::new(clock, slug, "Welcome", Designation::Authentication)
}

async fn refusal<T: Stored>(journal: &MemoryJournal, value: T) -> String {
    let error = store(journal, &[value]).await.expect_err("it is taken");
    problem_of(&error)
        .expect("a problem of a field")
        .to_string()
}

#[tokio::test]
async fn bindings_come_by_order_and_then_by_identifier() {
    let (clock, journal) = start();
    let target = clock.opaque_id();
    let at = |order, pk| {
        let mut binding = FlowStageBinding::new(&clock, target, clock.opaque_id(), order);
        binding.pk = Uuid::from_u128(pk);
        binding
    };
    let mut all = vec![at(10, 9), at(-5, 8), at(10, 1), at(i32::MAX, 2)];
    let elsewhere = FlowStageBinding::new(&clock, clock.opaque_id(), all[0].stage, 0);
    all.push(elsewhere);
    store(&journal, &all).await.expect("all are new");
    let found = bindings_of(&journal, target).await.expect("readable");
    let order: Vec<_> = found.iter().map(|it| it.value.pk.as_u128()).collect();
    assert_eq!(order, [8, 1, 9, 2]);
    let with = bindings_with(&journal, all[0].stage)
        .await
        .expect("readable");
    assert_eq!(with.len(), 2);
}

#[tokio::test]
async fn flows_of_a_designation_come_by_slug() {
    let (clock, journal) = start();
    let mut logout = flow(&clock, "a-logout");
    logout.designation = Designation::Invalidation;
    let all = [flow(&clock, "b"), flow(&clock, "a"), logout];
    store(&journal, &all).await.expect("all are new");
    let found = flows_by_designation(&journal, Designation::Authentication).await;
    let found: Vec<Versioned<Flow>> = found.expect("readable");
    let slugs: Vec<_> = found.iter().map(|it| it.value.slug.as_str()).collect();
    assert_eq!(slugs, ["a", "b"]);
    let one = flow_by_slug(&journal, "b").await.expect("readable");
    assert_eq!(one.map(|it| it.value), Some(all[0].clone()));
    let one = flow::flow_by_pbm(&journal, all[1].pbm)
        .await
        .expect("readable");
    assert_eq!(one.map(|it| it.value), Some(all[1].clone()));
}

#[tokio::test]
async fn what_there_can_be_only_one_of_is_refused_in_the_words_of_the_wire() {
    let (clock, journal) = start();
    let first = flow(&clock, "login");
    let stage = Stage::new(&clock, "dummy", "one", Map::new());
    let binding = FlowStageBinding::new(&clock, first.pk, stage.pk, 0);
    let mut brand = Brand::new(&clock, "id.example.com");
    brand.default = true;
    store(&journal, std::slice::from_ref(&first))
        .await
        .expect("new");
    store(&journal, std::slice::from_ref(&stage))
        .await
        .expect("new");
    store(&journal, &[binding]).await.expect("new");
    store(&journal, &[brand]).await.expect("new");

    let same = flow(&clock, "login");
    assert_eq!(
        refusal(&journal, same).await,
        "slug: This field must be unique."
    );
    let same = Stage::new(&clock, "deny", "one", Map::new());
    assert_eq!(
        refusal(&journal, same).await,
        "name: This field must be unique."
    );
    let same = FlowStageBinding::new(&clock, first.pk, stage.pk, 0);
    assert_eq!(
        refusal(&journal, same).await,
        "non_field_errors: The fields target, stage, order must make a unique set."
    );
    let mut second = Brand::new(&clock, "b.example.com");
    second.default = true;
    assert_eq!(
        refusal(&journal, second).await,
        "default: Only a single brand can be set as default."
    );
    let same = Brand::new(&clock, "ID.example.com");
    assert_eq!(
        refusal(&journal, same).await,
        "domain: This field must be unique."
    );

    let again = FlowStageBinding::new(&clock, first.pk, stage.pk, 1);
    store(&journal, &[again])
        .await
        .expect("another order is another place");
    let found = stage_by_name(&journal, "one").await.expect("readable");
    assert_eq!(found.map(|it| it.value), Some(stage));
    let default = brand::default_brand(&journal).await.expect("readable");
    assert_eq!(
        default.map(|it| it.value.domain).as_deref(),
        Some("id.example.com")
    );
}

#[test]
fn a_binding_has_to_ask_its_policies_at_some_time() {
    let clock = Clock::system();
    let mut binding = FlowStageBinding::new(&clock, Uuid::nil(), Uuid::nil(), 0);
    assert!(binding.problems().is_empty());
    binding.re_evaluate_policies = false;
    assert_eq!(
        binding.problems()[0].problem.to_string(),
        "Either evaluation on plan or evaluation on run must be enabled"
    );
}
