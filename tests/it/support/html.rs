//! Just enough of a browser to fill in a form without JavaScript.

/// A form of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// Where it is sent.
    pub(crate) action: String,
    /// `get` or `post`.
    pub(crate) method: String,
    /// The fields with the values that they are shown with.
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    /// Types into a field, which the form must have.
    #[track_caller]
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        let field = field.unwrap_or_else(|| panic!("the form has no field {name}"));
        value.clone_into(&mut field.1);
        self
    }

    /// The value of a field.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.as_str())
    }
}

/// The forms of a page.
pub(crate) fn forms(page: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut is_open = false;
    for tag in tags(page) {
        let (name, attributes) = read(tag);
        let attribute = |wanted: &str| {
            let found = attributes.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        match name.as_str() {
            "form" => {
                is_open = true;
                forms.push(Form {
                    action: attribute("action").unwrap_or_default(),
                    method: attribute("method").unwrap_or_else(|| "get".to_owned()),
                    fields: Vec::new(),
                });
            }
            "/form" => is_open = false,
            "input" if is_open => {
                if let (Some(form), Some(field)) = (forms.last_mut(), attribute("name")) {
                    let value = attribute("value").unwrap_or_default();
                    form.fields.push((field, value));
                }
            }
            _ => {}
        }
    }
    forms
}

/// What a page links to and loads.
pub(crate) fn addresses(page: &str) -> Vec<String> {
    let attributes = tags(page).into_iter().flat_map(|tag| read(tag).1);
    attributes
        .filter(|(name, _)| ["href", "src"].contains(&name.as_str()))
        .map(|(_, value)| value)
        .collect()
}

/// The text of a page, without its markup.
pub(crate) fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    let words: Vec<&str> = text.split_whitespace().collect();
    unescape(&words.join(" "))
}

/// What stands between `<` and `>`; a value of ours never holds a bare `>`.
fn tags(page: &str) -> Vec<&str> {
    page.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag))
        .collect()
}

fn read(tag: &str) -> (String, Vec<(String, String)>) {
    let tag = tag.trim().trim_end_matches('/');
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest
            .find(|letter: char| letter == '=' || letter.is_whitespace())
            .unwrap_or(rest.len());
        if end == 0 {
            return (name.to_ascii_lowercase(), attributes);
        }
        let key = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let quoted = rest.strip_prefix("=\"");
        let value = match quoted.and_then(|rest| rest.split_once('"')) {
            Some((value, after)) => {
                rest = after;
                unescape(value)
            }
            None => String::new(),
        };
        attributes.push((key, value));
    }
}

fn unescape(text: &str) -> String {
    let mut plain = text.to_owned();
    for (entity, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&#x2f;", "/"),
        ("&#x2F;", "/"),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(entity, letter);
    }
    plain
}

#[test]
fn a_form_is_read_as_a_browser_reads_it() {
    let page = r#"<p>Hi &amp; welcome</p><form method="post" action="/x?a=1&amp;b=2">
        <input type="hidden" name="csrf" value="&quot;1&quot;">
        <input name="uid" required autofocus><button>Go</button></form><input name="outside">"#;
    let form = Form {
        action: "/x?a=1&b=2".to_owned(),
        method: "post".to_owned(),
        fields: vec![
            ("csrf".to_owned(), "\"1\"".to_owned()),
            ("uid".to_owned(), String::new()),
        ],
    };
    assert_eq!(forms(page), [form]);
    assert_eq!(text_of(page), "Hi & welcome Go");
}
