//! Applies a blueprint that is kept here or lies in the watched folder, and notes what came of it.
//!
//! The blueprint is one commit and the note another: whoever is stopped between them applies it
//! again, which changes nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::Document;
use super::import::apply;
use super::library::hash;
use super::options::{Error, Options};
use super::report::{Outcome, Report};
use super::{Problem, check};
use crate::catalog::{BlueprintInstance, BlueprintStatus};
use crate::clock::Clock;
use crate::directory::change::{self, Author};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Commit, Durability, Journal, Version};

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    /// The instance as it is now.
    pub instance: Versioned<BlueprintInstance>,
    /// What was done; what is wrong where nothing was.
    pub result: Result<Report, Vec<Problem>>,
}

/// Applies `content`, and notes in `instance` what came of it, also when it is wrong. `options` say
/// how; the context of the instance is laid over theirs.
///
/// # Errors
/// What is no fault of the blueprint: then nothing is noted, and it may be tried again.
pub async fn run_instance(
    journal: &dyn Journal,
    clock: &Clock,
    instance: Versioned<BlueprintInstance>,
    content: &str,
    options: &Options<'_>,
) -> Result<Ran, Error> {
    let Versioned { version, value } = instance;
    let mut instance = value;
    let file = if instance.path.is_empty() {
        instance.name.clone()
    } else {
        instance.path.clone()
    };
    let mut options = options.clone();
    options.context.extend(instance.context.clone());
    let read = check(content, &file);
    if let Ok(document) = &read {
        instance.metadata = metadata(document);
    }
    let result = match read {
        Ok(document) => match apply(journal, clock, &[document], &options).await {
            Ok(report) => Ok(report),
            Err(Error::Invalid(problems)) => Err(problems),
            Err(error) => return Err(error),
        },
        Err(problems) => Err(problems),
    };
    instance.last_applied = clock.now();
    instance.last_applied_hash = hash(content);
    match &result {
        Ok(report) => {
            let remarks: Vec<String> = report.notes.iter().map(ToString::to_string).collect();
            instance.status = if remarks.is_empty() {
                BlueprintStatus::Successful
            } else {
                BlueprintStatus::Warning
            };
            instance.problems = remarks;
            instance.managed_models = models(report);
        }
        Err(problems) => {
            instance.status = BlueprintStatus::Error;
            instance.problems = problems.iter().map(ToString::to_string).collect();
        }
    }
    let version = store(journal, clock, &instance, version, &options.author).await?;
    Ok(Ran {
        instance: Versioned {
            version,
            value: instance,
        },
        result,
    })
}

/// Stores an instance in a commit of its own.
///
/// # Errors
/// When its name is another's, somebody else wrote it meanwhile, or the journal fails.
pub async fn store(
    journal: &dyn Journal,
    clock: &Clock,
    instance: &BlueprintInstance,
    expected: Version,
    author: &Author,
) -> journal::Result<Version> {
    let correlation = clock.ordered_id();
    let mut writes = vec![object::put(instance, expected)];
    change::note(&mut writes, author, correlation);
    let commit = Commit {
        writes,
        durability: Durability::Durable,
        fence: None,
        at: clock.now(),
        correlation,
    };
    journal.commit(commit).await?;
    let (version, _) = journal
        .head(object::stream::<BlueprintInstance>(instance.id()))
        .await?;
    Ok(version)
}

/// What a file says of itself.
pub(super) fn metadata(document: &Document) -> Map<String, Value> {
    let metadata = json!({ "name": document.name, "labels": document.labels });
    match metadata {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn models(report: &Report) -> Vec<String> {
    let entries = report.entries.iter();
    let kept = entries.filter(|it| !matches!(it.outcome, Outcome::Skipped | Outcome::Unsupported));
    let models: BTreeSet<String> = kept.map(|it| it.model.to_ascii_lowercase()).collect();
    models.into_iter().collect()
}
