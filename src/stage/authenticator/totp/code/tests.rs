//! The numbers of the RFCs, and those that authentik's own tests go by.

use super::*;

const KEY: &str = "2a2bbba1092ffdd25a328ad1a0a5f5d61d7aacc4";

/// The codes of the first ten steps.
const CODES: [&str; 10] = [
    "179225", "656163", "839400", "154567", "346912", "471576", "045675", "101397", "491039",
    "784503",
];

fn device() -> Totp {
    Totp {
        key: KEY.into(),
        digits: 6,
        step: 30,
        drift: 0,
        last_t: -1,
    }
}

/// Within the fourth step.
fn now() -> Timestamp {
    Timestamp::from_second(90).expect("a moment")
}

fn found(device: &Totp, tolerance: i64, typed: &str) -> Found {
    let typed = plain(typed, device.digits);
    within(device, now(), tolerance, |code| {
        Ok(typed.expose_secret() == code.expose_secret())
    })
    .expect("the comparison does not fail")
}

/// The steps whose codes are taken one after the other.
fn taken(mut device: Totp, tolerance: i64) -> Vec<usize> {
    let mut steps = Vec::new();
    for (number, code) in CODES.iter().enumerate() {
        if let Found::Good { t, .. } = found(&device, tolerance, code) {
            device.last_t = t;
            steps.push(number);
        }
    }
    steps
}

#[test]
fn codes_that_go_by_a_counter_are_those_of_the_rfc() {
    let expected = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, code) in (0..).zip(expected) {
        let made = hotp(b"12345678901234567890", counter, 6);
        assert_eq!(made.expose_secret(), code, "{counter}");
    }
}

#[test]
fn codes_that_go_by_the_time_are_those_of_the_rfc() {
    for (seconds, code) in [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ] {
        let at = Timestamp::from_second(seconds).expect("a moment");
        let made = hotp(b"12345678901234567890", step(at, 30), 8);
        assert_eq!(made.expose_secret(), code, "{seconds}");
    }
}

#[test]
fn only_the_codes_around_now_are_good() {
    assert_eq!(taken(device(), 0), [3]);
    assert_eq!(taken(device(), 1), [2, 3, 4]);
    let behind = Totp {
        drift: -1,
        ..device()
    };
    assert_eq!(taken(behind, 1), [1, 2, 3]);
}

#[test]
fn the_drift_of_a_clock_is_learnt() {
    let good = Found::Good { t: 5, drift: 2 };
    assert_eq!(found(&device(), 2, CODES[5]), good);
}

#[test]
fn a_code_is_good_once_and_none_before_it_is_good_afterwards() {
    let mut device = device();
    let good = Found::Good { t: 3, drift: 0 };
    assert_eq!(found(&device, 1, CODES[3]), good);
    device.last_t = 3;
    assert_eq!(found(&device, 1, CODES[3]), Found::Used);
    assert_eq!(found(&device, 1, CODES[2]), Found::Used);
    let good = Found::Good { t: 4, drift: 1 };
    assert_eq!(found(&device, 1, CODES[4]), good);
    assert_eq!(found(&device, 1, CODES[5]), Found::None);
}

#[test]
fn a_code_is_read_as_a_number() {
    for typed in [
        "154567",
        " 154567 ",
        "154 567",
        "+154567",
        "000154567",
        "154_567",
    ] {
        assert!(
            matches!(found(&device(), 0, typed), Found::Good { .. }),
            "{typed:?}"
        );
    }
    for typed in ["", "-154567", "15456", "1545670", "154567x", "_154567", "+"] {
        assert_eq!(found(&device(), 0, typed), Found::None, "{typed:?}");
    }
}

#[test]
fn zeros_at_the_beginning_of_a_code_may_be_left_out() {
    let at = Timestamp::from_second(6 * 30).expect("a moment");
    for typed in ["045675", "45675"] {
        let typed = plain(typed, 6);
        let found = within(&device(), at, 0, |code| {
            Ok(typed.expose_secret() == code.expose_secret())
        });
        assert!(matches!(found, Ok(Found::Good { t: 6, .. })));
    }
}

#[test]
fn a_key_that_a_replay_does_not_have_does_no_harm() {
    assert!(bytes("‹secret›").is_empty());
    let device = Totp {
        key: "‹secret›".into(),
        digits: 255,
        step: 0,
        drift: i64::MAX,
        last_t: i64::MIN,
    };
    assert_eq!(found(&device, 1, "‹secret›"), Found::None);
}
