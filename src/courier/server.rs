//! Where mails are handed over, read from the settings or from an e-mail stage. Connects to nobody.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::catalog::{self, MailServer};
use crate::settings::Email;

/// A mail server and how it is spoken to.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    /// A name and a password; nobody logs in without both.
    pub(super) login: Option<(String, SecretString)>,
    pub(super) security: Security,
    /// How long each answer may take.
    pub(super) timeout: Duration,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// Not at all.
    Plain,
    /// It begins in the clear and is encrypted by `STARTTLS`, or not used.
    StartTls,
    /// From the first byte.
    Tls,
}

/// What is done with a mail.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// A server gets it.
    Server(Server),
    /// It becomes a file in this folder.
    Folder(PathBuf),
}

impl Way {
    /// What it is called in a log.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Server(Server { host, port, .. }) => format!("{host}:{port}"),
            Self::Folder(_) => "the folder".to_owned(),
        }
    }
}

/// The way of a mail, and whom it comes from unless it says so itself.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) way: Way,
    pub(super) from: String,
}

/// What is wrong when both ways to encrypt are asked for.
const BOTH: &str =
    "use_tls and use_ssl are both set; keep use_ssl for port 465, use_tls for any other";

impl Security {
    fn of(use_tls: bool, use_ssl: bool) -> Result<Self, String> {
        match (use_tls, use_ssl) {
            (false, false) => Ok(Self::Plain),
            (true, false) => Ok(Self::StartTls),
            (false, true) => Ok(Self::Tls),
            (true, true) => Err(BOTH.to_owned()),
        }
    }
}

impl Route {
    /// The way of the settings.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn global(email: &Email) -> Result<Self, String> {
        let way = match &email.host {
            None => Way::Folder(email.folder.clone()),
            Some(host) => Way::Server(Server {
                host: host.clone(),
                port: email.port,
                login: email.username.clone().zip(email.password.clone()),
                security: Security::of(email.use_tls, email.use_ssl)?,
                timeout: email.timeout,
            }),
        };
        Ok(Self {
            way,
            from: email.from.clone(),
        })
    }

    /// The way of an e-mail stage, which may use that of the settings.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of_stage(settings: &Map<String, Value>, email: &Email) -> Result<Self, String> {
        let stage: MailServer = catalog::settings::read(settings)?;
        if stage.use_global_settings {
            return Self::global(email);
        }
        let has_login = !stage.username.is_empty() && !stage.password.is_empty();
        let seconds = if stage.timeout == 0 {
            10
        } else {
            stage.timeout
        };
        let server = Server {
            host: stage.host,
            port: Some(stage.port)
                .filter(|port| *port > 0)
                .ok_or_else(|| "0 is no port".to_owned())?,
            login: has_login.then(|| (stage.username, stage.password.secret().clone())),
            security: Security::of(stage.use_tls, stage.use_ssl)?,
            timeout: Duration::from_secs(seconds.into()),
        };
        Ok(Self {
            way: Way::Server(server),
            from: stage.from_address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use serde_json::json;

    fn of_stage(settings: &Value) -> Result<Route, String> {
        let email = Settings::in_directory("data".as_ref()).email;
        Route::of_stage(settings.as_object().expect("an object"), &email)
    }

    #[test]
    fn a_stage_without_settings_uses_the_mail_server_of_this_machine() {
        let route = of_stage(&json!({ "name": "not ours" })).expect("it can be used");
        assert_eq!(route.from, "system@authentik.local");
        let Way::Server(server) = route.way else {
            panic!("a folder");
        };
        assert_eq!((server.host.as_str(), server.port), ("localhost", 25));
        assert_eq!(server.security, Security::Plain);
        assert!(server.login.is_none());
    }

    #[test]
    fn a_stage_may_use_the_settings_of_all() {
        let route = of_stage(&json!({ "use_global_settings": true, "host": "elsewhere" }));
        let route = route.expect("it can be used");
        assert!(matches!(route.way, Way::Folder(folder) if folder.ends_with("mail")));
        assert_eq!(route.from, "gatelog@localhost");
    }

    #[test]
    fn both_ways_to_encrypt_are_a_mistake() {
        let problem = of_stage(&json!({ "use_tls": true, "use_ssl": true }));
        assert_eq!(problem.expect_err("a mistake"), BOTH);
        assert!(of_stage(&json!({ "port": 70_000 })).is_err());
    }

    #[test]
    fn nobody_logs_in_without_both_a_name_and_a_password() {
        let login = |settings| match of_stage(&settings).expect("it can be used").way {
            Way::Server(server) => server.login.is_some(),
            Way::Folder(_) => panic!("a folder"),
        };
        assert!(!login(json!({ "username": "a" })) && !login(json!({ "password": "b" })));
        assert!(login(json!({ "username": "a", "password": "b" })));
    }
}
