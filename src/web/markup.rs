//! Makes markup that an operator wrote fit for a page: a handful of tags stay, all else is text.
//!
//! Operators write HTML below prompts, and values of flows get in between. Nothing that runs,
//! loads, is styled or sends something comes through; a tag that is not understood is shown as it
//! was written. What stays open is closed.

/// Tags that stay, without anything in them.
const PLAIN: [&str; 20] = [
    "b",
    "blockquote",
    "code",
    "div",
    "em",
    "h2",
    "h3",
    "h4",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "u",
    "ul",
];
/// Tags that hold nothing.
const EMPTY: [&str; 2] = ["br", "hr"];
/// How an address begins to which a link may lead.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
/// How deep tags may lie within each other.
const DEPTH: usize = 32;

/// The markup as it may stand in a page.
#[must_use]
pub(super) fn safe(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut open: Vec<&'static str> = Vec::new();
    let mut rest = markup;
    while let Some(next) = rest.chars().next() {
        if next == '<'
            && let Some((tag, length)) = tag(rest)
            && tag.write(&mut out, &mut open)
        {
            rest = &rest[length..];
            continue;
        }
        if next == '&' && is_entity(rest) {
            out.push('&');
        } else {
            escape(next, &mut out);
        }
        rest = &rest[next.len_utf8()..];
    }
    while let Some(name) = open.pop() {
        close(name, &mut out);
    }
    out
}

enum Tag {
    Open(&'static str),
    Empty(&'static str),
    Link(String),
    Close(&'static str),
}

impl Tag {
    /// Writes it, unless it has no place here; then it is text.
    fn write(self, out: &mut String, open: &mut Vec<&'static str>) -> bool {
        match self {
            Self::Empty(name) => {
                out.push('<');
                out.push_str(name);
                out.push('>');
            }
            Self::Open(_) | Self::Link(_) if open.len() >= DEPTH => return false,
            // A browser would close the first of two links that lie within each other.
            Self::Link(_) if open.contains(&"a") => return false,
            Self::Open(name) => {
                out.push('<');
                out.push_str(name);
                out.push('>');
                open.push(name);
            }
            Self::Link(address) => {
                out.push_str("<a rel=\"noreferrer\" href=\"");
                address.chars().for_each(|letter| escape(letter, out));
                out.push_str("\">");
                open.push("a");
            }
            Self::Close(name) => {
                if !open.contains(&name) {
                    return false;
                }
                while let Some(last) = open.pop() {
                    close(last, out);
                    if last == name {
                        break;
                    }
                }
            }
        }
        true
    }
}

fn close(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Text as it stands between tags and within quotes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        escape(letter, &mut out);
    }
    out
}

fn escape(letter: char, out: &mut String) {
    match letter {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#x27;"),
        other => out.push(other),
    }
}

/// The tag at the beginning of `text` and how long it is, if it is one that may stay.
fn tag(text: &str) -> Option<(Tag, usize)> {
    let end = text.find('>')?;
    let inner = &text[1..end];
    let length = end + 1;
    if let Some(name) = inner.strip_prefix('/') {
        let name = name.trim_end().to_ascii_lowercase();
        let known = known(&name).or((name == "a").then_some("a"))?;
        return Some((Tag::Close(known), length));
    }
    let inner = inner.trim_end();
    let inner = inner.strip_suffix('/').unwrap_or(inner).trim_end();
    let (name, attributes) = match inner.split_once(|letter: char| letter.is_ascii_whitespace()) {
        Some((name, attributes)) => (name, attributes),
        None => (inner, ""),
    };
    let name = name.to_ascii_lowercase();
    if name == "a" {
        return Some((Tag::Link(address(attributes)?), length));
    }
    let empty = EMPTY.into_iter().find(|known| *known == name);
    let tag = match empty {
        Some(name) => Tag::Empty(name),
        None => Tag::Open(known(&name)?),
    };
    Some((tag, length))
}

fn known(name: &str) -> Option<&'static str> {
    PLAIN.into_iter().find(|known| *known == name)
}

/// Where a link leads, if it may lead there. Its other attributes are dropped.
fn address(attributes: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|it| matches!(it, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        if name.trim().eq_ignore_ascii_case("href") {
            return leads(value.trim());
        }
        rest = after.trim_start();
    }
    None
}

fn leads(address: &str) -> Option<String> {
    // An ampersand is one of the address, or the beginning of one that is written as such.
    let plain = address.replace("&amp;", "&");
    let lower = plain.to_ascii_lowercase();
    let has_scheme = SCHEMES.iter().any(|scheme| lower.starts_with(scheme));
    let is_path = plain.starts_with('/') && !plain[1..].starts_with(['/', '\\']);
    let is_plain = !plain.contains(|letter: char| letter.is_control());
    (is_plain && (has_scheme || is_path)).then_some(plain)
}

/// Whether `text` begins with a character that is written by its name or number.
fn is_entity(text: &str) -> bool {
    let Some(end) = text.find(';').filter(|end| (2..=12).contains(end)) else {
        return false;
    };
    let name = &text[1..end];
    match name.strip_prefix('#') {
        Some(number) => {
            let hex = number.strip_prefix(['x', 'X']);
            match hex {
                Some(hex) => !hex.is_empty() && hex.bytes().all(|it| it.is_ascii_hexdigit()),
                None => !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit()),
            }
        }
        None => name.bytes().all(|it| it.is_ascii_alphanumeric()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_handful_of_tags_stay() {
        for (markup, kept) in [
            ("plain", "plain"),
            ("a <b>bold</b> word", "a <b>bold</b> word"),
            ("<P>one<br/>two<BR></p>", "<p>one<br>two<br></p>"),
            ("1 &lt; 2 &amp; 3 &#8364;", "1 &lt; 2 &amp; 3 &#8364;"),
            ("R&D", "R&amp;D"),
            ("<div class=\"x\" style='y'>z</div>", "<div>z</div>"),
            (
                "<a href=\"https://example.com/?a=1&amp;b=2\" target=\"_blank\">go</a>",
                "<a rel=\"noreferrer\" href=\"https://example.com/?a=1&amp;b=2\">go</a>",
            ),
            (
                "<a class='x' href='/terms'>go</a>",
                "<a rel=\"noreferrer\" href=\"/terms\">go</a>",
            ),
        ] {
            assert_eq!(safe(markup), kept, "{markup}");
        }
    }

    #[test]
    fn whatever_runs_or_loads_is_text() {
        for markup in [
            "<script>alert(1)</script>",
            "<SCRIPT SRC=//evil.example></SCRIPT>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "<a href=\"javascript:alert(1)\">x",
            "<a href=\" java\nscript:alert(1)\">x",
            "<a href=\"javascript&colon;alert(1)\">x",
            "<a href=\"//evil.example\">x",
            "<a href=\"data:text/html,x\">x",
            "<a onclick=alert(1) href=\"/\">x",
            "<iframe src=\"/\">",
            "<form action=\"/\"><input name=csrf>",
            "<style>*{}</style>",
            "<base href=\"https://evil.example\">",
            "<!-- <b> --!>",
            "<math><mtext>",
        ] {
            let kept = safe(markup);
            for bad in [
                "<script", "<img", "<svg", "<a ", "<iframe", "<form", "<input",
            ] {
                assert!(!kept.to_ascii_lowercase().contains(bad), "{markup}: {kept}");
            }
            for bad in ["<style", "<base", "<!", "<math"] {
                assert!(!kept.to_ascii_lowercase().contains(bad), "{markup}: {kept}");
            }
        }
    }

    #[test]
    fn attributes_never_come_through() {
        let kept = safe("<b onmouseover=\"alert(1)\">x</b><p style=\"position:fixed\">");
        assert_eq!(kept, "<b>x</b><p></p>");
        let kept = safe("<a href=\"/\" onclick=\"alert(1)\">x");
        assert_eq!(kept, "<a rel=\"noreferrer\" href=\"/\">x</a>");
        let kept = safe("<a href=\"/&quot; onclick=&quot;alert(1)\">x</a>");
        assert!(!kept.contains("\" onclick"), "{kept}");
    }

    #[test]
    fn what_is_open_is_closed_and_nothing_else_can_be() {
        assert_eq!(safe("<b><i>x"), "<b><i>x</i></b>");
        assert_eq!(safe("<b><i>x</b>y</i>"), "<b><i>x</i></b>y&lt;/i&gt;");
        assert_eq!(safe("</div></form>"), "&lt;/div&gt;&lt;/form&gt;");
        let deep = safe(&"<b>".repeat(1000));
        assert_eq!(deep.matches("<b>").count(), DEPTH);
    }

    proptest! {
        #[test]
        fn only_known_tags_are_ever_written_and_all_are_closed(
            markup in "(<|>|/|a|b|p|br|script| |\"|'|=|href|&|;|lt|x|é|\0){0,60}"
        ) {
            let kept = safe(&markup);
            let mut open = Vec::new();
            for part in kept.split('<').skip(1) {
                let (tag, _) = part.split_once('>').expect("every tag ends");
                match tag.strip_prefix('/') {
                    Some(name) => prop_assert_eq!(open.pop(), Some(name)),
                    None if EMPTY.contains(&tag) => {}
                    None => {
                        let name = tag.split(' ').next().expect("a name");
                        prop_assert!(PLAIN.contains(&name) || name == "a", "{}", kept);
                        open.push(name);
                    }
                }
            }
            prop_assert!(open.is_empty(), "{}", kept);
        }
    }
}
