//! A server of one's own to measure: this very program, in a process and a directory of their own,
//! with people and flows in it. When it is dropped both are gone.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{People, Profile, Target};
use crate::app::socket;
use crate::clock::Clock;
use crate::directory::password::{self, Pool};
use crate::tls;

mod furnish;
mod settings;

/// The hidden command that serves, see `cli::bench::server`.
pub const COMMAND: &str = "bench-server";

/// How long it may take to start or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long people and flows may take to be made.
const FURNISHING: Duration = Duration::from_mins(10);

/// How much of what it says is kept, in bytes.
const SAID: usize = 64 << 10;

/// Which server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program to start: this one, or another that has the command [`COMMAND`].
    pub program: PathBuf,
    /// The directory in which it gets one of its own. A disk: where files are in memory, a sync
    /// costs nothing.
    pub scratch: PathBuf,
    /// Whether passwords are checked without the costly hash, so that everything else is seen.
    pub unhashed: bool,
    /// How many people have accounts.
    pub people: usize,
    /// How many flows there are beside the usual ones.
    pub flows: usize,
    /// Environment variables such as `GATELOG_HASH__THREADS`, over those of the bench.
    pub environment: Vec<(String, String)>,
}

impl Options {
    /// This program in this directory, with 200 people and 16 flows.
    ///
    /// # Errors
    /// When it is not known which program this is.
    pub fn new(scratch: &Path) -> std::io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            scratch: scratch.to_owned(),
            unhashed: false,
            people: 200,
            flows: 16,
            environment: Vec::new(),
        })
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refuses.
    #[error("a server of one's own cannot be started: {0}")]
    Machine(#[from] std::io::Error),
    /// It ended before it was ready.
    #[error("the server of one's own ended at once: {0}")]
    Ended(String),
    /// It refuses people or flows.
    #[error("the server of one's own cannot be furnished: {0}")]
    Unfurnished(String),
}

/// What the server says when it is ready, as a line of JSON.
#[derive(Debug, Deserialize)]
struct Ready {
    address: SocketAddr,
}

/// A server that runs.
#[derive(Debug)]
pub struct Own {
    child: Child,
    reader: Option<JoinHandle<()>>,
    said: Arc<Mutex<Vec<u8>>>,
    directory: PathBuf,
    address: SocketAddr,
    password: SecretString,
    people: usize,
    flows: usize,
    clock: Clock,
}

impl Own {
    /// Starts one and furnishes it, on a thread that is none of an async runtime.
    ///
    /// # Errors
    /// When it cannot be started, or does not take people and flows.
    pub fn start(options: &Options, clock: &Clock) -> Result<Self, Error> {
        let name = format!(
            "gatelog-bench-{}",
            &clock.opaque_id().simple().to_string()[..8]
        );
        let scratch = options.scratch.canonicalize()?;
        let directory = scratch.join(name);
        let mut command = Command::new(&options.program);
        command.arg(COMMAND);
        if options.unhashed {
            command.arg("--unhashed");
        }
        let mut child = command
            .env_clear()
            .envs(settings::kept())
            .envs(settings::environment(&directory))
            .envs(options.environment.iter().cloned())
            // No settings file of the working directory is meant.
            .current_dir("/")
            // It ends when this process does, however that goes: then its input ends. A key on
            // the terminal is meant for who measures, and would keep it from tidying up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = Arc::default();
        let reader = child.stderr.take().map(|it| keep(it, &said));
        let mut own = Self {
            child,
            reader,
            said,
            directory,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            password: clock.random_text(24),
            people: options.people,
            flows: options.flows,
            clock: clock.clone(),
        };
        own.address = own.ready()?;
        own.furnish(options.unhashed)?;
        Ok(own)
    }

    /// The server as a target.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::here(self.address)
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where its journal is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Who has an account there.
    #[must_use]
    pub fn people(&self) -> People {
        People::numbered(furnish::NAME, self.people, self.password.clone())
    }

    /// The flows for a profile.
    #[must_use]
    pub fn flows(&self, profile: Profile) -> Vec<String> {
        match profile {
            Profile::Flows => (0..self.flows).map(furnish::flow).collect(),
            Profile::Enrolment => vec![furnish::ENROLMENT.to_owned()],
            Profile::Waits => vec![furnish::WAITS.to_owned()],
            _ => vec![profile.usual_flow().to_owned()],
        }
    }

    /// The end of what it logged.
    #[must_use]
    pub fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).trim().to_owned()
    }

    fn ready(&mut self) -> Result<SocketAddr, Error> {
        let mut line = String::new();
        if let Some(output) = self.child.stdout.take() {
            BufReader::new(output.take(4096)).read_line(&mut line)?;
        }
        let Ok(ready) = serde_json::from_str::<Ready>(&line) else {
            // It said why before it ended.
            let _ = self.child.wait();
            if let Some(reader) = self.reader.take() {
                let _ = reader.join();
            }
            return Err(Error::Ended(self.said()));
        };
        Ok(ready.address)
    }

    fn furnish(&self, unhashed: bool) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let unfurnished = |error: &dyn std::fmt::Display| Error::Unfurnished(error.to_string());
        runtime.block_on(async {
            let encoded = if unhashed {
                let pool = Pool::no_op(self.clock.clone());
                let encoded = pool.hash(self.password.clone()).await;
                encoded.map_err(|busy| unfurnished(&busy))?
            } else {
                password::hash(&self.password, &self.clock)
            };
            let socket = socket::find(&self.directory);
            let client = tls::inward().unix_socket(socket).timeout(FURNISHING);
            let client = client.build().map_err(|error| unfurnished(&error))?;
            let files = furnish::blueprints(self.people, encoded.expose_secret(), self.flows);
            for (name, content) in files {
                let body = serde_json::json!({ "name": name, "content": content.to_string() });
                let request = client.post("http://gatelog/operator/blueprints/apply");
                let answer = request.json(&body).send().await;
                let answer = answer.map_err(|error| unfurnished(&error))?;
                if !answer.status().is_success() {
                    let text = answer.text().await.unwrap_or_default();
                    return Err(unfurnished(&text));
                }
            }
            Ok(())
        })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It stops when its input ends, and removes its directory.
        drop(self.child.stdin.take());
        let deadline = self.clock.monotonic() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if self.clock.monotonic() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        // Nothing is left of it but after a crash.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Keeps the end of what the server says, so that it never waits for a reader.
fn keep(from: ChildStderr, into: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(from.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            let mut said = into.lock().unwrap_or_else(PoisonError::into_inner);
            said.append(&mut line);
            let surplus = said.len().saturating_sub(SAID);
            said.drain(..surplus);
        }
    })
}
