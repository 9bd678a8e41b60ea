//! Stepping through executions, as it is printed.

use std::path::Path;

use super::lines;
use super::screen::Cursor;
use super::terminal::{Key, keys};
use crate::replay::{self, Entry};

#[test]
fn keys_of_several_terminals_mean_the_same() {
    for (bytes, meant) in [
        (&b"j"[..], &[Key::Next][..]),
        (b" ", &[Key::Next]),
        (b"\x1b[B", &[Key::Next]),
        (b"\x1bOC", &[Key::Next]),
        (b"p", &[Key::Previous]),
        (b"\x7f", &[Key::Previous]),
        (b"\x1b[H", &[Key::First]),
        (b"\x1b[4~", &[Key::Last]),
        (b"\x1b", &[Key::Quit]),
        (b"\x03", &[Key::Quit]),
        (b"", &[]),
        (b"x", &[]),
        (b"\x1b[Z", &[]),
        (b"\x1b[1;5", &[]),
        // Whoever is fast.
        (
            b"jxk\x1b[B\x1b[6~q",
            &[Key::Next, Key::Previous, Key::Next, Key::Down, Key::Quit],
        ),
    ] {
        assert_eq!(keys(bytes), meant, "{bytes:?}");
    }
}

#[test]
fn the_cursor_stays_within_the_execution_and_its_lines() {
    let at = |place| Cursor {
        place,
        ..Cursor::default()
    };
    let after = |cursor: Cursor, key| cursor.after(key, 3, 10, 25);
    assert_eq!(after(at(0), Key::Previous), at(0));
    assert_eq!(after(at(0), Key::Next), at(1));
    assert_eq!(after(at(2), Key::Next), at(2));
    assert_eq!(after(at(0), Key::Last), at(2));
    assert_eq!(after(at(2), Key::First), at(0));
    let mut cursor = at(1);
    for _ in 0..9 {
        cursor = after(cursor, Key::Down);
    }
    assert_eq!(cursor.above, 15);
    assert_eq!(after(cursor, Key::Next), at(2));
    let helps = after(at(1), Key::Help);
    assert!(helps.helps);
    assert_eq!(after(helps, Key::Next), at(1));
}

/// Set to write the golden texts anew.
const GOLDEN: &str = "GATELOG_GOLDEN";

#[test]
fn an_execution_is_printed_event_by_event() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/step");
    for name in ["denied", "completed"] {
        let recorded = std::fs::read_to_string(folder.join(format!("{name}.jsonl")));
        let recorded = recorded.expect("the records are read");
        let entries: Vec<Entry> = recorded
            .lines()
            .map(|it| serde_json::from_str(it).expect("a record"))
            .collect();
        let states = replay::states(&entries);
        let mut printed = String::new();
        for (place, state) in states.iter().enumerate() {
            for line in lines(state, place, states.len()) {
                printed += line.text.trim_end();
                printed.push('\n');
            }
            printed.push('\n');
        }
        let golden = folder.join(format!("{name}.txt"));
        if std::env::var_os(GOLDEN).is_some() {
            std::fs::write(&golden, &printed).expect("the text is written");
        }
        let expected = std::fs::read_to_string(&golden).expect("the text is read");
        assert_eq!(printed, expected, "{name}");
    }
}
