//! A disk of its own, so that a test can fill it up: a file with a file system in it, mounted.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The name of the file that fills the disk.
const FILLER: &str = "filler";

/// A mounted disk. It is unmounted when it is dropped, also after a panic.
pub(super) struct Volume {
    /// Holds the file and the place where it is mounted; removed after the disk is unmounted.
    _directory: TempDir,
    mounted: PathBuf,
}

impl Volume {
    /// A disk of so many bytes; `None` where this user may not mount one.
    pub(super) fn mount(bytes: u64) -> Option<Self> {
        let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let directory = tempfile::Builder::new().prefix("v").tempdir_in(below);
        let directory = directory.expect("a directory");
        let (image, mounted) = (directory.path().join("image"), directory.path().join("m"));
        std::fs::create_dir(&mounted).expect("a directory");
        let file = File::create(&image).expect("a file");
        file.set_len(bytes).expect("room for it");
        let made = run("mkfs.ext4", &["-q", "-F", "-m", "0", &text(&image)]);
        let is_mounted = made && run("mount", &["-o", "loop", &text(&image), &text(&mounted)]);
        is_mounted.then_some(Self {
            _directory: directory,
            mounted,
        })
    }

    /// Where the data goes.
    pub(super) fn data(&self) -> PathBuf {
        self.mounted.join("data")
    }

    /// Fills the disk until only so many bytes are free.
    pub(super) fn fill(&self, free: u64) {
        let path = self.mounted.join(FILLER);
        let mut filler = File::options().create(true).append(true).open(path);
        let filler = filler.as_mut().expect("a file");
        let piece = vec![0x55; 64 << 10];
        while self.free() > free {
            if filler.write_all(&piece).is_err() {
                return;
            }
            filler.sync_all().expect("it is written");
        }
    }

    /// Makes room again.
    pub(super) fn empty(&self) {
        std::fs::remove_file(self.mounted.join(FILLER)).expect("it was filled");
    }

    /// How many bytes are free.
    pub(super) fn free(&self) -> u64 {
        let disk = rustix::fs::statvfs(&self.mounted).expect("it is mounted");
        disk.f_bavail * disk.f_frsize
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let place = text(&self.mounted);
        // Somebody may still be in it after a test that failed: then it goes once they have left.
        if !run("umount", &[&place]) {
            run("umount", &["--lazy", &place]);
        }
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let ran = Command::new(program).args(arguments).output();
    ran.is_ok_and(|ran| ran.status.success())
}
