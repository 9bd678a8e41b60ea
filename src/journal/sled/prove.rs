//! What is shown of the tree: its root now and earlier, and proofs.

use tokio::sync::oneshot;

use super::super::evidence::Stand;
use super::super::evidence::tree::{self, Nodes};
use super::super::frame::{Frame, Record};
use super::super::{Error, Hash, Position, Result, StreamId, Version};
use super::batch::{self, Request};
use super::tree::Stored;
use super::{Shared, SledJournal};

impl SledJournal {
    /// What the journal is now, once all of that is on the disk: what may be signed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the log has a gap, so that there is no tree, and when the disk
    /// cannot be written.
    pub async fn stand(&self) -> Result<Stand> {
        let _place = self.queue.place().await;
        let (answer, answered) = oneshot::channel();
        self.send(Request::Stand { answer })?;
        answered.await.map_err(|_| batch::closed())?
    }

    /// The root of the tree when it had `size` records; `None` when it never had so many.
    ///
    /// # Errors
    /// As [`SledJournal::stand`].
    pub fn root_at(&self, size: u64) -> Result<Option<Hash>> {
        let tree = self.shared.tree()?;
        if size > tree.edge().size() {
            return Ok(None);
        }
        tree::root(&tree, size).map(Some)
    }

    /// The frame of the record at a position, and what shows that it is one of the first `size`;
    /// `None` when it is not.
    ///
    /// # Errors
    /// As [`SledJournal::stand`], and when the record is damaged.
    pub fn inclusion(&self, position: Position, size: u64) -> Result<Option<(Frame, Vec<Hash>)>> {
        let tree = self.shared.tree()?;
        let Some(index) = position.0.checked_sub(1) else {
            return Ok(None);
        };
        if index >= size || size > tree.edge().size() {
            return Ok(None);
        }
        let bytes = self.shared.segments.record(position.0)?;
        let record = bytes
            .ok_or_else(|| "it is missing".to_owned())
            .and_then(|bytes| Record::decode(&bytes));
        let record = record.map_err(|problem| Error::Damaged {
            path: super::log_of(&self.shared.directory),
            problem: format!("the record at position {}: {problem}", position.0),
        })?;
        let path = tree::inclusion(&tree, index, size)?;
        Ok(Some((record.frame, path)))
    }

    /// What shows that the first `to` records begin with the first `from`; `None` when there
    /// were never so many.
    ///
    /// # Errors
    /// As [`SledJournal::stand`].
    pub fn consistency(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>> {
        let tree = self.shared.tree()?;
        if from > to || to > tree.edge().size() {
            return Ok(None);
        }
        tree::consistency(&tree, from, to).map(Some)
    }

    /// The positions of all records of a stream.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn positions(&self, stream: StreamId) -> Result<Vec<Position>> {
        let Some(head) = self.shared.head(stream)? else {
            return Ok(Vec::new());
        };
        (1..=head.version.0)
            .filter_map(|version| {
                let position = self.shared.position(stream, &head, Version(version));
                position.transpose().map(|it| it.map(Position))
            })
            .collect()
    }
}

impl Shared {
    fn tree(&self) -> Result<Stored<'_>> {
        Stored::read(&self.state)?.ok_or_else(|| no_tree(self))
    }
}

/// The error where the log has a gap.
pub(super) fn no_tree(shared: &Shared) -> Error {
    Error::Unavailable(
        format!(
            "there is no tree over {}, because a part of it is missing: restore that, and restart",
            super::log_of(&shared.directory).display()
        )
        .into(),
    )
}
