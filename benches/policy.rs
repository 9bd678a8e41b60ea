//! A warm evaluation of the two policies of the default flow, with its questions to the host and
//! the way to the worker and back, beside one password hash.
//!
//! Wall clock time on one thread, waits for the worker included; CPU time of both processes is
//! less, as one waits while the other works.

use std::io::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use gatelog::clock::Clock;
use gatelog::directory::password;
use gatelog::expression::{Call, Evaluation, Failure, Host, Object, Options, Plan, Value, Workers};
use secrecy::SecretString;

/// How often each is evaluated, after as many rounds that do not count.
const ROUNDS: u32 = 2_000;
/// How many passwords are hashed.
const HASHES: u32 = 20;

/// The password stage is left out once a backend has checked the password.
const PASSWORD: &str = r#"plan = request.context.get("flow_plan")
if not plan:
    return True
# Whoever checked the password has noted how, in the context or with the user.
if plan.context.get("user_backend"):
    return False
return not hasattr(plan.context.get("pending_user"), "backend")"#;

/// The validation of authenticators is left out after a login with a passkey.
const VALIDATION: &str = r#"plan = request.context.get("flow_plan")
if not plan:
    return True
return plan.context.get("auth_method") != "auth_webauthn_pwl""#;

/// Knows that nobody has checked the password yet.
struct Known;

#[async_trait(?Send)]
impl Host for Known {
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
        Err(Failure::raise("NameError", call.name))
    }

    async fn reveal(&self, _: &str) -> Result<SecretString, Failure> {
        Ok(SecretString::default())
    }
}

fn evaluation(source: &str) -> Evaluation<'_> {
    let user = || Value::Object(Object::new("User", "0192f0c1-7a4e-7b60-8c5c-0f6f2f6d1a11"));
    Evaluation {
        name: "default",
        source,
        now: jiff::Timestamp::UNIX_EPOCH,
        request: Some(Object::new("PolicyRequest", "1").with("user", user())),
        context: Vec::new(),
        plan: Some(Plan {
            object: Object::new("FlowPlan", "1"),
            context: vec![
                ("pending_user".to_owned(), user()),
                ("pending_user_identifier".to_owned(), "ann".into()),
                ("auth_method".to_owned(), "password".into()),
                ("auth_method_args".to_owned(), Value::Dict(Vec::new())),
                ("is_sso".to_owned(), false.into()),
                ("redirect".to_owned(), "/if/user/".into()),
            ],
        }),
        client_ip: Some([10, 0, 0, 1].into()),
        variables: Vec::new(),
        timeout: Duration::from_secs(10),
        patience: 1,
        depth: 0,
    }
}

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").expect("the terminal takes it");
    let hash = hash(&clock);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let options = Options::of_program(env!("CARGO_BIN_EXE_gatelog"));
    let workers = Workers::start(options, clock.clone()).expect("workers");
    say("| policy | µs each | of one password hash |".into());
    say("|---|---|---|".into());
    let mut both = 0.0;
    for (name, source) in [("password stage", PASSWORD), ("validation", VALIDATION)] {
        let each = runtime.block_on(async {
            rounds(&workers, source).await;
            let began = clock.monotonic();
            rounds(&workers, source).await;
            clock.monotonic().duration_since(began) / ROUNDS
        });
        let each = micros(each);
        both += each;
        say(format!(
            "| {name} | {each:.0} | {:.2} % |",
            100.0 * each / hash
        ));
    }
    say(format!(
        "| both | {both:.0} | {:.2} % |",
        100.0 * both / hash
    ));
    say(format!("One password hash: {:.1} ms.", hash / 1000.0));
}

async fn rounds(workers: &Workers, source: &str) {
    for _ in 0..ROUNDS {
        let outcome = workers.evaluate(evaluation(source), &Known).await;
        assert!(outcome.expect("it runs").passing);
    }
}

/// What hashing a password at the default cost takes, in microseconds.
fn hash(clock: &Clock) -> f64 {
    let typed = SecretString::from("correct horse battery staple");
    let _ = password::hash(&typed, clock);
    let began = clock.monotonic();
    for _ in 0..HASHES {
        let _ = password::hash(&typed, clock);
    }
    micros(clock.monotonic().duration_since(began) / HASHES)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
