//! A bare actix-web server that answers with the headers of a decision, and knows nothing: the most that
//! any server in this library could do. It runs in a process of its own.

use std::process::ExitCode;

use actix_web::{App, HttpResponse, HttpServer, web};

use super::Question;
use crate::beside::{self, Beside};

/// What this program is started with to be that server.
pub(crate) const COMMAND: &str = "bare-forward";

/// The headers of a decision.
const HEADERS: [(&str, &str); 10] = [
    ("x-authentik-username", "akadmin"),
    ("x-authentik-groups", "authentik Admins"),
    ("x-authentik-entitlements", ""),
    ("x-authentik-email", "akadmin@example.com"),
    ("x-authentik-name", "authentik Default Admin"),
    (
        "x-authentik-uid",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    ("x-authentik-meta-app", "app"),
    ("x-authentik-meta-version", "gatelog-0.1.0"),
    ("cache-control", "private, max-age=60"),
    ("vary", "Cookie, Authorization"),
];

/// The server, until it is dropped.
pub(super) fn start() -> Beside {
    Beside::start(COMMAND, &[])
}

/// The same question as of all others.
pub(super) fn question(bare: &Beside) -> Question {
    let cookie = format!("Cookie: gatelog_app={}\r\n", "x".repeat(400));
    super::question(bare.address, super::Shown::Cookie, &cookie)
}

/// Serves until the input ends.
pub(crate) fn serve() -> ExitCode {
    beside::serve(|| {
        let server = HttpServer::new(|| App::new().default_service(web::to(answer)));
        let server = server.disable_signals().bind("127.0.0.1:0")?;
        Ok((server.addrs()[0], server.run()))
    })
}

async fn answer() -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    for header in HEADERS {
        answer.insert_header(header);
    }
    answer.finish()
}
