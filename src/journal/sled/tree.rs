//! The tree over all records, kept in the state as it grows: full tiles, and the right edge.
//!
//! Like everything in the state it can be made from the log again. A state from before there was
//! a tree gets it at the next start; where the log has a gap there is none until it is restored.

use super::super::evidence::tree::{self, Edge, Nodes, Tile};
use super::super::frame::Record;
use super::super::{Error, Hash, Result};
use super::overlay::Overlay;
use super::place::Place;
use super::segments::Segments;
use super::state::{self, Applied};
use super::store::Store;

/// Building it writes so many leaves at once.
const PORTION: u64 = 4_000;

/// A batch may be applied between two looks at the state; then look again.
const ATTEMPTS: usize = 10;

/// The tree while records are added.
#[derive(Default)]
pub(super) struct Growing {
    edge: Kept,
    /// The hashes of records that may still be discarded.
    pending: Vec<Hash>,
}

#[derive(Default)]
enum Kept {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// The state has none.
    No,
    Yes(Edge),
}

impl Growing {
    /// Adds the record after the first `before` ones, until it is kept or discarded.
    pub(super) fn add(&mut self, overlay: &Overlay<'_>, before: u64, record: Hash) -> Result<()> {
        if matches!(self.edge, Kept::Unknown) {
            let edge = match overlay.get(state::EDGE)? {
                Some(bytes) => {
                    let edge = Edge::from_bytes(&bytes);
                    Some(edge.ok_or_else(|| overlay.unreadable("the edge of the tree"))?)
                }
                None => Some(Edge::default()),
            };
            self.edge = match edge.filter(|edge| edge.size() == before) {
                Some(edge) => Kept::Yes(edge),
                None => Kept::No,
            };
        }
        self.pending.push(record);
        Ok(())
    }

    /// Makes what was added part of the batch.
    pub(super) fn keep(&mut self, overlay: &mut Overlay<'_>) {
        let records = self.pending.drain(..);
        let Kept::Yes(edge) = &mut self.edge else {
            return;
        };
        for record in records {
            edge.push(tree::leaf(record), |tile| {
                overlay.set(key(&tile), Some(value(&tile)));
            });
        }
    }

    /// Forgets what was added since.
    pub(super) fn discard(&mut self) {
        self.pending.clear();
    }

    /// The edge with all that was kept; `None` where there is no tree or nothing was added.
    pub(super) fn edge(&self) -> Option<&Edge> {
        match &self.edge {
            Kept::Yes(edge) => Some(edge),
            Kept::Unknown | Kept::No => None,
        }
    }
}

fn key(tile: &Tile) -> Vec<u8> {
    state::tile(tile.level, tile.index)
}

fn value(tile: &Tile) -> Vec<u8> {
    tile.hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The tree as the state has it.
pub(super) struct Stored<'a> {
    state: &'a Store,
    edge: Edge,
}

impl<'a> Stored<'a> {
    /// The tree; `None` when the state has none, or one that lags behind.
    pub(super) fn read(state: &'a Store) -> Result<Option<Self>> {
        for _ in 0..ATTEMPTS {
            let edge = match state.get(state::EDGE)? {
                Some(bytes) => {
                    let edge = Edge::from_bytes(&bytes);
                    edge.ok_or_else(|| state.unreadable("the edge of the tree"))?
                }
                None => Edge::default(),
            };
            let applied = state.get(state::APPLIED)?;
            let applied = applied.and_then(|bytes| Applied::from_bytes(&bytes));
            let applied = applied.unwrap_or(Applied::START);
            // A batch that is applied in between brings both on.
            if edge.size() == applied.place.last_record() {
                return Ok(Some(Self { state, edge }));
            }
        }
        Ok(None)
    }
}

impl Nodes for Stored<'_> {
    type Error = Error;

    fn edge(&self) -> &Edge {
        &self.edge
    }

    fn tile(&self, level: u8, index: u64) -> Result<Vec<Hash>> {
        let unreadable = || self.state.unreadable("a tile of the tree");
        let bytes = self.state.get(&state::tile(level, index))?;
        let bytes = bytes.ok_or_else(unreadable)?;
        match bytes.as_chunks::<32>() {
            (hashes, []) if hashes.len() == tree::WIDTH => {
                Ok(hashes.iter().copied().map(Hash).collect())
            }
            _ => Err(unreadable()),
        }
    }
}

/// Brings the tree up to what the state contains. A log that cannot be read through is no reason
/// to stay down: then there is no tree, and nothing is signed.
pub(super) fn bring_up(state: &Store, segments: &Segments, applied: Applied) -> Result<()> {
    let last = applied.place.last_record();
    let edge = state.get(state::EDGE)?;
    let edge = edge.and_then(|bytes| Edge::from_bytes(&bytes));
    let mut edge = edge.filter(|edge| edge.size() <= last).unwrap_or_default();
    if edge.size() == last {
        return Ok(());
    }
    tracing::info!(
        records = last - edge.size(),
        "the tree over the log is built"
    );
    let mut batch = sled::Batch::default();
    let mut portion = 0;
    let from = Place::record(edge.size() + 1);
    let read = segments.visit(from, |path, entry| {
        if !entry.place.is_record() || entry.place.position > last {
            return Ok(entry.place.position <= last);
        }
        let record = (entry.place.position == edge.size() + 1)
            .then(|| Record::decode(&entry.bytes).ok())
            .flatten();
        let Some(record) = record else {
            return Err(Error::Damaged {
                path: path.to_path_buf(),
                problem: format!("the record at position {} is missing", edge.size() + 1),
            });
        };
        edge.push(tree::leaf(record.frame.hash()), |tile| {
            batch.insert(key(&tile), value(&tile));
        });
        portion += 1;
        if portion == PORTION {
            batch.insert(state::EDGE, edge.to_bytes());
            state.apply(std::mem::take(&mut batch))?;
            portion = 0;
        }
        Ok(true)
    });
    batch.insert(state::EDGE, edge.to_bytes());
    state.apply(batch)?;
    let missing = (edge.size() < last).then(|| format!("the log ends at {}", edge.size()));
    if let Some(problem) = read.err().map(|error| error.to_string()).or(missing) {
        tracing::error!(
            %problem,
            "the tree over the log cannot be built, so nothing is signed or proven until that is \
             restored"
        );
    }
    Ok(())
}
