//! What is known of a user from brand, groups and themselves, as one object.

use serde_json::{Map, Value};

use super::{Group, User};
use crate::journal::object::Versioned;

/// The user's attributes over those of their groups over those of the brand.
///
/// The groups come as [`super::groups_of`] returns them, ancestors included and by name: a later
/// one wins.
#[must_use]
pub fn merged(
    brand: &Map<String, Value>,
    groups: &[Versioned<Group>],
    user: &User,
) -> Map<String, Value> {
    let mut merged = brand.clone();
    for group in groups {
        merge(&mut merged, &group.value.attributes);
    }
    merge(&mut merged, &user.attributes);
    merged
}

/// Puts `over` on top: objects are merged key by key, lists appended, anything else replaced.
pub fn merge(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            (Some(Value::Array(below)), Value::Array(above)) => below.extend(above.iter().cloned()),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_merge_lists_append_and_the_rest_is_replaced() {
        let object = |value: Value| match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let mut under = object(json!({"a": {"x": 1, "y": 2}, "l": [1], "v": 1}));
        let over = object(json!({"a": {"y": 3}, "l": [2], "v": {"z": 1}}));
        merge(&mut under, &over);
        let expected = json!({"a": {"x": 1, "y": 3}, "l": [1, 2], "v": {"z": 1}});
        assert_eq!(Value::Object(under), expected);
    }
}
