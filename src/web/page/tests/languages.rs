//! Whatever a page says is said in every language.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::web::language::Dictionary;

/// Texts of the server that no page shows: operators read them, or programs.
const NOT_SHOWN: &[&str] = &[
    // What is wrong with the settings of a stage, which the API says.
    "A code has to be good for some time.",
    "A link has to be good for some time.",
    "At least one criteria must be set.",
    "Authenticator validation stage is set to configure user but no configuration flow is set.",
    "Either IP or Username must be checked",
    "Ensure this value is less than or equal to 100.",
    "Ensure this value is less than or equal to 1000.",
    "Target Flow should be present when mode is Flow.",
    "Target URL should be a path or an http(s) address.",
    "Target URL should be present when mode is Static.",
    "The host is a name such as api-12345678.duosecurity.com, without a scheme and a path.",
    "When \"Not configured action\" is set to \"Configure\", you must set a configuration stage.",
    "When no user fields are selected, at least one source must be selected",
    // What the journal and the log say.
    "Action matched.",
    "App matched.",
    "Client IP matched.",
    "Duo enrolled nobody: {problem}",
    "Duo said no, and was to be asked again and again",
    "Error sending SMS",
    "Exception occurred while rendering E-mail template {template}",
    "Exception occurred while rendering E-mail template {}",
    "Failed to ask Duo for a push",
    "Failed to enroll user by stage {}",
    "Failed to look for a device by stage {}",
    "Model matched.",
    "Query matched.",
    "Test error",
    // What is sent to telephones, and how devices and stages are called there and in the API.
    "AuthenticatorDuoStage",
    "Use this code to authenticate in {brand}: {code}",
    "Duo Authenticator",
    "Email Device",
    "SMS Device",
    "Setup Stage",
    "Sign-in code",
    "Static Token",
    "TOTP Authenticator",
    "WebAuthn Device",
    "HMAC takes keys of any length",
];

/// Files whose texts no page shows: the names of stages, policies and countries, and what expressions are told
/// that do wrong.
const OTHERS: &[&str] = &[
    "countries.rs",
    "/policy/host/",
    "/event_matcher/query",
    "/policy/mod.rs",
    "/stage/mod.rs",
];

fn german() -> Dictionary {
    Language::German.dictionary()
}

/// Every file below a folder with this ending, and what it says.
fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.extension().is_some_and(|it| it == ending) {
                let text = fs::read_to_string(&path).expect("a text");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    walk(&root, ending, &mut found);
    found.sort();
    found
}

/// The texts in double quotes of a program, without its comments and its tests, and what stands
/// right before each.
fn literals(source: &str) -> Vec<(String, String)> {
    let program = source.split("#[cfg(test)]\nmod tests {").next();
    let lines = program.unwrap_or_default().lines();
    let code: Vec<&str> = lines
        .filter(|it| !it.trim_start().starts_with("//"))
        .collect();
    // A quote as a letter begins no text.
    let code = code.join("\n").replace("'\"'", "' '");
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some((outside, inside)) = rest.split_once('"') {
        let (mut text, mut escaped, mut end) = (String::new(), false, inside.len());
        for (at, letter) in inside.char_indices() {
            match letter {
                '"' if !escaped => {
                    end = at + 1;
                    break;
                }
                '\\' if !escaped => {
                    escaped = true;
                    continue;
                }
                letter => text.push(letter),
            }
            escaped = false;
        }
        // A text that goes on in the next line goes on where that line begins.
        let mut lines = text.split('\n');
        let mut whole = lines.next().unwrap_or_default().to_owned();
        for line in lines {
            whole.push_str(line.trim_start());
        }
        found.push((outside.to_owned(), whole));
        rest = inside.get(end..).unwrap_or_default();
    }
    found
}

#[test]
fn every_text_of_a_template_is_said_in_german() {
    let german = german();
    let mut count = 0;
    for (path, source) in files("src/web/templates", "html") {
        for (at, _) in source.match_indices("\" | t") {
            let after = source[at + 5..].chars().next();
            if after.is_some_and(char::is_alphanumeric) {
                continue;
            }
            let start = source[..at].rfind('"').expect("it begins") + 1;
            let text = &source[start..at];
            assert!(
                german.has(text),
                "{} says {text:?}, which German lacks",
                path.display()
            );
            count += 1;
        }
    }
    assert!(count > 100, "only {count} texts were found");
}

#[test]
fn every_text_that_a_program_gives_a_page_is_said_in_german() {
    let german = german();
    let mut count = 0;
    for folder in ["src/web", "src/http"] {
        for (path, source) in files(folder, "rs") {
            if !source.contains("web::language") || path.ends_with("languages.rs") {
                continue;
            }
            for (before, text) in literals(&source) {
                let is_marked = before.trim_end().ends_with("text(");
                if is_marked && text.starts_with(char::is_uppercase) {
                    assert!(german.has(&text), "{} says {text:?}", path.display());
                    count += 1;
                }
            }
        }
    }
    assert!(count > 30, "only {count} texts were found");
}

#[test]
fn whatever_the_server_tells_a_visitor_is_said_in_german() {
    let german = german();
    let mut missing = Vec::new();
    for folder in ["src/stage", "src/flow", "src/policy"] {
        for (path, source) in files(folder, "rs") {
            let name = path.display().to_string();
            if name.contains("tests") || OTHERS.iter().any(|it| name.contains(it)) {
                continue;
            }
            for (before, text) in literals(&source) {
                let is_reason = before.ends_with("reason = ") || before.ends_with("expect(");
                let is_said = text.starts_with(char::is_uppercase) && text.contains(' ');
                if !is_said || is_reason || NOT_SHOWN.contains(&text.as_str()) {
                    continue;
                }
                if german.say_again(&text) == text {
                    missing.push(format!("{name}: {text}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "German lacks:\n{}", missing.join("\n"));
}

#[test]
fn a_page_speaks_german_and_can_be_made_to_speak_english() {
    let pages = Pages::new();
    let dress = Dress {
        language: Language::German,
        here: "/if/flow/login/?next=%2Fa".into(),
        ..dress()
    };
    let mut challenge = identification();
    challenge["flow_info"]["title"] = json!("Welcome");
    challenge["response_errors"] = json!({
        "uid_field": [{"string": "Ensure this field has no more than 9 characters.", "code": "x"}],
        "non_field_errors": [{"string": "Somebody's own words", "code": "invalid"}],
    });
    let page = pages.challenge(&dress, &challenge, &form(), None);
    let page = page.expect("it can be shown").replace("&#x2f;", "/");
    for part in [
        r#"<html lang="de">"#,
        "<title>Fehler: Willkommen - Gatelog</title>",
        "<h1>Willkommen</h1>",
        ">E-Mail-Adresse oder Benutzername</label>",
        "öchstens 9 Zeichen",
        "Somebody&#x27;s own words",
        ">Anmelden</button>",
        r#"href="/language/en/?next=%2Fif%2Fflow%2Flogin%2F%3Fnext%3D%252Fa" hreflang="en""#,
        r#"<span lang="de" aria-current="true">Deutsch</span>"#,
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
}

#[test]
fn every_language_that_is_offered_is_taken() {
    for (word, _) in crate::web::page::LANGUAGES {
        assert!(
            word.is_empty() || crate::catalog::prompt::is_locale(word),
            "{word}"
        );
    }
}
