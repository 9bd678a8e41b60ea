//! A group of users. Groups lie below others: who is in a group is in every group above it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::User;
use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its identifier.
    pub pk: Uuid,
    /// Its name; unique.
    pub name: String,
    /// Whether whoever is in it may do everything.
    pub is_superuser: bool,
    /// The groups directly above.
    pub parents: Vec<Uuid>,
    /// What is known of all who are in it.
    pub attributes: Map<String, Value>,
    /// The roles of all who are in it.
    #[serde(default)]
    pub roles: Vec<Uuid>,
}

impl Group {
    /// A group with this name and nothing else.
    #[must_use]
    pub fn new(clock: &Clock, name: &str) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: name.to_owned(),
            is_superuser: false,
            parents: Vec::new(),
            attributes: Map::new(),
            roles: Vec::new(),
        }
    }

    /// The number that stands in for the identifier where only numbers fit: the first five
    /// digits of the identifier read as a number. Two groups may have the same.
    #[must_use]
    pub fn num_pk(&self) -> u32 {
        let digits = self.pk.as_u128().to_string();
        let first = digits.get(..5).unwrap_or(&digits);
        first.parse().unwrap_or_default()
    }

    /// What is wrong with it; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        if self.name.trim().is_empty() {
            vec![Invalid::new("name", Problem::Blank)]
        } else {
            Vec::new()
        }
    }
}

impl Stored for Group {
    const KIND: Kind = Kind::new("group");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        vec![Key::new("name", &self.name)]
    }

    fn index(&self) -> Vec<Key> {
        let above = self.parents.iter();
        let roles = self.roles.iter().map(|role| Key::new("role", role));
        let above = above.map(|parent| Key::new("parent", parent));
        above.chain(roles).collect()
    }
}

/// The group with this name.
pub async fn group_by_name(
    objects: &(impl Objects + ?Sized),
    name: &str,
) -> Result<Option<Versioned<Group>>> {
    object::find(objects, Key::new("name", name)).await
}

/// All groups, by name.
pub async fn groups(objects: &(impl Objects + ?Sized)) -> Result<Vec<Versioned<Group>>> {
    let mut groups: Vec<Versioned<Group>> = object::all(objects).await?;
    groups.sort_by(|a, b| a.value.name.cmp(&b.value.name));
    Ok(groups)
}

/// These groups and all above them, each once, by name. Groups that are gone are left out, and
/// groups that lie above each other in a circle are in it together.
pub async fn with_ancestors(
    objects: &(impl Objects + ?Sized),
    groups: &[Uuid],
) -> Result<Vec<Versioned<Group>>> {
    let mut seen: HashSet<Uuid> = HashSet::new();
    let mut found: Vec<Versioned<Group>> = Vec::new();
    let mut open = groups.to_vec();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        if let Some(group) = object::get::<Group>(objects, id).await? {
            open.extend(&group.value.parents);
            found.push(group);
        }
    }
    found.sort_by(|a, b| a.value.name.cmp(&b.value.name));
    Ok(found)
}

/// Every group that the user is in, directly or from below, by name.
pub async fn groups_of(
    objects: &(impl Objects + ?Sized),
    user: &User,
) -> Result<Vec<Versioned<Group>>> {
    with_ancestors(objects, &user.groups).await
}

/// Whether the user is in a group of superusers, directly or from below.
pub async fn is_superuser(objects: &(impl Objects + ?Sized), user: &User) -> Result<bool> {
    let groups = groups_of(objects, user).await?;
    Ok(groups.iter().any(|group| group.value.is_superuser))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_the_first_five_digits_of_the_identifier() {
        let mut group = Group::new(&Clock::system(), "g");
        group.pk = Uuid::from_u128(123_456_789);
        assert_eq!(group.num_pk(), 12_345);
        group.pk = Uuid::from_u128(12);
        assert_eq!(group.num_pk(), 12);
    }
}
