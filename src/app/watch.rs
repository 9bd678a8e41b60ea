//! Watches a folder of blueprints: applies its files at the start and when one changes, and keeps
//! what came of each. It looks at the folder every few seconds and needs nothing of the operating
//! system for it, so it works on every kind of file system.
//!
//! A file that is wrong changes nothing, and says so once. One that is gone takes nothing along.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::folder::{self, Found};
use super::parts::Parts;
use crate::blueprint::{self, Error, Filed, Host, Library, Options, Ran, Report, Syntax};
use crate::catalog::{self, BlueprintInstance, BlueprintStatus, instances_of_file};
use crate::clock::Clock;
use crate::directory::change::{Author, Means};
use crate::directory::password::Pool;
use crate::directory::turns::Turns;
use crate::expression::Workers;
use crate::journal::object::Versioned;
use crate::journal::{self, Journal, Version};
use crate::settings::Settings;

/// How often the folder is looked at.
const PAUSE: Duration = Duration::from_secs(2);

/// A label by which a file asks to be left alone until somebody makes an instance of it.
const INSTANTIATE: &str = "blueprints.goauthentik.io/instantiate";

/// The watcher.
pub(super) struct Watch {
    folder: PathBuf,
    journal: Arc<dyn Journal>,
    clock: Clock,
    hashes: Arc<Pool>,
    workers: Workers,
    turns: Arc<Turns>,
    library: Arc<Library>,
    seen: Seen,
}

/// What the watcher remembers from one look to the next.
#[derive(Default)]
struct Seen {
    /// The files as they were found at the last look.
    found: BTreeMap<String, Found>,
    /// Those of them that have been read as they are.
    read: BTreeSet<String>,
    /// Those that were not applied, with what was said of it.
    failed: BTreeMap<String, String>,
    /// What was last said of the folder itself.
    folder: Option<String>,
    /// Whether there was a first look.
    begun: bool,
}

impl Watch {
    /// A watcher of the folder of the settings, after its first look; none where there is no folder.
    ///
    /// # Errors
    /// As [`Watch::begin`].
    pub(super) async fn open(parts: &Parts, settings: &Settings) -> anyhow::Result<Option<Self>> {
        let Some(folder) = settings.blueprints.folder.clone() else {
            return Ok(None);
        };
        let mut watch = Self {
            folder,
            journal: Arc::clone(&parts.operator.journal),
            clock: parts.operator.clock.clone(),
            hashes: Arc::clone(&parts.operator.hashes),
            workers: parts.operator.workers.clone(),
            turns: Arc::clone(&parts.operator.turns),
            library: Arc::clone(&parts.library),
            seen: Seen::default(),
        };
        watch.begin().await?;
        Ok(Some(watch))
    }

    /// The first look: applies every file.
    ///
    /// # Errors
    /// When the folder cannot be listed, or the journal cannot be read. A file that is wrong is no
    /// error.
    async fn begin(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.display().to_string();
        let found = self.list().await;
        let found = found.with_context(|| format!("blueprints.folder: {folder} cannot be read"))?;
        self.look(found).await?;
        self.seen.begun = true;
        Ok(())
    }

    /// Looks again and again, for as long as it is let.
    pub(super) async fn run(mut self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let outcome = match self.list().await {
                Ok(found) => self.look(found).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let told = outcome.err();
            if told != self.seen.folder {
                if let Some(problem) = &told {
                    tracing::warn!(problem, "the blueprints cannot be looked at");
                } else {
                    tracing::info!("the blueprints can be looked at again");
                }
                self.seen.folder = told;
            }
        }
    }

    async fn list(&self) -> std::io::Result<BTreeMap<String, Found>> {
        let folder = self.folder.clone();
        let listed = tokio::task::spawn_blocking(move || folder::blueprints(&folder)).await;
        listed.map_err(std::io::Error::other)?
    }

    /// Takes up what changed. A file counts once it is the same at two looks, so that one that is
    /// being written is left until that is done; at the first look each counts.
    async fn look(&mut self, found: BTreeMap<String, Found>) -> journal::Result<()> {
        let mut due = BTreeSet::new();
        for (path, file) in &found {
            let known = self.seen.found.get(path);
            if known != Some(file) {
                self.seen.read.remove(path);
            }
            let is_settled = known == Some(file) || !self.seen.begun;
            if is_settled && !self.seen.read.contains(path) && self.take_in(path, file).await {
                due.insert(path.clone());
            }
        }
        let gone = self
            .seen
            .found
            .keys()
            .filter(|path| !found.contains_key(*path));
        for path in gone.cloned().collect::<Vec<_>>() {
            self.seen.read.remove(&path);
            self.seen.failed.remove(&path);
            self.library.forget(&path);
        }
        self.seen.found = found;
        self.orphan().await?;
        // What failed may have waited for what another file made.
        let mut again = self.apply_all(due).await;
        while again {
            let failed = self.seen.failed.keys().cloned().collect();
            again = self.apply_all(failed).await;
        }
        Ok(())
    }

    /// Reads a file, and says whether there is something in it that was not read before.
    async fn take_in(&mut self, path: &str, file: &Found) -> bool {
        let file = file.clone();
        let read = tokio::task::spawn_blocking(move || folder::read(&file)).await;
        match read.map_err(std::io::Error::other).and_then(|read| read) {
            Ok(filed) => {
                self.seen.read.insert(path.to_owned());
                let before = self.library.get(path);
                let is_new = before.is_none_or(|before| before.hash != filed.hash);
                self.library.put(path, filed);
                let did_fail = self.seen.failed.contains_key(path);
                if is_new {
                    // What was said of it was said of something else.
                    self.seen.failed.remove(path);
                }
                is_new || did_fail
            }
            Err(error) => {
                // It may be readable the next time although it does not look different.
                self.fail(path, &format!("it cannot be read: {error}"));
                false
            }
        }
    }

    /// Applies these files in the order of their paths, and says whether that changed anything.
    async fn apply_all(&mut self, paths: BTreeSet<String>) -> bool {
        let mut changed = false;
        for path in paths {
            let Some(file) = self.library.get(&path) else {
                continue;
            };
            match self.apply(&path, &file).await {
                Ok(None) => {}
                Ok(Some(Ran {
                    result: Ok(report), ..
                })) => {
                    changed |= !report.changes.is_empty();
                    self.seen.failed.remove(&path);
                    applied(&path, &report);
                }
                Ok(Some(Ran {
                    result: Err(problems),
                    ..
                })) => {
                    // Texts may quote the file, so they are kept where only its owner reads them.
                    let first = problems.first();
                    let place = first.map_or(0, |it| it.span.line);
                    let field = first.and_then(|it| it.field.as_deref()).unwrap_or("-");
                    let told = format!(
                        "{} problems, the first at line {place}, field {field}; `gatelog blueprint \
                         status` tells them",
                        problems.len()
                    );
                    self.fail(&path, &told);
                }
                Err(error) => {
                    // No fault of the file: it is read again at the next look.
                    self.seen.read.remove(&path);
                    self.fail(&path, &error.to_string());
                }
            }
        }
        changed
    }

    /// Notes that a file was not applied, and says so unless it did before.
    fn fail(&mut self, path: &str, told: &str) {
        let before = self.seen.failed.insert(path.to_owned(), told.to_owned());
        if before.as_deref() != Some(told) {
            tracing::warn!(file = path, problem = told, "a blueprint is not applied");
        }
    }

    /// Applies a file; nothing of one that is switched off, or that asks to be left alone.
    async fn apply(&self, path: &str, file: &Filed) -> Result<Option<Ran>, Error> {
        let Some(instance) = self.instance(path, file).await? else {
            return Ok(None);
        };
        if !instance.value.enabled {
            return Ok(None);
        }
        let options = Options {
            host: Host::Machine,
            passwords: Some(&self.hashes),
            syntax: Syntax::Workers(&self.workers),
            author: author(path),
            turns: Some(&self.turns),
            ..Options::default()
        };
        let journal = &*self.journal;
        let ran = blueprint::run_instance(journal, &self.clock, instance, &file.content, &options)
            .await?;
        Ok(Some(ran))
    }

    /// The instance of a file, made where there is none and the file does not object.
    async fn instance(
        &self,
        path: &str,
        file: &Filed,
    ) -> journal::Result<Option<Versioned<BlueprintInstance>>> {
        let known = instances_of_file(&*self.journal, path).await?;
        if let Some(known) = known.into_iter().min_by_key(|it| !it.value.enabled) {
            return Ok(Some(known));
        }
        let document = blueprint::Document::read(&file.content, path).ok();
        let label = document.as_ref().and_then(|it| it.labels.get(INSTANTIATE));
        if label.is_some_and(|label| label.eq_ignore_ascii_case("false")) {
            return Ok(None);
        }
        let name = document.and_then(|it| it.name);
        let taken = catalog::instances(&*self.journal).await?;
        let is_free = |name: &String| !taken.iter().any(|it| it.value.name == *name);
        let mut instance = BlueprintInstance::new(&self.clock, path);
        let other = format!("{path} {}", instance.pk);
        let mut names = name.into_iter().chain([path.to_owned()]);
        instance.name = names.find(is_free).unwrap_or(other);
        path.clone_into(&mut instance.path);
        Ok(Some(Versioned {
            version: Version::NONE,
            value: instance,
        }))
    }

    /// Marks what has lost its file.
    async fn orphan(&self) -> journal::Result<()> {
        for Versioned { version, value } in catalog::instances(&*self.journal).await? {
            let mut instance = value;
            let is_there = instance.path.is_empty() || self.seen.found.contains_key(&instance.path);
            if is_there || instance.status == BlueprintStatus::Orphaned {
                continue;
            }
            instance.status = BlueprintStatus::Orphaned;
            let author = author(&instance.path);
            blueprint::store(&*self.journal, &self.clock, &instance, version, &author).await?;
            tracing::warn!(
                file = instance.path,
                "a blueprint is gone; what it made stays"
            );
        }
        Ok(())
    }
}

fn author(path: &str) -> Author {
    Author::by(Means::Blueprint(path.to_owned()))
}

fn applied(path: &str, report: &Report) {
    let count = |wanted| {
        report
            .changes
            .iter()
            .filter(|it| it.outcome == wanted)
            .count()
    };
    tracing::info!(
        file = path,
        created = count(blueprint::Outcome::Created),
        updated = count(blueprint::Outcome::Updated),
        deleted = count(blueprint::Outcome::Deleted),
        remarks = report.notes.len(),
        "a blueprint is applied"
    );
}
