//! Lines on standard output.

use std::io::Write as _;
use std::sync::mpsc::{self, TrySendError};

use tokio::sync::oneshot;

/// How many lines may wait: whoever writes one waits for it, and gives up at most one at a time.
const WAITING: usize = 2;

/// Writes lines from a thread of its own: whoever reads them may be slow, or gone without a word,
/// and must not keep the server from its end.
pub(super) struct Lines {
    to: mpsc::SyncSender<(String, oneshot::Sender<std::io::Result<()>>)>,
}

impl Lines {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(super) fn start() -> std::io::Result<Self> {
        let (to, lines) = mpsc::sync_channel::<(String, oneshot::Sender<_>)>(WAITING);
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
        let sent = self.to.try_send((format!("{line}\n"), done));
        sent.map_err(|error| match error {
            TrySendError::Full(_) => "standard output still takes what came before".to_owned(),
            TrySendError::Disconnected(_) => gone(),
        })?;
        let written = written.await.map_err(|_| gone())?;
        written.map_err(|error| error.to_string())
    }
}
