//! The web servers: one on the address for everybody, one on the socket for the operator, and one
//! on a port of its own for whoever reads metrics.
//!
//! The first two run the same application; only the one on the socket has the operator's routes.

use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer};
use anyhow::Context as _;
use tokio::task::JoinHandle;

use super::descriptors;
use super::parts::Parts;
use crate::http::connections::{self, Connections};
use crate::http::line::Line;
use crate::http::operator::{self, Caller};
use crate::http::{self, request, turned_away};
use crate::settings::{MetricsListen, Settings};

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;

/// How many descriptors are left for everything but connections.
const OTHERS: u64 = 256;

/// Servers that run.
pub(super) struct Servers {
    /// Where everybody reaches the application.
    pub(super) address: Option<SocketAddr>,
    running: Vec<(ServerHandle, JoinHandle<std::io::Result<()>>)>,
}

/// Starts the servers; `listen` is `None` for the socket alone.
///
/// # Errors
/// When an address that was asked for is taken.
pub(super) fn start(
    parts: &Parts,
    listen: Option<SocketAddr>,
    socket: UnixListener,
    owner: u32,
    settings: &Settings,
) -> anyhow::Result<Servers> {
    let mut address = None;
    let mut running = Vec::new();
    if let Some(listen) = listen {
        let server = public(parts, listen, settings).with_context(|| {
            format!("cannot listen on {listen} (choose another with --listen or GATELOG_LISTEN)")
        })?;
        address = server.0;
        running.push(spawn(server.1));
        running.extend(metrics(parts, settings.metrics.listen)?.map(spawn));
    }
    let grace = settings.web.shutdown_timeout.as_secs();
    let server = operator(parts, socket, owner, grace);
    running.push(spawn(server.context("cannot listen on the socket")?));
    Ok(Servers { address, running })
}

/// The server for everybody, and where it is.
fn public(
    parts: &Parts,
    listen: SocketAddr,
    settings: &Settings,
) -> std::io::Result<(Option<SocketAddr>, Server)> {
    let web = &settings.web;
    let connections = Arc::new(connections(parts, settings));
    tokio::spawn(Connections::watch(Arc::downgrade(&connections)));
    let most = connections.most();
    let state = parts.state.clone();
    tokio::spawn(turned_away::tell(Arc::downgrade(
        &state.clone().into_inner(),
    )));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(Compress::default())
            .wrap(from_fn(request::around))
            .wrap(from_fn(request::short_way))
            .configure(http::configure)
    })
    .on_connect(move |connection, data| {
        let Some(line) = Line::of(connection) else {
            return;
        };
        match connections.admit(&line) {
            Some(connection) => {
                data.insert(connection);
            }
            None => line.refuse(),
        }
        data.insert(line);
    })
    .backlog(BACKLOG)
    // Ours are refused before this many are reached, with a word.
    .max_connections(most.saturating_add(BACKLOG as usize))
    .keep_alive(web.keep_alive)
    .client_request_timeout(web.head_timeout)
    .shutdown_timeout(web.shutdown_timeout.as_secs())
    .disable_signals()
    .bind(listen)?;
    Ok((server.addrs().first().copied(), server.run()))
}

/// How many connections there may be: each takes two descriptors.
fn connections(parts: &Parts, settings: &Settings) -> Connections {
    let web = &settings.web;
    let limit = descriptors::raise();
    let shown = limit.and_then(|it| i64::try_from(it).ok()).unwrap_or(0);
    let machine = parts.state.metrics.machine();
    machine.most_descriptors.set(shown);
    let descriptors = limit.unwrap_or(u64::MAX);
    let affordable = descriptors.saturating_sub(OTHERS).max(OTHERS) / 2;
    let most = web
        .connections
        .min(usize::try_from(affordable).unwrap_or(usize::MAX));
    if most < web.connections {
        let wanted = web.connections;
        tracing::warn!(
            most,
            wanted,
            "this process may not have as many files open as web.connections takes; see \
             LimitNOFILE= of systemd, or ulimit -n"
        );
    }
    let limits = connections::Limits {
        most,
        each: web.connections_per_address,
        trusted: web.trusted_proxies.clone(),
        idle: web.keep_alive.saturating_add(web.head_timeout),
    };
    let state = &parts.state;
    Connections::new(limits, state.clock.clone(), state.metrics.clone())
}

/// The server for whoever reads metrics. Where nobody asked for one and the usual port is taken,
/// there is none: logins do not depend on it.
fn metrics(parts: &Parts, listen: MetricsListen) -> anyhow::Result<Option<Server>> {
    let Some(address) = listen.address() else {
        return Ok(None);
    };
    let state = parts.state.clone();
    let server = HttpServer::new(move || {
        let state = state.clone();
        App::new().configure(move |app| http::metrics::configure(app, state))
    })
    .workers(1)
    .disable_signals()
    .bind(address);
    match server {
        Ok(server) => Ok(Some(server.run())),
        Err(error) if listen == MetricsListen::Usual => {
            tracing::warn!(
                %address,
                %error,
                "nobody can read metrics here; metrics.listen says where else, or \"off\""
            );
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| {
            format!("cannot listen on {address} for metrics (metrics.listen; \"off\" for none)")
        }),
    }
}

/// The server for the command line.
fn operator(
    parts: &Parts,
    socket: UnixListener,
    owner: u32,
    grace: u64,
) -> std::io::Result<Server> {
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
    Ok(server.run())
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
