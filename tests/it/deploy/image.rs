//! The image: no engine builds it here, so its lines are read, and what they name has to be there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{are_settings, file, is_taken};

/// The instructions with their arguments, each on one line.
fn instructions() -> Vec<(String, String)> {
    let text = file("Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, rest) = line.split_once(' ').expect("an instruction");
            (name.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

/// Those of one name in the last stage, which is what is delivered.
fn delivered(name: &str) -> Vec<String> {
    let all = instructions();
    let last = all.iter().rposition(|it| it.0 == "FROM").expect("a stage");
    let all = all[last..].iter().filter(|it| it.0 == name);
    all.map(|it| it.1.clone()).collect()
}

fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_else(|_| panic!("{list} is no list of words"))
}

#[test]
fn everything_that_the_image_copies_is_there_and_let_in() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let ignored = file("Dockerfile.dockerignore");
    let mut count = 0;
    for (_, arguments) in instructions().iter().filter(|it| it.0 == "COPY") {
        if arguments.starts_with("--from") {
            continue;
        }
        let mut words: Vec<&str> = arguments.split_whitespace().collect();
        words.pop();
        for source in words {
            assert!(root.join(source).exists(), "{source} is not there");
            let is_let_in = ignored.lines().any(|it| it == format!("!{source}"));
            assert!(is_let_in, "{source} is kept out of the build");
            count += 1;
        }
    }
    assert!(count > 4, "nothing is copied");
    // Cargo wants each target that the manifest names to be there.
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let paths = manifest
        .lines()
        .filter_map(|it| it.strip_prefix("path = \""));
    for path in paths.map(|it| it.trim_end_matches('"')) {
        assert!(ignored.contains(&format!("!{path}")), "{path} is missing");
    }
    let version = manifest
        .lines()
        .find_map(|it| it.strip_prefix("rust-version = "));
    let version = version.expect("a version").trim_matches('"');
    assert!(file("Dockerfile").contains(&format!("FROM rust:{version}-slim-bookworm")));
}

#[test]
fn the_image_runs_as_nobody_special_and_says_how_it_is() {
    assert_eq!(delivered("USER"), ["gatelog"]);
    assert_eq!(delivered("VOLUME"), ["/var/lib/gatelog"]);
    let health = delivered("HEALTHCHECK").remove(0);
    let probe = words(health.split_once("CMD ").expect("a command").1);
    let program = words(&delivered("ENTRYPOINT").remove(0));
    assert_eq!(
        (probe[0].as_str(), program),
        ("gatelog", vec!["gatelog".to_owned()])
    );
    let probe: Vec<&str> = probe[1..].iter().map(String::as_str).collect();
    is_taken(&probe);
    let usual = words(&delivered("CMD").remove(0));
    let usual: Vec<&str> = usual.iter().map(String::as_str).collect();
    is_taken(&usual);
    assert_eq!(usual, ["serve"]);
}

#[test]
fn the_image_sets_what_can_be_set() {
    let set = delivered("ENV").join(" ");
    let pairs = set.split_whitespace().filter_map(|it| it.split_once('='));
    let pairs: BTreeMap<&str, &str> = pairs.collect();
    let owned = pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
    let settings = are_settings(owned.collect());
    // Other containers reach it, and what is kept is in the volume.
    assert!(settings.listen.ip().is_unspecified());
    assert_eq!(settings.data, PathBuf::from("/var/lib/gatelog"));
    for port in delivered("EXPOSE").join(" ").split_whitespace() {
        assert!(
            set.contains(&format!(":{port}")),
            "nobody listens on {port}"
        );
    }
}
