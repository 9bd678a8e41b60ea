use super::screen::Cursor;
use super::terminal::{Key, key};

#[test]
fn keys_of_several_terminals_mean_the_same() {
    for (bytes, meant) in [
        (&b"j"[..], Some(Key::Next)),
        (b" ", Some(Key::Next)),
        (b"\x1b[B", Some(Key::Next)),
        (b"\x1bOC", Some(Key::Next)),
        (b"p", Some(Key::Previous)),
        (b"\x7f", Some(Key::Previous)),
        (b"\x1b[H", Some(Key::First)),
        (b"\x1b[4~", Some(Key::Last)),
        (b"\x1b", Some(Key::Quit)),
        (b"\x03", Some(Key::Quit)),
        (b"", None),
        (b"x", None),
        (b"\x1b[Z", None),
    ] {
        assert_eq!(key(bytes), meant, "{bytes:?}");
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
