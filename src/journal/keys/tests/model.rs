//! Random changes and restarts, against a map from each key to the one that wraps it.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Create(u8, u8),
    Wrap(u8, u8),
    Destroy(u8),
    Rotate,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..4_u8, 0..4_u8).prop_map(|(id, under)| Step::Create(id, under)),
        2 => (1..4_u8, 0..4_u8).prop_map(|(id, under)| Step::Wrap(id, under)),
        2 => (1..4_u8).prop_map(Step::Destroy),
        1 => Just(Step::Rotate),
        1 => Just(Step::Restart),
    ]
}

fn key(id: u8) -> KeyId {
    KeyId(uuid::Uuid::from_u128(id.into()))
}

/// Each key with its wrapper and a body that was sealed under it; 0 is the root.
#[derive(Default)]
struct Model(BTreeMap<u8, (u8, Vec<u8>)>);

impl Model {
    fn is_whole(&self, id: u8) -> bool {
        id == 0
            || self
                .0
                .get(&id)
                .is_some_and(|(under, _)| self.is_whole(*under))
    }

    fn is_above(&self, above: u8, id: u8) -> bool {
        id == above
            || self
                .0
                .get(&id)
                .is_some_and(|(under, _)| self.is_above(above, *under))
    }

    fn apply(&mut self, keys: &Keyring, step: &Step) {
        match *step {
            Step::Create(id, under) => {
                let was_whole = self.is_whole(id);
                let made = keys.create(key(id), key(under));
                if was_whole {
                    made.expect("a key that exists is left as it is");
                } else if self.is_whole(under) {
                    made.expect("it can be made");
                    self.0.insert(id, (under, seal(keys, key(id))));
                } else {
                    assert!(matches!(made, Err(Error::NoKey(_))), "{made:?}");
                }
            }
            Step::Wrap(id, under) => {
                let wrapped = keys.wrap(key(id), key(under));
                if under != 0 && self.is_above(id, under) {
                    assert!(wrapped.is_err());
                } else if self.is_whole(id) && self.is_whole(under) {
                    wrapped.expect("it can be wrapped");
                    self.0.entry(id).and_modify(|entry| entry.0 = under);
                } else {
                    assert!(matches!(wrapped, Err(Error::NoKey(_))), "{wrapped:?}");
                }
            }
            Step::Destroy(id) => {
                keys.destroy(key(id)).expect("it can be destroyed");
                self.0.remove(&id);
                // What it wrapped is gone for ever, also if a key with its id is made again.
                let whole: Vec<u8> = self
                    .0
                    .keys()
                    .copied()
                    .filter(|id| self.is_whole(*id))
                    .collect();
                self.0.retain(|id, _| whole.contains(id));
            }
            Step::Rotate => keys
                .rotate(&RootKey::generate(&keys.clock))
                .expect("the root key can be changed"),
            Step::Restart => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_changes_do_what_a_map_does(steps in vec(step(), 1..80)) {
        let place = Place::new();
        let mut keys = Some(place.open());
        let mut model = Model::default();
        for step in steps {
            if matches!(step, Step::Restart) {
                keys = None;
            }
            let keys = keys.get_or_insert_with(|| place.open());
            model.apply(keys, &step);
            for id in 1..4 {
                assert_eq!(keys.contains(key(id)), model.is_whole(id), "key {id} after {step:?}");
            }
            for (id, (_, sealed)) in &model.0 {
                assert!(opens(keys, key(*id), sealed));
            }
        }
    }
}
