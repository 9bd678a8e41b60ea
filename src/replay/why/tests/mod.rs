//! Every way has a text of its own in `tests/golden/why/`, told of an execution that came to it. The
//! executions are real ones (`execution::tests::why`) or, where many others would have to take part,
//! short lists of events.
//!
//! `GATELOG_GOLDEN=1 cargo test --lib why` writes the texts anew; read them aloud afterwards.

#![expect(
    clippy::needless_pass_by_value,
    clippy::wrong_self_convention,
    reason = "the lists of events are to be read, not to be fast"
)]

mod ended;
mod factors;
mod recorded;
mod waits;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Way, Why};

/// What nobody at a help desk may read.
const PERSONAL: [&str; 12] = [
    "alice",
    "bob",
    "whiterabbit",
    "carol",
    "mallory",
    "192.0.2",
    "127.0.0.1",
    "0.0.0.0",
    "@",
    "wonderland",
    "+49",
    "teapot",
];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/why")
}

/// Identifiers are other ones each time, so they are numbered.
fn numbered(text: &str) -> String {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let id = rest.get(..36).filter(|it| it.parse::<uuid::Uuid>().is_ok());
        if let Some(id) = id {
            let next = known.len() + 1;
            let number = *known.entry(id.to_owned()).or_insert(next);
            out.extend(["‹", &number.to_string(), "›"]);
            rest = &rest[36..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn shown(why: &Why) -> String {
    let named = |it: &super::Named| {
        format!(
            "{} ({}, {} version {})",
            it.name, it.kind, it.id, it.version
        )
    };
    let or_none = |it: Option<String>| it.unwrap_or_else(|| "-".to_owned());
    let ways: Vec<&str> = why.ways.iter().map(|it| it.as_str()).collect();
    let text = format!(
        "ended: {}\nways: {}\ncheck: {}\nstage: {}\nbinding: {}\npolicy: {}\ninput: {}\n\n{}\n\n\
         What would have had to differ: {}\n\nFor the help desk: {}\n",
        why.ended,
        ways.join(", "),
        or_none(why.check.clone()),
        or_none(why.stage.as_ref().map(named)),
        or_none(
            why.binding
                .map(|it| format!("{} version {}", it.id, it.version))
        ),
        or_none(why.policy.as_ref().map(named)),
        or_none(why.input.as_ref().map(|it| format!(
            "record {}, challenge {}, fields {:?}",
            it.version.0, it.challenge, it.fields
        ))),
        why.text,
        why.would_have,
        why.help_desk,
    );
    numbered(&text)
}

/// Compares an explanation with the text of its way.
#[track_caller]
pub(crate) fn golden(way: Way, why: &Why) {
    assert!(why.ways.contains(&way), "{way} is not among {:?}", why.ways);
    let help_desk = &why.help_desk;
    for word in PERSONAL {
        assert!(
            !help_desk.to_lowercase().contains(word),
            "{word} is in {help_desk}"
        );
    }
    assert_eq!(numbered(help_desk), *help_desk, "an identifier is in it");
    for text in [&why.text, &why.help_desk] {
        for wrong in [
            "  ", " ,", " .", "..", ",,", "()", "“”", "the the", ",.", ":.",
        ] {
            assert!(!text.contains(wrong), "{wrong:?} is in {text}");
        }
    }
    let (path, shown) = (directory().join(format!("{way}.txt")), shown(why));
    if std::env::var_os("GATELOG_GOLDEN").is_some() {
        std::fs::create_dir_all(directory()).expect("a directory");
        std::fs::write(&path, &shown).expect("it is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shown, kept, "{} says something else", path.display());
}

#[test]
fn every_way_has_its_text_and_no_text_is_of_none() {
    let mut missing = Vec::new();
    for way in Way::ALL {
        let kept = std::fs::read_to_string(directory().join(format!("{way}.txt")));
        let kept = kept.unwrap_or_default();
        let ways = kept.lines().find_map(|it| it.strip_prefix("ways: "));
        let mut ways = ways.unwrap_or_default().split(", ");
        if !ways.any(|it| it == way.as_str()) {
            missing.push(way.as_str());
        }
    }
    assert!(missing.is_empty(), "these have no text: {missing:?}");
    for file in std::fs::read_dir(directory()).expect("a directory") {
        let path = file.expect("a file").path();
        let name = path.file_stem().and_then(|it| it.to_str()).expect("a name");
        assert!(name.parse::<Way>().is_ok(), "{name} is no way");
    }
}

/// A text that no test tells any more would say what is no longer said.
#[test]
fn every_text_is_told_by_a_test() {
    let sources = [
        include_str!("ended.rs"),
        include_str!("factors.rs"),
        include_str!("waits.rs"),
        include_str!("../../../execution/tests/why/mod.rs"),
        include_str!("../../../execution/tests/why/skipped.rs"),
        include_str!("../../../execution/tests/why/standing.rs"),
    ];
    for way in Way::ALL {
        let name = format!("Way::{way:?}");
        let is_told = |source: &&str| {
            source.match_indices(&name).any(|(at, _)| {
                let next = source[at + name.len()..].chars().next();
                next.is_none_or(|it| !it.is_alphanumeric())
            })
        };
        assert!(sources.iter().any(is_told), "no test comes to {name}");
    }
}
