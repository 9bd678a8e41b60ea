//! The binary as a child process.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// A place for one data directory.
pub(super) struct Directory(tempfile::TempDir);

/// What came of a command.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self {
            code: output.status.code().expect("it was not killed"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Directory {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatelog"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output();
        output.expect("the binary starts").into()
    }

    /// Runs a command with this on its standard input.
    pub(super) fn pipe(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        writeln!(stdin, "{input}").expect("it reads");
        drop(stdin);
        child.wait_with_output().expect("it ends").into()
    }

    /// Runs a command whose standard output nobody reads.
    pub(super) fn run_into_closed_pipe(&self, arguments: &[&str]) -> Run {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(child.stdout.take());
        child.wait_with_output().expect("it ends").into()
    }

    /// The data that a successful command prints with `--json`.
    pub(super) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(run.code, 0, "{run:?}");
        let lines = run.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

/// Whether a server says this last before it serves.
fn is_last(line: &str) -> bool {
    line.starts_with("Open ") || line.trim_start().starts_with("http://")
}

/// A server that runs, and is stopped when it is dropped.
pub(super) struct Server {
    child: Child,
    address: String,
    link: Option<String>,
}

impl Server {
    pub(super) fn start(directory: &Directory) -> Self {
        Self::start_read(directory, |_| true)
    }

    /// Starts it, and closes the other end of its standard error once it has said its piece.
    pub(super) fn start_unread(directory: &Directory) -> Self {
        Self::start_read(directory, |line| !is_last(line))
    }

    fn start_read(directory: &Directory, goes_on: fn(&str) -> bool) -> Self {
        let mut child = directory
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (lines, read) = mpsc::channel();
        // Read to the end, or the server would block once the pipe is full.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let stop = !goes_on(&line);
                let _ = lines.send(line);
                if stop {
                    break;
                }
            }
        });
        let next = || read.recv_timeout(Duration::from_mins(1));
        let (mut address, mut link) = (String::new(), None);
        while let Ok(line) = next() {
            if let Some(found) = line.strip_prefix("Gatelog listens on ") {
                found.trim_end_matches('.').clone_into(&mut address);
            } else if line.trim_start().starts_with("http://") {
                link = Some(line.trim().to_owned());
                break;
            } else if line.starts_with("Open ") {
                break;
            }
        }
        assert!(!address.is_empty(), "the server does not start");
        Self {
            child,
            address,
            link,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// The link that sets the administrator's password.
    pub(super) fn link(&self) -> Option<String> {
        self.link.clone()
    }

    pub(super) fn visitor(&self) -> Visitor {
        Visitor {
            http: reqwest::Client::builder()
                .timeout(Duration::from_mins(1))
                .build()
                .expect("a client"),
            origin: format!("http://{}", self.address),
            cookies: Vec::new(),
        }
    }

    /// Sends SIGTERM and returns the exit code.
    pub(super) fn stop(mut self) -> i32 {
        self.terminate();
        let status = self.child.wait().expect("it ends");
        status.code().expect("it was not killed")
    }

    /// Sends SIGKILL.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    fn terminate(&self) {
        let kill = Command::new("kill").arg(self.pid().to_string()).status();
        assert!(kill.expect("kill").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
            let _ = self.child.wait();
        }
    }
}

/// Somebody with a browser.
pub(super) struct Visitor {
    http: reqwest::Client,
    origin: String,
    cookies: Vec<(String, String)>,
}

impl Visitor {
    pub(super) async fn get(&mut self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.origin));
        self.send(request).await
    }

    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.origin)).json(body);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Value {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request.header("cookie", cookies.join("; "));
        let response = request.send().await.expect("an answer");
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        response.json().await.expect("JSON")
    }
}
