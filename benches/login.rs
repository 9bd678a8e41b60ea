//! Whole logins over HTTP: open the flow, name oneself, send the password.
//!
//! The server runs in this process, on a journal on the real disk, once with the password hash
//! and once without. Beside it, as limits: the password hash alone on all cores, and as many
//! requests to a bare actix-web server that sends back a page of the same size. Server and
//! visitors share the machine, so the figures are ratios rather than speeds.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use gatelog::app;
use gatelog::clock::Clock;
use gatelog::directory::password::{self, Pool};
use gatelog::settings::{MetricsListen, Settings};
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(4);

/// How many visitors log in at the same time.
const VISITORS: [usize; 3] = [1, 8, 32];

/// Everybody's password.
const PASSWORD: &str = "correct horse battery staple";

/// The flow that every installation has.
const FLOW: &str = "/api/v3/flows/executor/default-authentication-flow/?query=";

/// Measures and prints the tables.
pub(crate) fn run() {
    let clock = Clock::system();
    let hashes = hashes(&clock);
    say(&format!(
        "argon2id on all cores: {hashes:.0} hashes/s, the limit of logins with the hash"
    ));
    let bare = bare(&clock);
    say("| hash | visitors | logins/s | p50 ms | p99 ms | ratio to the limit |");
    say("|---|---|---|---|---|---|");
    for (hash, limit) in [("argon2id", Some(hashes)), ("none", None)] {
        for (visitors, echoed) in VISITORS.into_iter().zip(&bare) {
            let figures = logins(hash == "argon2id", visitors, &clock);
            let limit = limit.unwrap_or(*echoed);
            say(&format!(
                "| {hash} | {visitors} | {:.0} | {:.2} | {:.2} | {:.2} |",
                figures.per_second,
                figures.p50,
                figures.p99,
                figures.per_second / limit
            ));
        }
    }
    say("The limit without the hash is three requests to a bare actix-web server per login:");
    for (visitors, echoed) in VISITORS.into_iter().zip(&bare) {
        say(&format!("  {visitors} visitors: {echoed:.0}/s"));
    }
}

pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("the terminal takes it");
}

struct Figures {
    per_second: f64,
    /// Milliseconds of half of the logins at most.
    p50: f64,
    /// The same, for 99 of 100.
    p99: f64,
}

/// Hashes per second, with as many threads as there are cores.
fn hashes(clock: &Clock) -> f64 {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let start = clock.monotonic();
    let counts: Vec<_> = (0..threads)
        .map(|_| {
            let clock = clock.clone();
            std::thread::spawn(move || {
                let password = SecretString::from(PASSWORD);
                let mut count = 0_u32;
                while clock.monotonic() - start < TIME {
                    std::hint::black_box(password::hash(&password, &clock));
                    count += 1;
                }
                count
            })
        })
        .collect();
    let total: u32 = counts
        .into_iter()
        .map(|thread| thread.join().expect("it hashes"))
        .sum();
    f64::from(total) / (clock.monotonic() - start).as_secs_f64()
}

/// Threes of requests per second to a server that does nothing.
fn bare(clock: &Clock) -> Vec<f64> {
    let (address, stop) = in_background(|| async {
        let page = web::Bytes::from(vec![b'x'; 512]);
        let server = HttpServer::new(move || {
            let page = page.clone();
            App::new().default_service(web::to(move || {
                let page = page.clone();
                async move { HttpResponse::Ok().body(page) }
            }))
        })
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("a free port");
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        (address, async move { handle.stop(false).await })
    });
    let figures = VISITORS
        .iter()
        .map(|visitors| {
            let visit = move |client: reqwest::Client, _: usize| async move {
                for _ in 0..3 {
                    let url = format!("http://{address}/");
                    let answer = client.post(url).body("{}").send().await.expect("an answer");
                    answer.bytes().await.expect("a body");
                }
            };
            measure(*visitors, clock, visit).per_second
        })
        .collect();
    stop();
    figures
}

/// Logins of as many users as there are visitors.
fn logins(hashed: bool, visitors: usize, clock: &Clock) -> Figures {
    let directory = tempfile::tempdir_in(disk()).expect("a directory on the disk");
    let path = directory.path().to_owned();
    let (address, stop) = in_background(move || start(path, hashed, visitors));
    let figures = measure(visitors, clock, move |client, visitor| {
        log_in(client, address, visitor)
    });
    stop();
    figures
}

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
    let recovery = crate::existence::recovery();
    apply(&running, entries.into_iter().chain(recovery).collect()).await;
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
    let url = format!("http://{address}{FLOW}");
    let first = client.get(&url).send().await.expect("an answer");
    let session = session(&first);
    first.bytes().await.expect("a body");
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
    }
}

/// Lets visitors log in for as long as a figure is measured.
pub(crate) fn logs_in(visitors: usize, clock: &Clock, address: SocketAddr) {
    measure(visitors, clock, move |client, visitor| {
        log_in(client, address, visitor)
    });
}

/// Lets so many visitors at once make so many logins, of so many users in turn.
pub(crate) fn log_in_often(
    logins: usize,
    users: usize,
    visitors: usize,
    clock: &Clock,
    address: SocketAddr,
) {
    let begun = Arc::new(AtomicUsize::new(0));
    let next = Arc::clone(&begun);
    let is_over = move || begun.load(Ordering::Relaxed) >= logins;
    measure_until(visitors, clock, is_over, move |client, _| {
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

/// How many visits a number of visitors make in the time of one figure.
fn measure<V, F>(visitors: usize, clock: &Clock, visit: V) -> Figures
where
    V: Fn(reqwest::Client, usize) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (timer, start) = (clock.clone(), clock.monotonic());
    let is_over = move || timer.monotonic() - start >= TIME;
    measure_until(visitors, clock, is_over, visit)
}

/// How many visits a number of visitors make, each after the other, each on its own connection.
fn measure_until<V, F>(
    visitors: usize,
    clock: &Clock,
    is_over: impl Fn() -> bool + Send + Sync + 'static,
    visit: V,
) -> Figures
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
    let start = clock.monotonic();
    let mut took: Vec<Duration> = runtime.block_on(async {
        let visitors: Vec<_> = (0..visitors)
            .map(|visitor| {
                let (visit, clock) = (Arc::clone(&visit), clock.clone());
                let is_over = Arc::clone(&is_over);
                tokio::spawn(async move {
                    let client = reqwest::Client::builder().build().expect("a client");
                    let mut took = Vec::new();
                    while !is_over() {
                        let begun = clock.monotonic();
                        visit(client.clone(), visitor).await;
                        took.push(clock.monotonic() - begun);
                    }
                    took
                })
            })
            .collect();
        let mut all = Vec::new();
        for visitor in visitors {
            all.extend(visitor.await.expect("no visit fails"));
        }
        all
    });
    let passed = (clock.monotonic() - start).as_secs_f64();
    took.sort_unstable();
    let at = |part: usize| {
        let index = (took.len() * part / 100).min(took.len().saturating_sub(1));
        took.get(index)
            .map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
    };
    #[expect(clippy::cast_precision_loss, reason = "nobody logs in so often")]
    let per_second = took.len() as f64 / passed;
    Figures {
        per_second,
        p50: at(50),
        p99: at(99),
    }
}

/// The temporary directory of the system is often in memory, where a sync costs nothing.
pub(crate) fn disk() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
