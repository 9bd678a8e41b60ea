//! A bare actix-web server that answers the default login with the same bytes, and knows nothing:
//! the most that any server in this library could do. It runs in a process of its own.

use std::process::ExitCode;

use actix_web::http::Method;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer, web};
use gatelog::clock::Clock;
use gatelog::load::{self, People, Plan, Profile, Report, Target};

use crate::beside::{self, Beside};
use crate::served::{disk, in_background, login, start};

/// What this program is started with to be that server.
pub(crate) const COMMAND: &str = "bare-server";

/// The variable that holds the answers: three lines of JSON.
const ANSWERS: &str = "BARE_ANSWERS";

/// The server, until it is dropped.
pub(super) struct Bare(Beside);

impl Bare {
    /// Starts one with the answers of a real login.
    pub(super) fn start() -> Self {
        Self(Beside::start(COMMAND, &[(ANSWERS, answers().join("\n"))]))
    }

    /// One figure.
    pub(super) fn measured(&self, profile: Profile, visitors: usize, clock: &Clock) -> Report {
        let plan = Plan {
            visitors,
            duration: super::time(),
            process: Some(self.0.id()),
            ..Plan::new(profile, vec![profile.usual_flow().to_owned()])
        };
        // Whatever name is typed, it answers the same.
        let people = People::numbered("visitor-", 1_000, "anything".into());
        let report = load::run(&plan, &Target::here(self.0.address), &people, clock);
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        report
    }
}

/// What a real server answers to the three requests of a login.
fn answers() -> Vec<String> {
    let directory = tempfile::tempdir_in(disk()).expect("a directory");
    let path = directory.path().to_owned();
    let (address, stop) = in_background(move || start(path, false, 1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let answers = runtime.block_on(async {
        let client = reqwest::Client::builder().build().expect("a client");
        login(&client, address, 0).await
    });
    stop();
    answers
}

/// Serves until the input ends.
pub(crate) fn serve() -> ExitCode {
    let answers = std::env::var(ANSWERS).expect("the answers");
    let answers: Vec<Bytes> = answers
        .lines()
        .map(|it| Bytes::from(it.to_owned()))
        .collect();
    let answers = Data::new(answers);
    beside::serve(|| {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(answers.clone())
                .default_service(web::to(answer))
        });
        let server = server.disable_signals().bind("127.0.0.1:0")?;
        Ok((server.addrs()[0], server.run()))
    })
}

/// The answer to the request that has this method and body.
async fn answer(method: Method, body: Bytes, answers: Data<Vec<Bytes>>) -> HttpResponse {
    let at = match method {
        Method::GET => 0,
        _ if body.windows(9).any(|it| it == b"uid_field") => 1,
        _ => 2,
    };
    HttpResponse::Ok()
        .content_type("application/json")
        .body(answers[at].clone())
}
