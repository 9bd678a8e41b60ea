//! Puts to a host what an evaluation asked then, without evaluating anything.

use std::collections::HashSet;

use super::opening::{reveal_start, start};
use super::{Failure, answer};
use crate::expression::evaluation::{Evaluation, Limits};
use crate::expression::host::Host;
use crate::expression::told::Asked;

/// Asks `host` everything that the evaluation asked then, in the same order, so that whatever
/// follows from its questions follows again. What it came to is for the caller to know.
///
/// # Errors
/// When the host could not answer.
pub async fn retell(
    evaluation: Evaluation<'_>,
    asked: Vec<Asked>,
    host: &dyn Host,
) -> Result<(), Failure> {
    let mut revealed = HashSet::new();
    // What was too large then was handed no secret, so nobody comes here with it.
    if let Ok(start) = start(evaluation, &Limits::default()) {
        let secrets = reveal_start(&start, host, &mut revealed).await;
        secrets.map_err(|error| Failure::Abort(Box::new(error)))?;
    }
    for question in asked {
        let answered = answer(question.into(), host, &mut revealed).await;
        answered.map_err(Failure::Abort)?;
    }
    Ok(())
}
