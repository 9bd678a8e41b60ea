//! Workers are replaced, reaped, and never left behind.

use std::process::Command;

use super::*;

fn kill(id: u32) {
    let killed = Command::new("kill").args(["-9", &id.to_string()]).status();
    assert!(killed.expect("there is a kill").success());
}

/// Whether there is such a process, a zombie included.
fn exists(id: u32) -> bool {
    std::path::Path::new("/proc").join(id.to_string()).exists()
}

/// The numbers of the workers, once both are there.
async fn all_idle(workers: &Workers, number: usize) -> Vec<u32> {
    for _ in 0..200 {
        let idle = workers.idle();
        if idle.len() == number {
            return idle;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the workers are not replaced");
}

async fn all_gone(ids: &[u32]) {
    for _ in 0..200 {
        if !ids.iter().any(|id| exists(*id)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("some of {ids:?} are left");
}

#[tokio::test]
async fn many_evaluations_at_once_share_the_workers() {
    let workers = workers();
    let sources: Vec<_> = (0..50)
        .map(|n| format!("return request.user.username + '{n}'"))
        .collect();
    let all = sources.iter().map(|source| evaluate(&workers, source));
    let all = futures_util::future::join_all(all).await;
    for (n, outcome) in all.into_iter().enumerate() {
        assert_eq!(
            outcome.expect("runs").value,
            Value::text(format!("akadmin{n}"))
        );
    }
}

#[tokio::test]
async fn workers_that_are_killed_are_replaced_and_reaped() {
    let workers = workers();
    for round in 0..3 {
        let ids = all_idle(&workers, 2).await;
        for id in &ids {
            kill(*id);
        }
        // An idle worker's death is noticed by whoever takes it next.
        for _ in 0..2 {
            let ended = evaluate(&workers, "return True").await;
            assert!(
                matches!(ended, Ok(_) | Err(Error::WorkerDied(_))),
                "{ended:?}"
            );
        }
        evaluate(&workers, "return True")
            .await
            .unwrap_or_else(|e| panic!("round {round}: {e}"));
        all_gone(&ids).await;
    }
    let ids = all_idle(&workers, 2).await;
    drop(workers);
    all_gone(&ids).await;
}

#[tokio::test]
async fn workers_that_died_while_nobody_used_them_cost_nobody_an_evaluation() {
    let workers = workers();
    let ids = all_idle(&workers, 2).await;
    for id in &ids {
        kill(*id);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..4 {
        let both = tokio::join!(
            evaluate(&workers, "return True"),
            evaluate(&workers, "return True")
        );
        both.0.expect("runs");
        both.1.expect("runs");
    }
    all_gone(&ids).await;
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_is_an_error_of_that_evaluation_only() {
    let workers = Workers::start(
        Options {
            workers: 1,
            ..options()
        },
        Clock::system(),
    )
    .expect("starts");
    evaluate(&workers, "return True").await.expect("runs");
    let host = FakeHost {
        slowness: Duration::from_millis(300),
        ..FakeHost::default()
    };
    let running = workers.evaluate(evaluation("return request.user.email"), &host);
    let ids = all_idle(&workers, 1).await;
    let killing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for id in &ids {
            kill(*id);
        }
    };
    let (ended, ()) = tokio::join!(running, killing);
    let ended = ended.map_err(|unfinished| unfinished.error);
    assert!(matches!(ended, Err(Error::WorkerDied(_))), "{ended:?}");
    evaluate(&workers, "return True")
        .await
        .expect("the next runs");
}

#[tokio::test]
async fn an_evaluation_that_is_given_up_leaves_no_trace() {
    let workers = Workers::start(
        Options {
            workers: 1,
            ..options()
        },
        Clock::system(),
    )
    .expect("starts");
    evaluate(&workers, "return True").await.expect("runs");
    let host = FakeHost {
        slowness: Duration::from_mins(1),
        ..FakeHost::default()
    };
    let running = workers.evaluate(evaluation("return request.user.email"), &host);
    tokio::time::timeout(Duration::from_millis(50), running)
        .await
        .expect_err("is dropped");
    evaluate(&workers, "return True")
        .await
        .expect("the next runs");
}

#[tokio::test]
async fn the_wait_for_a_worker_is_no_part_of_the_time() {
    let workers = Workers::start(
        Options {
            workers: 1,
            ..options()
        },
        Clock::system(),
    )
    .expect("starts");
    evaluate(&workers, "return True").await.expect("runs");
    let host = FakeHost {
        slowness: Duration::from_millis(400),
        ..FakeHost::default()
    };
    let first = workers.evaluate(evaluation("return request.user.email"), &host);
    let hurried = Evaluation {
        timeout: Duration::from_millis(100),
        ..evaluation("return True")
    };
    let second = workers.evaluate(hurried, &host);
    let (first, second) = tokio::join!(first, second);
    first.expect("runs");
    second.expect("runs as well");
}

#[tokio::test]
async fn whoever_has_patience_waits_longer_for_the_same_limits() {
    let mut narrow = options();
    narrow.limits.time = Duration::from_millis(1);
    let workers = Workers::start(narrow, Clock::system()).expect("starts");
    let thinks = "total = 0\nfor number in range(200000):\n    total += number\nreturn True";
    let ended = evaluate(&workers, thinks).await;
    assert!(matches!(ended, Err(Error::Timeout { .. })), "{ended:?}");
    let patient = Evaluation {
        patience: 60_000,
        timeout: Duration::from_millis(1),
        ..evaluation(thinks)
    };
    let host = FakeHost::default();
    let ran = workers.evaluate(patient, &host).await.expect("runs");
    assert!(ran.passing);
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_said_to_be_none() {
    let options = Options {
        program: "/bin/false".into(),
        ..options()
    };
    let workers = Workers::start(options, Clock::system()).expect("the thread starts");
    let ended = evaluate(&workers, "return True").await;
    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
}

#[tokio::test]
async fn a_host_that_fails_ends_the_evaluation() {
    let workers = workers();
    let ended = evaluate(
        &workers,
        "try:\n    ak_abort()\nexcept BaseException:\n    return True",
    )
    .await;
    assert!(
        matches!(&ended, Err(Error::Host(error)) if error.to_string() == "the journal is gone"),
        "{ended:?}"
    );
    evaluate(&workers, "return True")
        .await
        .expect("the next runs");
}

#[tokio::test]
async fn only_secrets_that_can_be_read_are_revealed() {
    let workers = workers();
    let host = FakeHost::default();
    let secret = || {
        vec![(
            "prompt_data".to_owned(),
            Value::dict([("password", Value::Secret("pw".into()))]),
        )]
    };
    let with = |source| Evaluation {
        context: secret(),
        ..evaluation(source)
    };
    workers
        .evaluate(with("return True"), &host)
        .await
        .expect("runs");
    assert_eq!(host.asked.borrow().len(), 0);
    let outcome = workers
        .evaluate(
            with("ak_message(context['prompt_data']['password'])\nreturn True"),
            &host,
        )
        .await;
    assert_eq!(outcome.expect("runs").messages, ["‹secret›"]);
    assert_eq!(*host.asked.borrow(), ["reveal pw"]);
}

#[tokio::test]
async fn syntax_is_checked_in_a_worker() {
    let workers = workers();
    workers.check("return 1").await.expect("is Python");
    let Err(Error::Syntax(error)) = workers.check("a = 1\nreturn )").await else {
        panic!("is no Python");
    };
    assert_eq!((error.line, error.column), (2, 8));
}

/// Answers a call by evaluating the same again, one deeper.
struct Nested<'a> {
    workers: &'a Workers,
    depth: usize,
}

#[async_trait(?Send)]
impl Host for Nested<'_> {
    async fn name(&self, _: &str) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    async fn import(&self, _: &str, _: Option<&str>) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    async fn attribute(&self, _: &Object, _: &str) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    async fn call(&self, call: Call) -> Result<Value, Failure> {
        let depth = self.depth + 1;
        let limit = call.args.first().cloned().unwrap_or(Value::None);
        let inner = Evaluation {
            depth,
            variables: vec![
                ("depth".to_owned(), depth_of(depth)),
                ("limit".to_owned(), limit),
            ],
            ..evaluation(DEEPER)
        };
        let host = Nested {
            workers: self.workers,
            depth,
        };
        match self.workers.evaluate(inner, &host).await {
            Ok(outcome) => Ok(outcome.value),
            Err(error) => Err(Failure::raise("ValueError", error.to_string())),
        }
    }

    async fn reveal(&self, _: &str) -> Result<SecretString, Failure> {
        Ok(SecretString::default())
    }
}

const DEEPER: &str = "return depth if depth == limit else ak_deeper(limit)";

fn depth_of(depth: usize) -> Value {
    Value::Int(i64::try_from(depth).expect("a small number"))
}

#[tokio::test]
async fn policies_that_call_policies_do_not_wait_for_each_other() {
    let workers = workers();
    let host = Nested {
        workers: &workers,
        depth: 0,
    };
    let run = |limit| {
        let outer = Evaluation {
            variables: vec![
                ("depth".to_owned(), depth_of(0)),
                ("limit".to_owned(), depth_of(limit)),
            ],
            ..evaluation(DEEPER)
        };
        workers.evaluate(outer, &host)
    };
    let all = futures_util::future::join_all([run(3), run(3), run(2), run(1), run(0)]).await;
    let depths: Vec<_> = all
        .into_iter()
        .map(|ended| ended.expect("runs").value)
        .collect();
    assert_eq!(depths, [3, 3, 2, 1, 0].map(Value::Int));
    let ended = run(9).await.map_err(|unfinished| unfinished.error);
    let Err(Error::Runtime { message, .. }) = ended else {
        panic!("it is too deep");
    };
    assert!(message.contains("too deeply"), "{message}");
    let ids = all_idle(&workers, 2).await;
    drop(workers);
    all_gone(&ids).await;
}
