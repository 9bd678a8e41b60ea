//! What letters say, and what is said of templates that are wrong.

use std::fs;

use super::super::letter::Person;
use super::*;

const URL: &str = "https://login.example.org/if/flow/x/?a=1&flow_token=secret";

fn values() -> Values {
    Values {
        url: Some(URL.to_owned()),
        expires: Some("2026-11-26T16:00:00Z".parse().expect("a moment")),
        now: Some("2026-11-26T15:30:00Z".parse().expect("a moment")),
        user: Some(Person {
            username: "alice".to_owned(),
            name: "Alice <b>".to_owned(),
            email: "alice@example.net".to_owned(),
        }),
        token: Some("123456".to_owned()),
        host: Some("login.example.org".to_owned()),
        title: Some("Something happened".to_owned()),
        body: Some("Somebody did it.".to_owned()),
        facts: vec![("where".to_owned(), "here".to_owned())],
        brand: "Example & Sons".to_owned(),
        more: serde_json::Map::new(),
    }
}

fn own(files: &[(&str, &str)]) -> (tempfile::TempDir, Templates) {
    let folder = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let templates = Templates::load(Some(folder.path())).expect("the folder can be read");
    (folder, templates)
}

#[test]
fn every_letter_can_be_written_with_everything_and_with_nothing() {
    let templates = Templates::load(None).expect("there is no folder");
    for (name, _) in templates.names() {
        for language in [None, Some("en"), Some("de")] {
            for values in [values(), Values::default()] {
                let letter = templates.render(&name, "x", language, &values);
                let letter = letter.unwrap_or_else(|error| panic!("{error}"));
                assert!(
                    letter.html.contains("</html>") && !letter.text.is_empty(),
                    "{name}"
                );
                assert!(letter.html.contains("prefers-color-scheme: dark"), "{name}");
                assert!(letter.html.contains("cid:logo"), "{name}");
                let none = letter.text.to_lowercase();
                assert!(!none.contains("none"), "{name}: {none}");
                for text in [&letter.html, &letter.text] {
                    assert!(
                        !text.contains("{{") && !text.contains("{%"),
                        "{name}: {text}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_letter_holds_its_link_as_it_is_in_text_and_escaped_in_html() {
    let templates = Templates::load(None).expect("there is no folder");
    for name in [
        "password_reset",
        "account_confirmation",
        "invitation",
        "event_notification",
    ] {
        let name = format!("email/{name}.html");
        let letter = templates
            .render(&name, "x", None, &values())
            .expect("it can be written");
        assert!(
            letter.text.contains(&format!("\n{URL}\n")),
            "{}",
            letter.text
        );
        let escaped = letter.html.contains("a=1&amp;flow_token=secret");
        assert!(
            escaped && !letter.html.contains("a=1&flow"),
            "{}",
            letter.html
        );
        assert!(
            letter.html.contains("Example &amp; Sons") && letter.text.contains("Example & Sons")
        );
    }
    let letter = templates.render("email/email_otp.html", "x", None, &values());
    let letter = letter.expect("it can be written");
    assert!(letter.html.contains(">123456<") && letter.text.contains("    123456\n"));
    assert!(!letter.html.contains("<b>"), "a name is no HTML");
}

#[test]
fn a_letter_is_in_the_language_of_its_reader() {
    let templates = Templates::load(None).expect("there is no folder");
    let name = "email/password_reset.html";
    let german = templates.render(name, "authentik", Some("de-AT"), &values());
    let german = german.expect("it can be written");
    assert_eq!(german.subject, "authentik");
    assert!(!german.html.contains("Password") && !german.html.contains("password"));
    assert!(german.html.contains("lang=\"de\"") && german.text.contains("30 Minuten"));
    let english = templates.render(name, "Password Reset", Some("fr"), &values());
    let english = english.expect("it can be written");
    assert_eq!(english.subject, "Password Reset");
    let span = "for 30 minutes, until 26 November 2026, 16:00 UTC";
    assert!(
        english.text.contains(span) && english.html.contains(span),
        "{}",
        english.text
    );
    let german = templates.render(name, "Password Reset", Some("de"), &values());
    assert_eq!(
        german.expect("it can be written").subject,
        "Passwort zurücksetzen"
    );
}

#[test]
fn a_letter_to_somebody_who_signs_up_repeats_nothing_that_they_typed() {
    let templates = Templates::load(None).expect("there is no folder");
    let name = "email/account_confirmation.html";
    let letter = templates
        .render(name, "x", None, &values())
        .expect("it can be written");
    for text in [letter.html, letter.text] {
        assert!(!text.contains("Alice") && !text.contains("alice"), "{text}");
    }
}

#[test]
fn the_operators_templates_win_and_are_listed() {
    let (_folder, templates) = own(&[
        ("email/password_reset.html", "own: {{ url }}"),
        (
            "welcome.html",
            "{% extends \"email/base.html\" %}{% block content %}hi{% endblock %}",
        ),
        (
            "welcome.txt",
            "hi {{ user.name }}, {{ missing.anything }}{{ expires }}",
        ),
        ("deep/er/third.html", "3"),
        ("notes.md", "not a template"),
    ]);
    let names = templates.names();
    assert_eq!(names.len(), 7);
    assert_eq!(
        names[0],
        ("email/password_reset.html".into(), "Password Reset".into())
    );
    let custom = (
        "deep/er/third.html".into(),
        "Custom Template: deep/er/third.html".into(),
    );
    assert!(names.contains(&custom) && !names.iter().any(|(name, _)| name.contains("base")));
    let render = |name| {
        templates
            .render(name, "x", None, &values())
            .expect("it can be written")
    };
    let own = render("email/password_reset.html");
    assert_eq!(
        own.html,
        format!("own: {}", URL.replace('&', "&amp;").replace('/', "&#x2f;"))
    );
    assert_eq!(own.text, "", "the built-in text is that of another letter");
    let welcome = render("welcome.html");
    assert!(welcome.html.contains("hi") && welcome.html.contains("Example &amp; Sons"));
    assert_eq!(welcome.text, "hi Alice <b>, 2026-11-26T16:00:00Z");
    assert_eq!(render("deep/er/third.html").text, "");
}

#[test]
fn an_own_text_alone_goes_with_the_html_built_in() {
    let (_folder, templates) = own(&[("email/email_otp.txt", "code {{ token }}")]);
    let letter = templates.render("email/email_otp.html", "x", None, &values());
    let letter = letter.expect("it can be written");
    assert_eq!(letter.text, "code 123456");
    assert!(letter.html.contains("123456"));
}

#[test]
fn a_mistake_is_told_with_template_line_and_problem() {
    let (_folder, templates) = own(&[
        ("syntax.html", "fine\n{% if %}\n"),
        ("function.html", "\n\n{{ nothing() }}"),
        ("above.html", "x\n{% include \"part.html\" %}"),
        ("part.html", "\n{{ 1 + \"a\" }}"),
        ("django.html", "{% load i18n %}"),
        ("text.html", "fine"),
        ("text.txt", "{{ }"),
    ]);
    let problem = |name: &str| {
        let letter = templates.render(name, "x", None, &values());
        letter.expect_err(name).to_string()
    };
    assert!(problem("syntax.html").starts_with("syntax.html, line 2: syntax error: "));
    assert!(problem("function.html").starts_with("function.html, line 3: "));
    assert!(
        problem("above.html").starts_with("part.html, line 2: "),
        "{}",
        problem("above.html")
    );
    assert!(problem("django.html").starts_with("django.html, line 1: "));
    assert!(problem("text.html").starts_with("text.txt, line 1: "));
    assert_eq!(
        problem("email/none.html"),
        "there is no template email/none.html"
    );
    assert!(!problem("function.html").contains("secret"));
}

#[test]
fn a_mistake_that_shows_only_in_a_letter_is_found_at_the_start() {
    let (_folder, templates) = own(&[
        ("filter.html", "fine\n{{ user.name | shout }}"),
        ("parent.html", "{% extends \"nope.html\" %}"),
        (
            "german.html",
            "{% if language == \"de\" %}\n{{ nothing() }}{% endif %}",
        ),
        ("text.html", "fine"),
        ("text.txt", "{{ token | shout }}"),
        ("fine.html", "{{ user.name }} {{ missing.anything }}"),
        ("email/base.txt", "{% include \"nope.txt\" %}"),
    ]);
    let problem = |name: &str| {
        let problem = templates.problem(name);
        problem.map(ToString::to_string).unwrap_or_default()
    };
    for (name, said) in [
        ("filter.html", "filter.html, line 2: "),
        ("parent.html", "parent.html, line 1: "),
        ("german.html", "german.html, line 2: "),
        ("text.html", "text.txt, line 1: "),
        ("email/invitation.html", "email/base.txt, line 1: "),
    ] {
        assert!(problem(name).starts_with(said), "{name}: {}", problem(name));
    }
    assert!(problem("parent.html").contains("nope.html"));
    assert_eq!(problem("fine.html"), "");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = Templates::load(Some(Path::new("/nowhere/at/all"))).expect_err("it is not there");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}
