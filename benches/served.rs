//! A server in this process, and visitors who log in there, for benches that need what comes of
//! it. How fast that is, is measured by the bench `load`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatelog::app;
use gatelog::clock::Clock;
use gatelog::directory::password::Pool;
use gatelog::settings::{MetricsListen, Settings};
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use secrecy::ExposeSecret;

/// How many users are made at once.
const PORTION: usize = 1_000;

/// Everybody's password.
const PASSWORD: &str = "correct horse battery staple";

/// The flow that every installation has.
const FLOW: &str = "/api/v3/flows/executor/default-authentication-flow/?query=";

/// Prints a line.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("the terminal takes it");
}

/// Starts a server in this process, and makes as many users there; the future stops it.
pub(crate) async fn start(
    directory: std::path::PathBuf,
    hashed: bool,
    visitors: usize,
) -> (SocketAddr, impl Future<Output = ()>) {
    let clock = Clock::system();
    let mut settings = Settings::in_directory(&directory);
    settings.listen = "127.0.0.1:0".parse().expect("an address");
    // All visitors come from one address here.
    settings.web.posts_per_second = 1_000_000;
    settings.web.posts_at_once = 1_000_000;
    settings.web.requests_per_second = 1_000_000;
    settings.web.requests_at_once = 1_000_000;
    settings.web.connections_per_address = 1_000_000;
    settings.execution.at_once = 1_000_000;
    settings.metrics.listen = MetricsListen::Off;
    settings.execution.begun_per_second = 1_000_000;
    settings.execution.begun_at_once = 1_000_000;
    let pool = || {
        if hashed {
            Pool::new(settings.hash.threads, 1_024, 1 << 30, clock.clone()).expect("threads")
        } else {
            Pool::no_op(clock.clone())
        }
    };
    let encoded = pool()
        .hash(PASSWORD.into())
        .await
        .expect("the pool is idle");
    let running = app::run_with(settings.clone(), clock.clone(), pool())
        .await
        .expect("it starts");
    let entries: Vec<_> = (0..visitors)
        .map(|visitor| {
            serde_json::json!({
                "model": "authentik_core.user",
                "identifiers": {"username": format!("visitor-{visitor}")},
                "attrs": {"name": "", "email": "visitor@example.org", "password_hash": encoded.expose_secret()},
            })
        })
        .collect();
    if visitors > 0 {
        apply(&running, crate::existence::recovery()).await;
    }
    // One commit takes only so much.
    for some in entries.chunks(PORTION) {
        apply(&running, some.to_vec()).await;
    }
    let address = running.address().expect("it listens");
    (address, async move {
        running.stop().await.expect("it stops");
    })
}

/// Has the server apply a blueprint of these entries.
pub(crate) async fn apply(running: &app::Running, entries: Vec<serde_json::Value>) {
    let client = reqwest::Client::builder()
        .unix_socket(running.socket().to_owned())
        .build()
        .expect("a client");
    let content = serde_json::json!({"version": 1, "entries": entries}).to_string();
    let applied = client
        .post("http://gatelog/operator/blueprints/apply")
        .json(&serde_json::json!({"name": "users.yaml", "content": content}))
        .send()
        .await
        .expect("an answer");
    assert!(
        applied.status().is_success(),
        "{}",
        applied.text().await.unwrap_or_default()
    );
}

/// The memory that this process has, in bytes.
pub(crate) fn resident() -> u64 {
    gatelog::process::memory().expect("Linux tells")
}

/// The session's cookie, as the browser sends it back.
pub(crate) fn session(answer: &reqwest::Response) -> String {
    answer
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .find(|cookie| cookie.starts_with("authentik_session="))
        .expect("a session")
        .to_owned()
}

async fn log_in(client: reqwest::Client, address: SocketAddr, visitor: usize) {
    let _ = login(&client, address, visitor).await;
}

/// Logs in; what the three answers say.
pub(crate) async fn login(
    client: &reqwest::Client,
    address: SocketAddr,
    visitor: usize,
) -> Vec<String> {
    let url = format!("http://{address}{FLOW}");
    let first = client.get(&url).send().await.expect("an answer");
    let session = session(&first);
    let mut bodies = vec![first.text().await.expect("a body")];
    let answers = [
        (
            format!(r#"{{"uid_field":"visitor-{visitor}"}}"#),
            "ak-stage-password",
        ),
        (
            format!(r#"{{"password":"{PASSWORD}"}}"#),
            "xak-flow-redirect",
        ),
    ];
    for (answer, expected) in answers {
        let request = client
            .post(&url)
            .header(COOKIE, &session)
            .header(CONTENT_TYPE, "application/json")
            .body(answer);
        let body = request
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a body");
        assert!(body.contains(expected), "{body}");
        bodies.push(body);
    }
    bodies
}

/// Lets so many visitors at once make so many logins, of so many users in turn.
pub(crate) fn log_in_often(logins: usize, users: usize, visitors: usize, address: SocketAddr) {
    let begun = Arc::new(AtomicUsize::new(0));
    let next = Arc::clone(&begun);
    let is_over = move || begun.load(Ordering::Relaxed) >= logins;
    until(visitors, is_over, move |client, _| {
        let user = next.fetch_add(1, Ordering::Relaxed) % users;
        log_in(client, address, user)
    });
}

/// Runs a server on threads of its own; the second part stops it.
pub(crate) fn in_background<S, F, E>(start: S) -> (SocketAddr, impl FnOnce())
where
    S: FnOnce() -> F + Send + 'static,
    F: Future<Output = (SocketAddr, E)>,
    E: Future<Output = ()>,
{
    let (tell, told) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let (address, end) = start().await;
            tell.send(address).expect("somebody waits for the address");
            let _ = stopped.await;
            end.await;
        });
    });
    let address = told.recv().expect("the server starts");
    (address, move || {
        let _ = stop.send(());
        thread.join().expect("the server stops");
    })
}

/// Has visitors come again and again until it is over, each on a connection of their own.
fn until<V, F>(visitors: usize, is_over: impl Fn() -> bool + Send + Sync + 'static, visit: V)
where
    V: Fn(reqwest::Client, usize) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let is_over = Arc::new(is_over);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let visit = Arc::new(visit);
    runtime.block_on(async {
        let visitors: Vec<_> = (0..visitors)
            .map(|visitor| {
                let visit = Arc::clone(&visit);
                let is_over = Arc::clone(&is_over);
                tokio::spawn(async move {
                    let client = reqwest::Client::builder().build().expect("a client");
                    while !is_over() {
                        visit(client.clone(), visitor).await;
                    }
                })
            })
            .collect();
        for visitor in visitors {
            visitor.await.expect("no visit fails");
        }
    });
}

/// The temporary directory of the system is often in memory, where a sync costs nothing.
pub(crate) fn disk() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
