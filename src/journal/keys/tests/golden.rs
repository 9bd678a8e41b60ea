//! Key files of the first format open for ever. The golden files are never edited.

use super::*;

fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/keys");
    fs::read_to_string(path.join(name)).expect("the golden file is there")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| u8::try_from(char::from(byte).to_digit(16).expect("it is hex")))
        .collect::<std::result::Result<_, _>>()
        .expect("a digit fits");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

#[test]
fn keys_of_format_1_open_what_they_sealed_on_the_day_it_was_released() {
    let place = Place::new();
    fs::write(place.secret(), golden("1-root-key.txt")).expect("it can be written");
    fs::set_permissions(place.secret(), fs::Permissions::from_mode(0o600))
        .expect("the mode can be set");
    fs::create_dir(place.dir.path().join("keys")).expect("it can be made");
    // The golden file was kept short: it lacks the zeros of the free slots.
    let mut slots = bytes(&golden("1-slots.hex"));
    slots.resize(128 * 1025, 0);
    fs::write(place.slots(), slots).expect("it can be written");

    let keys = place.open();
    let sealed = golden("1-sealed.hex");
    let sealed: Vec<Vec<u8>> = sealed.lines().map(bytes).collect();
    for (id, sealed) in [KeyId::SYSTEM, ALICE, LOGIN].into_iter().zip(&sealed) {
        assert!(opens(&keys, id, sealed));
    }
    let lookup = keys.lookup(Kind::new("user"), &Key::new("name", "alice"));
    assert_eq!(lookup.0.as_slice(), sealed[3]);
    let derived = keys.derive("cookies");
    assert_eq!(derived.expose_secret().as_slice(), sealed[4]);
}
