//! Compares an event with what a query says. Values of different kinds are never equal, and
//! neither is more than the other.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::parse::MOMENTS;
use super::{Comparison, Constant, Operator};

impl Comparison {
    /// Whether the event is as the comparison says.
    pub(super) fn holds(&self, event: &Value) -> bool {
        let mut found = event;
        for name in &self.path {
            found = found.get(name).unwrap_or(&Value::Null);
        }
        let is_moment = self.path.len() == 1 && MOMENTS.contains(&self.path[0].as_str());
        let fits = |constant: &Constant| fits(found, self.operator, constant, is_moment);
        self.with.iter().any(fits) != self.negated
    }
}

fn fits(found: &Value, operator: Operator, constant: &Constant, is_moment: bool) -> bool {
    use Operator::{
        Contains, EndsWith, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, StartsWith,
    };
    let ordering = || order(found, constant, is_moment);
    match operator {
        Equal | In => ordering() == Some(Ordering::Equal),
        Greater => ordering() == Some(Ordering::Greater),
        GreaterOrEqual => ordering().is_some_and(Ordering::is_ge),
        Less => ordering() == Some(Ordering::Less),
        LessOrEqual => ordering().is_some_and(Ordering::is_le),
        Contains => within(found, constant, |text, part| text.contains(part)),
        StartsWith => within(found, constant, |text, part| text.starts_with(part)),
        EndsWith => within(found, constant, |text, part| text.ends_with(part)),
    }
}

/// How the two follow each other; `None` when they cannot be compared.
fn order(found: &Value, constant: &Constant, is_moment: bool) -> Option<Ordering> {
    match (found, constant) {
        (Value::Null, Constant::None) => Some(Ordering::Equal),
        (Value::Bool(found), Constant::Bool(constant)) => Some(found.cmp(constant)),
        (Value::Number(found), Constant::Number(constant)) => found.as_f64()?.partial_cmp(constant),
        (Value::String(found), Constant::Text(constant)) if is_moment => {
            Some(moment(found)?.cmp(&moment(constant)?))
        }
        (Value::String(found), Constant::Text(constant)) => Some(found.cmp(constant)),
        _ => None,
    }
}

/// Whether one text is in the other, upper and lower case being the same. What is no text is
/// looked at as the JSON that it is.
fn within(found: &Value, constant: &Constant, is_in: impl Fn(&str, &str) -> bool) -> bool {
    let Constant::Text(part) = constant else {
        return false;
    };
    let text = match found {
        Value::Null => return false,
        Value::String(text) => text.to_lowercase(),
        other => other.to_string().to_lowercase(),
    };
    is_in(&text, &part.to_lowercase())
}

/// A moment as events write it, or a date, with or without a time of day, in UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let date: DateTime = text.parse().ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp())
}
