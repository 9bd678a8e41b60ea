//! No policy of one visitor ever sees the context of another, however their requests interleave.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::{Flow, Visitor, with_server};

/// Notes who comes, in what is theirs and in every place that could be shared by mistake, and
/// complains of whatever somebody else left there.
const MARKS: &str = "\
name = http_request.session.get(\"authentik/flows/get\").get(\"mark\")
plan = context[\"flow_plan\"]
for place in [context, plan.context]:
    left = place.get(\"mark\", name)
    if left != name:
        ak_message(\"saw \" + left)
        return False
    deep = place.get(\"deep\", {\"mark\": name})
    if deep[\"mark\"] != name:
        ak_message(\"saw \" + deep[\"mark\"])
        return False
context[\"mark\"] = name
plan.context[\"mark\"] = name
plan.context[\"deep\"] = {\"mark\": name}
plan.context[\"redirect\"] = \"/\" + name
return True";

#[test]
fn a_policy_sees_its_own_visitor_only() {
    with_server(async |server| {
        let on_both = json!({ "evaluate_on_plan": true });
        let flow = Flow::new("marked")
            .expression("marks", MARKS)
            .bound("dummy", "first", json!({}), on_both.clone())
            .bound("dummy", "second", json!({}), on_both)
            .asks("first", "marks", json!({}))
            .asks("second", "marks", json!({}));
        server.has_flow(&flow);
        // Which visitor moves next; each needs three moves to the end.
        let orders = prop::collection::vec(0usize..4, 12..24);
        let mut runner = TestRunner::new(Config::with_cases(8));
        for _ in 0..8 {
            let tree = orders.new_tree(&mut runner).expect("an order");
            runs(server.visitor(), &tree.current()).await;
        }
    });
}

/// Lets four visitors move in this order, two at a time.
async fn runs(any: Visitor, order: &[usize]) {
    let mut visitors: Vec<_> = (0..4)
        .map(|number| (any.as_somebody_else(), number, 0))
        .collect();
    for pair in order.chunks(2) {
        let mut moving = Vec::new();
        for (at, visitor) in visitors.iter_mut().enumerate() {
            if pair.contains(&at) {
                moving.push(moves(visitor));
            }
        }
        futures_util::future::join_all(moving).await;
    }
}

async fn moves((visitor, number, step): &mut (Visitor, usize, usize)) {
    let query = format!("mark=visitor-{number}");
    let answer = match step {
        0 => visitor.opens_with("marked", &query).await,
        1 | 2 => visitor.answers(json!({})).await,
        _ => return,
    };
    *step += 1;
    match step {
        1 => answer.with("name", "first"),
        2 => answer.with("name", "second"),
        _ => answer.is_redirected_to(&format!("/visitor-{number}")),
    };
}
