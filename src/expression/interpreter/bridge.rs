//! Values on their way into the interpreter and out of it, and the identity of host objects.

use std::collections::HashMap;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use monty_types::{
    DictPairs, MontyClassInstance, MontyClassType, MontyDateTime, MontyObject, MontyType, MontyUuid,
};

use super::mask::Mask;
use crate::expression::value::{Object, Value};

/// The attribute that makes two handles different; never seen by the host.
const IDENTITY: &str = "_id";
/// Classes and instances are told apart by this bit of their number.
const CLASS: u128 = 1 << 100;

/// The host objects and secrets that one evaluation knows.
#[derive(Default)]
pub(super) struct Bridge {
    pub(super) mask: Mask,
    objects: Numbered<(String, String)>,
    classes: Numbered<String>,
}

struct Numbered<T> {
    list: Vec<T>,
    numbers: HashMap<T, u128>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn number(&mut self, of: T) -> u128 {
        if let Some(number) = self.numbers.get(&of) {
            return *number;
        }
        self.list.push(of.clone());
        let number = self.list.len() as u128;
        self.numbers.insert(of, number);
        number
    }

    fn get(&self, number: u128) -> Option<&T> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.list.get(at)
    }
}

impl Bridge {
    fn class(&mut self, name: &str) -> MontyClassType {
        let id = CLASS | self.classes.number(name.to_owned());
        MontyClassType {
            name: name.to_owned(),
            id: MontyUuid::from_u128(id),
            host_defined: true,
            is_dataclass: false,
            attrs: DictPairs::default(),
        }
    }

    /// The host object or class that the interpreter means.
    pub(super) fn object(&self, id: MontyUuid) -> Option<Object> {
        let number = u128::from_be_bytes(*id.as_bytes());
        if number & CLASS != 0 {
            let name = self.classes.get(number & !CLASS)?;
            return Some(Object::new("type", name));
        }
        let (class, id) = self.objects.get(number)?;
        Some(Object::new(class, id))
    }

    /// A value of the host's, for the interpreter.
    pub(super) fn enter(&mut self, value: Value) -> MontyObject {
        match value {
            Value::None => MontyObject::None,
            Value::Bool(value) => MontyObject::Bool(value),
            Value::Int(value) => MontyObject::Int(value),
            Value::Float(value) => MontyObject::Float(value),
            Value::Text(text) | Value::Opaque(text) => MontyObject::String(text),
            Value::Bytes(bytes) => MontyObject::Bytes(bytes),
            Value::List(items) => MontyObject::List(self.enter_all(items)),
            Value::Tuple(items) => MontyObject::Tuple(self.enter_all(items)),
            Value::Set(items) => MontyObject::Set(self.enter_all(items)),
            Value::Dict(entries) => {
                let entries = entries.into_iter();
                let entries = entries.map(|(k, v)| (self.enter(k), self.enter(v)));
                MontyObject::Dict(entries.collect())
            }
            Value::Moment(moment) => {
                let at = Offset::UTC.to_datetime(moment);
                MontyObject::DateTime(datetime(at, Some(0)))
            }
            Value::Object(object) => {
                let identity = (object.class.clone(), object.id.clone());
                let id = MontyUuid::from_u128(self.objects.number(identity));
                let own = (text(IDENTITY), text(&object.id));
                let fields = object.fields.into_iter();
                let fields = fields.map(|(k, v)| (MontyObject::String(k), self.enter(v)));
                let attrs = std::iter::once(own).chain(fields).collect();
                MontyObject::ClassInstance(Box::new(MontyClassInstance {
                    class_type: self.class(&object.class),
                    instance_id: id,
                    attrs,
                }))
            }
            Value::Class(name) => {
                MontyObject::Type(MontyType::Instance(Box::new(self.class(&name))))
            }
            Value::Function(name) => MontyObject::Function {
                name,
                docstring: None,
            },
            Value::Secret(handle) => {
                MontyObject::String(self.mask.text(&handle).unwrap_or_default().to_owned())
            }
        }
    }

    fn enter_all(&mut self, items: Vec<Value>) -> Vec<MontyObject> {
        items.into_iter().map(|item| self.enter(item)).collect()
    }

    /// A dictionary with texts as keys.
    pub(super) fn enter_dict(&mut self, entries: Vec<(String, Value)>) -> MontyObject {
        let entries = entries.into_iter();
        let entries = entries.map(|(k, v)| (MontyObject::String(k), self.enter(v)));
        MontyObject::Dict(entries.collect())
    }

    /// A value of the expression's, for the host. Fields of objects come along only if wanted.
    pub(super) fn leave(&self, value: MontyObject, fields: bool) -> Value {
        let all = |items: Vec<MontyObject>| -> Vec<Value> {
            let items = items.into_iter();
            items.map(|item| self.leave(item, fields)).collect()
        };
        match value {
            MontyObject::None => Value::None,
            MontyObject::Bool(value) => Value::Bool(value),
            MontyObject::Int(value) => Value::Int(value),
            MontyObject::Float(value) => Value::Float(value),
            MontyObject::String(text) | MontyObject::Path(text) => self.leave_text(text),
            MontyObject::Bytes(bytes) => match String::from_utf8(bytes) {
                Ok(text) => match self.mask.handle(&text) {
                    Some(handle) => Value::Secret(handle.to_owned()),
                    None => Value::Bytes(self.mask.hide(text).into_bytes()),
                },
                Err(other) => Value::Bytes(other.into_bytes()),
            },
            MontyObject::List(items) => Value::List(all(items)),
            MontyObject::Tuple(items) | MontyObject::NamedTuple { values: items, .. } => {
                Value::Tuple(all(items))
            }
            MontyObject::Set(items) | MontyObject::FrozenSet(items) => Value::Set(all(items)),
            MontyObject::Dict(entries) => {
                let entries = entries.into_iter();
                let entries = entries.map(|(k, v)| (self.leave(k, fields), self.leave(v, fields)));
                Value::Dict(entries.collect())
            }
            MontyObject::DateTime(moment) => timestamp(&moment),
            MontyObject::Date(date) => Value::Text(format!(
                "{:04}-{:02}-{:02}",
                date.year, date.month, date.day
            )),
            MontyObject::ClassInstance(instance) => self.leave_instance(*instance, fields),
            MontyObject::Type(MontyType::Instance(class)) if class.host_defined => {
                Value::Class(class.name)
            }
            MontyObject::Function { name, .. } => Value::Function(name),
            other => Value::Opaque(self.mask.hide(other.to_string())),
        }
    }

    fn leave_text(&self, text: String) -> Value {
        match self.mask.handle(&text) {
            Some(handle) => Value::Secret(handle.to_owned()),
            None => Value::Text(self.mask.hide(text)),
        }
    }

    fn leave_instance(&self, instance: MontyClassInstance, fields: bool) -> Value {
        let name = instance.class_type.name;
        let mut attrs = instance
            .attrs
            .into_iter()
            .filter_map(|(key, value)| match key {
                MontyObject::String(key) => Some((key, value)),
                _ => None,
            });
        if !instance.class_type.host_defined {
            // What the prelude makes: a query set is its handle, an address its text.
            let inner = attrs.find(|(key, _)| key == "_handle" || key == "_text");
            return match inner {
                Some((_, value)) => self.leave(value, fields),
                None => Value::Opaque(format!("<{name} object>")),
            };
        }
        let Some(mut object) = self.object(instance.instance_id) else {
            return Value::Opaque(format!("<{name} object>"));
        };
        if fields {
            let attrs = attrs.filter(|(key, _)| key != IDENTITY);
            object.fields = attrs.map(|(k, v)| (k, self.leave(v, true))).collect();
        }
        Value::Object(object)
    }
}

/// A text for the interpreter.
pub(super) fn text(text: &str) -> MontyObject {
    MontyObject::String(text.to_owned())
}

/// A moment for the interpreter; without an offset, a naive one.
pub(super) fn datetime(at: DateTime, offset_seconds: Option<i32>) -> MontyDateTime {
    // The parts of a civil time are never negative.
    let small = |part: i8| u8::try_from(part).unwrap_or_default();
    MontyDateTime {
        year: at.year().into(),
        month: small(at.month()),
        day: small(at.day()),
        hour: small(at.hour()),
        minute: small(at.minute()),
        second: small(at.second()),
        microsecond: u32::try_from(at.subsec_nanosecond() / 1000).unwrap_or_default(),
        offset_seconds,
        timezone_name: None,
    }
}

fn timestamp(moment: &MontyDateTime) -> Value {
    let parts = || {
        let signed = |part: u8| i8::try_from(part).ok();
        let at = DateTime::new(
            i16::try_from(moment.year).ok()?,
            signed(moment.month)?,
            signed(moment.day)?,
            signed(moment.hour)?,
            signed(moment.minute)?,
            signed(moment.second)?,
            i32::try_from(moment.microsecond).ok()? * 1000,
        );
        let offset = Offset::from_seconds(moment.offset_seconds.unwrap_or(0)).ok()?;
        let zoned = at.ok()?.to_zoned(TimeZone::fixed(offset)).ok()?;
        Some(zoned.timestamp())
    };
    parts().map_or(Value::None, Value::Moment)
}
