//! Reads a file of YAML as far as those of `docs/deploy/` go: anchors and merged mappings, and no tags.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};

/// Reads the one document of a text.
pub(crate) fn read(text: &str) -> Value {
    let mut reader = Reader {
        events: Parser::new_from_str(text)
            .map(|it| it.expect("YAML").0)
            .filter(|it| !matches!(it, Event::Comment(..)))
            .collect::<Vec<_>>()
            .into_iter(),
        anchors: HashMap::new(),
    };
    loop {
        match reader.next() {
            Event::StreamStart | Event::DocumentStart(..) => {}
            event => return reader.value(event),
        }
    }
}

struct Reader<'a> {
    events: std::vec::IntoIter<Event<'a>>,
    anchors: HashMap<usize, Value>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Event<'a> {
        self.events.next().expect("the document has an end")
    }

    fn value(&mut self, event: Event<'a>) -> Value {
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.anchors[&anchor].clone(),
            Event::Scalar(text, style, anchor, _) => {
                let is_plain = style == ScalarStyle::Plain;
                let read = is_plain.then(|| serde_json::from_str(&text).ok());
                (anchor, read.flatten().unwrap_or_else(|| json!(text)))
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.items()),
            Event::MappingStart(_, anchor, _) => (anchor, self.pairs()),
            other => panic!("no value: {other:?}"),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        value
    }

    fn items(&mut self) -> Value {
        let mut items = Vec::new();
        loop {
            match self.next() {
                Event::SequenceEnd => return items.into(),
                event => items.push(self.value(event)),
            }
        }
    }

    fn pairs(&mut self) -> Value {
        let (mut merged, mut own) = (Map::new(), Map::new());
        loop {
            let key = match self.next() {
                Event::MappingEnd => break,
                Event::Scalar(key, ..) => key.into_owned(),
                other => panic!("no key: {other:?}"),
            };
            let event = self.next();
            let value = self.value(event);
            match (key.as_str(), value) {
                ("<<", Value::Object(of)) => merged.extend(of),
                (_, value) => {
                    assert!(own.insert(key.clone(), value).is_none(), "twice {key}");
                }
            }
        }
        merged.extend(own);
        merged.into()
    }
}
