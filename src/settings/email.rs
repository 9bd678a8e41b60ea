//! How mails are sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::reader::Reader;
use super::value::{self, Parsed};

/// `email.*`: the mail server for everything that has none of its own.
#[derive(Clone, Debug)]
pub struct Email {
    /// Where mails are handed over. Without it they are written to [`Email::folder`].
    pub host: Option<String>,
    /// The port there.
    pub port: u16,
    /// What is logged in with; nobody logs in without it.
    pub username: Option<String>,
    /// The password that belongs to it.
    pub password: Option<SecretString>,
    /// Whether the connection begins in the clear and is encrypted by `STARTTLS`.
    pub use_tls: bool,
    /// Whether it is encrypted from its first byte.
    pub use_ssl: bool,
    /// How long each answer of the server may take.
    pub timeout: Duration,
    /// Whom mails come from: an address, or a name with an address in angle brackets.
    pub from: String,
    /// Where the operator's own templates are.
    pub template_dir: Option<PathBuf>,
    /// Where mails are written while there is no host.
    pub folder: PathBuf,
}

impl Email {
    pub(super) fn read(from: &mut Reader, data: &Path) -> Self {
        let text = |text: &str| Ok(text.to_owned());
        let use_tls = from.parsed("email.use_tls", false, value::truth);
        let use_ssl = from.parsed("email.use_ssl", false, value::truth);
        if use_tls && use_ssl {
            let origin = from.origin("email.use_ssl");
            let other = from.origin("email.use_tls");
            from.complain(
                origin,
                format!(
                    "email.use_tls is set as well ({other}); keep use_ssl for port 465, use_tls \
                     for any other"
                ),
            );
        }
        let template_dir = from.optional("email.template_dir", text);
        if let Some(folder) = &template_dir
            && let Err(error) = std::fs::read_dir(folder)
        {
            let origin = from.origin("email.template_dir");
            let problem = format!("email.template_dir: {folder:?} cannot be read: {error}");
            from.complain(origin, problem);
        }
        let has_password = from.is_given("email.password");
        let username = from.optional("email.username", text);
        if username.as_ref().is_some_and(|it| !it.is_empty()) && !has_password {
            let origin = from.origin("email.username");
            let problem = "email.username has no email.password, so nobody would log in";
            from.complain(origin, problem.to_owned());
        }
        Self {
            host: from.optional("email.host", text),
            port: from.parsed("email.port", 25, port),
            username,
            password: from.secret("email.password"),
            use_tls,
            use_ssl,
            timeout: from.duration_or_seconds("email.timeout", Duration::from_secs(10)),
            from: from.parsed("email.from", "gatelog@localhost".to_owned(), sender),
            template_dir: template_dir.map(PathBuf::from),
            folder: from.path("email.folder", data.join("mail")),
        }
    }
}

fn port(text: &str) -> Parsed<u16> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{text:?} is no port: 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

/// Whether it can be one is all that is asked here: a mail shows whether it is.
fn sender(text: &str) -> Parsed<String> {
    let address = match text.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let is_plain = !text.contains(char::is_control);
    match address.rsplit_once('@') {
        Some((name, host)) if is_plain && !name.is_empty() && !host.is_empty() => {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "{text:?} is no sender, such as \"login@example.org\" or \"Login <login@example.org>\""
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Sources, load};

    fn with(variables: &[(&str, &str)]) -> Result<Email, String> {
        let environment = variables.iter();
        let environment = environment.map(|(name, value)| ((*name).into(), (*value).into()));
        let sources = Sources {
            environment: environment.collect(),
            ..Sources::default()
        };
        let loaded = load(&sources).map_err(|error| error.to_string())?;
        Ok(loaded.settings.email)
    }

    #[test]
    fn authentiks_variables_are_understood() {
        let email = with(&[
            ("AUTHENTIK_EMAIL__HOST", "mail.example.org"),
            ("AUTHENTIK_EMAIL__PORT", "587"),
            ("AUTHENTIK_EMAIL__USE_TLS", "true"),
            ("AUTHENTIK_EMAIL__TIMEOUT", "30"),
            ("AUTHENTIK_EMAIL__FROM", "Login <login@example.org>"),
        ])
        .expect("they are valid");
        assert_eq!(email.host.as_deref(), Some("mail.example.org"));
        assert_eq!((email.port, email.use_tls), (587, true));
        assert_eq!(email.timeout, Duration::from_secs(30));
        assert_eq!(email.from, "Login <login@example.org>");
        assert!(email.folder.ends_with("data/mail"));
    }

    #[test]
    fn the_port_of_a_mail_server_is_not_taken_for_that_of_a_service() {
        let email = with(&[("GATELOG_EMAIL__PORT", "2525")]).expect("it is valid");
        assert_eq!(email.port, 2525);
    }

    #[test]
    fn both_ways_to_encrypt_are_refused() {
        let both = [
            ("GATELOG_EMAIL__USE_TLS", "true"),
            ("GATELOG_EMAIL__USE_SSL", "true"),
        ];
        let problem = with(&both).expect_err("one of them is wrong");
        assert!(problem.contains("GATELOG_EMAIL__USE_TLS"), "{problem}");
    }

    #[test]
    fn a_folder_of_templates_that_is_not_there_is_refused() {
        let missing = [("GATELOG_EMAIL__TEMPLATE_DIR", "/nowhere/at/all")];
        let problem = with(&missing).expect_err("it is not there");
        for part in ["GATELOG_EMAIL__TEMPLATE_DIR", "/nowhere/at/all"] {
            assert!(problem.contains(part), "{problem}");
        }
        let folder = tempfile::tempdir().expect("a directory");
        let there = folder.path().to_string_lossy();
        let email = with(&[("GATELOG_EMAIL__TEMPLATE_DIR", &there)]).expect("it is there");
        assert_eq!(email.template_dir.as_deref(), Some(folder.path()));
    }

    #[test]
    fn a_user_name_needs_its_password() {
        let name = ("GATELOG_EMAIL__USERNAME", "login");
        let problem = with(&[name]).expect_err("there is no password");
        assert!(problem.contains("GATELOG_EMAIL__USERNAME"), "{problem}");
        let password = ("GATELOG_EMAIL__PASSWORD", "file:///nowhere/at/all");
        let problem = with(&[name, password]).expect_err("it cannot be read");
        assert!(!problem.contains("nobody would log in"), "{problem}");
        let password = ("GATELOG_EMAIL__PASSWORD", "a-password");
        let email = with(&[name, password]).expect("both are there");
        assert!(email.username.is_some() && email.password.is_some());
    }

    #[test]
    fn a_sender_is_an_address() {
        for text in ["login", "@example.org", "Login <login>", "a@b\nc"] {
            assert!(sender(text).is_err(), "{text}");
        }
        assert!(port("0").is_err() && port("65536").is_err() && port("465") == Ok(465));
    }
}
