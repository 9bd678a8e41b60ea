//! The web servers: one on the address for everybody, one on the socket for the operator.
//!
//! Both run the same application; only the one on the socket has the operator's routes.

use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer};
use tokio::task::JoinHandle;

use super::parts::Parts;
use crate::http::line::Line;
use crate::http::operator::{self, Caller};
use crate::http::{self, request};
use crate::settings::Settings;

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long a connection is kept open without a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Servers that run.
pub(super) struct Servers {
    /// Where everybody reaches the application.
    pub(super) address: Option<SocketAddr>,
    running: Vec<(ServerHandle, JoinHandle<std::io::Result<()>>)>,
}

/// Starts the servers; `listen` is `None` for the socket alone.
pub(super) fn start(
    parts: &Parts,
    listen: Option<SocketAddr>,
    socket: UnixListener,
    owner: u32,
    settings: &Settings,
) -> std::io::Result<Servers> {
    let grace = settings.web.shutdown_timeout.as_secs();
    let mut address = None;
    let mut running = Vec::new();
    if let Some(listen) = listen {
        let state = parts.state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .wrap(Compress::default())
                .wrap(from_fn(request::around))
                .configure(http::configure)
        })
        .on_connect(|connection, data| {
            if let Some(line) = Line::of(connection) {
                data.insert(line);
            }
        })
        .backlog(BACKLOG)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(grace)
        .disable_signals()
        .bind(listen)?;
        address = server.addrs().first().copied();
        running.push(spawn(server.run()));
    }
    let (state, operator) = (parts.state.clone(), parts.operator.clone());
    let server = HttpServer::new(move || {
        let operator = operator.clone();
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(request::around))
            .configure(move |config| operator::routes(config, operator))
            .configure(http::configure)
    })
    .on_connect(move |connection, data| {
        if let Some(caller) = Caller::of(connection, owner) {
            data.insert(caller);
        }
    })
    .workers(1)
    .shutdown_timeout(grace)
    .disable_signals()
    .listen_uds(socket)?;
    running.push(spawn(server.run()));
    Ok(Servers { address, running })
}

fn spawn(server: Server) -> (ServerHandle, JoinHandle<std::io::Result<()>>) {
    (server.handle(), tokio::task::spawn_local(server))
}

impl Servers {
    /// Accepts nothing more, and waits until every request under way is answered.
    pub(super) async fn stop(self) {
        for (handle, _) in &self.running {
            // The servers are told one after the other, but wait side by side.
            drop(handle.stop(true));
        }
        for (_, server) in self.running {
            match server.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a web server ended badly"),
                Err(error) => tracing::error!(%error, "a web server ended badly"),
            }
        }
    }

    /// Returns when one of them ended by itself, which none should.
    pub(super) async fn failure(&mut self) -> String {
        let servers = self.running.iter_mut().map(|(_, server)| server);
        let (ended, _, _) = futures_util::future::select_all(servers).await;
        match ended {
            Ok(Ok(())) => "a web server ended by itself".to_owned(),
            Ok(Err(error)) => format!("a web server failed: {error}"),
            Err(error) => format!("a web server failed: {error}"),
        }
    }
}
