//! The recipes for incidents: what they show is what the program says, but for names, numbers and moments.

use serde_json::json;

use super::page;
use crate::support::{LOGIN, Options, Person, TestServer, with_server_of};

/// What the page shows behind a command of a console, on one line.
fn shown(command: &str) -> String {
    let page = page("docs/operations/incidents.md");
    let line = format!("$ {command}\n");
    let (_, rest) = page
        .split_once(&line)
        .unwrap_or_else(|| panic!("the page does not show {command}"));
    let lines = rest
        .lines()
        .take_while(|it| !it.starts_with("```") && !it.starts_with("$ "));
    lines.collect::<Vec<_>>().join(" ")
}

/// A text without what is another one each time.
fn plain(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    [
        (r"\d{1,2} [A-Z][a-z]+ \d{4} at [\d:]+ UTC", "a moment"),
        (r"[0-9a-f]{8}-[0-9a-f-]{27}", "an identifier"),
        (r"somebody at \S+ began", "somebody began"),
        (r"build [0-9a-f]{16}", "build"),
        (r"\d+", "n"),
    ]
    .iter()
    .fold(words, |text, (pattern, name)| {
        let pattern = fancy_regex::Regex::new(pattern).expect("an expression");
        pattern.replace_all(&text, *name).into_owned()
    })
}

/// What a command says of the latest execution of a flow.
fn why(server: &TestServer, flow: &str) -> String {
    let list = [
        "execution",
        "list",
        "--user",
        "alice",
        "--flow",
        flow,
        "--json",
    ];
    let listed = server.gatelog(&list);
    let id = listed.succeeds().values()[0]["execution"].clone();
    let id = id.as_str().expect("an id").to_owned();
    let told = server.gatelog(&["execution", "why", &id]);
    told.succeeds().stdout.clone()
}

#[test]
fn what_the_recipes_for_incidents_show_is_what_the_program_says() {
    // A mail that becomes a file is readable, as it should be.
    let mails = tempfile::tempdir().expect("a directory");
    let mails = mails.path().display().to_string();
    let options = Options::default().with("GATELOG_EMAIL__FOLDER", &mails);
    with_server_of(options, async |server| {
        let alice = Person {
            username: "alice".to_owned(),
            ..Person::new(server.canaries())
        };
        server.create_user(&alice);
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor.answers(json!({ "uid_field": "alice" })).await;
        for number in 0..5 {
            let wrong = format!("wrong-and-long-enough-{number}");
            server.canaries().secret("a typed password", &wrong);
            visitor.answers(json!({ "password": wrong })).await;
        }
        let mut visitor = server.visitor();
        visitor.opens("default-recovery-flow").await;
        visitor.answers(json!({ "uid_field": "alice" })).await;

        let denied = shown("gatelog execution why DC55E-1PKWQ");
        assert_eq!(plain(&denied), plain(&why(server, LOGIN)));
        let waits = shown("gatelog execution why DC55E-21002");
        assert_eq!(plain(&waits), plain(&why(server, "default-recovery-flow")));
        for command in ["journal verify", "replay verify --all"] {
            let words: Vec<&str> = command.split(' ').collect();
            let said = server.gatelog(&words);
            let there = shown(&format!("gatelog {command}"));
            let said = said.succeeds();
            let said = plain(&format!("{}{}", said.stdout, said.stderr));
            assert_eq!(plain(&there), said, "{command}");
        }
        // The columns of the list.
        let head = |text: &str| {
            text.split_whitespace()
                .take(9)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let listed = server.gatelog(&["execution", "list", "--user", "alice"]);
        let there = shown("gatelog execution list --user alice");
        assert_eq!(head(&there), head(&listed.succeeds().stdout));
    });
}
