//! The package for Debian: built from the program under test, looked at, unpacked, and its program started with
//! its settings.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::path;
use crate::support::command::BINARY;
use crate::support::{Options, skip, with_server_of};

/// Runs a program that succeeds; what it printed.
#[track_caller]
fn printed(command: &mut Command) -> String {
    let ran = command.output().expect("it runs");
    assert!(ran.status.success(), "{command:?}: {ran:?}");
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

/// Builds the package there; `None`, and said, where nothing can build one.
fn build(into: &Path) -> Option<PathBuf> {
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        skip("dpkg-deb");
        return None;
    }
    // Not packed: nobody sends it anywhere.
    let built = printed(
        Command::new(path("debian/build"))
            .arg(BINARY)
            .arg(into)
            .arg("-Znone"),
    );
    Some(PathBuf::from(built))
}

#[test]
fn the_package_for_debian_has_all_of_it_and_its_program_logs_people_in() {
    let folder = tempfile::tempdir().expect("a directory");
    let Some(package) = build(folder.path()) else {
        return;
    };
    let contents = printed(Command::new("dpkg-deb").arg("-c").arg(&package));
    for wanted in [
        "-rwxr-xr-x root/root",
        "./usr/bin/gatelog",
        "./lib/systemd/system/gatelog.service",
        "./usr/lib/sysusers.d/gatelog.conf",
        "./etc/gatelog/gatelog.toml",
        "./usr/share/bash-completion/completions/gatelog",
        "./usr/share/zsh/vendor-completions/_gatelog",
        "./usr/share/fish/vendor_completions.d/gatelog.fish",
        "./usr/share/man/man1/gatelog.1.gz",
        "./usr/share/man/man1/gatelog-user-create.1.gz",
        "./usr/share/doc/gatelog/copyright",
        "./usr/share/doc/gatelog/examples/nginx-application.conf",
    ] {
        assert!(contents.contains(wanted), "no {wanted} in\n{contents}");
    }
    let told = |field: &str| {
        let mut command = Command::new("dpkg-deb");
        printed(command.arg("-f").arg(&package).arg(field))
    };
    assert_eq!(told("Package"), "gatelog");
    assert_eq!(told("Version"), env!("CARGO_PKG_VERSION"));

    let root = folder.path().join("root");
    printed(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&root));
    let control = folder.path().join("control");
    printed(
        Command::new("dpkg-deb")
            .arg("-e")
            .arg(&package)
            .arg(&control),
    );
    let kept = std::fs::read_to_string(control.join("conffiles")).expect("a list");
    // A file that somebody edits is not replaced by an upgrade.
    assert_eq!(kept.trim(), "/etc/gatelog/gatelog.toml");
    printed(
        Command::new("md5sum")
            .arg("-c")
            .arg(control.join("md5sums"))
            .current_dir(&root),
    );
    let unit = std::fs::read_to_string(root.join("lib/systemd/system/gatelog.service"));
    assert!(
        unit.expect("a unit")
            .contains("ExecStart=/usr/bin/gatelog serve")
    );

    let program = root.join("usr/bin/gatelog");
    let settings = root.join("etc/gatelog/gatelog.toml");
    let options = Options::default()
        .running(&program)
        .with("GATELOG_CONFIG", settings.to_str().expect("a plain name"));
    with_server_of(options, async |server| {
        let person = server.person();
        server.visitor().logs_in(&person).await;
        let shown = server.gatelog(&["config", "show"]);
        shown.succeeds().prints("365 days");
    });
}

/// Has the script run as dpkg does, with programs in the place of those that change the machine; what it called.
fn called(script: &str, arguments: &[&str], present: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a directory");
    let notes = folder.path().join("notes");
    for name in present {
        let program = folder.path().join(name);
        let text = format!(
            "#!/bin/sh\necho \"{name} $*\" >>'{}'\nexit 2\n",
            notes.display()
        );
        let text = text.replace(
            "exit 2",
            if *name == "getent" {
                "exit 2"
            } else {
                "exit 0"
            },
        );
        std::fs::write(&program, text).expect("written");
        printed(Command::new("chmod").arg("755").arg(&program));
    }
    let script = path(&format!("debian/{script}"));
    let ran = Command::new("/bin/sh")
        .arg(&script)
        .args(arguments)
        .env_clear()
        .env("PATH", folder.path())
        .output()
        .expect("a shell");
    assert!(ran.status.success(), "{ran:?}");
    std::fs::read_to_string(notes).unwrap_or_default()
}

#[test]
fn installing_the_package_makes_its_user_whatever_there_is_to_make_one() {
    let made = called("postinst", &["configure", ""], &["systemd-sysusers"]);
    assert_eq!(made.lines().next(), Some("systemd-sysusers gatelog.conf"));
    let made = called("postinst", &["configure", ""], &["getent", "useradd"]);
    assert!(made.contains("useradd --system"), "{made}");
    let other = called(
        "postinst",
        &["abort-upgrade", "0.1.0"],
        &["systemd-sysusers", "useradd"],
    );
    assert_eq!(other, "");
    // Nothing removes the journal.
    for arguments in [["remove"], ["purge"]] {
        assert!(!called("postrm", &arguments, &["rm", "rmdir"]).contains("var/lib"));
    }
}
