//! `gatelog healthcheck`: for container engines, which have nothing else to ask with.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;

use crate::settings::Settings;
use crate::tls;

use super::output::{Output, print_value};

pub(super) async fn run(settings: &Settings, output: &Output) -> anyhow::Result<()> {
    let address = reachable(settings.listen);
    let url = format!("http://{address}/-/health/ready/");
    let response = tls::inward()
        .timeout(Duration::from_secs(5))
        .build()?
        .get(&url)
        .send()
        .await
        .with_context(|| format!("no server answers at {address}"))?;
    let status = response.status();
    if !status.is_success() {
        let reason = response.text().await.unwrap_or_default();
        match reason.trim() {
            "" => bail!("the server at {address} is not ready: {status}"),
            reason => bail!("the server at {address} is not ready: {reason} ({status})"),
        }
    }
    if output.is_json() {
        print_value(&json!({ "ready": true }))?;
    }
    Ok(())
}

/// The address to ask for a server that listens on every address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if listen.ip().is_unspecified() {
        address.set_ip(match listen {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
