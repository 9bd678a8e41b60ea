//! By what an object can be looked up, of every kind that an execution may look for.

use crate::catalog::{
    Application, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source, Stage,
};
use crate::directory::device::Device;
use crate::directory::{Group, Invitation, Role, Session, User, UserConsent};
use crate::journal::object::{self, Stored};
use crate::journal::{Key, Kind, Object, Result};

macro_rules! kinds {
    ($($Type:ty),+ $(,)?) => {
        /// Whether lookups of this kind can be answered out of the history.
        pub(super) fn is_known(kind: Kind) -> bool {
            $(kind == <$Type as Stored>::KIND)||+
        }

        /// All keys of the object; none of a kind that is not known.
        pub(super) fn of(object: &Object) -> Result<Vec<Key>> {
            $(if object.stream.kind == <$Type as Stored>::KIND {
                return keys::<$Type>(object);
            })+
            Ok(Vec::new())
        }
    };
}

kinds! {
    Application, Brand, Device, Flow, FlowStageBinding, Group, Invitation, Policy, PolicyBinding, Prompt, Role,
    Session, Source, Stage, User, UserConsent,
}

fn keys<T: Stored>(object: &Object) -> Result<Vec<Key>> {
    let stored = object::open::<T>(object)?.value;
    let mut keys = stored.unique();
    keys.extend(stored.index());
    Ok(keys)
}
