//! What a page may load and run, in the words of `Content-Security-Policy`.

use url::Url;

/// No scripts, no frames, nothing from elsewhere but pictures. Forms are posted to us alone.
pub(super) const USUAL: &str = "default-src 'none'; style-src 'self'; img-src 'self' data: https:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for a page that is only looked at, in a frame of ours: nothing on it can be sent,
/// followed or run, and it is of no origin.
pub(super) const FRAMED: &str = "sandbox; default-src 'none'; style-src 'self'; \
     img-src 'self' data: https:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// The same for a page with a script of ours.
pub(super) fn with_script() -> String {
    format!("script-src 'self'; {USUAL}")
}

/// The same for a page whose script reads something of ours.
pub(super) fn with_reading_script() -> String {
    format!("connect-src 'self'; {}", with_script())
}

/// The same for the console, which frames pages of ours to show what visitors had before them.
pub(super) fn of_console() -> String {
    format!("frame-src 'self'; {}", with_reading_script())
}

/// What the page of a flow needs beyond what every page has.
#[derive(Debug, Default)]
pub(super) struct Needs<'a> {
    /// A script of ours.
    pub(super) script: bool,
    /// A script of ours that reads something of ours.
    pub(super) reading_script: bool,
    /// The address of the script of a captcha's provider.
    pub(super) captcha: Option<&'a str>,
    /// The address of a page that stands behind the form.
    pub(super) frame: Option<&'a str>,
}

/// What a page may load and run that needs this.
#[must_use]
pub(super) fn of(needs: &Needs<'_>) -> String {
    let mut policy = match needs.captcha {
        Some(script) => with_captcha(script),
        None => USUAL.to_owned(),
    };
    if needs.script || needs.reading_script {
        allow(&mut policy, "script-src", "'self'");
    }
    if needs.reading_script {
        allow(&mut policy, "connect-src", "'self'");
    }
    if let Some(frame) = needs.frame.and_then(origin) {
        allow(&mut policy, "frame-src", &frame);
    }
    policy
}

/// Adds a source to what a directive allows.
fn allow(policy: &mut String, directive: &str, source: &str) {
    let start = format!("{directive} ");
    *policy = match policy.split_once(&start) {
        Some((_, after)) if after.starts_with(source) => return,
        Some((before, after)) => format!("{before}{start}{source} {after}"),
        None => format!("{start}{source}; {policy}"),
    };
}

/// Where an address leads, as a policy names it.
fn origin(address: &str) -> Option<String> {
    if address.starts_with('/') && !address.starts_with("//") {
        return Some("'self'".to_owned());
    }
    let origin = Url::parse(address).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// What else the scripts of known providers load, by the host that they come from, as the
/// providers themselves say.
const PROVIDERS: [(&str, &str); 3] = [
    ("www.recaptcha.net", " https://www.gstatic.com"),
    (
        "www.google.com",
        " https://recaptcha.google.com https://www.gstatic.com",
    ),
    (
        "js.hcaptcha.com",
        " https://hcaptcha.com https://*.hcaptcha.com",
    ),
];

/// The same for a page that shows a captcha: the script of its provider, what that loads from the
/// same place, and our own script that puts the answer into the form. Nothing more is allowed
/// where the script's address is none.
#[must_use]
pub(super) fn with_captcha(script: &str) -> String {
    let Ok(url) = Url::parse(script) else {
        // A path of ours.
        return with_script();
    };
    let Some(there) = provider(&url) else {
        return USUAL.to_owned();
    };
    let usual = USUAL.replace("style-src 'self'", &format!("style-src 'self' {there}"));
    format!("script-src 'self' {there}; frame-src {there}; connect-src {there}; {usual}")
}

/// Where a provider's script and what it loads come from; `None` where that is nowhere.
fn provider(script: &Url) -> Option<String> {
    let origin = script.origin();
    if !origin.is_tuple() {
        return None;
    }
    let also = PROVIDERS
        .iter()
        .find(|(host, _)| script.host_str() == Some(host));
    let also = also.map_or("", |(_, also)| also);
    Some(format!("{}{also}", origin.ascii_serialization()))
}

/// For the page of authentik's own interface: its files, the one script in the page that has the
/// nonce, and these captchas. It writes its styles into its pages, so those may be anywhere.
pub(super) fn for_interface(nonce: &str, captchas: &[String]) -> String {
    let captchas = captchas.iter().filter_map(|it| Url::parse(it).ok());
    let there: std::collections::BTreeSet<String> =
        captchas.filter_map(|it| provider(&it)).collect();
    let there = there.iter().fold(String::new(), |all, it| all + " " + it);
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'{there}; \
         style-src 'self' 'unsafe-inline'{there}; img-src 'self' data: blob: https:; \
         font-src 'self' data:; connect-src 'self'{there}; frame-src 'self' blob:{there}; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gets_what_it_needs_and_no_more() {
        assert_eq!(of(&Needs::default()), USUAL);
        let script = Needs {
            script: true,
            ..Needs::default()
        };
        assert_eq!(of(&script), with_script());
        let reading = Needs {
            script: true,
            reading_script: true,
            ..Needs::default()
        };
        assert_eq!(of(&reading), with_reading_script());
        let captcha = Needs {
            reading_script: true,
            captcha: Some("https://captcha.example/api.js"),
            frame: Some("https://a.example/x; script-src *"),
            ..Needs::default()
        };
        assert_eq!(
            of(&captcha),
            "script-src 'self' https://captcha.example; \
             frame-src https://a.example https://captcha.example; \
             connect-src 'self' https://captcha.example; default-src 'none'; \
             style-src 'self' https://captcha.example; img-src 'self' data: https:; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        for (frame, allowed) in [
            ("/media/a.html", "frame-src 'self'; "),
            ("//evil.example/", ""),
            ("javascript:alert(1)", ""),
        ] {
            let framed = Needs {
                frame: Some(frame),
                ..Needs::default()
            };
            assert_eq!(of(&framed), format!("{allowed}{USUAL}"));
        }
    }

    #[test]
    fn a_captcha_opens_the_page_for_its_own_origin_alone() {
        let policy = with_captcha("https://captcha.example:8443/api.js?render=explicit");
        assert_eq!(
            policy,
            "script-src 'self' https://captcha.example:8443; frame-src https://captcha.example:8443; \
             connect-src https://captcha.example:8443; default-src 'none'; \
             style-src 'self' https://captcha.example:8443; img-src 'self' data: https:; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
    }

    #[test]
    fn what_is_no_address_opens_nothing_and_slips_nothing_in() {
        assert_eq!(with_captcha("javascript:alert(1)"), USUAL);
        assert_eq!(with_captcha("data:text/javascript,1"), USUAL);
        for script in [
            "/captcha.js",
            "x; script-src *",
            "https://a b; script-src *",
        ] {
            assert_eq!(with_captcha(script), format!("script-src 'self'; {USUAL}"));
        }
        let policy = with_captcha("https://a.example/;script-src%20*; script-src *");
        assert!(policy.starts_with("script-src 'self' https://a.example; frame-src"));
        assert!(!policy.contains('*'), "{policy}");
    }

    #[test]
    fn known_providers_may_load_what_they_say_that_they_load() {
        let policy = with_captcha("https://www.recaptcha.net/recaptcha/api.js");
        let scripts = "script-src 'self' https://www.recaptcha.net https://www.gstatic.com;";
        assert!(policy.starts_with(scripts), "{policy}");
        let policy = with_captcha("https://challenges.cloudflare.com/turnstile/v0/api.js");
        let scripts = "script-src 'self' https://challenges.cloudflare.com;";
        assert!(policy.starts_with(scripts), "{policy}");
    }

    #[test]
    fn the_other_interface_runs_its_own_files_and_what_has_the_nonce() {
        let policy = for_interface("abc", &[]);
        assert!(
            policy.contains("script-src 'self' 'nonce-abc';"),
            "{policy}"
        );
        let scripts = policy.split(';').find(|it| it.contains("script-src"));
        assert!(!scripts.expect("it is there").contains("unsafe"));
        let captchas = ["https://a.example/x.js", "javascript:1", "/ours.js"];
        let policy = for_interface("abc", &captchas.map(str::to_owned));
        assert!(
            policy.contains("'nonce-abc' https://a.example;"),
            "{policy}"
        );
        assert!(policy.contains("frame-src 'self' blob: https://a.example;"));
        assert!(!policy.contains("javascript"), "{policy}");
    }
}
