//! What a browser complains about, and what it asked for: read from its own logs.

use std::collections::BTreeSet;

use serde_json::Value;
use thirtyfour::BrowserLogEntry;

/// What a window may do besides what every window may.
#[derive(Clone, Debug, Default)]
pub(super) struct Permitted {
    /// The servers that it may ask, such as a captcha's provider.
    pub(super) origins: Vec<String>,
    /// Complaints that hold one of these are expected.
    pub(super) complaints: Vec<String>,
    /// What may stand in a policy although it is not strict.
    pub(super) sources: Vec<String>,
}

/// Directives without which a policy is not strict, and what they have to say.
const STRICT: [(&str, &str); 3] = [
    ("default-src", "'none'"),
    ("form-action", "'self'"),
    ("base-uri", "'none'"),
];

/// Everything in the logs that fails a scenario. `base` is the server's own origin.
pub(super) fn complaints(
    base: &str,
    permitted: &Permitted,
    console: &[BrowserLogEntry],
    network: &[BrowserLogEntry],
) -> Vec<String> {
    let mut all = BTreeSet::new();
    for entry in console {
        if matches!(entry.level.as_str(), "SEVERE" | "WARNING") {
            all.insert(format!("the console says {}", entry.message));
        }
    }
    let mut addresses = std::collections::HashMap::new();
    for entry in network {
        let Ok(event) = serde_json::from_str::<Value>(&entry.message) else {
            continue;
        };
        let (method, told) = (&event["message"]["method"], &event["message"]["params"]);
        let id = told["requestId"].as_str().unwrap_or_default().to_owned();
        match method.as_str() {
            Some("Network.requestWillBeSent") => {
                let address = told["request"]["url"].as_str().unwrap_or_default();
                addresses.insert(id, address.to_owned());
                let is_ours = |origin: &str| is_below(address, origin);
                let is_local = !address.starts_with("http") && !address.starts_with("ws");
                if !is_local && !is_ours(base) && !permitted.origins.iter().any(|it| is_ours(it)) {
                    all.insert(format!("a stranger was asked: {address}"));
                }
            }
            Some("Network.loadingFailed") => {
                // What began before anybody looked is the browser's own first page.
                let Some(address) = addresses.get(&id) else {
                    continue;
                };
                let (blocked, error) = (&told["blockedReason"], &told["errorText"]);
                if let Some(reason) = blocked.as_str() {
                    all.insert(format!("blocked for {reason}: {address}"));
                } else if told["canceled"] != true && error != "net::ERR_ABORTED" {
                    all.insert(format!("failed with {error}: {address}"));
                }
            }
            Some("Network.responseReceived") if told["type"] == "Document" => {
                let address = told["response"]["url"].as_str().unwrap_or_default();
                if is_below(address, base) {
                    let policy = header(&told["response"]["headers"], "content-security-policy");
                    let lax = laxity(policy, permitted);
                    all.extend(lax.map(|it| format!("{address}: {it} in {policy:?}")));
                }
            }
            _ => {}
        }
    }
    let is_expected = |it: &String| permitted.complaints.iter().any(|part| it.contains(part));
    all.into_iter().filter(|it| !is_expected(it)).collect()
}

/// Whether an address is one of this origin. Browsers call this machine by two names here.
fn is_below(address: &str, origin: &str) -> bool {
    let of = |text: &str| {
        let url = url::Url::parse(text).ok()?;
        let host = url.host_str()?.replace("localhost", "127.0.0.1");
        Some((host, url.port_or_known_default()))
    };
    of(address).is_some() && of(address) == of(origin)
}

fn header<'a>(headers: &'a Value, name: &str) -> &'a str {
    let all = headers.as_object().into_iter().flatten();
    let mut found = all.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found
        .next()
        .and_then(|it| it.1.as_str())
        .unwrap_or_default()
}

/// What is not strict in a policy.
fn laxity(policy: &str, permitted: &Permitted) -> Option<String> {
    let directives = policy.split(';').map(|it| {
        let mut words = it.split_ascii_whitespace();
        (words.next().unwrap_or_default(), words.collect::<Vec<_>>())
    });
    let directives: Vec<_> = directives.collect();
    for (name, says) in STRICT {
        if !directives.iter().any(|it| it.0 == name && it.1 == [says]) {
            return Some(format!("{name} is not {says}"));
        }
    }
    for (name, sources) in &directives {
        for source in sources {
            let is_picture = *name == "img-src" && ["data:", "https:"].contains(source);
            let is_own = ["'self'", "'none'"].contains(source);
            let is_permitted = permitted.origins.iter().any(|it| it == source)
                || permitted.sources.iter().any(|it| source.starts_with(it));
            if !is_picture && !is_own && !is_permitted {
                return Some(format!("{name} lets in {source}"));
            }
        }
    }
    None
}

#[test]
fn a_policy_is_strict_or_is_not() {
    let usual = "default-src 'none'; form-action 'self'; base-uri 'none'";
    let none = Permitted::default();
    let strict = |more: &str| laxity(&format!("{usual}; {more}"), &none).is_none();
    assert!(strict("script-src 'self'; img-src 'self' data: https:"));
    assert!(!strict("script-src 'self' 'unsafe-inline'"));
    assert!(!strict("style-src 'unsafe-inline'"));
    assert!(!strict("script-src https:"));
    assert!(!strict("connect-src https://a.example"));
    assert!(laxity("", &none).is_some());
    assert!(
        laxity(
            "default-src 'self'; form-action 'self'; base-uri 'none'",
            &none
        )
        .is_some()
    );
}

#[test]
fn what_a_browser_logs_is_understood() {
    let entry = |level: &str, message: &str| BrowserLogEntry {
        level: level.to_owned(),
        message: message.to_owned(),
        timestamp: 0,
        source: None,
    };
    let event = |method: &str, params: Value| {
        let told = serde_json::json!({ "message": { "method": method, "params": params } });
        entry("INFO", &told.to_string())
    };
    let asks = |id: &str, url: &str| {
        let params = serde_json::json!({ "requestId": id, "request": { "url": url } });
        event("Network.requestWillBeSent", params)
    };
    let fails = |id: &str, params: &str| {
        let mut params: Value = serde_json::from_str(params).expect("JSON");
        params["requestId"] = id.into();
        event("Network.loadingFailed", params)
    };
    let network = [
        asks("1", "http://localhost:1/a"),
        asks("2", "https://a.example/b"),
        fails("1", r#"{ "blockedReason": "csp" }"#),
        asks("3", "http://127.0.0.1:1/c"),
        fails("3", r#"{ "errorText": "net::ERR_ABORTED" }"#),
    ];
    let console = [entry("SEVERE", "no"), entry("INFO", "yes")];
    let base = "http://127.0.0.1:1";
    let said = |permitted: &Permitted| complaints(base, permitted, &console, &network);
    assert_eq!(
        said(&Permitted::default()),
        [
            "a stranger was asked: https://a.example/b",
            "blocked for csp: http://localhost:1/a",
            "the console says no",
        ]
    );
    let permitted = Permitted {
        origins: vec!["https://a.example".to_owned()],
        complaints: vec!["says no".to_owned(), "csp".to_owned()],
        sources: Vec::new(),
    };
    assert!(said(&permitted).is_empty());
}
