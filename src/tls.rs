//! How this program calls others, and whom it believes to be who they say.
//!
//! The cryptography is chosen here, once, for every client. It asks nobody anything itself.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Response, redirect};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

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

/// The client for the world outside that is kept here; it is built when it is needed for the first time. A
/// request may take so long.
///
/// # Errors
/// Why there is none.
pub async fn kept(kept: &mut Option<Client>, timeout: Duration) -> Result<&Client, String> {
    match kept {
        Some(client) => Ok(client),
        vacant @ None => {
            let built = built(outward().timeout(timeout)).await;
            let client = built.map_err(|error| match error {
                Some(error) => error.to_string(),
                None => "the client could not be built".to_owned(),
            })?;
            Ok(vacant.insert(client))
        }
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

/// How connections to a database are encrypted: it believes the certificates in the PEM file `trusted`,
/// or whom the machine believes.
///
/// # Errors
/// When the file cannot be read or has no certificate, or the machine's cannot be read.
pub fn for_database(trusted: Option<&Path>) -> io::Result<Arc<ClientConfig>> {
    choose();
    let config = ClientConfig::builder();
    let Some(path) = trusted else {
        let config = config.with_platform_verifier().map_err(io::Error::other)?;
        return Ok(Arc::new(config.with_no_client_auth()));
    };
    let problem = |what: String| io::Error::other(format!("{}: {what}", path.display()));
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|it| problem(it.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|it| problem(it.to_string()))?;
        roots
            .add(certificate)
            .map_err(|it| problem(it.to_string()))?;
    }
    if roots.is_empty() {
        return Err(problem("there is no certificate in it".to_owned()));
    }
    let config = config.with_root_certificates(roots);
    Ok(Arc::new(config.with_no_client_auth()))
}

fn choose() {
    if CryptoProvider::get_default().is_none() {
        // Whoever was faster installed the same.
        let _installed = ring::default_provider().install_default();
    }
}

fn plain() -> ClientBuilder {
    choose();
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
