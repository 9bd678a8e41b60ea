use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;

const ALICE: KeyId = KeyId(uuid::Uuid::from_u128(
    0x018f_a11c_e5a1_4c3b_9d2e_7f60_5b4a_3c2d,
));
const BOB: KeyId = KeyId(uuid::Uuid::from_u128(2));
const LOGIN: KeyId = KeyId(uuid::Uuid::from_u128(3));

/// A directory with a root key and data keys, opened as often as a test likes.
struct Place {
    dir: TempDir,
    clock: Clock,
}

impl Place {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a directory can be made"),
            clock: Clock::fixed(Timestamp::UNIX_EPOCH),
        }
    }

    fn secret(&self) -> PathBuf {
        self.dir.path().join("secret.key")
    }

    fn slots(&self) -> PathBuf {
        self.dir.path().join("keys/slots")
    }

    fn root(&self) -> Result<RootKey> {
        RootKey::load_or_create(&self.secret(), &self.clock)
    }

    fn try_open(&self) -> Result<Keyring> {
        Keyring::open(&self.dir.path().join("keys"), self.root()?, &self.clock)
    }

    fn open(&self) -> Keyring {
        self.try_open().expect("the keys can be opened")
    }

    /// The path and the problem of the error that opening gives.
    fn damage(&self) -> (PathBuf, String) {
        match self.try_open() {
            Err(Error::Damaged { path, problem }) => (path, problem),
            other => panic!("it is damaged, not {other:?}"),
        }
    }

    fn slot_bytes(&self) -> Vec<u8> {
        fs::read(self.slots()).expect("the slots can be read")
    }

    /// Where in the file a key's slot begins.
    fn slot_of(&self, id: KeyId) -> Option<usize> {
        let bytes = self.slot_bytes();
        (128..bytes.len())
            .step_by(128)
            .find(|at| bytes[at + 4..at + 20] == *id.0.as_bytes() && bytes[*at] == 1)
    }
}

fn seal(keys: &Keyring, id: KeyId) -> Vec<u8> {
    keys.seal(id, b"place", b"body").expect("the key exists")
}

fn opens(keys: &Keyring, id: KeyId, sealed: &[u8]) -> bool {
    let body = keys.open_sealed(id, b"place", sealed);
    match body.expect("nothing was altered") {
        Some(body) => {
            assert_eq!(body, b"body");
            true
        }
        None => false,
    }
}

#[test]
fn keys_open_again_what_they_sealed_before_a_restart() {
    let place = Place::new();
    let keys = place.open();
    assert!(keys.is_new());
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    let bodies = [KeyId::SYSTEM, ALICE, LOGIN].map(|id| (id, seal(&keys, id)));
    let lookup = keys.lookup(Kind::new("user"), &Key::new("name", "alice"));
    let derived = *keys.derive("cookies").expose_secret();
    keys.sync().expect("the keys can be synced");
    drop(keys);

    let keys = place.open();
    assert!(!keys.is_new());
    for (id, sealed) in bodies {
        assert!(opens(&keys, id, &sealed));
    }
    assert_eq!(
        keys.lookup(Kind::new("user"), &Key::new("name", "alice")),
        lookup
    );
    assert_eq!(*keys.derive("cookies").expose_secret(), derived);
}

#[test]
fn a_body_opens_only_under_its_key_and_in_its_place() {
    let keys = Keyring::in_memory(&Clock::fixed(Timestamp::UNIX_EPOCH));
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(BOB, KeyId::SYSTEM).expect("it can be made");
    let sealed = seal(&keys, ALICE);
    assert_ne!(sealed, seal(&keys, ALICE), "a nonce was used twice");
    let mut altered = sealed.clone();
    altered[30] ^= 1;
    for (id, aad, bytes) in [
        (ALICE, &b"place"[..], &altered[..]),
        (ALICE, b"elsewhere", &sealed),
        (BOB, b"place", &sealed),
        (ALICE, b"place", &sealed[..10]),
    ] {
        let opened = keys.open_sealed(id, aad, bytes);
        assert!(matches!(opened, Err(Error::Altered(_))), "{opened:?}");
    }
}

#[test]
fn lookups_and_derived_keys_differ_by_every_part() {
    let keys = Keyring::in_memory(&Clock::fixed(Timestamp::UNIX_EPOCH));
    let all = [
        keys.lookup(Kind::new("user"), &Key::new("name", "alice")),
        keys.lookup(Kind::new("group"), &Key::new("name", "alice")),
        keys.lookup(Kind::new("user"), &Key::new("mail", "alice")),
        keys.lookup(Kind::new("user"), &Key::new("name", "bob")),
        keys.lookup(Kind::new("user"), &Key::new("namea", "lice")),
    ];
    let different: HashSet<Lookup> = all.into_iter().collect();
    assert_eq!(different.len(), all.len());
    let derive = |purpose| *keys.derive(purpose).expose_secret();
    assert_ne!(derive("cookies"), derive("csrf"));
    assert_ne!(derive("lookups"), *keys.lookups.expose_secret());
}

#[test]
fn a_destroyed_key_leaves_no_byte_in_the_file() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    let sealed = seal(&keys, ALICE);
    let at = place.slot_of(ALICE).expect("it has a slot");
    let slot = place.slot_bytes()[at..at + 128].to_vec();

    keys.destroy(ALICE).expect("it can be destroyed");
    let bytes = place.slot_bytes();
    assert_eq!(bytes[at..at + 128], [0; 128]);
    for part in [&slot[4..20], &slot[36..60], &slot[60..108]] {
        assert!(!bytes.windows(part.len()).any(|window| window == part));
    }
    assert!(!keys.contains(ALICE));
    assert!(!opens(&keys, ALICE, &sealed));
    assert!(matches!(
        keys.seal(ALICE, b"", b""),
        Err(Error::NoKey(id)) if id == ALICE.0
    ));
    drop(keys);
    assert!(!opens(&place.open(), ALICE, &sealed));
}

#[test]
fn a_free_slot_is_used_again() {
    let place = Place::new();
    let keys = place.open();
    for round in 0..5000_u128 {
        let id = KeyId(uuid::Uuid::from_u128(100 + round));
        keys.create(id, KeyId::SYSTEM).expect("it can be made");
        if round % 2 == 0 {
            // Syncing each of them would only make the test slow.
            keys.state().slots.erase(id).expect("it can be erased");
        }
    }
    assert!(place.slot_bytes().len() <= 128 * (1 + 3 * 1024));
    drop(keys);
    let keys = place.open();
    let last = KeyId(uuid::Uuid::from_u128(100 + 4999));
    assert!(keys.contains(last));
    assert!(opens(&keys, last, &seal(&keys, last)));
}

#[test]
fn what_a_destroyed_key_wrapped_is_gone_at_once_and_its_slot_free_after_a_restart() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    let sealed = seal(&keys, LOGIN);
    keys.destroy(ALICE).expect("it can be destroyed");
    assert!(!opens(&keys, LOGIN, &sealed));
    assert!(keys.state().cache.is_empty());
    drop(keys);
    place.open();
    assert_eq!(place.slot_of(LOGIN), None);
}

#[test]
fn a_key_can_be_made_again_after_its_wrapper_was_destroyed() {
    let keys = Keyring::in_memory(&Clock::fixed(Timestamp::UNIX_EPOCH));
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    let sealed = seal(&keys, LOGIN);
    keys.destroy(ALICE).expect("it can be destroyed");
    keys.create(LOGIN, KeyId::SYSTEM).expect("it can be made");
    let opened = keys.open_sealed(LOGIN, b"place", &sealed);
    assert!(
        matches!(opened, Err(Error::Altered(_))),
        "it is another key"
    );
}

#[test]
fn no_key_is_wrapped_under_itself() {
    let keys = Keyring::in_memory(&Clock::fixed(Timestamp::UNIX_EPOCH));
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    for (id, under) in [(ALICE, ALICE), (ALICE, LOGIN), (KeyId::SYSTEM, ALICE)] {
        let refused = keys.wrap(id, under);
        assert!(
            matches!(refused, Err(Error::KeyRefused { .. })),
            "{refused:?}"
        );
    }
    assert!(keys.contains(LOGIN));
}

#[test]
fn every_damaged_byte_of_a_slot_in_use_is_noticed_and_located() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    drop(keys);
    let at = place.slot_of(ALICE).expect("it has a slot");
    let whole = place.slot_bytes();
    for byte in at..at + 128 {
        let mut damaged = whole.clone();
        damaged[byte] ^= 0x40;
        fs::write(place.slots(), &damaged).expect("the slots can be written");
        let (path, problem) = place.damage();
        assert_eq!(path, place.slots());
        assert!(problem.contains(&format!("at byte {at}")), "{problem}");
        assert!(problem.contains("backup"), "{problem}");
    }
}

#[test]
fn a_slot_that_is_damaged_while_open_is_noticed_when_it_is_read() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    let sealed = seal(&keys, ALICE);
    keys.state().cache.clear();
    let at = place.slot_of(ALICE).expect("it has a slot");
    let file = fs::OpenOptions::new().write(true).open(place.slots());
    file.and_then(|file| file.write_all_at(&[9], at as u64 + 70))
        .expect("the slots can be written");
    let opened = keys.open_sealed(ALICE, b"place", &sealed);
    assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
}

#[test]
fn a_wrong_root_key_is_named_with_the_remedy() {
    let place = Place::new();
    drop(place.open());
    fs::remove_file(place.secret()).expect("the file is there");
    let (path, problem) = place.damage();
    assert_eq!(path, place.secret());
    assert!(problem.contains("not the root key"), "{problem}");
    assert!(problem.contains("GATELOG_SECRET_KEY_FILE"), "{problem}");
}

#[test]
fn a_root_key_that_others_may_read_is_refused() {
    let place = Place::new();
    drop(place.open());
    let mode = |path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(place.secret()), 0o600);
    assert_eq!(mode(place.slots()), 0o600);
    assert_eq!(mode(place.dir.path().join("keys")), 0o700);
    fs::set_permissions(place.secret(), fs::Permissions::from_mode(0o640))
        .expect("the mode can be set");
    let (path, problem) = place.damage();
    assert_eq!(path, place.secret());
    assert!(problem.contains("chmod 600"), "{problem}");
}

#[test]
fn a_file_that_is_no_root_key_is_refused() {
    for text in [
        "",
        "gatelog root key 1\n",
        "gatelog root key 1\nshort\n",
        "x\ny\n",
    ] {
        let place = Place::new();
        drop(place.open());
        fs::write(place.secret(), text).expect("the file can be written");
        let (path, problem) = place.damage();
        assert_eq!(path, place.secret());
        assert!(problem.contains("not a root key"), "{problem}");
    }
}

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

#[test]
fn nothing_is_synced_when_nothing_has_changed() {
    let place = Place::new();
    let keys = place.open();
    assert!(keys.state().slots.take_unsynced().is_none());
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    assert!(keys.state().slots.take_unsynced().is_some());
    keys.create(ALICE, KeyId::SYSTEM).expect("it is there");
    assert!(keys.state().slots.take_unsynced().is_none());
}
