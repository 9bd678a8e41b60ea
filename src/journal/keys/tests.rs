//! Keys across restarts, damage and destruction.

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;

mod golden;
mod model;
mod rotation;

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
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    let bodies = [KeyId::SYSTEM, ALICE, LOGIN].map(|id| (id, seal(&keys, id)));
    let lookup = keys.lookup(Kind::new("user"), &Key::new("name", "alice"));
    let derived = *keys.derive("cookies").expose_secret();
    keys.sync().expect("the keys can be synced");
    drop(keys);

    let keys = place.open();
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
fn a_file_that_was_cut_off_does_not_pass_for_one_with_erased_keys() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    let sealed = seal(&keys, ALICE);
    drop(keys);
    let whole = place.slot_bytes();
    for length in [2 * 128, 2 * 128 + 40, whole.len() / 2, whole.len() - 1] {
        fs::write(place.slots(), &whole[..length]).expect("it can be cut off");
        let (path, problem) = place.damage();
        assert_eq!(path, place.slots());
        assert!(problem.contains("`truncate -s 131200`"), "{problem}");
        let left = place.slot_bytes();
        assert_eq!(left, whole[..length], "it is left as it is");
    }
    fs::write(place.slots(), &whole).expect("it can be restored");
    assert!(opens(&place.open(), ALICE, &sealed));
}

#[test]
fn what_a_destroyed_key_wrapped_leaves_the_file_with_it() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    let sealed = seal(&keys, LOGIN);
    keys.destroy(ALICE).expect("it can be destroyed");
    assert!(!opens(&keys, LOGIN, &sealed));
    assert!(keys.state().cache.is_empty());
    assert_eq!(place.slot_of(LOGIN), None);
}

#[test]
fn what_a_crash_left_under_a_destroyed_key_goes_at_the_next_start() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    let sealed = seal(&keys, LOGIN);
    keys.state().slots.erase(ALICE).expect("it can be erased");
    assert!(!opens(&keys, LOGIN, &sealed));
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

#[test]
fn several_keys_are_destroyed_at_once() {
    let place = Place::new();
    let keys = place.open();
    for id in [ALICE, BOB, LOGIN] {
        keys.create(id, KeyId::SYSTEM).expect("it can be made");
    }
    keys.destroy_all([ALICE, BOB, ALICE])
        .expect("they can be destroyed");
    assert_eq!(place.slot_of(ALICE), None);
    assert_eq!(place.slot_of(BOB), None);
    assert!(keys.contains(LOGIN));
    let refused = keys.destroy_all([LOGIN, KeyId::SYSTEM]);
    assert!(
        matches!(refused, Err(Error::KeyRefused { .. })),
        "{refused:?}"
    );
    assert!(keys.contains(LOGIN), "a refusal changes nothing");
}

#[test]
fn threads_do_not_disturb_each_other() {
    let place = Place::new();
    let keys = place.open();
    std::thread::scope(|scope| {
        for thread in 0..4_u128 {
            let keys = &keys;
            scope.spawn(move || {
                for round in 0..40 {
                    let id = KeyId(uuid::Uuid::from_u128(thread << 64 | (round + 1)));
                    keys.create(id, KeyId::SYSTEM).expect("it can be made");
                    let sealed = seal(keys, id);
                    keys.sync().expect("it can be synced");
                    assert!(opens(keys, id, &sealed));
                    if round % 2 == 0 {
                        keys.destroy(id).expect("it can be destroyed");
                        assert!(!opens(keys, id, &sealed));
                    }
                }
            });
        }
    });
    drop(keys);
    assert_eq!(place.open().state().slots.ids().count(), 1 + 4 * 20);
}

#[test]
fn a_wrapper_made_again_does_not_bring_back_what_the_old_one_wrapped() {
    let place = Place::new();
    let keys = place.open();
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    keys.create(LOGIN, ALICE).expect("it can be made");
    let sealed = seal(&keys, LOGIN);
    keys.destroy(ALICE).expect("it can be destroyed");
    keys.create(ALICE, KeyId::SYSTEM).expect("it can be made");
    assert!(!keys.contains(LOGIN));
    assert!(!opens(&keys, LOGIN, &sealed));
    drop(keys);
    assert!(!opens(&place.open(), LOGIN, &sealed));
}
