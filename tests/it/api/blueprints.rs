//! Blueprints of a running server: a folder that it watches, and what commands make of them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gatelog::clock::Clock;
use serde_json::{Value, json};

use super::program::with_program;
use crate::support::{Options, TestServer, with_server, with_server_of};

/// How long a change of the folder may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);

fn flow(slug: &str, title: &str) -> String {
    format!(
        "metadata: {{name: The flow {slug}}}\nentries:\n- model: authentik_flows.flow\n  identifiers: \
         {{slug: {slug}}}\n  attrs: {{name: {slug}, title: {title}, designation: enrollment}}\n"
    )
}

fn write(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).expect("a file can be written");
}

/// What the server says of the file.
fn status(server: &TestServer, file: &str) -> Value {
    let told = server.gatelog(&["blueprint", "status", "--json"]);
    let mut all = told.succeeds().values().into_iter();
    all.find(|it| it["path"] == file).unwrap_or_default()
}

async fn becomes(server: &TestServer, file: &str, wanted: &str) -> Value {
    let clock = Clock::system();
    let deadline = clock.monotonic() + PATIENCE;
    loop {
        let found = status(server, file);
        if found["status"] == wanted {
            return found;
        }
        assert!(
            clock.monotonic() < deadline,
            "{file} is {found}, not {wanted}"
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn title(server: &TestServer, slug: &str) -> Option<String> {
    let told = server.gatelog(&["blueprint", "export", slug]);
    let mut lines = told.stdout.lines().map(str::trim);
    let title = lines.find_map(|line| line.strip_prefix("title: "))?;
    Some(title.to_owned())
}

#[test]
fn a_folder_is_applied_at_the_start_and_whenever_a_file_in_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    write(path, "a.yaml", &flow("watched", "One"));
    // It needs what the file after it makes.
    let early = "entries:\n- {model: authentik_stages_deny.denystage, id: s, identifiers: {name: watched}}\n- \
                 {model: authentik_flows.flowstagebinding, identifiers: {stage: !KeyOf s, order: 0, \
                 target: !Find [authentik_flows.flow, [slug, watched]]}}\n";
    write(path, "Early.yaml", early);
    write(
        path,
        "wrong.yaml",
        "entries:\n- {model: authentik_flows.flow, identifiers: {slug: wrong}}\n",
    );
    let options = Options::default().with(
        "GATELOG_BLUEPRINTS__FOLDER",
        path.to_str().expect("a path of letters"),
    );
    with_server_of(options, async |server| {
        assert_eq!(title(server, "watched").as_deref(), Some("One"));
        let told = status(server, "a.yaml");
        assert_eq!(told["status"], "successful");
        assert_eq!(told["name"], "The flow watched");
        assert_eq!(status(server, "Early.yaml")["status"], "successful");
        let wrong = status(server, "wrong.yaml");
        assert_eq!(wrong["status"], "error");
        assert_eq!(
            wrong["problems"].as_array().map(Vec::len),
            Some(3),
            "{wrong}"
        );
        assert_eq!(title(server, "wrong"), None);

        let before = told["last_applied_hash"].clone();
        write(path, "a.yaml", &flow("watched", "Two"));
        write(path, "wrong.yaml", &flow("wrong", "Right"));
        becomes(server, "wrong.yaml", "successful").await;
        let told = becomes(server, "a.yaml", "successful").await;
        assert_ne!(told["last_applied_hash"], before);
        assert_eq!(title(server, "watched").as_deref(), Some("Two"));

        fs::remove_file(path.join("a.yaml")).expect("it can be removed");
        becomes(server, "a.yaml", "orphaned").await;
        assert_eq!(
            title(server, "watched").as_deref(),
            Some("Two"),
            "nothing is deleted"
        );

        let output = server.output();
        let told = output
            .lines()
            .filter(|it| it.contains("wrong.yaml") && it.contains("not applied"));
        assert_eq!(told.count(), 1, "it says so once:\n{output}");
    });
}

#[test]
fn a_difference_is_told_before_it_is_made_and_has_an_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path of letters");
    write(folder.path(), "1.yaml", &flow("one", "One"));
    write(folder.path(), "2.yaml", &flow("two", "Two"));
    with_server(async |server| {
        let new = server.gatelog(&["blueprint", "diff", path]);
        new.fails_with(1)
            .prints("+ authentik_flows.flow one")
            .says("2 created");
        server.gatelog(&["blueprint", "apply", path]).succeeds();
        let same = server.gatelog(&["blueprint", "diff", path]);
        same.succeeds().says("Nothing would change");
        write(folder.path(), "2.yaml", &flow("two", "Other"));
        let other = server.gatelog(&["blueprint", "diff", path]);
        other.fails_with(1).prints("title: \"Two\" -> \"Other\"");
        write(folder.path(), "2.yaml", "entries: [{}]");
        let wrong = server.gatelog(&["blueprint", "diff", path]);
        wrong.fails_with(65).says("an entry needs a model");
        let missing = server.gatelog(&["blueprint", "diff", "/nowhere.yaml"]);
        missing.fails_with(65).says("/nowhere.yaml");
    });
}

#[test]
fn every_flow_comes_out_of_a_command_the_same_each_time_and_changes_nothing_when_it_is_applied() {
    with_server(async |server| {
        let first = server.gatelog(&["blueprint", "export", "--all"]);
        let second = server.gatelog(&["blueprint", "export", "--all"]);
        assert_eq!(first.succeeds().stdout, second.succeeds().stdout);
        let same = server.gatelog_reading(&["blueprint", "diff", "-"], &first.stdout);
        same.succeeds().says("Nothing would change");
        server
            .gatelog(&["blueprint", "export", "gone"])
            .fails_with(1)
            .says("no flow gone");
    });
}

#[test]
fn a_program_executes_a_flow_and_is_led_to_its_page() {
    with_program(async |server, program| {
        server.apply(&flow("empty", "Empty"));
        let get = reqwest::Method::GET;
        let path = |slug: &str, rest: &str| format!("/flows/instances/{slug}/{rest}/");
        let login = path("default-authentication-flow", "execute");
        let begun = program.sends(get.clone(), &login, &json!({})).await;
        let link = begun.has_status(200).json()["link"].clone();
        let expected = format!("{}/if/flow/default-authentication-flow/", server.base());
        assert_eq!(link, json!(expected));
        let empty = program
            .sends(get.clone(), &path("empty", "execute"), &json!({}))
            .await;
        empty.has_status(400);
        let drawn = program
            .sends(get, &path("empty", "diagram"), &json!({}))
            .await;
        let drawn = drawn.has_status(200).json()["diagram"].clone();
        assert!(
            drawn
                .as_str()
                .is_some_and(|it| it.starts_with("graph TD\n")),
            "{drawn}"
        );
    });
}
