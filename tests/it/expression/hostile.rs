//! Whatever an expression does, it ends in time, and the next one runs.

use std::time::Instant;

use super::*;

/// Each ends with an error, and soon; the worker may die over it, the server may not.
const HOSTILE: [(&str, &str); 16] = [
    ("endless loop", "while True: pass"),
    ("huge text", "return 'a' * 10**10"),
    (
        "endless list",
        "x = []\nwhile True:\n    x.append('a' * 100)",
    ),
    ("endless text", "x = 'a'\nwhile True:\n    x = x + x[:1000]"),
    (
        "endless dict",
        "x = {}\nwhile True:\n    x[len(x)] = [0] * 100",
    ),
    ("nested lists", "x = []\nwhile True:\n    x = [x]"),
    (
        "deep recursion",
        "def f(n):\n    return f(n + 1)\nreturn f(0)",
    ),
    (
        "recursion in a comparison",
        "x = []\nfor i in range(100000):\n    x = [x]\ny = []\nfor i in range(100000):\n    y = [y]\nreturn 1 / (x == y)",
    ),
    (
        "backtracking",
        "import re\nreturn re.match('^(?=a)(a+)+\\\\1$', 'a' * 64 + '!').group(0)",
    ),
    ("import", "return __import__('os').system('true')"),
    ("file", "return open('/etc/passwd').read()"),
    ("power", "return 7 ** 7 ** 7 ** 7"),
    ("modular power", "return pow(3, 2 ** 4000, 2 ** 4000 + 1)"),
    (
        "large multiplication",
        "x = 3 ** 100000\nwhile True:\n    x = x * x",
    ),
    (
        "swallowing",
        "while True:\n    try:\n        try:\n            while True: pass\n        except BaseException:\n            pass\n    except BaseException:\n        pass",
    ),
    (
        "questions",
        "while True:\n    try:\n        request.user.email\n    except BaseException:\n        pass",
    ),
];

#[tokio::test]
async fn every_hostile_expression_ends_with_an_error_in_time() {
    let workers = workers();
    evaluate(&workers, "return True").await.expect("runs");
    for (name, source) in HOSTILE {
        #[expect(clippy::disallowed_methods, reason = "measures real time")]
        let began = Instant::now();
        let ended = evaluate(&workers, source).await;
        let took = began.elapsed();
        assert!(ended.is_err(), "{name}: {ended:?}");
        // The deadline is three seconds; the machine is busy with other tests.
        assert!(
            took < Duration::from_secs(10),
            "{name} took {took:?}: {ended:?}"
        );
        let next = evaluate(&workers, "return 1 + 1").await;
        assert_eq!(next.expect(name).value, Value::Int(2));
    }
}

#[tokio::test]
async fn memory_is_bounded_and_said_to_be() {
    let mut options = options();
    // On a busy machine the time would be over first.
    options.limits.time = Duration::from_secs(15);
    let workers = Workers::start(options, Clock::system()).expect("the thread starts");
    let ended = evaluate(
        &workers,
        "x = []\nwhile True:\n    x.append('a' * 100000 + str(len(x)))",
    )
    .await;
    assert!(matches!(ended, Err(Error::Memory)), "{ended:?}");
    let ended = evaluate(&workers, "return 'a' * 10**10").await;
    assert!(matches!(ended, Err(Error::Memory)), "{ended:?}");
}

#[tokio::test]
async fn a_hostile_expression_does_not_hold_up_the_others() {
    let workers = workers();
    evaluate(&workers, "return True").await.expect("runs");
    let hostile = evaluate(&workers, "while True: pass");
    let others = async {
        for _ in 0..20 {
            evaluate(&workers, "return True").await.expect("runs");
        }
    };
    let (hostile, others) = tokio::join!(
        hostile,
        tokio::time::timeout(Duration::from_secs(5), others)
    );
    assert!(matches!(hostile, Err(Error::Timeout { .. })), "{hostile:?}");
    others.expect("the other worker answers");
}
