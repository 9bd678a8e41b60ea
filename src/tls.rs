//! How this program calls others over HTTP, and whom it believes to be who they say.
//!
//! The cryptography is chosen here, once, for every client. It asks nobody anything itself.

use reqwest::{Client, ClientBuilder, Response, redirect};
use rustls::crypto::{CryptoProvider, ring};

/// A client for the world outside: it believes whom the machine believes, follows no redirect and
/// uses no proxy. Whoever builds it sets a time-out.
///
/// Building it reads the machine's certificates, see [`built`].
pub fn outward() -> ClientBuilder {
    plain().user_agent(concat!("gatelog/", env!("CARGO_PKG_VERSION")))
}

/// Builds a client away from the threads that serve requests.
///
/// # Errors
/// What is wrong with it, as far as anybody knows.
pub async fn built(client: ClientBuilder) -> Result<Client, Option<reqwest::Error>> {
    match tokio::task::spawn_blocking(move || client.build()).await {
        Ok(built) => built.map_err(Some),
        Err(_) => Err(None),
    }
}

/// The body of an answer; `None` when it has more than so many bytes.
///
/// # Errors
/// When it does not arrive.
pub async fn body(mut answer: Response, longest: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut text = Vec::new();
    while let Some(part) = answer.chunk().await? {
        if text.len() + part.len() > longest {
            return Ok(None);
        }
        text.extend_from_slice(&part);
    }
    Ok(Some(text))
}

/// A client for this machine, which speaks without encryption. It believes no certificate.
pub fn inward() -> ClientBuilder {
    plain().tls_certs_only([])
}

fn plain() -> ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // Whoever was faster installed the same.
        let _installed = ring::default_provider().install_default();
    }
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clients_can_be_built() {
        outward().build().expect("a client for the world");
        inward().build().expect("a client for this machine");
    }
}
