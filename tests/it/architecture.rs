//! Reads the sources, and fails where one goes against the shape of the project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

mod arrows;

use arrows::ARROWS;

/// No file may have more lines, tests and tables included.
const LONGEST: usize = 500;

/// Names that say nothing about what is inside.
const DRAWERS: &[&str] = &[
    "utils", "util", "common", "helpers", "types", "manager", "service",
];

/// Words that the pure core has no use for.
const IMPURE: &[&str] = &[
    "actix",
    "tokio",
    "sled",
    "postgres",
    "reqwest",
    "std::fs",
    "std::net::Tcp",
    "std::env",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant",
    "getrandom",
    "rand::",
    "Timestamp::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
];

struct Source {
    /// Its path below `src/`.
    path: PathBuf,
    text: String,
}

impl Source {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The module at the top that it belongs to.
    fn module(&self) -> String {
        let first = self.path.components().next().expect("a path");
        let first = Path::new(first.as_os_str());
        first.with_extension("").display().to_string()
    }

    fn is_test(&self) -> bool {
        self.path.components().any(|part| {
            let part = Path::new(part.as_os_str()).with_extension("");
            part == Path::new("tests")
        })
    }

    /// The lines that say something to the compiler, without the tests at the end.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let is_test_file = self.is_test();
        let mut is_test = false;
        lines.filter_map(move |(number, line)| {
            is_test |= line.starts_with("#[cfg(test)]");
            // What follows `mod tests;` is code again; `mod tests {` reaches to the end.
            if is_test && line.starts_with("mod ") && line.ends_with(';') {
                is_test = false;
                return None;
            }
            let is_comment = line.trim_start().starts_with("//");
            (!is_test && !is_test_file && !is_comment).then_some((number + 1, line))
        })
    }
}

fn sources() -> Vec<Source> {
    below("src")
}

fn below(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let found = crate::support::files(&root);
    let mut sources: Vec<Source> = found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .map(|path| Source {
            text: std::fs::read_to_string(&path).expect("a source"),
            path: path.strip_prefix(&root).expect("below it").to_owned(),
        })
        .collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!sources.is_empty(), "no sources below {directory}");
    sources
}

/// The modules of ours that a line names.
fn named(line: &str) -> Vec<String> {
    let paths = line.split("crate::").skip(1);
    paths
        .flat_map(|path| match path.strip_prefix('{') {
            Some(list) => list
                .split(['}', ';'])
                .next()
                .unwrap_or_default()
                .split(',')
                .map(|it| it.trim().to_owned())
                .collect::<Vec<_>>(),
            None => vec![path.to_owned()],
        })
        .map(|path| {
            let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            path[..end.unwrap_or(path.len())].to_owned()
        })
        .filter(|module| !module.is_empty())
        .collect()
}

fn complain(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_modules_use_each_other_in_one_direction() {
    let known: BTreeSet<&str> = ARROWS.iter().map(|(module, _)| *module).collect();
    let mut problems = Vec::new();
    for source in sources() {
        let module = source.module();
        if module == "lib" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            problems.push(format!("src/{}: a module with no arrows", source.name()));
            continue;
        };
        for (number, line) in source.code() {
            for used in named(line) {
                let is_shared = ["clock", "settings"].contains(&used.as_str());
                let is_free = used == module || allowed.contains(&used.as_str());
                // A macro or a function at the top belongs to no module.
                let is_module = known.contains(used.as_str());
                if is_module && !is_free && (!is_shared || module == "flow") {
                    problems.push(format!(
                        "src/{}:{number}: {module} may not use {used}",
                        source.name()
                    ));
                }
            }
        }
    }
    complain(&problems);
}

#[test]
fn only_the_composition_root_names_a_concrete_journal() {
    let mut problems = Vec::new();
    for source in sources() {
        if ["app", "journal"].contains(&source.module().as_str()) {
            continue;
        }
        for (number, line) in source.code() {
            for concrete in [
                "journal::sled",
                "SledJournal",
                "MemoryJournal",
                "journal::memory",
            ] {
                if line.contains(concrete) {
                    problems.push(format!("src/{}:{number}: {concrete}", source.name()));
                }
            }
        }
    }
    complain(&problems);
}

#[test]
fn only_http_knows_status_codes_and_only_the_command_line_exit_codes() {
    let mut problems = Vec::new();
    for source in sources() {
        let module = source.module();
        for (number, line) in source.code() {
            let place = || format!("src/{}:{number}: {line}", source.name());
            if line.contains("StatusCode") && !["http", "cli"].contains(&module.as_str()) {
                problems.push(place());
            }
            if line.contains("ExitCode") && !["main", "cli"].contains(&module.as_str()) {
                problems.push(place());
            }
        }
    }
    complain(&problems);
}

#[test]
fn the_core_is_pure() {
    let mut problems = Vec::new();
    for source in sources() {
        if source.module() != "flow" {
            continue;
        }
        for (number, line) in source.code() {
            for word in IMPURE {
                if line.contains(word) {
                    problems.push(format!("src/{}:{number}: {word}", source.name()));
                }
            }
        }
    }
    complain(&problems);
}

#[test]
fn no_file_is_too_long_to_be_read() {
    let mut problems = Vec::new();
    for directory in ["src", "tests", "benches"] {
        for source in below(directory) {
            let lines = source.text.lines().count();
            if lines > LONGEST {
                problems.push(format!("{directory}/{}: {lines} lines", source.name()));
            }
        }
    }
    complain(&problems);
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut problems = Vec::new();
    for directory in ["src", "tests", "benches"] {
        for source in below(directory) {
            if !source.text.starts_with("//! ") {
                problems.push(format!("{directory}/{}", source.name()));
            }
        }
    }
    complain(&problems);
}

#[test]
fn no_module_is_a_drawer() {
    let mut problems = Vec::new();
    for source in sources() {
        for part in source.path.with_extension("").components() {
            let part = part.as_os_str().to_string_lossy();
            if DRAWERS.contains(&&*part) {
                problems.push(format!("src/{}", source.name()));
            }
        }
    }
    complain(&problems);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|it| it.concat());
    let mut problems = Vec::new();
    for directory in ["src", "tests", "benches"] {
        for source in below(directory) {
            for (number, line) in source.text.lines().enumerate() {
                let words = line.split(|letter: char| !letter.is_alphanumeric());
                for word in words.filter(|word| marks.iter().any(|mark| mark == word)) {
                    let (file, number) = (source.name(), number + 1);
                    problems.push(format!("{directory}/{file}:{number}: {word}"));
                }
            }
        }
    }
    complain(&problems);
}

#[test]
fn a_line_tells_which_modules_it_uses() {
    assert_eq!(named("use crate::flow::event::Event;"), ["flow"]);
    assert_eq!(
        named("use crate::{app, journal::Error, settings};").len(),
        3
    );
    assert_eq!(
        named("fn f(a: crate::clock::Clock, b: crate::http::X)").len(),
        2
    );
    assert!(named("use super::flow;").is_empty());
}
