//! Executions that are run again for a caller: one after the other, with workers that nobody who logs
//! in waits for.

use super::one::refused;
use crate::expression::Workers;
use crate::http::Error;
use crate::http::api::call::Call;
use crate::replay;

/// Does the work when it is the caller's turn, for as long as they wait for it. The workers that run
/// expressions for it begin and end with it.
pub(super) async fn run<T>(
    call: &Call,
    work: impl AsyncFnOnce(Option<Workers>) -> Result<T, replay::Error>,
) -> Result<T, Error> {
    let state = &call.state;
    let work = async {
        let workers = state.workers.as_ref().map(Workers::one_more).transpose();
        let workers = workers.map_err(|error| Error::Internal {
            cause: format!("nothing runs expressions: {error}"),
        })?;
        work(workers).await.map_err(refused)
    };
    call.in_turn(&state.scans.runs, work).await
}
