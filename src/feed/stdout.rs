//! Lines on standard output.

use std::io::Write as _;
use std::sync::mpsc;

use tokio::sync::oneshot;

/// Writes lines from a thread of its own: whoever reads them may be slow, or gone without a word,
/// and must not keep the server from its end.
pub(super) struct Lines {
    to: mpsc::Sender<(String, oneshot::Sender<std::io::Result<()>>)>,
}

impl Lines {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(super) fn start() -> std::io::Result<Self> {
        let (to, lines) = mpsc::channel::<(String, oneshot::Sender<_>)>();
        let write = move || {
            for (line, done) in lines {
                let mut out = std::io::stdout().lock();
                let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
                // Whoever asked may have ended.
                let _ = done.send(written);
            }
        };
        std::thread::Builder::new()
            .name("feed".to_owned())
            .spawn(write)?;
        Ok(Self { to })
    }

    /// Writes a line and its end.
    ///
    /// # Errors
    /// What the operating system said, in words.
    pub(super) async fn write(&self, line: &str) -> Result<(), String> {
        let (done, written) = oneshot::channel();
        let gone = || "nothing writes to standard output any more".to_owned();
        self.to
            .send((format!("{line}\n"), done))
            .map_err(|_| gone())?;
        let written = written.await.map_err(|_| gone())?;
        written.map_err(|error| error.to_string())
    }
}
