//! The stepper on a terminal: one state at a time, from edge to edge.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::terminal::{Key, Terminal};
use super::{Line, Tone, line, lines};
use crate::cli::output::visible;
use crate::replay::State;

const HELP: &[&str] = &[
    "j  n  space  ↓  →   one event on",
    "k  p  backspace ↑ ← one event back",
    "g  Home             the first event",
    "G  End              the last event",
    "d  Page down        further down in what does not fit",
    "u  Page up          back up",
    "?                   this",
    "q  Escape           enough",
];

/// Where whoever looks is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Which state.
    pub(super) place: usize,
    /// How many of its lines are above the edge.
    pub(super) above: usize,
    /// Whether the keys are told instead.
    pub(super) helps: bool,
}

impl Cursor {
    /// After a key, on a screen with room for so many lines of a state that has so many.
    pub(super) fn after(self, key: Key, states: usize, room: usize, has: usize) -> Self {
        let last = states.saturating_sub(1);
        let at = |place: usize| Self {
            place,
            ..Self::default()
        };
        let lowest = has.saturating_sub(room);
        let above = |above: usize| Self {
            above: above.min(lowest),
            ..self
        };
        match key {
            // Whatever is pressed, the help is over.
            _ if self.helps => Self {
                helps: false,
                ..self
            },
            Key::Next => at(self.place.saturating_add(1).min(last)),
            Key::Previous => at(self.place.saturating_sub(1)),
            Key::First => at(0),
            Key::Last => at(last),
            Key::Down => above(self.above + room.div_ceil(2)),
            Key::Up => above(self.above.saturating_sub(room.div_ceil(2))),
            Key::Help => Self {
                helps: true,
                ..self
            },
            Key::Quit => self,
        }
    }
}

/// Steps through until it is enough.
pub(super) fn run(terminal: &Terminal, states: &[State], coloured: bool) -> anyhow::Result<()> {
    let mut cursor = Cursor::default();
    let mut drawn = None;
    let mut typed = VecDeque::new();
    loop {
        let Some(state) = states.get(cursor.place) else {
            return Ok(());
        };
        let size = Terminal::size();
        let all = lines(state, cursor.place, states.len());
        if drawn != Some((cursor, size)) {
            terminal.writes(&drawing(&all, cursor, size, coloured))?;
            drawn = Some((cursor, size));
        }
        // What was typed faster than it is drawn is seen all the same, key by key.
        if typed.is_empty() {
            typed.extend(terminal.keys()?);
        }
        let Some(key) = typed.pop_front() else {
            continue;
        };
        if key == Key::Quit && !cursor.helps {
            return Ok(());
        }
        cursor = cursor.after(key, states.len(), room(size.1), all.len());
    }
}

/// The last row says what can be pressed.
fn room(rows: usize) -> usize {
    rows.saturating_sub(1).max(1)
}

/// The whole screen.
fn drawing(
    all: &[Line],
    cursor: Cursor,
    (columns, rows): (usize, usize),
    coloured: bool,
) -> String {
    let help: Vec<Line> = HELP.iter().map(|it| line(Tone::Plain, *it)).collect();
    let (all, above) = if cursor.helps {
        (&*help, 0)
    } else {
        (all, cursor.above)
    };
    let room = room(rows);
    let mut drawing = "\u{1b}[H".to_owned();
    for line in all.iter().skip(above).take(room) {
        let (begin, end) = style(line.tone, coloured);
        let text = cut(&visible(&line.text), columns);
        // A string takes any text.
        let _ = write!(drawing, "{begin}{text}{end}\u{1b}[K\r\n");
    }
    let more = all.len().saturating_sub(above + room);
    let more = if more > 0 {
        format!("{more} more lines: d   ")
    } else {
        String::new()
    };
    let foot = format!("{more}j next   k back   g first   G last   ? help   q quit");
    let _ = write!(
        drawing,
        "\u{1b}[J\u{1b}[{rows};1H\u{1b}[7m{}\u{1b}[0m",
        cut(&foot, columns)
    );
    drawing
}

fn style(tone: Tone, coloured: bool) -> (&'static str, &'static str) {
    const END: &str = "\u{1b}[0m";
    match tone {
        Tone::Heading => ("\u{1b}[1m", END),
        Tone::Quiet if coloured => ("\u{1b}[2m", END),
        Tone::Good if coloured => ("\u{1b}[32m", END),
        Tone::Bad if coloured => ("\u{1b}[31m", END),
        Tone::Plain | Tone::Quiet | Tone::Good | Tone::Bad => ("", ""),
    }
}

/// As much as fits into a row.
fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(columns.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
