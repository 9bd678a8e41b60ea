//! Encodings that Django made, and encodings that nobody should have made.

use proptest::prelude::*;

use super::*;

const PASSWORD: &str = "correct horse battery staple";

/// Made by Django 5.2.13 from [`PASSWORD`].
const DJANGO: [(Scheme, &str); 6] = [
    (
        Scheme::Pbkdf2Sha256,
        "pbkdf2_sha256$1000$saltsaltsaltsaltsalt22$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=",
    ),
    (
        Scheme::Pbkdf2Sha256,
        "pbkdf2_sha256$1000000$saltsaltsaltsaltsalt22$riMuDoW8q7+QEtZd2T1DUgYFjG5dW3NCkjl+IqDm69k=",
    ),
    (
        Scheme::Pbkdf2Sha1,
        "pbkdf2_sha1$1000$saltsaltsaltsaltsalt22$5FXXA+KmyfXy36AwC6uTRzICdxk=",
    ),
    (
        Scheme::Argon2,
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0c2FsdHNhbHQyMg$t+UjTJ0eLnl59n+80UZFcu1xuCLDDjJDmHCHkg6j6LU",
    ),
    (
        Scheme::Scrypt,
        "scrypt$16384$saltsaltsaltsaltsalt22$8$5$YOow573HYf5e6SflWmvuMYnq3CtHF89+h8cRz6DYyeMUTrgAz1zvBu2icY3JYpwr0G2V46ARwBztm57i51pCJQ==",
    ),
    (
        Scheme::BcryptSha256,
        "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuuuNrZ4CeoNrvGcIepBB1WStSdG4Wu4DG",
    ),
];

fn verdict(password: &str, encoded: &str) -> Verdict {
    verify(&password.into(), &encoded.into())
}

#[test]
fn every_encoding_of_django_is_verified() {
    for (scheme, encoded) in DJANGO {
        // Django's Argon2 is stronger than ours; anything else is replaced at the next login.
        let outdated = scheme != Scheme::Argon2;
        let accepted = Verdict::Accepted { scheme, outdated };
        assert_eq!(check(encoded), Ok(scheme));
        assert_eq!(verdict(PASSWORD, encoded), accepted, "{encoded}");
    }
}

#[test]
fn another_password_is_rejected_by_every_scheme() {
    for (_, encoded) in DJANGO.iter().filter(|(_, it)| !it.contains("$1000000$")) {
        for wrong in ["", " ", "correct horse battery staple "] {
            assert_eq!(verdict(wrong, encoded), Verdict::Rejected, "{encoded}");
        }
    }
}

#[test]
fn a_new_encoding_is_preferred_and_salted_and_fits_djangos_column() {
    let clock = Clock::system();
    for password in ["", PASSWORD, "pä\u{0}ss"] {
        let (one, two) = (
            hash(&password.into(), &clock),
            hash(&password.into(), &clock),
        );
        let text = one.expose_secret();
        assert!(text.starts_with("argon2$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(text.len() <= 128, "{} characters", text.len());
        assert_ne!(text, two.expose_secret());
        let accepted = Verdict::Accepted {
            scheme: Scheme::Argon2,
            outdated: false,
        };
        assert_eq!(verify(&password.into(), &one), accepted);
        assert_eq!(verify(&"other".into(), &one), Verdict::Rejected);
    }
}

#[test]
fn memory_that_is_used_again_gives_the_same_hash() {
    let mut scratch = Scratch::default();
    let first = argon2::encode("a", "saltsaltsalt", &mut scratch);
    argon2::encode("b", "other-salt", &mut scratch);
    assert_eq!(argon2::encode("a", "saltsaltsalt", &mut scratch), first);
}

#[test]
fn weaker_argon2_is_outdated() {
    let weak = "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$";
    let hash = "A".repeat(43);
    let Ok(Encoded::Argon2(weak)) = Encoded::parse(&format!("{weak}{hash}")) else {
        panic!("a weak encoding can be read");
    };
    assert!(!weak.is_strong() && weak.is_cheap());
}

#[test]
fn unusable_and_unknown_encodings_fit_no_password() {
    let random = unusable(&Clock::system());
    assert_eq!(random.expose_secret().len(), 41);
    for encoded in [
        random.expose_secret(),
        "!",
        "",
        "md5$salt$hash",
        "bcrypt$$2b$12$abcdefghijklmnopqrstuuuNrZ4CeoNrvGcIepBB1WStSdG4Wu4DG",
        "unsalted_md5$$d41d8cd98f00b204e9800998ecf8427e",
        "plain",
    ] {
        assert_eq!(check(encoded), Err(Error::UnknownScheme), "{encoded}");
        assert!(!is_usable(encoded));
        for password in ["", encoded] {
            assert_eq!(verdict(password, encoded), Verdict::Unusable);
        }
    }
}

#[test]
fn what_is_incomplete_is_refused() {
    for encoded in [
        "pbkdf2_sha256$1$s$h",
        "pbkdf2_sha256$0$salt$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=",
        "pbkdf2_sha256$+1$salt$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=",
        "pbkdf2_sha256$1$$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=",
        "pbkdf2_sha1$1$salt$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=",
        "scrypt$16383$salt$8$5$YOow573HYf5e6SflWmvuMYnq3CtHF89+h8cRz6DYyeMUTrgAz1zvBu2icY3JYpwr0G2V46ARwBztm57i51pCJQ==",
        "scrypt$16384$salt$8$5$YOow",
        "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$t+UjTJ0eLnl59n+80UZFcu1xuCLDDjJDmHCHkg6j6LU",
        "argon2$argon2id$v=19$m=8,t=1,p=2$c2FsdHNhbHRzYWx0$t+UjTJ0eLnl59n+80UZFcu1xuCLDDjJDmHCHkg6j6LU",
        "argon2$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHRzYWx0$t+UjTJ0eLnl59n+80UZFcu1xuCLDDjJDmHCHkg6j6LU",
        "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$",
        "bcrypt_sha256$$2b$03$abcdefghijklmnopqrstuuuNrZ4CeoNrvGcIepBB1WStSdG4Wu4DG",
        "bcrypt_sha256$$2b$12$short",
    ] {
        let refused = check(encoded);
        assert!(
            matches!(refused, Err(Error::Malformed { .. })),
            "{encoded}: {refused:?}"
        );
    }
}

#[test]
fn what_would_exhaust_time_or_memory_is_refused() {
    let argon2 = |costs: &str| {
        format!(
            "argon2$argon2id$v=19${costs}$c2FsdHNhbHRzYWx0$t+UjTJ0eLnl59n+80UZFcu1xuCLDDjJDmHCHkg6j6LU"
        )
    };
    let scrypt = |n: &str, r: &str, p: &str| format!("scrypt${n}$salt${r}${p}$YOow");
    for encoded in [
        "pbkdf2_sha256$4294967295$salt$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=".to_owned(),
        argon2("m=4294967295,t=1,p=1"),
        argon2("m=65536,t=4294967295,p=1"),
        argon2("m=19456,t=2,p=4294967295"),
        scrypt("2147483648", "8", "1"),
        scrypt("2", "4294967295", "4294967295"),
        scrypt("2", "1", "4294967295"),
        scrypt("2097152", "1", "2097152"),
        "bcrypt_sha256$$2b$31$abcdefghijklmnopqrstuuuNrZ4CeoNrvGcIepBB1WStSdG4Wu4DG".to_owned(),
    ] {
        let refused = check(&encoded);
        assert!(
            matches!(refused, Err(Error::TooExpensive { .. })),
            "{encoded}: {refused:?}"
        );
    }
}

#[test]
fn the_refusal_says_what_is_too_much() {
    let text = "pbkdf2_sha256$5000001$salt$VyASWC9DewTL9QN51wURpDh7QYYAVnmwgpYqxhJrQs0=";
    assert_eq!(
        check(text).expect_err("it is too expensive").to_string(),
        "the pbkdf2_sha256 password hash has a number of rounds of 5000001, \
         more than the 5000000 allowed; set the password anew"
    );
}

/// Text that looks like an encoding, with costs small enough to try many.
fn nearly_encoded() -> impl Strategy<Value = String> {
    let number = prop_oneof!["[0-9]{1,2}", "[0-9]{1,12}", Just(String::new())];
    let part = prop_oneof!["[A-Za-z0-9+/]{0,90}={0,2}", "\\PC{0,8}"];
    let scheme = "(argon2|pbkdf2_sha256|pbkdf2_sha1|bcrypt_sha256|scrypt|md5|!)";
    let middle = prop_oneof![
        (number.clone(), part.clone(), number.clone(), number.clone())
            .prop_map(|(n, salt, r, p)| format!("{n}${salt}${r}${p}")),
        (number.clone(), part.clone()).prop_map(|(n, salt)| format!("{n}${salt}")),
        (number.clone(), number.clone(), number, part.clone())
            .prop_map(|(m, t, p, salt)| format!("argon2id$v=19$m={m},t={t},p={p}${salt}")),
        part.clone().prop_map(|text| format!("$2b$04${text}")),
    ];
    (scheme, middle, part).prop_map(|(scheme, middle, last)| format!("{scheme}${middle}${last}"))
}

proptest! {
    #[test]
    fn reading_never_panics(encoded in prop_oneof![nearly_encoded(), ".{0,200}"]) {
        let _ = check(&encoded);
    }

    #[test]
    fn verifying_never_panics(password in ".{0,20}", encoded in nearly_encoded()) {
        // Costly ones are accepted by design, but there is no time for hundreds of them here.
        if Encoded::parse(&encoded).is_ok_and(|it| it.is_cheap()) {
            let _ = verdict(&password, &encoded);
        }
    }
}
