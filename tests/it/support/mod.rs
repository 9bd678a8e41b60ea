//! What the black-box tests share: a real server, visitors of it, and what is checked at the end
//! of each of them. Knows nothing of the library's insides.

mod answer;
mod app;
mod auditor;
mod authenticator;
mod blueprint;
mod canaries;
mod captcha_provider;
#[cfg(feature = "otel")]
pub(crate) mod collector;
pub(crate) mod command;
mod cookies;
pub(crate) mod database;
pub(crate) mod duo;
mod finish;
mod headless;
mod html;
mod letter;
mod mail_sink;
mod mmdb;
pub(crate) mod peer;
mod person;
mod proxy;
mod receiver;
mod server;
mod sms_provider;
mod socket;
mod stand_in;
mod stream;
pub(crate) mod tethered;
mod visitor;

use std::path::PathBuf;

use gatelog::clock::Clock;
use secrecy::ExposeSecret;

pub(crate) use answer::Answer;
pub(crate) use app::App;
pub(crate) use auditor::Auditor;
pub(crate) use authenticator::{Algorithm, SecurityKey};
pub(crate) use blueprint::{Flow, policy};
pub(crate) use canaries::{Canaries, files};
pub(crate) use captcha_provider::CaptchaProvider;
pub(crate) use headless::Headless;
pub(crate) use html::{Form, addresses, forms, text_of};
pub(crate) use letter::Letter;
pub(crate) use mail_sink::{At, MailSink, Plan, Security, Sink, Taken};
pub(crate) use mmdb::Mmdb;
pub(crate) use person::Person;
pub(crate) use proxy::{Place, Proxy};
pub(crate) use receiver::Receiver;
pub(crate) use server::{Options, TestServer, free_port};
pub(crate) use sms_provider::SmsProvider;
pub(crate) use socket::Said;
pub(crate) use stand_in::stand_in;
pub(crate) use visitor::Visitor;

/// The flow that logs in, which every server has.
pub(crate) const LOGIN: &str = "default-authentication-flow";

/// The flow that logs out, which every server has.
pub(crate) const LOGOUT: &str = "default-invalidation-flow";

/// Runs a scenario against a server of its own, and then everything that every server is
/// checked for. A scenario that fails is reported as it is.
pub(crate) fn with_server(scenario: impl AsyncFnOnce(&mut TestServer)) {
    with_server_of(Options::default(), scenario);
}

/// The same with another start.
pub(crate) fn with_server_of(options: Options, scenario: impl AsyncFnOnce(&mut TestServer)) {
    block_on(async {
        let mut server = TestServer::start(options).await;
        scenario(&mut server).await;
        server.finish().await;
    });
}

/// Runs a scenario against a server whose webhook has a receiver that knows this secret.
pub(crate) fn with_receiver(
    secret: &str,
    options: impl FnOnce(&Receiver) -> Options,
    scenario: impl AsyncFnOnce(&mut TestServer, &Receiver),
) {
    block_on(async {
        let receiver = Receiver::start(secret).await;
        let mut server = TestServer::start(options(&receiver)).await;
        scenario(&mut server, &receiver).await;
        server.finish().await;
    });
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// A random word that is found nowhere by accident.
pub(crate) fn random(length: usize) -> String {
    Clock::system()
        .random_text(length)
        .expose_secret()
        .to_owned()
}

/// A random number below `bound`.
pub(crate) fn random_below(bound: u64) -> u64 {
    u64::from_le_bytes(Clock::system().random()) % bound
}

/// Where `.ci/test` puts what is installed for the tests alone.
pub(crate) fn installed(below: &str) -> PathBuf {
    let tmp = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    tmp.with_file_name("clients").join(below)
}

/// Says that a test is skipped for want of a tool; an error where all tests have to run.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub(crate) fn skip(missing: &str) {
    assert!(
        std::env::var_os("GATELOG_REQUIRE_ALL").is_none_or(|it| it != "1"),
        "{missing} is missing, and GATELOG_REQUIRE_ALL=1 asks for every test"
    );
    eprintln!("skipped: {missing} is missing");
}
