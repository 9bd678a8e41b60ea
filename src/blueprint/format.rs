//! `!Format`: Python's `%` operator with positional arguments, and Python's texts of values.

use std::fmt::Write as _;

use serde_json::Value;

/// A place wider than this is refused rather than filled with blanks.
const MAX_WIDTH: usize = 4096;

/// `pattern % arguments`.
///
/// # Errors
/// A message when the places and the arguments do not fit each other.
pub(super) fn printf(pattern: &str, arguments: &[Value]) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut arguments = arguments.iter();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut place = Place::default();
        while let Some(flag) = rest.next_if(|c| "-+ 0#".contains(*c)) {
            match flag {
                '-' => place.left = true,
                '+' => place.plus = true,
                ' ' => place.blank = true,
                '0' => place.zeros = true,
                _ => place.alternate = true,
            }
        }
        place.width = number(&mut rest)?.unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            place.precision = Some(number(&mut rest)?.unwrap_or(0));
        }
        let Some(kind) = rest.next() else {
            return Err("the text ends in the middle of a % place".to_owned());
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        if !"srdiuxXoeEfFgGc".contains(kind) {
            return Err(format!(
                "%{kind} is not supported; write %% for a percent sign"
            ));
        }
        let argument = arguments
            .next()
            .ok_or("the text has more % places than there are values")?;
        out.push_str(&place.render(kind, argument)?);
    }
    match arguments.next() {
        None => Ok(out),
        Some(_) => Err("there are more values than the text has % places".to_owned()),
    }
}

fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, String> {
    let mut read = None;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).map_or(0, |digit| digit as usize);
        let value = read.unwrap_or(0) * 10 + digit;
        if value > MAX_WIDTH {
            return Err(format!("a % place may be {MAX_WIDTH} wide and no wider"));
        }
        read = Some(value);
    }
    Ok(read)
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the five flags that printf has"
)]
struct Place {
    left: bool,
    plus: bool,
    blank: bool,
    zeros: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Place {
    fn render(&self, kind: char, argument: &Value) -> Result<String, String> {
        let (sign, body) = match kind {
            's' => (String::new(), self.cut(text(argument))),
            'r' => (String::new(), self.cut(repr(argument))),
            'c' => (String::new(), character(argument)?),
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => self.integer(kind, argument)?,
            _ => self.float(kind, argument)?,
        };
        let length = sign.chars().count() + body.chars().count();
        let missing = self.width.saturating_sub(length);
        let numeric = !matches!(kind, 's' | 'r' | 'c');
        Ok(if self.left {
            format!("{sign}{body}{}", " ".repeat(missing))
        } else if self.zeros && numeric {
            format!("{sign}{}{body}", "0".repeat(missing))
        } else {
            format!("{}{sign}{body}", " ".repeat(missing))
        })
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(length) => text.chars().take(length).collect(),
            None => text,
        }
    }

    fn sign(&self, negative: bool) -> String {
        match (negative, self.plus, self.blank) {
            (true, ..) => "-".to_owned(),
            (false, true, _) => "+".to_owned(),
            (false, false, true) => " ".to_owned(),
            (false, false, false) => String::new(),
        }
    }

    fn integer(&self, kind: char, argument: &Value) -> Result<(String, String), String> {
        let value = whole(argument)
            .ok_or_else(|| format!("%{kind} takes a number, not {}", describe(argument)))?;
        let magnitude = value.unsigned_abs();
        let (prefix, digits) = match kind {
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            'o' => ("0o", format!("{magnitude:o}")),
            _ => ("", magnitude.to_string()),
        };
        let missing = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let prefix = if self.alternate { prefix } else { "" };
        let sign = self.sign(value < 0) + prefix;
        Ok((sign, "0".repeat(missing) + digits.as_str()))
    }

    fn float(&self, kind: char, argument: &Value) -> Result<(String, String), String> {
        let value = match argument {
            Value::Bool(flag) => f64::from(u8::from(*flag)),
            other => other
                .as_f64()
                .ok_or_else(|| format!("%{kind} takes a number, not {}", describe(argument)))?,
        };
        let precision = self.precision.unwrap_or(6);
        let size = value.abs();
        let body = match kind.to_ascii_lowercase() {
            'f' => format!("{size:.precision$}"),
            'e' => exponential(size, precision),
            _ => general(size, precision.max(1)),
        };
        let body = if kind.is_ascii_uppercase() {
            body.to_ascii_uppercase()
        } else {
            body
        };
        Ok((self.sign(value.is_sign_negative()), body))
    }
}

/// `1.5e+03`, with a sign and at least two digits in the exponent.
fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%g`: whichever of the two forms is shorter, without trailing zeros.
fn general(value: f64, precision: usize) -> String {
    let scientific = exponential(value, precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i64 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    match usize::try_from(power) {
        Ok(power) if power < precision => {
            let decimals = precision - 1 - power;
            trim(&format!("{value:.decimals$}"))
        }
        Err(_) if power >= -4 => {
            let decimals = precision - 1 + usize::try_from(-power).unwrap_or(0);
            trim(&format!("{value:.decimals$}"))
        }
        _ => format!("{}e{exponent}", trim(mantissa)),
    }
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(flag) => Some(i128::from(*flag)),
        Value::Number(number) => number
            .as_i128()
            .or_else(|| number.as_f64().and_then(truncated)),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Python cuts the fraction off, and the range is checked"
)]
fn truncated(value: f64) -> Option<i128> {
    (value.is_finite() && value.abs() < 1e30).then_some(value as i128)
}

fn character(value: &Value) -> Result<String, String> {
    let one = match value {
        Value::String(text) if text.chars().count() == 1 => return Ok(text.clone()),
        other => other.as_u64().and_then(|code| u32::try_from(code).ok()),
    };
    one.and_then(char::from_u32)
        .map(String::from)
        .ok_or_else(|| format!("%c takes one character, not {}", describe(value)))
}

/// What `str()` gives in Python.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// What `repr()` gives in Python.
fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), repr(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if u32::from(c) < 0x20 || u32::from(c) == 0x7f => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number of that kind",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn format(pattern: &str, arguments: &Value) -> Result<String, String> {
        printf(pattern, arguments.as_array().expect("a list"))
    }

    #[test]
    fn places_are_filled_as_python_fills_them() {
        for (pattern, arguments, expected) in [
            ("a %s b", json!(["x"]), "a x b"),
            ("%s %s %s", json!([null, true, 1.5]), "None True 1.5"),
            (
                "%s",
                json!([["a", 1, {"k": "it's"}]]),
                "['a', 1, {'k': \"it's\"}]",
            ),
            ("%r", json!(["a\n"]), "'a\\n'"),
            ("%d%%", json!([7.9]), "7%"),
            (
                "%05d|%-4d|%+d|% d",
                json!([-42, 7, 7, 7]),
                "-0042|7   |+7| 7",
            ),
            ("%x %#X %o", json!([255, 255, 8]), "ff 0XFF 10"),
            ("%.2f %5.1f", json!([1.005, 2.25]), "1.00   2.2"),
            ("%e", json!([1500]), "1.500000e+03"),
            (
                "%g %g %g %g",
                json!([0.0001, 1e20, 100, 0.00001]),
                "0.0001 1e+20 100 1e-05",
            ),
            (
                "%.2s|%5s|%-5s|",
                json!(["abc", "a", "b"]),
                "ab|    a|b    |",
            ),
            ("%c%c", json!(["x", 65]), "xA"),
        ] {
            assert_eq!(
                format(pattern, &arguments).as_deref(),
                Ok(expected),
                "{pattern}"
            );
        }
    }

    #[test]
    fn places_that_do_not_fit_are_refused() {
        for (pattern, arguments) in [
            ("%s", json!([])),
            ("none", json!([1])),
            ("%d", json!(["x"])),
            ("%f", json!([null])),
            ("%(name)s", json!([{"name": 1}])),
            ("%", json!([1])),
            ("%9999999999s", json!([1])),
            ("%c", json!(["ab"])),
        ] {
            assert!(format(pattern, &arguments).is_err(), "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_filled_or_refused(
            pattern in "(%|[-+ 0#.5sdxofegGcr]|12|text){0,8}", number in proptest::num::f64::ANY,
        ) {
            let value = serde_json::Number::from_f64(number).map_or(json!("x"), Value::Number);
            let _ = printf(&pattern, &[value]);
        }
    }
}
