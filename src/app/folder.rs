//! The blueprint files in a folder and the folders in it. Reads the disk, and judges nothing.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::blueprint::{Filed, MAX_BYTES};

/// How a name has to end.
const ENDINGS: [&str; 4] = ["yaml", "yml", "json", "akflow"];

/// How deep folders may lie in each other.
const DEEPEST: usize = 16;

/// A file, and by what a change of it is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// When it was last changed.
    pub modified: Timestamp,
    /// How many bytes it has.
    pub size: u64,
}

/// The blueprint files below `folder`, by their path in it, with `/` between its parts. Names that
/// begin with a dot are left out. Links to files are followed, as container engines make them; links
/// to folders are not.
///
/// # Errors
/// When a folder cannot be listed.
pub fn blueprints(folder: &Path) -> io::Result<BTreeMap<String, Found>> {
    let mut found = BTreeMap::new();
    list(folder, "", 0, &mut found)?;
    Ok(found)
}

fn list(
    folder: &Path,
    within: &str,
    depth: usize,
    found: &mut BTreeMap<String, Found>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{within}{name}");
        if entry.file_type()?.is_dir() {
            if depth < DEEPEST {
                list(&entry.path(), &format!("{path}/"), depth + 1, found)?;
            }
        } else if let Some(file) = file(&entry) {
            found.insert(path, file);
        }
    }
    Ok(())
}

/// A file with the right ending. One that went away meanwhile is as if it had not been there.
fn file(entry: &DirEntry) -> Option<Found> {
    let path = entry.path();
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    if !ENDINGS.contains(&ending.as_str()) {
        return None;
    }
    let about = fs::metadata(&path).ok()?;
    let modified = about.modified().ok()?;
    about.is_file().then_some(Found {
        path,
        modified: Timestamp::try_from(modified).unwrap_or_default(),
        size: about.len(),
    })
}

/// What is in a file.
///
/// # Errors
/// When it cannot be read, is no text, or is too large for a blueprint.
pub fn read(found: &Found) -> io::Result<Filed> {
    if usize::try_from(found.size).is_ok_and(|size| size <= MAX_BYTES) {
        let content = fs::read_to_string(&found.path)?;
        Ok(Filed::new(&content, found.modified))
    } else {
        let text = "it is larger than a blueprint may be";
        Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_all_folders_are_found_and_hidden_ones_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        fs::create_dir_all(root.join("a/b")).expect("a folder can be made");
        fs::create_dir_all(root.join("..data")).expect("a folder can be made");
        for name in [
            "z.yaml",
            "a/b/y.YML",
            "a/x.json",
            "..data/w.yaml",
            "readme.md",
            ".v.yaml",
        ] {
            fs::write(root.join(name), name).expect("a file can be written");
        }
        std::os::unix::fs::symlink("..data/w.yaml", root.join("w.yaml")).expect("a link");
        std::os::unix::fs::symlink("gone.yaml", root.join("gone.yaml")).expect("a link");
        let found = blueprints(root).expect("it can be listed");
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["a/b/y.YML", "a/x.json", "w.yaml", "z.yaml"]);
        let read = read(&found["w.yaml"]).expect("it can be read");
        assert_eq!(&*read.content, "..data/w.yaml");
        let large = Found {
            size: u64::MAX,
            ..found["z.yaml"].clone()
        };
        assert!(super::read(&large).is_err());
    }
}
