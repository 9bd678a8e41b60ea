//! The mail server that a stage may have of its own, with authentik's defaults. Whoever sends by it
//! reads the same settings.

use serde::{Deserialize, Serialize};

use super::Hidden;
use crate::flow::field::{Invalid, Problem};

/// The settings of a stage that sends mails, as far as they concern its server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct MailServer {
    /// Whether the server's own settings are used instead of those below.
    pub use_global_settings: bool,
    /// The SMTP server.
    #[schema(min_length = 1)]
    pub host: String,
    /// Its port.
    #[schema(maximum = 65535)]
    pub port: u16,
    /// Who logs in there; nobody when empty.
    pub username: String,
    /// With which password.
    #[schema(value_type = String, write_only)]
    pub password: Hidden,
    /// Whether the connection becomes a TLS one by STARTTLS.
    pub use_tls: bool,
    /// Whether the connection is a TLS one from its beginning.
    pub use_ssl: bool,
    /// How long each step may take, in seconds.
    pub timeout: u32,
    /// Who sends.
    #[schema(format = "email", min_length = 1, max_length = 254)]
    pub from_address: String,
}

impl Default for MailServer {
    fn default() -> Self {
        Self {
            use_global_settings: false,
            host: "localhost".to_owned(),
            port: 25,
            username: String::new(),
            password: Hidden::default(),
            use_tls: false,
            use_ssl: false,
            timeout: 10,
            from_address: "system@authentik.local".to_owned(),
        }
    }
}

impl MailServer {
    /// What is wrong with the settings of a stage that sends mails of this template.
    #[must_use]
    pub fn problems(&self, template: &str) -> Vec<Invalid> {
        let mut found = Vec::new();
        let is_html = template.strip_suffix(".html").is_some();
        let is_path =
            is_html && !template.starts_with('/') && !template.split('/').any(|part| part == "..");
        if !is_path {
            let problem = "A template is called like email/password_reset.html.";
            found.push(Invalid::new("template", Problem::Other(problem)));
        }
        if self.use_tls && self.use_ssl {
            let problem =
                "use_tls (STARTTLS) and use_ssl (TLS from the beginning) exclude each other.";
            found.push(Invalid::new("use_tls", Problem::Other(problem)));
        }
        found
    }
}
