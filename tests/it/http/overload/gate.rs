//! More comes to flows than can be in work: who is refused, and who is not.

use futures_util::future::join_all;
use serde_json::json;

use super::{is_refused_as_json, is_refused_as_page};
use crate::support::{Answer, Flow, Options, TestServer, with_server_of};

/// The network from which too much comes.
const FLOOD: [u16; 4] = [0x2001, 0x0db8, 0xf, 0xf];

/// A flow whose first page takes its time.
fn slow() -> Flow {
    let thinks = "total = 0\nfor number in range(400000):\n    total += number\nreturn True";
    let flow = Flow::new("slow").expression("slow-thinks", thinks);
    let attrs = json!({ "failure_result": true, "timeout": 30 });
    flow.dummy("slow-dummy")
        .asks("slow-dummy", "slow-thinks", attrs)
}

fn narrow() -> Options {
    Options::default()
        .with("GATELOG_EXECUTION__AT_ONCE", "2")
        .with("GATELOG_EXECUTION__MAX_WAITING", "2")
}

/// Many from one network open the flow at once.
async fn flood(server: &TestServer) -> Vec<Answer> {
    let opening = (0..12).map(|_| {
        let mut visitor = server.visitor_at(&FLOOD);
        async move { visitor.opens("slow").await }
    });
    join_all(opening).await
}

#[test]
fn a_flood_is_refused_and_somebody_else_is_served_meanwhile() {
    with_server_of(narrow(), async |server| {
        server.has_flow(&slow());
        server.has_flow(&Flow::new("plain").dummy("plain-dummy"));
        let mut refused = 0;
        let mut served = 0;
        for _ in 0..20 {
            let others = async {
                let mut answers = Vec::new();
                for _ in 0..5 {
                    answers.push(server.visitor().opens("plain").await);
                }
                answers
            };
            let (flooded, others) = futures_util::future::join(flood(server), others).await;
            for answer in &others {
                answer.sees("ak-stage-dummy");
            }
            for answer in &flooded {
                if answer.status == 503 {
                    is_refused_as_json(answer, 503);
                    refused += 1;
                } else {
                    answer.sees("ak-stage-dummy");
                    served += 1;
                }
            }
            if refused > 0 && served > 0 {
                break;
            }
        }
        assert!(
            refused > 0 && served > 0,
            "{refused} refused, {served} served"
        );
        // Who was refused has begun nothing.
        let listed = server.gatelog(&[
            "execution",
            "list",
            "--flow",
            "slow",
            "--limit",
            "1000",
            "--json",
        ]);
        assert_eq!(listed.succeeds().values().len(), served);
    });
}

#[test]
fn people_read_a_page_that_says_so() {
    with_server_of(narrow(), async |server| {
        server.has_flow(&slow());
        for _ in 0..20 {
            let visitors: Vec<_> = (0..12).map(|_| server.visitor_at(&FLOOD)).collect();
            let opening = visitors.iter().map(|it| it.gets("/if/flow/slow/"));
            let pages = join_all(opening).await;
            if let Some(page) = pages.iter().find(|page| page.status != 200) {
                return is_refused_as_page(page, 503, "Please try again");
            }
        }
        panic!("nobody was refused");
    });
}
