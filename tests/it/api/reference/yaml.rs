//! A reader of the other description, which is YAML.

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

/// What a document holds.
pub(super) fn read(text: &str) -> Value {
    let mut events = Events(Parser::new_from_str(text));
    loop {
        match events.next() {
            Event::StreamStart | Event::DocumentStart(..) => {}
            event => return events.value(event),
        }
    }
}

struct Events<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Events<'a> {
    fn next(&mut self) -> Event<'a> {
        let next = self.0.next().expect("the document goes on");
        next.expect("the description is YAML").0
    }

    fn value(&mut self, event: Event<'a>) -> Value {
        match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
            Event::Scalar(text, ..) => text.into_owned().into(),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next() {
                        Event::SequenceEnd => return items.into(),
                        event => items.push(self.value(event)),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Map::new();
                loop {
                    let key = match self.next() {
                        Event::MappingEnd => return entries.into(),
                        Event::Scalar(text, ..) => text.into_owned(),
                        event => panic!("a key is no text: {event:?}"),
                    };
                    let event = self.next();
                    let value = self.value(event);
                    entries.insert(key, value);
                }
            }
            event => panic!("the description holds {event:?}"),
        }
    }
}

fn plain(text: &str) -> Value {
    match text {
        "true" => true.into(),
        "false" => false.into(),
        "null" | "~" | "" => Value::Null,
        text => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
    }
}
