//! Takes a mail apart: its headers, its parts, its links. Reads what our mails consist of and no more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A mail, or one part of a mail.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    headers: Vec<(String, String)>,
    content: Vec<u8>,
    parts: Vec<Letter>,
}

impl Letter {
    /// Reads a mail as it was sent.
    #[track_caller]
    pub(crate) fn read(raw: &[u8]) -> Self {
        let end = raw.windows(4).position(|it| it == b"\r\n\r\n");
        let end = end.expect("an empty line after the headers");
        let head = std::str::from_utf8(&raw[..end]).expect("headers are text");
        // A line that begins with a blank continues the one before.
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers: Vec<(String, String)> = head
            .split("\r\n")
            .map(|line| {
                let (name, value) = line.split_once(':').expect("a name before a colon");
                let value = value.strip_prefix(' ').unwrap_or(value);
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let mut letter = Self {
            headers,
            content: raw[end + 4..].to_vec(),
            parts: Vec::new(),
        };
        if let Some(boundary) = letter.boundary() {
            letter.parts = parts(&letter.content, &boundary);
            letter.content.clear();
        } else {
            letter.content = letter.decoded();
        }
        letter
    }

    /// All headers of this name as they were sent, unfolded.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter();
        let found = found.filter(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The one header of this name, with encoded words read.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        match &self.headers(name)[..] {
            [value] => words(value),
            others => panic!("{name}: {others:?}"),
        }
    }

    /// The media type, without its parameters.
    pub(crate) fn kind(&self) -> String {
        let kind = self.headers("Content-Type").first().copied();
        let kind = kind.unwrap_or("text/plain").split(';').next();
        kind.unwrap_or_default().trim().to_lowercase()
    }

    /// The parts of this one.
    pub(crate) fn parts(&self) -> &[Letter] {
        &self.parts
    }

    /// The content, where it is no multipart.
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// The part of this media type, however deep it is.
    pub(crate) fn part(&self, kind: &str) -> Option<&Self> {
        if self.kind() == kind {
            return Some(self);
        }
        self.parts.iter().find_map(|part| part.part(kind))
    }

    /// The plain text.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.text_of("text/plain")
    }

    /// The HTML.
    #[track_caller]
    pub(crate) fn html(&self) -> String {
        self.text_of("text/html")
    }

    #[track_caller]
    fn text_of(&self, kind: &str) -> String {
        let part = self.part(kind).unwrap_or_else(|| panic!("no {kind}"));
        let text = String::from_utf8(part.content.clone()).expect("it is UTF-8");
        text.replace("\r\n", "\n")
    }

    /// The first address of the web in the plain text.
    #[track_caller]
    pub(crate) fn link(&self) -> String {
        let text = self.text();
        let begin = ["http://", "https://"];
        let begin = begin.iter().filter_map(|it| text.find(it)).min();
        let link = &text[begin.unwrap_or_else(|| panic!("no link in {text}"))..];
        let end = link.find(|it: char| it.is_whitespace() || "<>\"".contains(it));
        link[..end.unwrap_or(link.len())].to_owned()
    }

    fn boundary(&self) -> Option<String> {
        let kind = *self.headers("Content-Type").first()?;
        let (_, boundary) = kind.split_once("boundary=")?;
        let boundary = boundary.trim_start_matches('"');
        boundary.split(['"', ';']).next().map(ToOwned::to_owned)
    }

    fn decoded(&self) -> Vec<u8> {
        match self.headers("Content-Transfer-Encoding")[..] {
            ["quoted-printable"] => quoted(&self.content),
            ["base64"] => {
                let digits = self.content.iter().copied();
                let digits: Vec<u8> = digits.filter(|it| !it.is_ascii_whitespace()).collect();
                STANDARD.decode(digits).expect("it is base64")
            }
            _ => self.content.clone(),
        }
    }
}

fn parts(content: &[u8], boundary: &str) -> Vec<Letter> {
    let content = String::from_utf8_lossy(content).into_owned();
    let line = format!("--{boundary}");
    let mut pieces = content.split(&line).skip(1);
    let mut parts = Vec::new();
    loop {
        let piece = pieces.next().expect("the last boundary");
        if piece.starts_with("--") {
            return parts;
        }
        let piece = piece.strip_prefix("\r\n").expect("a line of its own");
        let piece = piece.strip_suffix("\r\n").expect("a line of its own");
        parts.push(Letter::read(piece.as_bytes()));
    }
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'=', [b'\r', b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("two digits");
                plain.push(u8::from_str_radix(digits, 16).expect("two digits"));
                rest = after;
            }
            _ => plain.push(*first),
        }
    }
    plain
}

/// Reads the encoded words of RFC 2047 in a header.
fn words(value: &str) -> String {
    let mut plain = String::new();
    let mut rest = value;
    let mut was_word = false;
    while let Some(begin) = rest.find("=?") {
        let before = &rest[..begin];
        // Blanks between two encoded words are not part of the text.
        if !(was_word && before.trim().is_empty()) {
            plain.push_str(before);
        }
        let parts: Vec<&str> = rest[begin + 2..].splitn(4, '?').collect();
        let [charset, encoding, text, after] = parts[..] else {
            break;
        };
        assert!(charset.eq_ignore_ascii_case("utf-8"), "{value}");
        let bytes = match encoding {
            "b" | "B" => STANDARD.decode(text).expect("it is base64"),
            _ => quoted(text.replace('_', " ").as_bytes()),
        };
        plain.push_str(&String::from_utf8(bytes).expect("it is UTF-8"));
        rest = after.strip_prefix('=').expect("the end of a word");
        was_word = true;
    }
    plain + rest
}

#[test]
fn a_mail_is_taken_apart() {
    let raw = "Subject: =?utf-8?b?w4Q=?= =?utf-8?q?=C3=B6_x?= y\r\nContent-Type: multipart/alternative;\r\n \
        boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: \
        quoted-printable\r\n\r\nSee=\r\n https://a.b/?c=3Dd now\r\n--b\r\nContent-Type: text/html\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nPGI+\r\n--b--\r\n";
    let letter = Letter::read(raw.as_bytes());
    assert_eq!(letter.header("subject"), "Äö x y");
    assert_eq!(letter.text(), "See https://a.b/?c=d now");
    assert_eq!((letter.html().as_str(), letter.parts().len()), ("<b>", 2));
    assert_eq!(letter.link(), "https://a.b/?c=d");
}
