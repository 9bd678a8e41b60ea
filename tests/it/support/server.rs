//! A real server on a real disk: started, killed, stopped, and looked at when it is over.

use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use gatelog::clock::Clock;
use tempfile::TempDir;

use super::command::{self, BINARY, Ran, clean};
use super::visitor::Line;
use super::{Canaries, Flow, Person, Visitor, random_below};

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Whether the administrator gets a password, or a link is printed.
    pub(crate) has_administrator: bool,
    /// Further environment variables.
    pub(crate) environment: Vec<(String, String)>,
    /// The data directory, where it is to be on a disk of its own.
    pub(crate) data: Option<PathBuf>,
    /// The program, where it is not the one that was built.
    pub(crate) program: Option<PathBuf>,
    /// A directory that is there as long as any server that is started so.
    pub(crate) beside: Option<Arc<TempDir>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            has_administrator: true,
            environment: Vec::new(),
            data: None,
            program: None,
            beside: None,
        }
    }
}

impl Options {
    /// Sets an environment variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The server is this program, a copy of the one that was built.
    pub(crate) fn running(mut self, program: &std::path::Path) -> Self {
        self.program = Some(program.to_path_buf());
        self
    }

    /// All servers that are started so have one root key, which is no server's own.
    pub(crate) fn with_one_key(mut self) -> Self {
        let keys = tempfile::tempdir().expect("a temporary directory");
        self.beside = Some(Arc::new(keys));
        let key = self.root_key().display().to_string();
        self.with("GATELOG_SECRET_KEY_FILE", &key)
    }

    /// Where this one key is.
    pub(crate) fn root_key(&self) -> PathBuf {
        let keys = self.beside.as_ref().expect("there is one key");
        keys.path().join("secret.key")
    }
}

pub(super) struct Process {
    child: Child,
    readers: Vec<JoinHandle<()>>,
}

/// The binary, serving a directory of its own.
pub(crate) struct TestServer {
    _directory: TempDir,
    _beside: Option<Arc<TempDir>>,
    data: PathBuf,
    program: PathBuf,
    environment: Vec<(String, String)>,
    pub(super) line: Arc<Line>,
    pub(super) process: Option<Process>,
    output: Arc<Mutex<Vec<u8>>>,
    /// The administrator, where the server has one with a password.
    pub(crate) administrator: Person,
}

impl TestServer {
    /// Starts a server in an empty directory.
    pub(crate) async fn start(options: Options) -> Self {
        let canaries = Arc::new(Canaries::default());
        let directory = tempfile::Builder::new()
            .prefix("g")
            .tempdir_in(disk())
            .expect("a directory");
        let port = free_port();
        let mut administrator = Person::new(&canaries);
        "akadmin".clone_into(&mut administrator.username);
        let own = || directory.path().join("data");
        let data = options.data.unwrap_or_else(own);
        let mut environment = vec![
            ("GATELOG_DATA".to_owned(), data.display().to_string()),
            ("GATELOG_LISTEN".to_owned(), format!("127.0.0.1:{port}")),
            (
                "GATELOG_WEB__PUBLIC_URL".to_owned(),
                format!("http://127.0.0.1:{port}"),
            ),
            // Many servers run at once, and each test has one address for many clients. What a test
            // says itself counts more: it comes later.
            ("GATELOG_METRICS__LISTEN".to_owned(), "off".to_owned()),
            (
                "GATELOG_WEB__REQUESTS_PER_SECOND".to_owned(),
                "1000000".to_owned(),
            ),
            (
                "GATELOG_WEB__REQUESTS_AT_ONCE".to_owned(),
                "1000000".to_owned(),
            ),
        ];
        if options.has_administrator {
            let password = administrator.password.clone();
            environment.push(("GATELOG_BOOTSTRAP_PASSWORD".to_owned(), password));
            environment.push((
                "GATELOG_BOOTSTRAP_EMAIL".to_owned(),
                administrator.mail.clone(),
            ));
        }
        // All tests may be run on PostgreSQL, but for those that look at a journal on the disk.
        if std::env::var_os("GATELOG_ON_POSTGRES").is_some() {
            let database = super::database::server().expect("PostgreSQL is installed");
            environment.push(("GATELOG_JOURNAL__URL".to_owned(), database.address()));
        }
        environment.extend(options.environment);
        let line = Line {
            base: format!("http://127.0.0.1:{port}"),
            http: http().build().expect("an HTTP client"),
            canaries,
        };
        let mut server = Self {
            _directory: directory,
            _beside: options.beside,
            data,
            program: options.program.unwrap_or_else(|| BINARY.into()),
            environment,
            line: line.into(),
            process: None,
            output: Arc::default(),
            administrator,
        };
        server.begin().await;
        server
    }

    /// A client that opens a connection for each request.
    pub(crate) fn line(&self) -> &reqwest::Client {
        &self.line.http
    }

    /// The address for a browser, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.line.base
    }

    /// Sets an environment variable for the next start and for commands.
    pub(crate) fn sets(&mut self, name: &str, value: &str) {
        self.unsets(name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Takes it away again.
    pub(crate) fn unsets(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Serves another data directory from the next start on.
    pub(crate) fn moves_to(&mut self, data: &std::path::Path) {
        self.sets("GATELOG_DATA", &data.display().to_string());
        self.data = data.to_path_buf();
    }

    /// What must not be readable.
    pub(crate) fn canaries(&self) -> &Canaries {
        &self.line.canaries
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// The process, by its number.
    pub(crate) fn pid(&self) -> u32 {
        let process = self.process.as_ref().expect("the server runs");
        process.child.id()
    }

    /// Starts the process and waits until it is ready.
    pub(crate) async fn begin(&mut self) {
        assert!(self.process.is_none(), "the server runs");
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        self.spawn();
        let ready = format!("{}/-/health/ready/", self.base());
        loop {
            let asked = self.line.http.get(&ready).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let process = self.process.as_mut().expect("it was started");
            if let Some(status) = process.child.try_wait().expect("it is our child") {
                self.reap();
                // Another program may have taken the port for a moment.
                assert!(
                    self.output().contains("cannot listen") && clock.monotonic() < deadline,
                    "the server ended with {status} instead of starting"
                );
                tokio::time::sleep(Duration::from_millis(200)).await;
                self.spawn();
            }
            assert!(clock.monotonic() < deadline, "the server is not ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn spawn(&mut self) {
        let mut child = clean(Command::new(&self.program), &self.environment)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        let readers = vec![self.collect(stdout), self.collect(stderr)];
        self.process = Some(Process { child, readers });
    }

    fn collect(&self, mut from: impl Read + Send + 'static) -> JoinHandle<()> {
        let output = Arc::clone(&self.output);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut piece) {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                output.extend_from_slice(&piece[..length]);
            }
        })
    }

    fn reap(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the server runs");
        let status = process.child.wait().expect("it is our child");
        for reader in process.readers {
            reader.join().expect("reading does not panic");
        }
        status
    }

    /// Ends the server with SIGKILL and leaves it dead.
    pub(crate) fn dies(&mut self) {
        let process = self.process.as_mut().expect("the server runs");
        process.child.kill().expect("it is our child");
        self.reap();
    }

    /// The server was ended by a signal.
    pub(crate) fn reaped(&mut self) {
        self.reap();
    }

    /// Ends the server with SIGKILL, and starts it again where it was.
    pub(crate) async fn kill(&mut self) {
        self.dies();
        self.begin().await;
    }

    /// Asks the server to end, which it does well and soon.
    pub(crate) async fn stop(&mut self) {
        self.signal("TERM");
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        while self.is_running() {
            assert!(clock.monotonic() < deadline, "the server does not stop");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.has_ended_well();
    }

    /// The process has ended by itself, and with the exit code of success.
    pub(crate) fn has_ended_well(&mut self) {
        let status = self.reap();
        assert_eq!(status.code(), Some(0), "the server stopped badly");
    }

    /// Stops the server and starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.begin().await;
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.as_ref().expect("the server runs");
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", process.child.id())])
            .status();
        assert!(sent.expect("a shell").success(), "no signal was sent");
    }

    /// Whether the process has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_some_and(|it| it.child.try_wait().expect("it is our child").is_none())
    }

    /// Everything that the server and the commands have written so far.
    pub(crate) fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output).into_owned()
    }

    /// Waits until it has written this: an answer may be here before the line that tells of it.
    pub(crate) async fn says(&self, text: &str) {
        let clock = Clock::system();
        let deadline = clock.monotonic() + Duration::from_secs(30);
        while !self.output().contains(text) {
            let all = || self.output();
            assert!(clock.monotonic() < deadline, "never: {text}: {}", all());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Runs a command on this server's directory.
    pub(crate) fn gatelog(&self, arguments: &[&str]) -> Ran {
        self.gatelog_reading(arguments, "")
    }

    /// The same, of which too much is said to be searched for secrets.
    pub(crate) fn gatelog_at_length(&self, arguments: &[&str]) -> Ran {
        command::run(arguments, &self.environment, "")
    }

    /// The same with something on its standard input.
    pub(crate) fn gatelog_reading(&self, arguments: &[&str], input: &str) -> Ran {
        self.noted(command::run(arguments, &self.environment, input))
    }

    /// The same on a terminal of its own, on which these keys are pressed.
    pub(crate) fn gatelog_at_terminal(&self, arguments: &[&str], keys: &str) -> Ran {
        self.noted(command::run_at_terminal(arguments, &self.environment, keys))
    }

    /// The same on a terminal, ended by a signal; the exit code and how the terminal is then come
    /// last.
    pub(crate) fn gatelog_signalled_at_terminal(&self, arguments: &[&str]) -> Ran {
        let ran = command::run_signalled_at_terminal(arguments, &self.environment);
        self.noted(ran)
    }

    /// What a command said is searched for canaries in the end.
    fn noted(&self, ran: Ran) -> Ran {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.extend_from_slice(ran.stdout.as_bytes());
        output.extend_from_slice(ran.stderr.as_bytes());
        drop(output);
        ran
    }

    /// Applies a blueprint.
    #[track_caller]
    pub(crate) fn apply(&self, yaml: &str) {
        self.gatelog_reading(&["blueprint", "apply", "-"], yaml)
            .succeeds();
    }

    /// Makes a flow.
    #[track_caller]
    pub(crate) fn has_flow(&self, flow: &Flow) {
        self.apply(&flow.yaml());
    }

    /// Gives a policy other settings.
    #[track_caller]
    pub(crate) fn has_policy(&self, kind: &str, name: &str, attrs: &serde_json::Value) {
        self.apply(&super::policy(kind, name, attrs));
    }

    /// Makes a group, below another where one is named, with these people in it.
    #[track_caller]
    pub(crate) fn has_group(&self, name: &str, below: Option<&str>, people: &[&Person]) {
        let parents = below.map(|it| format!("!Find [authentik_core.group, [name, {it}]]"));
        let users = people
            .iter()
            .map(|it| format!("!Find [authentik_core.user, [username, {}]]", it.username));
        let users: Vec<_> = users.collect();
        self.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.group\n  identifiers:\n    name: {name}\n  \
             attrs:\n    parents: [{}]\n    users: [{}]\n",
            parents.unwrap_or_default(),
            users.join(", ")
        ));
    }

    /// Somebody new with an account.
    #[track_caller]
    pub(crate) fn person(&self) -> Person {
        let person = Person::new(self.canaries());
        self.create_user(&person);
        person
    }

    /// Gives somebody an account.
    #[track_caller]
    pub(crate) fn create_user(&self, person: &Person) {
        let Person {
            username,
            name,
            mail,
            password,
        } = person;
        let create = [
            "user",
            "create",
            username,
            "--name",
            name,
            "--email",
            mail,
            "--password-stdin",
        ];
        self.gatelog_reading(&create, password).succeeds();
    }

    /// Somebody who comes for the first time.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(Arc::clone(&self.line))
    }

    /// Somebody who comes for the first time, from an address that begins with these groups.
    pub(crate) fn visitor_at(&self, groups: &[u16]) -> Visitor {
        let mut visitor = self.visitor();
        visitor.goes_to(groups);
        visitor
    }
}

impl Drop for TestServer {
    #[expect(
        clippy::print_stderr,
        reason = "a test that fails shows what the server said"
    )]
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended by itself, and a second panic would hide the first.
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- what the processes said\n{}---", self.output());
        }
    }
}

/// A client that opens a connection for each request, so that none outlives its server.
pub(super) fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_mins(1))
}

/// A directory on a disk, near enough for the path of a socket.
fn disk() -> PathBuf {
    let near = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    if near.as_os_str().len() < 70 {
        near
    } else {
        PathBuf::from("/var/tmp")
    }
}

/// A port below those that the kernel gives to clients, so that it stays ours over restarts.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = 12_000 + u16::try_from(random_below(20_000)).expect("it is small");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
