//! Every setting, its default, and where its value came from.
//!
//! Values come from a file, then the environment, then flags; each overrides the one before.
//! What a setting means is said on its field; this module carries nothing out, opens nothing but
//! the files that a value names, and nobody else takes a setting from an environment variable.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

mod blueprints;
mod bootstrap;
mod email;
mod environment;
mod events;
mod execution;
mod feed;
mod file;
mod geoip;
mod hash;
mod header;
mod journal;
mod log;
mod metrics;
mod origin;
mod otel;
mod passwords;
mod reader;
mod reputation;
mod session;
mod sms;
mod value;
mod web;

pub use blueprints::Blueprints;
pub use bootstrap::Bootstrap;
pub use email::Email;
pub use events::Events;
pub use execution::Execution;
pub use feed::{Feed, FeedFormat, FeedStart, Webhook};
pub use geoip::Geoip;
pub use hash::Hash;
pub use header::Header;
pub use journal::{Checkpoints, Journal, Retention};
pub use log::{Log, LogFormat};
pub use metrics::{Metrics, MetricsListen};
pub use origin::{Origin, Problem, Shown};
pub use otel::Otel;
pub use passwords::{BreachUrl, Passwords};
pub use reputation::Reputation;
pub use session::Session;
pub use sms::Sms;
pub use web::Web;

use reader::Reader;

/// The file that is read from the working directory when nobody names another.
pub const DEFAULT_FILE: &str = "gatelog.toml";

/// Everything that an operator can set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `listen`: the address and port of the web server.
    pub listen: SocketAddr,
    /// `data`: the directory that holds the journal, the keys, the lock and the socket.
    pub data: PathBuf,
    /// `secret_key_file`: the root key that wraps all others; made on the first start.
    pub secret_key_file: PathBuf,
    /// `blueprints.*`: files that the server applies by itself.
    pub blueprints: Blueprints,
    /// `bootstrap.*`: the first administrator.
    pub bootstrap: Bootstrap,
    /// `journal.*`: how the journal is stored and how long it is kept.
    pub journal: Journal,
    /// `session.*`: browser sessions and their cookie.
    pub session: Session,
    /// `web.*`: how requests arrive.
    pub web: Web,
    /// `web_dist`: the folder with the built files of authentik's own interface, for whoever wants
    /// to keep it; authentik calls it `web/dist`.
    pub web_dist: Option<PathBuf>,
    /// `execution.*`: how long executions live and how many there may be.
    pub execution: Execution,
    /// `hash.*`: the pool that computes password hashes.
    pub hash: Hash,
    /// `passwords.*`: where stolen passwords are listed.
    pub passwords: Passwords,
    /// `log.*`: what is logged and in which form.
    pub log: Log,
    /// `metrics.*`: where metrics are read.
    pub metrics: Metrics,
    /// `otel.*`: where spans of requests are sent.
    pub otel: Otel,
    /// `geoip.*`: the database that tells networks from addresses.
    pub geoip: Geoip,
    /// `reputation.*`: how failed and successful attempts are counted.
    pub reputation: Reputation,
    /// `email.*`: how mails are sent.
    pub email: Email,
    /// `sms.*`: how text messages are sent.
    pub sms: Sms,
    /// `events.*`: how long audit events are kept.
    pub events: Events,
    /// `feed.*`: where the journal is told to others.
    pub feed: Feed,
}

/// Where values are looked for.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file named by a flag; it must exist.
    pub file: Option<PathBuf>,
    /// The directory in which [`DEFAULT_FILE`] is looked for; none is looked for without one.
    pub directory: Option<PathBuf>,
    /// The environment variables.
    pub environment: Vec<(String, String)>,
    /// Values of flags, by the name of the setting, such as `listen`.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// The environment and working directory of this process.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        Self {
            file,
            directory: Some(PathBuf::from(".")),
            environment: std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            flags,
        }
    }
}

/// The settings, and for each of them what it is and who set it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Each setting in a form that may be shown: secrets are replaced.
    pub shown: Vec<Shown>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser said, with line and column.
        problem: String,
    },
    /// Some values cannot be used; all of them are named.
    #[error("{}", origin::lines(.0))]
    Invalid(Vec<Problem>),
}

/// Reads all settings.
///
/// # Errors
/// When a file cannot be read, a name is unknown or a value has the wrong form. All problems
/// are reported together, each with the place that it came from.
pub fn load(sources: &Sources) -> Result<Loaded, Error> {
    let mut reader = Reader::new(&sources.environment);
    if let Some((path, text)) = file::find(sources)? {
        for (key, given, origin) in file::read(&path, &text)? {
            reader.give(key, given, origin);
        }
    }
    environment::read(&sources.environment, &mut reader);
    for (key, value) in &sources.flags {
        reader.give(
            (*key).to_owned(),
            value::Given::Text(value.clone()),
            // `--journal` is short for the address.
            Origin::Flag(format!("--{}", key.strip_suffix(".url").unwrap_or(key))),
        );
    }
    let settings = Settings::read(&mut reader);
    Ok(Loaded {
        settings,
        shown: reader.finish()?,
    })
}

impl Settings {
    /// The defaults, with everything under `data`.
    ///
    /// # Panics
    /// Never: the defaults are valid, which a test asserts.
    #[must_use]
    pub fn in_directory(data: &Path) -> Self {
        let sources = Sources {
            flags: vec![("data", data.to_string_lossy().into_owned())],
            ..Sources::default()
        };
        load(&sources).expect("the defaults are valid").settings
    }

    fn read(from: &mut Reader) -> Self {
        let listen = from.parsed("listen", value::DEFAULT_LISTEN, value::address);
        let data = from.path("data", PathBuf::from("./data"));
        let secret_key_file = from.path("secret_key_file", data.join("secret.key"));
        let email = Email::read(from, &data);
        Self {
            listen,
            data,
            secret_key_file,
            blueprints: Blueprints::read(from),
            bootstrap: Bootstrap::read(from),
            journal: Journal::read(from),
            session: Session::read(from),
            web: Web::read(from),
            web_dist: from
                .optional("web_dist", |text| Ok(text.to_owned()))
                .map(PathBuf::from),
            execution: Execution::read(from),
            hash: Hash::read(from),
            passwords: Passwords::read(from),
            sms: Sms::read(from),
            log: Log::read(from),
            metrics: Metrics::read(from),
            otel: Otel::read(from),
            geoip: Geoip::read(from),
            reputation: Reputation::read(from),
            email,
            events: Events::read(from),
            feed: Feed::read(from),
        }
    }
}

#[cfg(test)]
mod tests;
