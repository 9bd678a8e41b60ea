//! Forms with files: `multipart/form-data`, as a browser and every client library send it. A form is
//! read whole, since it holds one blueprint and little else.

use std::collections::BTreeMap;

use actix_web::http::header;

use super::call::Call;
use crate::blueprint::MAX_BYTES;
use crate::http::Error;

/// The most bytes of a form: a blueprint, and what is around it.
const LIMIT: usize = MAX_BYTES + 64 * 1024;

/// The most parts of a form.
const PARTS: usize = 32;

/// The parts of the body, by name.
///
/// # Errors
/// 415 when it is no form, 413 when it is too large, 400 when it is broken off or out of shape.
pub(super) async fn read(call: &mut Call) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let declared = call.request.headers().get(header::CONTENT_TYPE);
    let declared = declared.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let declared = declared.to_owned();
    let Some(boundary) = boundary(&declared) else {
        return Err(Error::MediaType(declared));
    };
    let payload = call.payload()?;
    let body = call.state.collect_up_to(&call.request, payload, LIMIT);
    let bytes = body.await?;
    parts(&bytes, &boundary).ok_or(Error::Unread)
}

/// What separates the parts, of a form.
fn boundary(content_type: &str) -> Option<String> {
    let mut fields = content_type.split(';').map(str::trim);
    let kind = fields.next()?;
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = fields.find_map(|field| parameter(field, "boundary"))?;
    (1..=70).contains(&value.len()).then_some(value)
}

/// The value of a parameter of this name, without its quotes.
fn parameter(field: &str, name: &str) -> Option<String> {
    let (found, value) = field.split_once('=')?;
    let value = value.trim().trim_matches('"');
    found
        .trim()
        .eq_ignore_ascii_case(name)
        .then(|| value.to_owned())
}

/// The parts of a body; `None` when it has another shape.
fn parts(body: &[u8], boundary: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let line = format!("--{boundary}");
    let separator = format!("\r\n--{boundary}");
    let mut rest = &body[find(body, line.as_bytes())? + line.len()..];
    let mut parts = BTreeMap::new();
    for _ in 0..=PARTS {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        let head_ends = find(rest, b"\r\n\r\n")?;
        let (head, tail) = (rest.get(..head_ends)?, rest.get(head_ends + 4..)?);
        let ends = find(tail, separator.as_bytes())?;
        let head = std::str::from_utf8(head).ok()?;
        if let Some(name) = name(head) {
            parts.insert(name, tail[..ends].to_vec());
        }
        rest = &tail[ends + separator.len()..];
    }
    None
}

/// The name of a part, from its headers.
fn name(head: &str) -> Option<String> {
    let disposition = head.split("\r\n").find_map(|line| {
        let (header, value) = line.split_once(':')?;
        header
            .trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let mut fields = disposition.split(';');
    fields.find_map(|field| parameter(field, "name"))
}

fn find(within: &[u8], wanted: &[u8]) -> Option<usize> {
    // The first letter is looked for first: a file may be large.
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = within.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + at;
        if within[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "preamble\r\n--x-y\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\na.yaml\
        \r\n--x-y\r\ncontent-disposition: form-data; name=file; filename=\"b;c.yaml\"\r\nContent-Type: \
        text/plain\r\n\r\nentries: []\r\n--x-not\r\n\r\n--x-y--\r\n";

    #[test]
    fn each_part_is_found_by_its_name_with_all_its_lines() {
        let parts = parts(BODY.as_bytes(), "x-y").expect("a form");
        assert_eq!(parts["path"], b"a.yaml");
        assert_eq!(parts["file"], b"entries: []\r\n--x-not\r\n");
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn a_form_that_is_broken_off_is_none() {
        for end in 1..BODY.len() - 4 {
            assert!(parts(&BODY.as_bytes()[..end], "x-y").is_none(), "{end}");
        }
        assert!(parts(b"", "x-y").is_none());
    }

    #[test]
    fn only_a_form_has_a_boundary() {
        let found = boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"");
        assert_eq!(found.as_deref(), Some("a b"));
        for other in [
            "application/json",
            "multipart/form-data",
            "multipart/mixed; boundary=a",
            "",
        ] {
            assert_eq!(boundary(other), None, "{other}");
        }
    }
}
