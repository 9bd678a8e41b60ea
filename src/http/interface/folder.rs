//! The folder with the built files: what is found in it, and nothing outside it.

use std::path::{Component, Path, PathBuf};

use super::super::Error;

/// The largest file that is served, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;

/// A folder that was found at the start.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// Its real path.
    root: PathBuf,
}

/// A file, and what a browser has to know of it.
#[derive(Debug)]
pub(in crate::http) struct File {
    /// What is in it.
    pub(in crate::http) content: Vec<u8>,
    /// Its media type.
    pub(in crate::http) media_type: &'static str,
    /// A name for this content as long as nobody writes the file: its size and its time.
    pub(in crate::http) version: String,
}

impl Folder {
    /// The folder at this path.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let root = path.canonicalize()?;
        if root.is_dir() {
            Ok(Self { root })
        } else {
            Err(std::io::ErrorKind::NotADirectory.into())
        }
    }

    /// The file under this path; `None` where there is none, or where it leads out of the folder.
    pub(super) async fn find(&self, path: &str) -> Result<Option<File>, Error> {
        let Some(media_type) = media_type(path) else {
            return Ok(None);
        };
        let Some(asked) = below(path) else {
            return Ok(None);
        };
        // Links are followed first, and may lead elsewhere within the folder alone.
        let Ok(real) = tokio::fs::canonicalize(self.root.join(asked)).await else {
            return Ok(None);
        };
        if !real.starts_with(&self.root) {
            return Ok(None);
        }
        let Ok(known) = tokio::fs::metadata(&real).await else {
            return Ok(None);
        };
        if !known.is_file() || known.len() > LARGEST {
            return Ok(None);
        }
        let written = known.modified().ok();
        let written = written.and_then(|it| it.duration_since(std::time::UNIX_EPOCH).ok());
        let version = format!(
            "{:x}-{:x}",
            known.len(),
            written.unwrap_or_default().as_micros()
        );
        let content = tokio::fs::read(&real).await;
        let content = content.map_err(|error| Error::Internal {
            cause: format!("a file of the interface cannot be read: {error}"),
        })?;
        Ok(Some(File {
            content,
            media_type,
            version,
        }))
    }

    /// The latest file of a folder whose name is `stem-<version>.<kind>`, and that version.
    pub(super) fn versioned(
        &self,
        folder: &str,
        stem: &str,
        kind: &str,
    ) -> Option<(String, String)> {
        let entries = std::fs::read_dir(self.root.join(folder)).ok()?;
        let versions = entries.filter_map(Result::ok).filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let rest = name.strip_prefix(stem)?.strip_prefix('-')?;
            let version = rest.strip_suffix(kind)?.strip_suffix('.')?;
            Some((entry.metadata().ok()?.modified().ok()?, version.to_owned()))
        });
        let (_, version) = versions.max()?;
        let below = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let address = format!("/static/dist/{below}{stem}-{version}.{kind}");
        Some((address, version))
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.root.join(path).is_file()
    }
}

/// A path that goes down and nowhere else.
fn below(path: &str) -> Option<&Path> {
    let path = Path::new(path);
    let goes_down = path
        .components()
        .all(|it| matches!(it, Component::Normal(_)));
    let is_plain = |it: &str| !it.contains(['\\', '\0']);
    (goes_down && path.to_str().is_some_and(is_plain)).then_some(path)
}

/// What a browser makes of a file, by its name. Others are not served.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Folder, path: &str) -> Option<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let found = runtime.block_on(folder.find(path)).expect("readable");
        found.map(|file| file.content)
    }

    #[test]
    fn nothing_outside_is_found() {
        let outside = tempfile::tempdir().expect("a folder");
        let root = outside.path().join("dist");
        std::fs::create_dir_all(root.join("flow")).expect("a folder");
        std::fs::write(outside.path().join("secret.txt"), "secret").expect("a file");
        std::fs::write(root.join("a.js"), "1").expect("a file");
        std::fs::write(root.join("secret.key"), "secret").expect("a file");
        let link = std::os::unix::fs::symlink::<PathBuf, PathBuf>;
        link("../../secret.txt".into(), root.join("flow/link.txt")).expect("a link");
        link(outside.path().into(), root.join("all")).expect("a link");
        link("../a.js".into(), root.join("flow/b.js")).expect("a link");
        let folder = Folder::open(&root).expect("it is there");
        assert_eq!(found(&folder, "a.js"), Some(b"1".to_vec()));
        assert_eq!(found(&folder, "flow/b.js"), Some(b"1".to_vec()));
        for path in [
            "",
            ".",
            "flow",
            "../secret.txt",
            "flow/../../secret.txt",
            "/etc/hostname.txt",
            "flow/link.txt",
            "all/secret.txt",
            "secret.key",
            "..\\secret.txt",
            "a.js/",
            "./a.js",
        ] {
            let is_the_file = path == "a.js/" || path == "./a.js";
            let found = found(&folder, path);
            assert!(found.is_none() || is_the_file, "{path}: {found:?}");
            assert_ne!(found, Some(b"secret".to_vec()), "{path}");
        }
        assert!(Folder::open(&root.join("a.js")).is_err());
        assert!(Folder::open(&root.join("nothing")).is_err());
    }

    #[test]
    fn the_latest_of_several_versions_counts() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("flow")).expect("a folder");
        for version in ["2026.5.0", "2026.5.1"] {
            let name = format!("flow/FlowInterface-{version}.js");
            std::fs::write(root.path().join(name), "1").expect("a file");
        }
        std::fs::write(root.path().join("poly-2026.5.1.js"), "1").expect("a file");
        let folder = Folder::open(root.path()).expect("it is there");
        let (address, version) = folder
            .versioned("flow", "FlowInterface", "js")
            .expect("it is there");
        assert_eq!(version, "2026.5.1");
        assert_eq!(address, "/static/dist/flow/FlowInterface-2026.5.1.js");
        let (address, _) = folder.versioned("", "poly", "js").expect("it is there");
        assert_eq!(address, "/static/dist/poly-2026.5.1.js");
        assert_eq!(folder.versioned("styles", "base", "css"), None);
    }
}
