//! Changing the root key, and crashes in the middle of it.

use super::*;

fn root_text(root: &RootKey) -> String {
    root.text().expose_secret().to_owned()
}

/// What opens before a change of the root key has to open after every crash in it.
struct Before {
    place: Place,
    bodies: Vec<(KeyId, Vec<u8>)>,
    derived: [u8; 32],
}

impl Before {
    fn new() -> Self {
        let place = Place::new();
        let keys = place.open();
        keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
        keys.create(BOB, KeyId::SYSTEM).expect("it can be made");
        keys.create(LOGIN, ALICE).expect("it can be made");
        let bodies = [KeyId::SYSTEM, ALICE, BOB, LOGIN]
            .map(|id| (id, seal(&keys, id)))
            .to_vec();
        let derived = *keys.derive("cookies").expose_secret();
        drop(keys);
        Self {
            place,
            bodies,
            derived,
        }
    }

    /// Opens the keys as a start does, and checks that everything is as it was.
    fn opens_everything(&self) {
        let keys = self.place.open();
        for (id, sealed) in &self.bodies {
            assert!(opens(&keys, *id, sealed));
        }
        assert_eq!(*keys.derive("cookies").expose_secret(), self.derived);
    }

    fn secret_text(&self) -> String {
        fs::read_to_string(self.place.secret()).expect("the root key is there")
    }

    fn is_changing(&self) -> bool {
        self.place.dir.path().join("secret.key.new").exists()
    }
}

#[test]
fn a_new_root_key_opens_everything_and_the_old_one_nothing() {
    let before = Before::new();
    let old = before.secret_text();
    let keys = before.place.open();
    keys.rotate(&RootKey::generate(&before.place.clock))
        .expect("the root key can be changed");
    for (id, sealed) in &before.bodies {
        assert!(opens(&keys, *id, sealed));
    }
    keys.create(KeyId(uuid::Uuid::from_u128(9)), KeyId::SYSTEM)
        .expect("it can be made");
    drop(keys);
    assert_ne!(before.secret_text(), old);
    assert!(!before.is_changing());
    before.opens_everything();

    fs::write(before.place.secret(), old).expect("the file can be written");
    let (path, _) = before.place.damage();
    assert_eq!(path, before.place.secret());
}

#[test]
fn a_crash_anywhere_in_a_change_of_the_root_key_loses_nothing() {
    // System, Alice and Bob are wrapped by the root: after so many of them the crash comes.
    for rewrapped in 0..=3 {
        let before = Before::new();
        let new = RootKey::generate(&before.place.clock);
        let keys = before.place.open();
        {
            let mut state = keys.state();
            state.root.begin(&new).expect("the new key can be written");
            let wrapped = [KeyId::SYSTEM, ALICE, BOB];
            for id in &wrapped[..rewrapped] {
                state
                    .rewrap_one(*id, &before.place.clock)
                    .expect("the slot can be written");
            }
        }
        drop(keys);
        assert!(before.is_changing());
        // The next start goes on with the change and brings it to its end.
        before.opens_everything();
        assert!(!before.is_changing());
        assert_eq!(
            before.secret_text(),
            root_text(&new),
            "after {rewrapped} slots"
        );
        before.opens_everything();
    }
}

#[test]
fn a_crash_before_the_new_root_key_was_whole_changes_nothing() {
    let before = Before::new();
    let old = before.secret_text();
    let unfinished = before.place.dir.path().join("secret.key.new.tmp");
    fs::write(unfinished, "gatelog ro").expect("the file can be written");
    before.opens_everything();
    assert_eq!(before.secret_text(), old);
    let keys = before.place.open();
    keys.rotate(&RootKey::generate(&before.place.clock))
        .expect("what the crash left is no obstacle");
    drop(keys);
    before.opens_everything();
}

#[test]
fn a_change_that_failed_half_way_is_finished_before_the_next_one() {
    let before = Before::new();
    let keys = before.place.open();
    {
        let mut state = keys.state();
        let first = RootKey::generate(&before.place.clock);
        state.root.begin(&first).expect("the key can be written");
        state
            .rewrap_one(ALICE, &before.place.clock)
            .expect("the slot can be written");
    }
    let second = RootKey::generate(&before.place.clock);
    keys.rotate(&second).expect("the root key can be changed");
    drop(keys);
    assert_eq!(before.secret_text(), root_text(&second));
    before.opens_everything();
}

#[test]
fn a_change_whose_old_root_key_is_missing_is_not_taken_for_a_first_start() {
    let before = Before::new();
    let keys = before.place.open();
    let new = RootKey::generate(&before.place.clock);
    keys.state().root.begin(&new).expect("it can be written");
    drop(keys);
    fs::remove_file(before.place.secret()).expect("the file is there");
    let (path, problem) = before.place.damage();
    assert!(path.ends_with("secret.key.new"));
    assert!(problem.contains("backup"), "{problem}");
}
