//! A terminal that is read key by key, and is as it was afterwards.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use tokio::signal::unix::{SignalKind, signal};

/// The other screen, without a cursor; and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// One event on.
    Next,
    /// One event back.
    Previous,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// Further down in what does not fit.
    Down,
    /// Back up.
    Up,
    /// What the keys do.
    Help,
    /// Enough.
    Quit,
}

/// The terminal while it is ours.
pub(super) struct Terminal {
    before: Termios,
    asked: Asked,
}

/// Whether a signal asked for an end, which must not come before the terminal is as it was.
struct Asked(Arc<AtomicI32>);

/// Somebody asked for an end with a signal.
#[derive(Debug, thiserror::Error)]
#[error("ended by the signal {0}")]
pub(in crate::cli) struct Ended(i32);

impl Ended {
    /// The exit code of whoever a signal ends, as shells have it.
    pub(in crate::cli) fn code(&self) -> u8 {
        u8::try_from(self.0).map_or(u8::MAX, |signal| signal.saturating_add(128))
    }
}

impl Asked {
    /// Listens on a thread of its own, as this one waits for keys.
    fn listen() -> anyhow::Result<Self> {
        let asked = Arc::new(AtomicI32::new(0));
        let heard = Arc::clone(&asked);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (mut terminate, mut hang_up, mut interrupt) = {
            let _entered = runtime.enter();
            (
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
            )
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let which = runtime.block_on(async {
                    tokio::select! {
                        _ = terminate.recv() => SignalKind::terminate(),
                        _ = hang_up.recv() => SignalKind::hangup(),
                        _ = interrupt.recv() => SignalKind::interrupt(),
                    }
                });
                heard.store(which.as_raw_value(), Ordering::Relaxed);
            })?;
        Ok(Self(asked))
    }

    fn for_an_end(&self) -> Result<(), Ended> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Ended(signal)),
        }
    }
}

impl Terminal {
    /// Takes the terminal over; `None` when there is none on both sides.
    pub(super) fn take() -> anyhow::Result<Option<Self>> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let asked = Asked::listen()?;
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        // Keys come one by one and unseen; also the one that would end the program, which would
        // leave the terminal as it is now.
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        // Reading gives up after a tenth of a second, so that another size is noticed.
        raw.special_codes[SpecialCodeIndex::VMIN] = 0;
        raw.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let terminal = Self { before, asked };
        terminal.writes(ENTER)?;
        Ok(Some(terminal))
    }

    /// How many columns and rows there are.
    pub(super) fn size() -> (usize, usize) {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (size.ws_col.into(), size.ws_row.into())
            }
            _ => (80, 24),
        }
    }

    /// Writes to it.
    #[expect(clippy::unused_self, reason = "only who has taken it may write to it")]
    pub(super) fn writes(&self, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// What was pressed; nothing when nothing was for a moment.
    ///
    /// # Errors
    /// [`Ended`] when a signal asked for an end, or when nothing can be read.
    pub(super) fn keys(&self) -> anyhow::Result<Vec<Key>> {
        let mut bytes = [0; 64];
        let read = rustix::io::read(io::stdin(), &mut bytes);
        self.asked.for_an_end()?;
        match read {
            Ok(count) => Ok(keys(&bytes[..count])),
            Err(rustix::io::Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // There is nobody left to tell when the terminal is gone.
        let _ = self.writes(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// What these bytes of a terminal mean, key by key; what means nothing is passed over.
pub(super) fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut rest = bytes;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (first, after) = rest.split_at(length(rest));
        keys.extend(key(first));
        rest = after;
    }
    keys
}

/// How many bytes the first key has: one, or a sequence from Escape to its last letter.
fn length(bytes: &[u8]) -> usize {
    match bytes {
        [0x1b, b'O', _, ..] => 3,
        [0x1b, b'[', rest @ ..] => {
            let end = rest.iter().position(|it| (0x40..=0x7e).contains(it));
            end.map_or(bytes.len(), |end| end + 3)
        }
        _ => 1,
    }
}

fn key(bytes: &[u8]) -> Option<Key> {
    Some(match bytes {
        b"j" | b"n" | b" " | b"l" | b"\r" | b"\n" | b"\x1b[B" | b"\x1b[C" | b"\x1bOB"
        | b"\x1bOC" => Key::Next,
        b"k" | b"p" | b"h" | b"\x7f" | b"\x08" | b"\x1b[A" | b"\x1b[D" | b"\x1bOA" | b"\x1bOD" => {
            Key::Previous
        }
        b"g" | b"\x1b[H" | b"\x1b[1~" | b"\x1bOH" | b"\x1b[7~" => Key::First,
        b"G" | b"\x1b[F" | b"\x1b[4~" | b"\x1bOF" | b"\x1b[8~" => Key::Last,
        b"d" | b"\x1b[6~" => Key::Down,
        b"u" | b"\x1b[5~" => Key::Up,
        b"?" => Key::Help,
        // Also Escape alone, and what ends programs.
        b"q" | b"Q" | b"\x1b" | b"\x03" | b"\x04" => Key::Quit,
        _ => return None,
    })
}
