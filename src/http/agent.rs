//! What a browser says of itself, taken apart for people: which one it is, and on what it runs.
//!
//! Only the common ones are told apart; anything else is `Other`, as in authentik. Nothing is decided
//! by it.

use serde_json::{Value, json};

/// Browsers by the word before their version, those first that also call themselves by a later one.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox iOS"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome Mobile iOS"),
    ("Chrome/", "Chrome"),
    ("curl/", "curl"),
];

/// Systems by the word before their version, in the same order.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows NT ", "Windows"),
    ("Android ", "Android"),
    ("iPhone OS ", "iOS"),
    ("CPU OS ", "iOS"),
    ("Mac OS X ", "Mac OS X"),
    ("CrOS ", "Chrome OS"),
    ("Linux", "Linux"),
];

/// What cannot be told apart.
const OTHER: &str = "Other";

/// The names of browser and system, each if it is a common one.
pub(super) fn names(text: &str) -> (Option<&'static str>, Option<&'static str>) {
    let known = |name: &'static str| (name != OTHER).then_some(name);
    let (browser, system) = (browser(text).0, system(text).0);
    // Apple's own word for it today.
    let system = if system == "Mac OS X" {
        "macOS"
    } else {
        system
    };
    (known(browser), known(system))
}

fn browser(text: &str) -> (&'static str, Vec<&str>) {
    find(&BROWSERS, text).unwrap_or_else(|| {
        let is_safari = text.contains("Safari/");
        let version = is_safari.then(|| after(text, "Version/")).flatten();
        match version {
            Some(version) => ("Safari", version),
            None => (OTHER, Vec::new()),
        }
    })
}

fn system(text: &str) -> (&'static str, Vec<&str>) {
    find(&SYSTEMS, text).unwrap_or((OTHER, Vec::new()))
}

/// The parts of what a browser calls itself, as the API shows them.
pub(super) fn parts(text: &str) -> Value {
    let (browser, version) = browser(text);
    let (system, release) = system(text);
    let (brand, device) = if text.contains("iPhone") {
        ("Apple", "iPhone")
    } else if text.contains("iPad") {
        ("Apple", "iPad")
    } else if text.contains("Macintosh") {
        ("Apple", "Mac")
    } else {
        ("", "Other")
    };
    let part =
        |numbers: &[&str], at: usize| numbers.get(at).copied().unwrap_or_default().to_owned();
    json!({
        "device": { "brand": brand, "family": device, "model": if brand.is_empty() { "" } else { device } },
        "os": {
            "family": system,
            "major": part(&release, 0),
            "minor": part(&release, 1),
            "patch": part(&release, 2),
            "patch_minor": part(&release, 3),
        },
        "user_agent": {
            "family": browser,
            "major": part(&version, 0),
            "minor": part(&version, 1),
            "patch": part(&version, 2),
        },
        "string": text,
    })
}

fn find<'t>(known: &[(&str, &'static str)], text: &'t str) -> Option<(&'static str, Vec<&'t str>)> {
    let mut known = known.iter();
    known.find_map(|(word, name)| after(text, word).map(|version| (*name, version)))
}

/// The numbers after a word.
fn after<'t>(text: &'t str, word: &str) -> Option<Vec<&'t str>> {
    let (_, rest) = text.split_once(word)?;
    let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.' && it != '_');
    let numbers = &rest[..end.unwrap_or(rest.len())];
    Some(
        numbers
            .split(['.', '_'])
            .filter(|it| !it.is_empty())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_told_apart() {
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87",
                ("Edge", "126", "Windows", "10", "Other"),
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                ("Firefox", "128", "Linux", "", "Other"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                ("Safari", "17", "iOS", "17", "iPhone"),
            ),
            ("a program", ("Other", "", "Other", "", "Other")),
            ("", ("Other", "", "Other", "", "Other")),
        ];
        for (text, (browser, major, system, release, device)) in cases {
            let parts = parts(text);
            assert_eq!(parts["user_agent"]["family"], browser, "{text}");
            assert_eq!(parts["user_agent"]["major"], major, "{text}");
            assert_eq!(parts["os"]["family"], system, "{text}");
            assert_eq!(parts["os"]["major"], release, "{text}");
            assert_eq!(parts["device"]["family"], device, "{text}");
            assert_eq!(parts["string"], text);
            let known = |name| (name != OTHER).then_some(name);
            assert_eq!(names(text), (known(browser), known(system)));
        }
    }
}
