//! Decisions of forward authentication, beside a bare actix-web server that answers with the same
//! headers and beside nginx with a static file, in one run and under the same load: what all of them
//! take at most, and how long an answer takes at half of that.
//!
//! Each server is a process of its own. All share the machine with the load: a ratio says more than a
//! speed.

use std::net::SocketAddr;

use gatelog::clock::Clock;
use gatelog::load::own::{Options, Own};
use reqwest::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::json;

use crate::load::time;
use crate::served::{disk, say};

mod bare;
mod line;
mod nginx;

pub(crate) use bare::{COMMAND as BARE, serve as serve_bare};

/// How many connections ask at once, as a proxy keeps open.
const CONNECTIONS: usize = 32;

/// How many ask at half load: each seldom enough for its timer.
const AT_HALF: usize = 4 * CONNECTIONS;

/// The flow that every installation has.
const FLOW: &str = "default-authentication-flow";

/// Whoever is logged in, and their password, which nobody else has for longer than this runs.
const NAME: &str = "akadmin";
const PASSWORD: &str = "correct horse battery staple";

/// The key of a token of theirs.
const KEY: &str = "a-token-for-as-long-as-this-bench-runs";

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    say(&format!(
        "Decisions of forward authentication, {CONNECTIONS} connections:"
    ));
    say("");
    say("| server | answers/s | of bare actix-web | p50 ms at half load | p99 ms at half load |");
    say("|---|---|---|---|---|");
    let bare = bare::start();
    let most = row(
        "bare actix-web, same headers",
        &bare::question(&bare),
        None,
        &clock,
    );
    drop(bare);
    let own = server(&clock);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for (name, seconds, shown) in [
        ("known, by cookie", 60, Shown::Cookie),
        ("known, by token", 60, Shown::Token),
        ("asked anew for each", 0, Shown::Cookie),
        ("a path without a login", 60, Shown::Nothing),
    ] {
        let header = runtime.block_on(furnish(own.target().address(), seconds, shown));
        let question = question(own.target().address(), shown, &header);
        row(name, &question, Some(most), &clock);
    }
    drop(own);
    match nginx::Nginx::start() {
        Some(nginx) => {
            row(
                "nginx, a static file",
                &nginx.question(),
                Some(most),
                &clock,
            );
        }
        None => say("| nginx, a static file | not installed | | | |"),
    }
}

/// What is asked again and again, and of whom.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Of whom.
    pub(crate) address: SocketAddr,
    /// The request, as it is sent.
    pub(crate) request: String,
}

/// What is shown to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Cookie,
    Token,
    Nothing,
}

/// Prints a row, and says how many answers there were a second.
fn row(name: &str, question: &Question, bare: Option<f64>, clock: &Clock) -> f64 {
    let most = line::most(question, CONNECTIONS, time(), clock);
    let [p50, p99] = line::paced(question, AT_HALF, most / 2.0, time(), clock);
    let share = bare.map_or(1.0, |bare| most / bare);
    say(&format!(
        "| {name} | {most:.0} | {:.0} % | {p50:.3} | {p99:.3} |",
        share * 100.0,
    ));
    most
}

fn server(clock: &Clock) -> Own {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let options = Options {
        unhashed: true,
        people: 0,
        flows: 0,
        environment: vec![
            own("GATELOG_BOOTSTRAP_PASSWORD", PASSWORD),
            own("GATELOG_BOOTSTRAP_TOKEN", KEY),
        ],
        ..Options::new(disk()).expect("this program is somewhere")
    };
    Own::start(&options, clock).unwrap_or_else(|error| panic!("{error}"))
}

/// What a proxy asks.
fn question(address: SocketAddr, shown: Shown, header: &str) -> Question {
    let path = match shown {
        Shown::Nothing => "/public/app.css",
        _ => "/some/page?with=a&query",
    };
    let request = format!(
        "GET /outpost.goauthentik.io/auth/nginx HTTP/1.1\r\nHost: app.example\r\n\
         X-Original-URL: https://app.example{path}\r\nX-Forwarded-For: 192.0.2.1\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\n{header}\r\n"
    );
    Question { address, request }
}

/// Makes the application, so that a decision is kept for so long, and logs in to it; the header that is
/// shown from then on.
async fn furnish(address: SocketAddr, cache_seconds: u32, shown: Shown) -> String {
    let client = Client::builder()
        .redirect(Policy::none())
        .build()
        .expect("a client");
    let body = json!({
        "name": "App",
        "slug": "app",
        "forward_auth": {
            "hosts": ["https://app.example"],
            "skip_paths": ["/public/.*"],
            "cache_seconds": cache_seconds,
        },
    });
    let bearer = format!("Bearer {KEY}");
    let all = format!("http://{address}/api/v3/core/applications/");
    let removed = client
        .delete(format!("{all}app/"))
        .header(AUTHORIZATION, &bearer);
    drop(removed.send().await.expect("an answer"));
    let made = client.post(&all).header(AUTHORIZATION, &bearer).json(&body);
    let made = made.send().await.expect("an answer");
    assert!(made.status().is_success(), "{:?}", made.text().await);
    match shown {
        Shown::Cookie => format!("Cookie: {}\r\n", log_in(&client, address).await),
        Shown::Token => format!("Authorization: {bearer}\r\n"),
        Shown::Nothing => String::new(),
    }
}

/// Goes the whole way of a login, and returns the cookie of the application.
async fn log_in(client: &Client, address: SocketAddr) -> String {
    let url = |path: &str| format!("http://{address}{path}");
    let executor = url(&format!("/api/v3/flows/executor/{FLOW}/?query="));
    let first = client.get(&executor).send().await.expect("an answer");
    let mut session = cookie(&first, "authentik_session");
    for answer in [
        json!({ "uid_field": NAME }),
        json!({ "password": PASSWORD }),
    ] {
        let answered = client
            .post(&executor)
            .header(COOKIE, &session)
            .json(&answer);
        let answered = answered.send().await.expect("an answer");
        if answered.headers().contains_key(SET_COOKIE) {
            session = cookie(&answered, "authentik_session");
        }
    }
    let start = at_application(client, &url("/outpost.goauthentik.io/start?rd=%2F"), "").await;
    let kept = cookie(&start, "gatelog_start_");
    let authorize = client.get(url(&path_of(&start))).header(COOKIE, &session);
    let granted = authorize.send().await.expect("an answer");
    let back = at_application(client, &url(&path_of(&granted)), &kept).await;
    cookie(&back, "gatelog_app")
}

async fn at_application(client: &Client, url: &str, cookie: &str) -> Response {
    let request = client
        .get(url)
        .header("x-forwarded-host", "app.example")
        .header("x-forwarded-proto", "https")
        .header(COOKIE, cookie);
    request.send().await.expect("an answer")
}

/// The cookie whose name begins so, as the browser sends it back.
fn cookie(answer: &Response, name: &str) -> String {
    let all = answer.headers().get_all(SET_COOKIE).iter();
    let mut pairs = all.filter_map(|it| it.to_str().ok()?.split(';').next());
    let found = pairs.find(|pair| pair.starts_with(name));
    found
        .unwrap_or_else(|| panic!("no {name}: {answer:?}"))
        .to_owned()
}

/// The path and query string to which an answer leads.
fn path_of(answer: &Response) -> String {
    let to = answer
        .headers()
        .get(LOCATION)
        .and_then(|it| it.to_str().ok());
    let to = to.unwrap_or_else(|| panic!("no way on: {answer:?}"));
    let url = reqwest::Url::parse(to).expect("an address");
    url[url::Position::BeforePath..].to_owned()
}
