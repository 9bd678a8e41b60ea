//! Reads the files that a command names.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::app::folder;

/// The files as the server is sent them.
pub(in crate::cli) fn bodies(paths: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let files = read(paths)?.into_iter();
    let bodies = files.map(|(name, content)| json!({ "name": name, "content": content }));
    Ok(bodies.collect())
}

/// Each file with its content, in the order given; those of a folder in the order of their names.
pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push((path.display().to_string(), text(path)?));
            continue;
        }
        let shown = path.display();
        let found = folder::blueprints(path).with_context(|| format!("{shown} cannot be read"))?;
        if found.is_empty() {
            bail!("{shown} has no blueprints in it");
        }
        for file in found.values() {
            files.push((file.path.display().to_string(), text(&file.path)?));
        }
    }
    Ok(files)
}

fn text(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}
