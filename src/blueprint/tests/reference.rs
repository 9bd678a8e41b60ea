//! Blueprints as others published them, where somebody has them: `GATELOG_REFERENCE` names the
//! folder. They are not part of this project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// The models of those files that this version does not have, in lower case. Whoever brings one
/// takes it from here.
const MISSING: &[&str] = &[
    "authentik_events.notificationrule",
    "authentik_events.notificationtransport",
];

/// What else is left out, because it builds on those.
const BUILT_ON_THEM: &[&str] = &["authentik_policies.policybinding"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|it| it == "yaml" || it == "akflow")
        {
            found.push(path);
        }
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
async fn published_blueprints_are_read_and_what_is_supported_is_applied() {
    let Some(folder) = std::env::var_os("GATELOG_REFERENCE") else {
        eprintln!("skipped: GATELOG_REFERENCE names no folder with blueprints");
        return;
    };
    let mut found = Vec::new();
    files(Path::new(&folder), &mut found);
    assert!(!found.is_empty(), "no blueprints in {}", folder.display());
    let (mut missing, mut left_out) = (BTreeSet::new(), BTreeSet::new());
    for path in found {
        let source = std::fs::read_to_string(&path).expect("the file can be read");
        let document = check(&source, &path.display().to_string());
        let document =
            document.unwrap_or_else(|problems| panic!("{}: {problems:#?}", path.display()));
        let models = unsupported(&document).into_iter();
        missing.extend(models.map(|it| it.model.to_ascii_lowercase()));
        let bench = Bench::installed().await;
        let options = Options {
            skip_unsupported: true,
            ..bench.options()
        };
        let documents = [document];
        let report = apply(&bench.journal, &bench.clock, &documents, &options).await;
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let records = bench.records();
        let again = apply(&bench.journal, &bench.clock, &documents, &options).await;
        again.expect("it can be applied again");
        assert_eq!(bench.records(), records, "{}", path.display());
        assert_eq!(report.entries.is_empty(), documents[0].entries.is_empty());
        let exported = bench.exported(&[]).await;
        let fresh = Bench::installed().await;
        let imported = fresh.apply(&exported.yaml).await;
        imported.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(fresh.exported(&[]).await, exported, "{}", path.display());
        let entries = report.entries.iter();
        let entries = entries.filter(|it| it.outcome == Outcome::Unsupported);
        left_out.extend(entries.map(|it| it.model.to_ascii_lowercase()));
    }
    assert_eq!(missing, MISSING.iter().map(|it| (*it).to_owned()).collect());
    let besides: Vec<_> = left_out.difference(&missing).collect();
    assert_eq!(besides, BUILT_ON_THEM);
}
