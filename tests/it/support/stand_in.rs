//! A folder as authentik builds it, with a little that stands in for its interface.

use tempfile::TempDir;

/// The version that it says it is.
const VERSION: &str = "2026.5.0";

/// Makes the folder.
pub(crate) fn stand_in() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [
        ("flow/FlowInterface", "js", include_str!("stand_in/flow.js")),
        ("poly", "js", "window.isPolyfilled = true;"),
        ("styles/base", "css", "body { margin: 0 }"),
        ("styles/dark", "css", ":root { color-scheme: dark }"),
        ("styles/interface", "css", "main { margin: 0 }"),
    ];
    for (stem, kind, content) in files {
        put(&folder, &format!("{stem}-{VERSION}.{kind}"), content);
    }
    for (path, content) in [
        (
            "assets/only-theirs.svg",
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
        ),
        ("sfe/index.js", "document.title = 'plain'"),
        ("sfe/jquery.min.js", "window.$ = 1"),
        ("sfe/bootstrap.min.css", "body { margin: 0 }"),
    ] {
        put(&folder, path, content);
    }
    folder
}

fn put(folder: &TempDir, path: &str, content: &str) {
    let path = folder.path().join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, content).expect("a file");
}
