//! The templates as they are compiled, once for each language.

use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use rust_embed::RustEmbed;

use super::super::{markup, picture};
use crate::web::language::{self, Language};

#[derive(RustEmbed)]
#[folder = "src/web/templates"]
pub(super) struct Files;

/// Every template, in a language.
pub(super) fn compile(language: Language) -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Chainable);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_filter("markup", |text: &str| {
        Value::from_safe_string(markup::safe(text))
    });
    // Text like any other: it is escaped where it stands.
    templates.add_filter("json", |value: Value| {
        serde_json::to_string(&value).map_err(|error| {
            let kind = minijinja::ErrorKind::BadSerialization;
            minijinja::Error::new(kind, "cannot be written as JSON").with_source(error)
        })
    });
    templates.add_filter("picture", |text: &str| {
        Value::from(Serde(picture::of(text)))
    });
    templates.add_filter("key", picture::key);
    speak(&mut templates, language);
    for name in Files::iter() {
        let file = Files::get(&name).expect("it was just listed");
        let source = String::from_utf8(file.data.into_owned()).expect("templates are text");
        templates
            .add_template_owned(name.into_owned(), source)
            .expect("the templates have no syntax errors");
    }
    templates
}

/// Adds the filters that translate: `t` for what stands in a template, with values for its
/// placeholders, and `said` for what the server or an operator said.
fn speak(templates: &mut Environment<'static>, language: Language) {
    let ours = std::sync::Arc::new(language.dictionary());
    let theirs = std::sync::Arc::clone(&ours);
    templates.add_filter("t", move |text: &str, values: Kwargs| {
        let text = ours.say(text);
        let names: Vec<&str> = values.args().collect();
        if names.is_empty() {
            return Ok(text.to_owned());
        }
        let mut known = Vec::with_capacity(names.len());
        for name in names {
            known.push((name, language::written(&values.get(name)?)));
        }
        Ok::<_, minijinja::Error>(language::fill(text, |name| {
            let value = known.iter().find(|(key, _)| *key == name);
            value.map(|(_, value)| value.clone())
        }))
    });
    templates.add_filter("said", move |text: Value| {
        text.as_str()
            .map(|text| theirs.say_again(text).into_owned())
            .unwrap_or_default()
    });
}
