//! What a plain scalar means, by the rules of YAML 1.1 as `PyYAML` applies them.
//!
//! Blueprints were written for that reader, so `yes` and `on` are booleans, `0755` is octal and
//! `12:30` counts in sixties. Dates stay texts: the fields that want one read it themselves.

use serde_json::{Number, Value};

use super::node::{CORE, Kind, Node};
use super::problem::Problem;

/// The value of a scalar node that has no tag of ours.
///
/// # Errors
/// When one of YAML's own tags, such as `!!int`, does not fit the text.
pub(super) fn value(node: &Node) -> Result<Value, Problem> {
    let Kind::Scalar { text, quoted } = &node.kind else {
        return Ok(Value::Null);
    };
    let core = match node.tag.as_deref() {
        None if *quoted => "str",
        None => return Ok(plain(text)),
        Some("!") => "str",
        Some(tag) => tag.strip_prefix(CORE).unwrap_or(tag),
    };
    let read = match core {
        "str" => Some(Value::String(text.clone())),
        "bool" => boolean(text).map(Value::Bool),
        "int" => integer(text).map(Value::Number),
        "float" => float(text).or_else(|| integer(text)).map(Value::Number),
        "null" => Some(Value::Null),
        other => {
            return Err(Problem::at(
                node.span,
                format!("the tag !!{other} is not supported"),
            ));
        }
    };
    read.ok_or_else(|| Problem::at(node.span, format!("{text:?} does not fit the tag !!{core}")))
}

/// Whether a plain scalar that is spelt so is a text.
pub(super) fn is_text(spelling: &str) -> bool {
    plain(spelling).is_string()
}

fn plain(text: &str) -> Value {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    boolean(text)
        .map(Value::Bool)
        .or_else(|| integer(text).map(Value::Number))
        .or_else(|| float(text).map(Value::Number))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = sign(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let magnitude = if digits.contains(':') {
        sixties(digits)?
    } else {
        let digits = digits.replace('_', "");
        if let Some(binary) = digits.strip_prefix("0b") {
            u64::from_str_radix(binary, 2).ok()?
        } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
            u64::from_str_radix(hexadecimal, 16).ok()?
        } else if digits.len() > 1 && digits.starts_with('0') {
            u64::from_str_radix(&digits, 8).ok()?
        } else {
            digits.parse().ok()?
        }
    };
    if negative {
        0i64.checked_sub_unsigned(magnitude).map(Number::from)
    } else {
        Some(magnitude.into())
    }
}

/// `1:30` is ninety. Every part after the first is below sixty.
fn sixties(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let first = parts.next()?.replace('_', "");
    if first.starts_with('0') {
        return None;
    }
    let mut total: u64 = first.parse().ok()?;
    for part in parts {
        let part = (1..=2).contains(&part.len()).then_some(part)?;
        let part: u64 = part.parse().ok().filter(|part| *part < 60)?;
        total = total.checked_mul(60)?.checked_add(part)?;
    }
    Some(total)
}

/// A point is needed, and an exponent needs its sign: `1e3` is a text, as `PyYAML` has it.
/// Infinity and "not a number" stay texts too, since no field could hold them.
fn float(text: &str) -> Option<Number> {
    let (_, digits) = sign(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, part) = mantissa.split_once('.')?;
    let of_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if !of_digits(whole) || !of_digits(part) || !(starts(whole) || whole.is_empty() && starts(part))
    {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-'])?;
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
    }
    Number::from_f64(text.replace('_', "").parse().ok()?)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_mean_what_pyyaml_makes_of_them() {
        for (text, expected) in [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("y", json!("y")),
            ("~", json!(null)),
            ("", json!(null)),
            ("nULL", json!("nULL")),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+1_000", json!(1000)),
            ("0755", json!(493)),
            ("0", json!(0)),
            ("08", json!("08")),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1:30", json!(90)),
            ("1:99", json!("1:99")),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("1e3", json!("1e3")),
            ("1.0e+3", json!(1000.0)),
            (".", json!(".")),
            ("._1", json!("._1")),
            (".inf", json!(".inf")),
            ("2030-01-31", json!("2030-01-31")),
            ("minutes=10", json!("minutes=10")),
            ("-", json!("-")),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }
}
