//! What the settings of a stage or a policy look like in the description of the API, and whether a
//! value keeps to that. The types say it; nothing here knows a kind.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{ArrayItems, KnownFormat, Object, Schema, SchemaFormat, Type};
use utoipa::openapi::{RefOr, schema::SchemaType};
use utoipa::{Number, ToSchema};

use crate::flow::event::{Errors, error};
use crate::flow::field::Problem;

/// The settings of a kind, as the API describes them in what is written.
pub struct Described {
    /// What the API calls an object of this kind, such as `DenyStage`.
    pub name: String,
    /// The settings: one object with all of their properties.
    pub settings: Object,
    /// The enums that the properties refer to, by name.
    pub refers: Vec<(String, RefOr<Schema>)>,
}

impl Described {
    /// The description of a type of settings.
    #[must_use]
    pub fn of<T: ToSchema>() -> Self {
        let mut refers = Vec::new();
        T::schemas(&mut refers);
        refers.sort_by(|one, other| one.0.cmp(&other.0));
        refers.dedup_by(|one, other| one.0 == other.0);
        let mut settings = Object::default();
        settings.schema_type = SchemaType::new(Type::Object);
        collect(T::schema(), &mut settings);
        Self {
            name: T::name().into_owned(),
            settings,
            refers,
        }
    }
}

/// Puts the properties of a schema and of those that it is made of into one object.
fn collect(schema: RefOr<Schema>, into: &mut Object) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            into.required.extend(object.required);
            for (name, mut property) in object.properties {
                plain(&mut property);
                into.properties.insert(name, property);
            }
        }
        RefOr::T(Schema::AllOf(parts)) => {
            for part in parts.items {
                collect(part, into);
            }
        }
        // Settings are objects, and what is flattened into them is inlined.
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

/// Whole numbers are told by their bounds: those of 32 bits, whatever the type could hold.
fn plain(property: &mut RefOr<Schema>) {
    match property {
        RefOr::T(Schema::Object(object)) => bound(object),
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                plain(items);
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn bound(object: &mut Object) {
    match &object.format {
        Some(SchemaFormat::KnownFormat(KnownFormat::Int32)) => {
            object.format = None;
            let least = i32::MIN as isize;
            object.minimum.get_or_insert(Number::Int(least));
            let most = i32::MAX as isize;
            object.maximum.get_or_insert(Number::Int(most));
        }
        Some(SchemaFormat::KnownFormat(KnownFormat::Int64)) => {
            object.maximum.get_or_insert(Number::Int(isize::MAX));
        }
        _ => {}
    }
}

/// What of some settings does not keep to their description: empty texts and long ones, numbers
/// out of bounds, long lists.
#[must_use]
pub fn complaints(described: &Described, settings: &Map<String, Value>) -> Errors {
    let mut found = Errors::new();
    for (name, property) in &described.settings.properties {
        let Some(value) = settings.get(name) else {
            continue;
        };
        if let Some((text, code)) = complaint(property, value) {
            found.insert(name.clone(), vec![error(text, code)]);
        }
    }
    found
}

fn complaint(property: &RefOr<Schema>, value: &Value) -> Option<(String, &'static str)> {
    match (property, value) {
        (RefOr::T(Schema::Object(object)), Value::String(text)) => {
            if object.min_length.is_some() && text.trim().is_empty() {
                return Some(told(&Problem::Blank));
            }
            let most = object.max_length?;
            (text.chars().count() > most).then(|| told(&Problem::TooLong(most)))
        }
        (RefOr::T(Schema::Object(object)), Value::Number(number)) => {
            let number = number
                .as_i64()
                .or_else(|| number.as_u64().map(|_| i64::MAX))?;
            if let Some(most) = object
                .maximum
                .as_ref()
                .and_then(whole)
                .filter(|it| number > *it)
            {
                let text = format!("Ensure this value is less than or equal to {most}.");
                return Some((text, "max_value"));
            }
            let least = object.minimum.as_ref().and_then(whole)?;
            (number < least).then(|| {
                let text = format!("Ensure this value is greater than or equal to {least}.");
                (text, "min_value")
            })
        }
        (RefOr::T(Schema::Array(array)), Value::Array(items)) => {
            if let Some(most) = array.max_items.filter(|most| items.len() > *most) {
                let text = format!("Ensure this field has no more than {most} elements.");
                return Some((text, "max_length"));
            }
            let ArrayItems::RefOrSchema(property) = &array.items else {
                return None;
            };
            items.iter().find_map(|item| complaint(property, item))
        }
        _ => None,
    }
}

fn told(problem: &Problem) -> (String, &'static str) {
    (problem.to_string(), problem.code())
}

fn whole(number: &Number) -> Option<i64> {
    match number {
        Number::Int(number) => i64::try_from(*number).ok(),
        Number::UInt(number) => i64::try_from(*number).ok(),
        // A bound of no whole number is not one that a whole number is held to.
        Number::Float(number) if number.fract() == 0.0 => format!("{number}").parse().ok(),
        Number::Float(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "only its description is of interest")]
    struct Settings {
        #[schema(min_length = 1, max_length = 3)]
        text: String,
        count: u32,
        #[schema(maximum = 5)]
        few: Option<u16>,
        offset: i32,
        #[schema(max_items = 2)]
        list: Vec<i32>,
        share: f64,
    }

    #[test]
    fn whole_numbers_are_described_by_their_bounds() {
        let described = Described::of::<Settings>();
        assert_eq!(described.name, "Settings");
        let found = serde_json::to_value(&described.settings).expect("JSON");
        let found = &found["properties"];
        let count = json!({ "type": "integer", "minimum": 0, "maximum": 2_147_483_647 });
        assert_eq!(found["count"], count);
        assert_eq!(found["offset"]["minimum"], -2_147_483_648_i64);
        assert_eq!(found["few"]["maximum"], 5);
        assert_eq!(
            found["share"],
            json!({ "type": "number", "format": "double" })
        );
    }

    #[test]
    fn what_does_not_keep_to_its_description_is_told_in_the_words_of_the_wire() {
        let described = Described::of::<Settings>();
        for (field, value, message) in [
            ("text", json!(" "), "This field may not be blank."),
            (
                "text",
                json!("four"),
                "Ensure this field has no more than 3 characters.",
            ),
            (
                "count",
                json!(2_147_483_648_u64),
                "Ensure this value is less than or equal to 2147483647.",
            ),
            (
                "few",
                json!(6),
                "Ensure this value is less than or equal to 5.",
            ),
            (
                "count",
                json!(-1),
                "Ensure this value is greater than or equal to 0.",
            ),
            (
                "list",
                json!([1, 2, 3]),
                "Ensure this field has no more than 2 elements.",
            ),
        ] {
            let settings = Map::from_iter([(field.to_owned(), value)]);
            let found = complaints(&described, &settings);
            assert_eq!(found[field][0].string, message);
            assert_eq!(found.len(), 1, "{found:?}");
        }
        let fine = json!({
            "text": "abc", "count": 2_147_483_647, "few": null, "offset": -5, "list": [1, 2],
            "share": 1.5, "other": "",
        });
        let fine = fine.as_object().expect("an object");
        assert!(complaints(&described, fine).is_empty());
    }
}
