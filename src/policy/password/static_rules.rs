//! The rules that count characters.

use super::PasswordPolicy;
use crate::world::Weighed;

/// What the visitor reads where the operator wrote nothing.
const INVALID: &str = "Invalid password.";

/// Whether a password keeps all rules.
pub(super) fn look(rules: &PasswordPolicy, password: &str) -> Weighed {
    if keeps(rules, password) {
        return Weighed {
            passes: true,
            advice: Vec::new(),
        };
    }
    let message = match rules.error_message.as_str() {
        "" => INVALID,
        message => message,
    };
    Weighed {
        passes: false,
        advice: vec![message.to_owned()],
    }
}

fn keeps(rules: &PasswordPolicy, password: &str) -> bool {
    let has = |least: u32, counts: &dyn Fn(char) -> bool| {
        let counted = password.chars().filter(|letter| counts(*letter)).count();
        usize::try_from(least).is_ok_and(|least| counted >= least)
    };
    has(rules.length_min, &|_| true)
        && has(rules.amount_digits, &|letter| letter.is_ascii_digit())
        && has(rules.amount_lowercase, &|letter| {
            letter.is_ascii_lowercase()
        })
        && has(rules.amount_uppercase, &|letter| {
            letter.is_ascii_uppercase()
        })
        && has(rules.amount_symbols, &|letter| {
            rules.symbol_charset.contains(letter)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn rules(settings: Value) -> PasswordPolicy {
        serde_json::from_value(settings).expect("settings")
    }

    fn keeps(settings: Value, password: &str) -> bool {
        look(&rules(settings), password).passes
    }

    #[test]
    fn each_rule_has_its_bound() {
        for (rule, enough, too_little) in [
            ("length_min", "äöü", "äö"),
            ("amount_digits", "1a2b3", "1a2b"),
            ("amount_lowercase", "AbcdE", "AbcDE"),
            ("amount_uppercase", "aBCDe", "aBCde"),
            ("amount_symbols", "a!b c~", "a!b c"),
        ] {
            assert!(keeps(json!({ rule: 3 }), enough), "{rule}: {enough}");
            assert!(
                !keeps(json!({ rule: 3 }), too_little),
                "{rule}: {too_little}"
            );
        }
    }

    #[test]
    fn only_letters_and_digits_of_ascii_count() {
        assert!(!keeps(json!({"amount_digits": 1}), "٣"));
        assert!(!keeps(json!({"amount_lowercase": 1}), "ä"));
        assert!(!keeps(json!({"amount_uppercase": 1}), "Ä"));
    }

    #[test]
    fn a_backslash_is_one_symbol() {
        assert_eq!(rules(json!({})).symbol_charset.matches('\\').count(), 2);
        assert!(keeps(json!({"amount_symbols": 1}), "\\"));
        assert!(!keeps(json!({"amount_symbols": 2}), "\\"));
    }

    #[test]
    fn the_operators_message_is_shown_or_else_a_sentence() {
        let broken = look(
            &rules(json!({"length_min": 9, "error_message": "Longer!"})),
            "x",
        );
        assert_eq!(broken.advice, ["Longer!"]);
        let broken = look(&rules(json!({"length_min": 9})), "x");
        assert_eq!(broken.advice, [INVALID]);
    }

    proptest! {
        #[test]
        fn a_longer_password_keeps_what_a_shorter_one_keeps(
            password in ".{0,12}",
            more in ".{0,4}",
            least in prop::array::uniform5(0..5_u32),
        ) {
            let [length, digits, lower, upper, symbols] = least;
            let rules = rules(json!({
                "length_min": length,
                "amount_digits": digits,
                "amount_lowercase": lower,
                "amount_uppercase": upper,
                "amount_symbols": symbols,
            }));
            let longer = format!("{password}{more}");
            prop_assert!(!look(&rules, &password).passes || look(&rules, &longer).passes);
        }
    }
}
