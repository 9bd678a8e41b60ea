//! That every kind of stage has its place in the API.

use std::collections::BTreeMap;

use super::*;
use crate::http::api::resource::{Fits, Scope};

#[test]
fn every_kind_has_its_place_and_is_called_as_its_settings_are() {
    assert_eq!(KINDS.len(), Kind::ALL.len());
    for (resource, kind) in KINDS.iter().zip(Kind::ALL) {
        assert_eq!(resource.scope, Scope::Of(Model::Stage(*kind)));
        assert_eq!(resource.name, kind.described().name);
        assert_eq!(resource.noun, kind.model());
    }
}

#[test]
fn lists_are_filtered_by_settings_in_the_words_that_fit_in_them() {
    for (resource, kind) in KINDS.iter().zip(Kind::ALL) {
        let described = kind.described();
        let enums: BTreeMap<String, Value> = described
            .refers
            .iter()
            .map(|(name, schema)| (name.clone(), json!(schema)["enum"].clone()))
            .collect();
        let settings = json!(described.settings);
        for filter in resource.filters {
            let own = ["name", "no_flows", "stage_uuid"];
            let property = &settings["properties"][filter.name];
            let is_known = own.contains(&filter.name) || property.is_object();
            assert!(is_known, "{}: {}", resource.name, filter.name);
            assert!(property["writeOnly"] != true, "{}", filter.name);
            if let Fits::Word(words) = filter.fits {
                let referred = property.to_string();
                let mut found = enums.iter().filter(|(name, _)| referred.contains(*name));
                let (_, fitting) = found.next().expect("an enum");
                let mut fitting: Vec<&str> = fitting
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let mut words = words();
                fitting.sort_unstable();
                words.sort_unstable();
                assert_eq!(words, fitting, "{}: {}", resource.name, filter.name);
            }
        }
    }
}
