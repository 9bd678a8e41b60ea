//! The command line, as somebody at a terminal uses it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_gatelog");

/// What a command did.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its data.
    pub(crate) stdout: String,
    /// Its talk.
    pub(crate) stderr: String,
}

impl Ran {
    /// It ended well.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// It ended with this exit code.
    #[track_caller]
    pub(crate) fn fails_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Its talk holds this text.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self:?}");
        self
    }

    /// Its data holds this text.
    #[track_caller]
    pub(crate) fn prints(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "no {text:?} in {self:?}");
        self
    }

    /// Its data, one JSON value to a line.
    #[track_caller]
    pub(crate) fn values(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{self:?}")))
            .collect()
    }
}

/// Runs the binary to its end with nothing of this process's environment.
pub(crate) fn run(arguments: &[&str], environment: &[(String, String)], input: &str) -> Ran {
    let mut command = command(environment);
    command.args(arguments);
    ran(&mut command, input)
}

/// The same on a terminal of its own, on which these keys are pressed.
pub(crate) fn run_at_terminal(
    arguments: &[&str],
    environment: &[(String, String)],
    keys: &str,
) -> Ran {
    let whole = format!("{BINARY} {}", arguments.join(" "));
    let mut command = clean(Command::new("script"), environment);
    command.args(["-qec", &whole, "/dev/null"]);
    ran(&mut command, keys)
}

/// The same, ended by SIGTERM after a while; then the exit code and the modes of the terminal are
/// printed.
pub(crate) fn run_signalled_at_terminal(
    arguments: &[&str],
    environment: &[(String, String)],
) -> Ran {
    // The input of a background process is the terminal only where that is said, and the terminal
    // has no end as long as somebody may still write to it.
    let whole = format!(
        "exec 3<&0; {BINARY} {} <&3 & it=$!; sleep 3; kill -TERM $it; wait $it; echo code=$?; stty \
         -a <&3",
        arguments.join(" ")
    );
    let mut command = clean(Command::new("sh"), environment);
    let piped = format!("sleep 8 | script -qec '{whole}' /dev/null");
    command.args(["-c", &piped]);
    ran(&mut command, "")
}

fn ran(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    // A command that reads nothing may have closed its end already.
    let _ = child
        .stdin
        .take()
        .expect("its standard input is piped")
        .write_all(input.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("its output can be read");
    Ran {
        code: status.code(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// The binary with this environment and no other.
pub(crate) fn command(environment: &[(String, String)]) -> Command {
    clean(Command::new(BINARY), environment)
}

/// A program with this environment and no other.
pub(crate) fn clean(mut command: Command, environment: &[(String, String)]) -> Command {
    command.env_clear();
    for kept in ["PATH", "XDG_RUNTIME_DIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.envs(environment.iter().cloned());
    // No settings file of the working directory is meant.
    command.current_dir("/");
    command
}
