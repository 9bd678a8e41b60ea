//! How this program calls others over HTTP, and whom it believes to be who they say.
//!
//! The cryptography is chosen here, once, for every client. It sends nothing itself.

use reqwest::{ClientBuilder, redirect};
use rustls::crypto::{CryptoProvider, ring};

/// A client for the world outside: it believes whom the machine believes, follows no redirect and
/// uses no proxy. Whoever builds it sets a time-out.
///
/// Building it reads the machine's certificates.
pub fn outward() -> ClientBuilder {
    plain()
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
