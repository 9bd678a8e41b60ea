//! A program that ends with this process, whatever ends that: it runs below a shell that waits for the
//! end of its input. Knows nothing of the program, nor of tests: benches have it as well.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A program that runs as long as this lives.
pub(crate) struct Tethered(Child);

impl Tethered {
    /// Runs `program` with a shell, once `before` has succeeded, and waits until `is_ready` does; at its end,
    /// which `signal` asks for, `after` is run. All four are written for the shell, which `command` starts.
    ///
    /// # Errors
    /// When it did not come to be ready. Why, it has told elsewhere.
    pub(crate) fn start(mut command: Command, it: &Script<'_>) -> Result<Self, ()> {
        let Script {
            before,
            program,
            is_ready,
            signal,
            after,
        } = it;
        // Whoever ends this process may tell its children as well, which would leave things behind.
        let script = format!(
            "trap '' HUP INT TERM; {before} || exit 1; {program} & it=$!; \
             until {is_ready}; do kill -0 $it 2>/dev/null || exit 1; sleep 0.05; done; \
             echo ready; cat >/dev/null || true; kill -{signal} $it 2>/dev/null; wait; {after}"
        );
        let mut child = command
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let mut said = String::new();
        let out = child.stdout.take().expect("it is a pipe");
        BufReader::new(out)
            .read_line(&mut said)
            .expect("it says something");
        let it = Self(child);
        if said == "ready\n" { Ok(it) } else { Err(()) }
    }
}

/// What a shell is to do.
pub(crate) struct Script<'a> {
    pub(crate) before: &'a str,
    pub(crate) program: &'a str,
    pub(crate) is_ready: &'a str,
    pub(crate) signal: &'a str,
    pub(crate) after: &'a str,
}

impl Drop for Tethered {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Its end is waited for, so that nothing of it is left behind.
        let _ = self.0.wait();
    }
}
