//! What an expression must not get away with. What needs a process to stop it is tried elsewhere.

use super::*;

fn failed(source: &str) -> Failed {
    let given = Given {
        limits: Limits {
            time: std::time::Duration::from_millis(100),
            ..Limits::default()
        },
        ..Given::default()
    };
    given.run(source).expect_err(source)
}

#[test]
fn an_endless_loop_ends() {
    assert_eq!(failed("while True: pass"), Failed::Time);
    assert_eq!(
        failed(
            "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass"
        ),
        Failed::Time
    );
    assert_eq!(failed("return sum(range(10**9))"), Failed::Time);
}

#[test]
fn what_is_too_large_at_once_is_not_made() {
    assert_eq!(failed("return 'a' * 10**10"), Failed::Memory);
    assert_eq!(failed("return 10 ** 10 ** 8"), Failed::Memory);
    assert_eq!(failed("return 1 << 10**10"), Failed::Memory);
    assert_eq!(failed("return [0] * 10**9"), Failed::Memory);
}

#[test]
fn recursion_ends_with_a_short_traceback() {
    let Failed::Runtime {
        kind, traceback, ..
    } = failed("def f(n):\n    return f(n + 1)\nreturn f(0)")
    else {
        panic!("it does not end so");
    };
    assert_eq!(kind, "RecursionError");
    assert!(traceback.len() <= 20);
    let deep = format!("return {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(matches!(failed(&deep), Failed::Syntax(_)));
}

#[test]
fn questions_are_counted() {
    let given = Given {
        limits: Limits {
            questions: 100,
            ..Limits::default()
        },
        ..Given::default()
    };
    let source = "while True:\n    try:\n        request.user.email\n    except BaseException:\n        pass";
    assert!(matches!(given.run(source), Err(Failed::Refused(_))));
}

#[test]
fn patterns_that_backtrack_for_ever_are_given_up() {
    assert_eq!(
        value("return regex_match('a' * 64 + '!', '^(a+)+$')"),
        Value::Bool(false)
    );
    let failed = failed("import re\nreturn re.match('^(?=a)(a+)+\\\\1$', 'a' * 64 + '!')");
    assert!(!matches!(failed, Failed::Syntax(_)), "{failed:?}");
}

#[test]
fn modular_powers_are_refused() {
    assert_eq!(
        runtime("return pow(3, 10**1000, 7)").0,
        "NotImplementedError"
    );
}

#[test]
fn output_is_cut_off() {
    let done = Given::default()
        .run("for i in range(10000):\n    print('x' * 100)\n    ak_message('y' * 100)");
    let done = done.expect("runs");
    let size: usize = done.messages.iter().map(String::len).sum();
    assert!(size <= 64 << 10);
    assert!(
        done.log
            .last()
            .is_some_and(|line| line.text.contains("cut off"))
    );
}

#[test]
fn values_that_cannot_leave_become_what_python_shows() {
    assert!(matches!(
        value("x = []\nx.append(x)\nreturn x"),
        Value::List(_)
    ));
    assert!(matches!(value("return lambda: 1"), Value::Opaque(_)));
    assert_eq!(
        value("return 2 ** 100"),
        Value::Opaque("1267650600228229401496703205376".into())
    );
}
