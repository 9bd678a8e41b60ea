//! How a condition of a query finds what it compares, and compares it: `attributes__team="a"`,
//! `groups__name__startswith="adm-"`.

use std::cmp::Ordering;
use std::rc::Rc;

use uuid::Uuid;

use super::Answers;
use super::query::{MANAGER, no_field};
use super::row::Row;
use crate::expression::{Failure, Value};
use crate::policy::context;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Exact,
    InAnyCase(Text),
    Text(Text),
    In,
    IsNull,
    Beyond(Ordering, bool),
}

/// How a text is compared with a part of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Whole,
    Start,
    End,
    Part,
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "exact" => Self::Exact,
            "iexact" => Self::InAnyCase(Text::Whole),
            "startswith" => Self::Text(Text::Start),
            "istartswith" => Self::InAnyCase(Text::Start),
            "endswith" => Self::Text(Text::End),
            "iendswith" => Self::InAnyCase(Text::End),
            "contains" => Self::Text(Text::Part),
            "icontains" => Self::InAnyCase(Text::Part),
            "in" => Self::In,
            "isnull" => Self::IsNull,
            "gt" => Self::Beyond(Ordering::Greater, false),
            "gte" => Self::Beyond(Ordering::Greater, true),
            "lt" => Self::Beyond(Ordering::Less, false),
            "lte" => Self::Beyond(Ordering::Less, true),
            _ => return None,
        })
    }
}

impl Answers<'_> {
    /// What a path leads to from a row: several values where it leads over several objects.
    pub(super) async fn found(
        &self,
        row: &Rc<Row>,
        path: &str,
    ) -> Result<(Vec<Value>, Operator), Failure> {
        let mut names: Vec<&str> = path.split("__").collect();
        let operator = names.last().and_then(|name| Operator::named(name));
        let operator = operator.filter(|_| names.len() > 1);
        if operator.is_some() {
            names.pop();
        }
        let mut names = names.into_iter();
        let first = names.next().unwrap_or_default();
        let mut values = vec![self.step_into(row, first).await?];
        for name in names {
            let mut next = Vec::new();
            for value in values {
                next.extend(self.beyond(value, name).await?);
            }
            values = next;
        }
        let mut found = Vec::new();
        for value in values {
            match self.many(&value).await? {
                Some(rows) => found.extend(rows.iter().map(|row| Value::Object(row.object()))),
                None => found.push(value),
            }
        }
        Ok((found, operator.unwrap_or(Operator::Exact)))
    }

    async fn step_into(&self, row: &Rc<Row>, name: &str) -> Result<Value, Failure> {
        let found = self.column(row, name).await?;
        found.ok_or_else(|| no_field(name))
    }

    /// The values that `name` leads to from one.
    async fn beyond(&self, value: Value, name: &str) -> Result<Vec<Value>, Failure> {
        if let Some(rows) = self.many(&value).await? {
            let mut found = Vec::new();
            for row in rows {
                found.push(self.step_into(&row, name).await?);
            }
            return Ok(found);
        }
        match value {
            Value::Object(object) => match self.row(&object).await? {
                Some(row) => Ok(vec![self.step_into(&row, name).await?]),
                None => Ok(Vec::new()),
            },
            Value::Dict(_) => Ok(value.get(name).cloned().into_iter().collect()),
            Value::List(items) => {
                let at = name.parse::<usize>().ok();
                let item = at.and_then(|at| items.into_iter().nth(at));
                Ok(item.into_iter().collect())
            }
            Value::None => Ok(Vec::new()),
            _ => Err(no_field(name)),
        }
    }

    /// The rows behind a manager.
    async fn many(&self, value: &Value) -> Result<Option<Vec<Rc<Row>>>, Failure> {
        match value {
            Value::Object(object) if object.class == MANAGER => {
                let query = self.query(object)?;
                // Managers are compared by queries, and those lead over managers.
                let rows = Box::pin(self.members(&query)).await?;
                Ok(Some(rows))
            }
            _ => Ok(None),
        }
    }

    /// Whether any value fits what is wanted.
    pub(super) async fn matches(
        &self,
        operator: Operator,
        found: &[Value],
        wanted: &Value,
    ) -> Result<bool, Failure> {
        if operator == Operator::IsNull {
            let is_null = found.iter().all(|value| *value == Value::None);
            return Ok(is_null == wanted.truthy());
        }
        if *wanted == Value::None {
            return Ok(found.is_empty() || found.contains(&Value::None));
        }
        let wanted = self.plain(wanted).await?;
        for value in found {
            let value = self.plain(value).await?;
            if compare(operator, &value, &wanted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A value in the form in which it is compared: an object is its identifier. A user is a
    /// pair, since they are known by a number as well.
    async fn plain(&self, value: &Value) -> Result<Value, Failure> {
        let all = async |items: &[Value]| {
            let mut plain = Vec::new();
            for item in items {
                plain.push(Box::pin(self.plain(item)).await?);
            }
            Ok::<_, Failure>(plain)
        };
        Ok(match value {
            Value::Object(object) => match self.row(object).await?.as_deref() {
                Some(Row::User(user)) => Value::Tuple(vec![
                    Value::Int(user.value.pk),
                    Value::Text(user.value.uuid.to_string()),
                ]),
                // What policies are bound to is known by another identifier.
                Some(Row::Flow(flow)) => ids(flow.pk, flow.pbm),
                Some(Row::Binding(binding)) => ids(binding.pk, binding.pbm),
                _ if object.class == context::USER => Value::None,
                _ => Value::text(&object.id),
            },
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                Value::List(all(items).await?)
            }
            other => other.clone(),
        })
    }
}

fn ids(one: Uuid, other: Uuid) -> Value {
    Value::Tuple(vec![
        Value::text(one.to_string()),
        Value::text(other.to_string()),
    ])
}

fn compare(operator: Operator, value: &Value, wanted: &Value) -> bool {
    match operator {
        Operator::Exact => equal(value, wanted),
        Operator::In => match wanted {
            Value::List(items) => items.iter().any(|wanted| equal(value, wanted)),
            _ => false,
        },
        Operator::IsNull => false,
        Operator::Beyond(wanted_order, or_equal) => match order(value, wanted) {
            Some(found) => found == wanted_order || (or_equal && found == Ordering::Equal),
            None => false,
        },
        Operator::Text(Text::Part) if !matches!(value, Value::Text(_)) => holds(value, wanted),
        Operator::Text(how) => part(how, &value.displayed(), &wanted.displayed()),
        Operator::InAnyCase(how) => part(
            how,
            &value.displayed().to_lowercase(),
            &wanted.displayed().to_lowercase(),
        ),
    }
}

fn part(how: Text, text: &str, wanted: &str) -> bool {
    match how {
        Text::Whole => text == wanted,
        Text::Start => text.starts_with(wanted),
        Text::End => text.ends_with(wanted),
        Text::Part => text.contains(wanted),
    }
}

fn equal(one: &Value, other: &Value) -> bool {
    let uuid = |text: &str| text.parse::<Uuid>().ok();
    match (one, other) {
        // Any of the names of an object is enough.
        (Value::Tuple(names), other) | (other, Value::Tuple(names)) => {
            names.iter().any(|name| equal(name, other))
        }
        (Value::Text(one), Value::Text(other)) => {
            one == other || uuid(one).is_some_and(|one| uuid(other) == Some(one))
        }
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
            order(one, other) == Some(Ordering::Equal)
        }
        _ => one == other,
    }
}

/// Whether JSON holds other JSON: all entries of it, or all elements.
fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Dict(_), Value::Dict(entries)) => entries.iter().all(|(key, wanted)| {
            let inner = key.as_text().and_then(|key| value.get(key));
            inner.is_some_and(|inner| holds(inner, wanted))
        }),
        (Value::List(items), Value::List(wanted)) => wanted
            .iter()
            .all(|wanted| items.iter().any(|item| holds(item, wanted))),
        (Value::List(items), wanted) => items.iter().any(|item| equal(item, wanted)),
        _ => equal(value, wanted),
    }
}

/// Which of two comes first; `None` when they cannot be compared.
pub(super) fn order(one: &Value, other: &Value) -> Option<Ordering> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "as Python compares them, or nearly"
    )]
    let number = |value: &Value| match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    };
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
        (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
        (Value::Moment(one), Value::Moment(other)) => Some(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        _ => number(one)?.partial_cmp(&number(other)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::text(text)
    }

    #[test]
    fn texts_are_compared_as_the_condition_says() {
        for (name, value, wanted, fits) in [
            ("exact", "Ann", "ann", false),
            ("iexact", "Ann", "ann", true),
            ("startswith", "adm-ann", "adm-", true),
            ("istartswith", "ADM-ann", "adm-", true),
            ("endswith", "ann@example.com", "@example.com", true),
            ("contains", "ann", "N", false),
            ("icontains", "ann", "N", true),
            ("gt", "b", "a", true),
            ("lte", "b", "a", false),
        ] {
            let operator = Operator::named(name).expect("an operator");
            assert_eq!(
                compare(operator, &text(value), &text(wanted)),
                fits,
                "{name}"
            );
        }
    }

    #[test]
    fn an_identifier_is_the_same_in_either_spelling() {
        let id = Uuid::from_u128(7);
        let one = text(&id.to_string());
        assert!(equal(&one, &text(&id.simple().to_string())));
        assert!(equal(&ids(id, Uuid::nil()), &one));
    }

    #[test]
    fn json_holds_what_is_a_part_of_it() {
        let value = Value::dict([("a", Value::List(vec![1.into(), 2.into()]))]);
        let part = Value::dict([("a", Value::List(vec![2.into()]))]);
        assert!(holds(&value, &part));
        assert!(!holds(&part, &value));
    }
}
