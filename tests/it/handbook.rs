//! Runs what the handbook shows: blueprints are checked by the program, settings are read by it.

mod incidents;
mod tutorial;

use std::path::PathBuf;

use crate::support::{Options, with_server_of};

/// A page of the handbook.
pub(crate) fn page(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The blocks of a kind, each with the line on which it begins.
pub(crate) fn blocks(text: &str, kind: &str) -> Vec<(usize, String)> {
    let head = format!("```{kind}");
    let (mut all, mut open) = (Vec::new(), None::<(usize, usize, String)>);
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match &mut open {
            None if line.trim() == head => open = Some((index + 2, indent, String::new())),
            Some(_) if line.trim() == "```" => {
                let (number, _, block) = open.take().expect("it is open");
                all.push((number, block));
            }
            Some((_, margin, block)) => {
                block.push_str(line.get(*margin..).unwrap_or_default());
                block.push('\n');
            }
            None => {}
        }
    }
    all
}

/// The first block of a kind.
pub(crate) fn first_block(text: &str, kind: &str) -> String {
    let first = blocks(text, kind).into_iter().next();
    first.expect("there is such a block").1
}

/// Pages with blueprints. Those of stages and policies show one for every kind.
const BLUEPRINTS: &[&str] = &[
    "README.md",
    "docs/applications.md",
    "docs/blueprints.md",
    "docs/flows-as-code.md",
    "docs/flows.md",
    "docs/from-authentik.md",
    "docs/mail.md",
    "docs/operations/incidents.md",
    "docs/policies.md",
    "docs/proxies.md",
    "docs/quickstart.md",
    "docs/stages.md",
    "docs/tutorial.md",
    "docs/what-if.md",
];

#[test]
fn every_blueprint_of_the_handbook_could_be_applied() {
    let folder = tempfile::tempdir().expect("a directory");
    let secret = folder.path().join("twilio");
    std::fs::write(&secret, "a token").expect("written");
    let secret = secret.display().to_string();
    let options = Options::default()
        .with("TURNSTILE_PRIVATE_KEY", "a key")
        .with("DUO_SECRET_KEY", "a key");
    with_server_of(options, async |server| {
        let (mut problems, mut count) = (Vec::new(), 0);
        for name in BLUEPRINTS {
            for (line, block) in blocks(&page(name), "yaml") {
                if !block.contains("model: ") {
                    continue;
                }
                count += 1;
                let whole = if block.starts_with("- model") {
                    format!("version: 1\nentries:\n{block}")
                } else {
                    block
                };
                let whole = whole.replace("/run/secrets/twilio", &secret);
                let ran = server.gatelog_reading(&["blueprint", "check", "-"], &whole);
                if ran.code != Some(0) || ran.stderr.contains("ignored") {
                    problems.push(format!("{name}:{line}: {}{}", ran.stdout, ran.stderr));
                }
            }
        }
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
        assert!(count > 40, "only {count} were found");
    });
}

#[test]
fn every_kind_of_stage_and_policy_has_an_example() {
    let table = page("docs/blueprints.md");
    let rows = table.lines().filter_map(|it| it.strip_prefix("| `"));
    let kinds = rows.filter_map(|it| it.split('`').next());
    let kinds: Vec<&str> = kinds
        .filter(|it| it.ends_with("stage") || it.ends_with("policy"))
        .collect();
    assert!(kinds.len() > 20, "{kinds:?}");
    let examples = ["docs/stages.md", "docs/policies.md"].map(|name| {
        let blocks = blocks(&page(name), "yaml").into_iter();
        blocks.map(|it| it.1).collect::<String>()
    });
    let examples = examples.concat();
    let missing: Vec<_> = kinds
        .iter()
        .filter(|kind| !examples.contains(&format!("model: {kind}\n")))
        .collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}

/// Whole files of settings, as opposed to a few lines of one, are read as the server reads its own.
#[test]
fn every_file_of_settings_in_the_handbook_is_understood() {
    let folder = tempfile::tempdir().expect("a directory");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret").expect("written");
    let (mut problems, mut count) = (Vec::new(), 0);
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs");
    for path in crate::support::files(&docs) {
        if path.extension().is_none_or(|it| it != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a page");
        for (line, block) in blocks(&text, "toml") {
            count += 1;
            let file = folder.path().join("gatelog.toml");
            // Secrets lie where the server finds them.
            let mut parts = block.split("file:///");
            let mut here = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let rest = part.split_once('"').map_or("", |it| it.1);
                here.extend(["file://", &secret.display().to_string(), "\"", rest]);
            }
            std::fs::write(&file, here).expect("written");
            let sources = gatelog::settings::Sources {
                file: Some(file),
                ..gatelog::settings::Sources::default()
            };
            if let Err(error) = gatelog::settings::load(&sources) {
                problems.push(format!("{}:{line}: {error}", path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    assert!(count > 5, "only {count} were found");
}
