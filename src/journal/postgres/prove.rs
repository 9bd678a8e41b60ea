//! What is shown of the tree over all records: its root now and earlier, and proofs.
//!
//! The database keeps the tree's right edge only, which is enough to sign. Whoever proves something
//! of an earlier size grows the tree again, from 32 bytes of each record.

use std::collections::HashMap;

use super::super::evidence::Stand;
use super::super::evidence::tree::{self, Edge, Nodes};
use super::super::frame::{Frame, Record};
use super::super::{Error, Hash, Position, Result, StreamId};
use super::read::Values;
use super::save::number;
use super::wanted::{position, unreadable};
use super::{PostgresJournal, Shared};

/// So many hashes are read at once.
const PORTION: i64 = 20_000;

const STAND: &str = "SELECT edge FROM journal";

const HASHES: &str = "
SELECT position, hash FROM record WHERE position > $1 AND position <= $2
ORDER BY position LIMIT $3";

const POSITIONS: &str = "SELECT position FROM record WHERE kind = $1 AND id = $2 ORDER BY version";

const RECORD: &str = "SELECT record FROM record WHERE position = $1";

/// A tree that was grown again.
struct Grown {
    edge: Edge,
    tiles: HashMap<(u8, u64), Vec<Hash>>,
}

impl Nodes for Grown {
    type Error = Error;

    fn edge(&self) -> &Edge {
        &self.edge
    }

    fn tile(&self, level: u8, index: u64) -> Result<Vec<Hash>> {
        let tile = self.tiles.get(&(level, index)).cloned();
        tile.ok_or_else(|| unreadable("the tree over all records"))
    }
}

impl Shared {
    /// The tree over the first `size` records; `None` when there are not so many.
    async fn grown(&self, size: u64) -> Result<Option<Grown>> {
        let mut grown = Grown {
            edge: Edge::default(),
            tiles: HashMap::new(),
        };
        while grown.edge.size() < size {
            let after = grown.edge.size();
            let rows = self.portion(HASHES, after, size, PORTION).await?;
            if rows.is_empty() {
                return Ok(None);
            }
            for row in &rows {
                if position(row.get(0)) != grown.edge.size() + 1 {
                    return Err(unreadable("the tree over all records, as one is missing,"));
                }
                let hash = <[u8; 32]>::try_from(row.get::<_, &[u8]>(1));
                let hash = Hash(hash.map_err(|_| unreadable("a hash"))?);
                let Grown { edge, tiles } = &mut grown;
                edge.push(tree::leaf(hash), |tile| {
                    tiles.insert((tile.level, tile.index), tile.hashes);
                });
            }
        }
        Ok(Some(grown))
    }
}

impl PostgresJournal {
    /// How many records there are, and the root of the tree over them: what may be signed. The server
    /// has acknowledged all of them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stand(&self) -> Result<Stand> {
        let rows = self.shared.asked(STAND, Values::new()).await?;
        let edge = rows.first().and_then(|row| Edge::from_bytes(row.get(0)));
        let edge = edge.ok_or_else(|| unreadable("the edge of the tree"))?;
        Ok(Stand::of(&edge))
    }

    /// The root of the tree when it had `size` records; `None` when it never had so many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn root_at(&self, size: u64) -> Result<Option<Hash>> {
        let now = self.stand().await?;
        if now.size == size {
            return Ok(Some(now.root));
        }
        Ok(self.shared.grown(size).await?.map(|it| it.edge.root()))
    }

    /// The frame of the record at a position, and what shows that it is one of the first `size`;
    /// `None` when it is not.
    ///
    /// # Errors
    /// When the database cannot be read, or the record is damaged.
    pub async fn inclusion(
        &self,
        position: Position,
        size: u64,
    ) -> Result<Option<(Frame, Vec<Hash>)>> {
        let Some(index) = position.0.checked_sub(1).filter(|index| *index < size) else {
            return Ok(None);
        };
        let Some(grown) = self.shared.grown(size).await? else {
            return Ok(None);
        };
        let values: Values = vec![Box::new(number(position.0))];
        let rows = self.shared.asked(RECORD, values).await?;
        let row = rows.first();
        let row = row.ok_or_else(|| unreadable(&format!("position {}", position.0)))?;
        let record = Record::decode(row.get(0));
        let record =
            record.map_err(|problem| unreadable(&format!("position {}: {problem}", position.0)))?;
        let path = tree::inclusion(&grown, index, size)?;
        Ok(Some((record.frame, path)))
    }

    /// What shows that the first `to` records begin with the first `from`; `None` when there were
    /// never so many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>> {
        if from > to {
            return Ok(None);
        }
        let Some(grown) = self.shared.grown(to).await? else {
            return Ok(None);
        };
        tree::consistency(&grown, from, to).map(Some)
    }

    /// The positions of all records of a stream.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn positions(&self, stream: StreamId) -> Result<Vec<Position>> {
        let values: Values = vec![Box::new(stream.kind.to_string()), Box::new(stream.id)];
        let rows = self.shared.asked(POSITIONS, values).await?;
        let positions = rows.iter().map(|row| Position(position(row.get(0))));
        Ok(positions.collect())
    }
}
