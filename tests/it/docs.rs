//! Reads README.md and `docs/`, and fails where they promise what is not there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::files;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("a file of the project")
}

fn pages() -> Vec<PathBuf> {
    let below = files(&root().join("docs"));
    let mut pages: Vec<PathBuf> = below
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .chain([root().join("README.md")])
        .collect();
    pages.sort();
    pages
}

/// The text without code, in which brackets are no links.
fn prose(text: &str) -> String {
    let outside = text.split("\n```").step_by(2);
    outside
        .flat_map(|part| part.split('`').step_by(2))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where the links and pictures of a page lead.
fn links(text: &str) -> Vec<String> {
    let text = prose(text);
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(str::to_owned)
        .collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(page: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(page).expect("a page");
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

/// What is wrong with a link of a page, if anything is.
fn problem(page: &Path, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.to_owned(),
        path => page.parent().expect("a directory").join(path),
    };
    let place = format!("{}: {link}", page.display());
    if !target.exists() {
        return Some(format!("{place} leads nowhere"));
    }
    (!heading.is_empty() && !anchors(&target).contains(heading))
        .then(|| format!("{place}: the page has no such heading"))
}

fn complain(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut problems = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        problems.extend(links(&text).iter().filter_map(|it| problem(&page, it)));
    }
    complain(&problems);
}

#[test]
fn the_table_of_contents_has_every_page() {
    let contents = links(&read("docs/SUMMARY.md"));
    let listed: BTreeSet<&str> = contents.iter().map(String::as_str).collect();
    let docs = root().join("docs");
    let missing: Vec<String> = pages()
        .iter()
        .filter_map(|page| page.strip_prefix(&docs).ok())
        .map(|page| page.display().to_string())
        .filter(|page| page != "SUMMARY.md" && !listed.contains(page.as_str()))
        .map(|page| format!("docs/SUMMARY.md does not list {page}"))
        .collect();
    complain(&missing);
}

/// The names of the variants of an enum, as they are written in the journal.
fn variants(source: &str, name: &str) -> Vec<String> {
    let head = format!("pub enum {name} {{\n");
    let body = source.split(&head).nth(1).expect("the enum");
    let body = body.split("\n}").next().expect("its end");
    body.lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(char::is_uppercase))
        .filter_map(|line| line.split(['(', ' ', ',']).next())
        .map(|variant| {
            variant.chars().fold(String::new(), |mut name, letter| {
                if letter.is_uppercase() && !name.is_empty() {
                    name.push('_');
                }
                name.extend(letter.to_lowercase());
                name
            })
        })
        .collect()
}

#[test]
fn every_event_is_in_the_catalogue_and_nothing_else() {
    let page = read("docs/events.md");
    let source = read("src/flow/event.rs");
    let events = variants(&source, "Event");
    assert!(events.contains(&"stage_entered".to_owned()), "{events:?}");
    let listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let mut problems = Vec::new();
    for event in &events {
        if !listed.contains(&event.as_str()) {
            problems.push(format!("docs/events.md has no {event}"));
        }
    }
    for event in listed {
        if !events.iter().any(|known| known == event) {
            problems.push(format!("docs/events.md: there is no event {event}"));
        }
    }
    let problem = read("src/flow/event/problem.rs");
    let parts = [
        (&source, "Check"),
        (&problem, "PasswordProblem"),
        (&problem, "MfaProblem"),
        (&read("src/flow/effect.rs"), "Effect"),
        (&read("src/flow/effect.rs"), "Outcome"),
        (&read("src/flow/timer.rs"), "Deadline"),
    ];
    for (source, part) in parts {
        for name in variants(source, part) {
            if !page.contains(&format!("`{name}`")) {
                problems.push(format!("docs/events.md has no {name} ({part})"));
            }
        }
    }
    complain(&problems);
}

#[test]
fn every_setting_is_described() {
    let page = read("docs/configuration.md");
    let loaded = gatelog::settings::load(&gatelog::settings::Sources::default());
    let missing: Vec<String> = loaded
        .expect("the defaults")
        .shown
        .iter()
        .filter(|shown| !page.contains(&format!("\n| `{}` |", shown.key)))
        .map(|shown| format!("docs/configuration.md has no {}", shown.key))
        .collect();
    complain(&missing);
}
