//! Verifying that the log is what was written: its order, its chains and the tree over it.
//!
//! It needs no key and reads everything, in portions, while others go on writing.

use std::collections::HashMap;

use super::super::evidence::Checkpoint;
use super::super::evidence::held::{Held, missing};
use super::super::evidence::tree::{self, Edge};
use super::super::frame::Record;
use super::super::{Hash, Result, StreamId, Version};
use super::Shared;
use super::read::Values;
use super::save::number;
use super::wanted::{position, unreadable};

/// So many records are read at once.
const PORTION: i64 = 1_000;

/// So many findings are enough.
const FINDINGS: usize = 100;

const LOG: &str = "
SELECT position, kind, id, version, hash, record FROM record
WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3";

const JOURNAL: &str = "SELECT position, edge FROM journal";

/// What was found of a journal.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many records it has.
    pub records: u64,
    /// How many of them have no body any more.
    pub bodies_gone: u64,
    /// How many checkpoints it agrees with.
    pub signed: u64,
    /// How many records came after the last of those; all, where it agrees with none.
    pub after_signed: u64,
    /// What is wrong, in the order of the log; at most a hundred.
    pub findings: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn found(&mut self, problem: String) {
        if self.findings.len() < FINDINGS {
            self.findings.push(problem);
        }
    }
}

impl Shared {
    /// Checks every record up to the last one that there is now, against these checkpoints too.
    pub(super) async fn verify(&self, held: &[Checkpoint]) -> Result<Report> {
        let rows = self.asked(JOURNAL, Values::new()).await?;
        let row = rows.first().ok_or_else(|| unreadable("the journal"))?;
        let last = position(row.get(0));
        let edge =
            Edge::from_bytes(row.get(1)).ok_or_else(|| unreadable("the edge of the tree"))?;
        let mut report = Report::default();
        let mut grown = Edge::default();
        let mut heads: HashMap<StreamId, (Version, Hash)> = HashMap::new();
        let mut held = Held::new(held.to_vec());
        let mut after = 0;
        while after < last {
            let rows = self.portion(LOG, after, last, PORTION).await?;
            for row in &rows {
                let place = position(row.get(0));
                if place != after + 1 {
                    let (from, to) = (after + 1, place - 1);
                    report.found(format!("positions {from} to {to} are missing"));
                }
                after = place;
                let record = match Record::decode(row.get(5)) {
                    Ok(record) => record,
                    Err(problem) => {
                        report.found(format!("position {place}: {problem}"));
                        continue;
                    }
                };
                report.records += 1;
                report.bodies_gone += u64::from(record.lacks_body());
                let frame = &record.frame;
                let hash = frame.hash();
                grown.push(tree::leaf(hash), |_full| {});
                if let Err(problem) = held.compare(grown.size(), || grown.root()) {
                    report.found(problem);
                }
                let named = (row.get::<_, &str>(1), row.get(2), row.get::<_, i64>(3));
                let is_named = named
                    == (
                        frame.stream.kind.as_str(),
                        frame.stream.id,
                        number(frame.version.0),
                    );
                if !is_named || row.get::<_, &[u8]>(4) != hash.0 {
                    report.found(format!("position {place}: its row says something else"));
                }
                let end = heads.entry(frame.stream).or_default();
                let follows = if frame.version == end.0.next() {
                    record.check(end.1)
                } else {
                    Err(format!("it comes after version {}", end.0))
                };
                if let Err(problem) = follows {
                    report.found(format!(
                        "position {place}, version {} of {}: {problem}",
                        frame.version, frame.stream
                    ));
                }
                *end = (frame.version, hash);
            }
            if rows.is_empty() {
                report.found(format!("positions {} to {last} are missing", after + 1));
                break;
            }
        }
        if let Some(beyond) = held.beyond() {
            report.found(missing(last, beyond));
        }
        report.signed = held.agreed();
        report.after_signed = held.after(report.records);
        if report.is_sound() && grown != edge {
            report.found("the tree over all records is not what was written".to_owned());
        }
        Ok(report)
    }
}
