//! Many executions, counted by the way that they would go.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use uuid::Uuid;

use super::table::{Counted, Table};
use super::{Case, Supposition, beginning};
use crate::journal::{self, Journal};
use crate::replay::many::each;
use crate::replay::{Error, entries, first_of};
use crate::world::record::KIND;

/// How many streams are looked for at once.
const PORTION: usize = 500;

/// How many executions a thread has in work, so that it has something to do while one waits for
/// an expression.
const AT_ONCE: usize = 4;

/// Which executions are run again.
#[derive(Clone, Debug, Default)]
pub struct Range {
    /// Only those of the flow with this slug.
    pub flow: Option<String>,
    /// Only those that began then or later.
    pub since: Option<Timestamp>,
    /// Only those that began earlier.
    pub until: Option<Timestamp>,
    /// These and no others, each once; the latest first where there are none.
    pub executions: Vec<Uuid>,
    /// No more than these.
    pub limit: usize,
}

/// Runs executions again, in as many threads, and counts which way they would go.
///
/// # Errors
/// When the journal cannot be read; records that are damaged are counted.
pub async fn many(of: &Supposition, range: Range, threads: usize) -> Result<Table, Error> {
    let (executions, more) = meant(of.past.journal(), &range).await?;
    let counted = Arc::new(Mutex::new(Counted::default()));
    let work = {
        let (of, counted) = (of.clone(), Arc::clone(&counted));
        async move |id| {
            let case = case(&of, range.flow.as_deref(), id).await;
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            match case {
                Ok(Some(case)) => counted.add(case),
                Ok(None) | Err(Error::Unknown(_)) => {}
                Err(Error::Erased(_) | Error::Incomplete { .. }) => counted.unreadable(),
                Err(error) if error.is_about_one() => counted.damaged(),
                Err(error) => return Err(error),
            }
            Ok(())
        }
    };
    each(&executions, threads, AT_ONCE, work).await?;
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *counted).table(more))
}

/// Which executions are meant, the latest first, and whether there are more than that.
async fn meant(journal: &dyn Journal, range: &Range) -> journal::Result<(Vec<Uuid>, bool)> {
    if !range.executions.is_empty() {
        return Ok((once(&range.executions), false));
    }
    let mut meant = Vec::new();
    let mut before = range.until.and_then(first_of);
    let since = range.since.and_then(first_of);
    loop {
        let streams = journal.streams(KIND, before, PORTION).await?;
        for stream in &streams {
            if since.is_some_and(|since| stream.id < since) {
                return Ok((meant, false));
            }
            if meant.len() == range.limit {
                return Ok((meant, true));
            }
            meant.push(stream.id);
        }
        match streams.last() {
            Some(last) if streams.len() == PORTION => before = Some(last.id),
            _ => return Ok((meant, false)),
        }
    }
}

/// Each of these once, in their order.
fn once(executions: &[Uuid]) -> Vec<Uuid> {
    let mut named = BTreeSet::new();
    let executions = executions.iter().copied();
    executions.filter(|id| named.insert(*id)).collect()
}

/// Runs one again, if it is one of this flow.
async fn case(of: &Supposition, flow: Option<&str>, id: Uuid) -> Result<Option<Case>, Error> {
    let entries = entries(of.past.journal(), id).await?;
    let slug = beginning(&entries).map(|(_, slug)| slug);
    if flow.is_some() && slug != flow {
        return Ok(None);
    }
    of.case(id, &entries).await.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_often_is_meant_once() {
        let named = [7, 2, 7, 7, 1, 2].map(Uuid::from_u128);
        assert_eq!(once(&named), [7, 2, 1].map(Uuid::from_u128));
    }
}
