//! Mails as files, for a start without a mail server. Each is one file, however often it is written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::message::Message;
use super::outbox::Mail;

/// Writes a mail into `folder`, which is made where it is missing, and returns once it would
/// survive a crash. Only the user who runs the server may read it.
pub(super) fn write(folder: &Path, mail: &Mail, message: &Message) -> io::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let name = format!(
        "{}-{}.eml",
        mail.created.strftime("%Y%m%dT%H%M%SZ"),
        mail.id
    );
    let path = folder.join(name);
    // A file under its last name is whole.
    let half = folder.join(format!(".{}.half", mail.id));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)?;
    file.write_all(&message.bytes)?;
    file.sync_all()?;
    std::fs::rename(&half, &path)?;
    File::open(folder)?.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::message::tests::mail;
    use super::*;

    #[test]
    fn a_mail_becomes_one_file_for_its_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let folder = directory.path().join("some/mail");
        let mail = mail();
        let message = Message::of(&mail, "a@example.org").expect("it can be put together");
        let path = write(&folder, &mail, &message).expect("it is written");
        assert_eq!(write(&folder, &mail, &message).expect("again"), path);
        let files: Vec<_> = std::fs::read_dir(&folder).expect("a folder").collect();
        assert_eq!(files.len(), 1);
        assert_eq!(std::fs::read(&path).expect("a file"), message.bytes);
        let mode = |path: &Path| {
            std::fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        assert_eq!((mode(&path) & 0o777, mode(&folder) & 0o777), (0o600, 0o700));
    }
}
