//! What the trail tells of an answer that surprises somebody.

use gatelog::flow::event::Event;
use gatelog::flow::verdict::{Logged, Membership, PolicyFailed};
use serde_json::json;

use super::bench::{Bench, Told};

fn info(text: &str) -> Logged {
    Logged {
        level: "info".to_owned(),
        text: text.to_owned(),
    }
}

#[actix::test]
async fn an_answer_that_was_turned_round_is_marked() {
    let bench = Bench::new().await;
    let laid = bench.dummies("round").await;
    for (name, result, negate) in [("turned", false, true), ("straight", true, false)] {
        let policy = bench.policy("dummy", name, json!({ "result": result }));
        let policy = policy.await;
        bench
            .bind_with(laid.bindings[0].pbm, &policy, |it| it.negate = negate)
            .await;
    }
    bench.visitor("round").opens().await;
    for (name, negate) in [("turned", true), ("straight", false)] {
        let Told::Answered(told) = bench.told(name).await else {
            panic!("it fails");
        };
        assert!(told.passing);
        assert_eq!(told.negated, negate, "{name}");
    }
    bench.check().await;
}

#[actix::test]
async fn what_an_expression_logged_before_it_failed_is_not_lost() {
    let bench = Bench::new().await;
    let source = "ak_logger.info('looks', plan=context.get('plan'))\n\
                  ak_message('for you')\n\
                  print('half', end='')\n\
                  return {}['nothing']";
    let Told::Failed(failed) = bench.asks("lost", source, None).await else {
        panic!("it does not fail");
    };
    let log = ["looks plan=None", "half", "ak_message: for you"].map(info);
    assert_eq!(failed.log, log);
    assert_eq!(failed.error, "nothing", "what the visitor reads");
    assert_eq!(failed.named().0, "KeyError: nothing");

    let source = "from authentik.lib.sync.outgoing.exceptions import StopSync\nreturn True";
    let failed = bench.asks("bare", source, None).await;
    assert!(matches!(failed, Told::Failed(PolicyFailed { log, .. }) if log.is_empty()));
    bench.check().await;
}

#[actix::test]
async fn the_group_and_the_user_that_were_asked_for_are_named() {
    let bench = Bench::new().await;
    let laid = bench.dummies("who").await;
    let ann = bench.user("ann", |_| ()).await;
    let crew = bench.group("crew", json!({})).await;
    let policy = bench.policy("dummy", "unused", json!({})).await;
    let pbm = laid.bindings[0].pbm;
    let group = bench.bind_with(pbm, &policy, |it| {
        it.policy = None;
        it.group = Some(crew.pk);
        it.negate = true;
    });
    let group = group.await;
    let user = bench.bind_with(pbm, &policy, |it| {
        it.policy = None;
        it.user = Some(ann.uuid);
    });
    let user = user.await;
    bench.visitor("who").logs_in(&ann).await.opens().await;
    let events = bench.events().await;
    let members: Vec<Membership> = events
        .into_iter()
        .find_map(|event| match event {
            Event::EngineDecided(decided) => Some(decided.members),
            _ => None,
        })
        .expect("it was decided");
    let told = members
        .iter()
        .map(|it| (it.binding.id, it.group, it.user, it.negated, it.passing));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (group.pk, Some(crew.pk), None, true, true),
            (user.pk, None, Some(ann.uuid), false, true),
        ]
    );
    bench.check().await;
}
