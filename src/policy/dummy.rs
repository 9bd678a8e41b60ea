//! Says what it is told to say, after a while. For trying out flows. Source: authentik
//! `policies/dummy`.
//!
//! authentik waits a random time between `wait_min` and `wait_max` seconds; here it does not
//! wait, since whoever waits for the answer is a person and nothing is gained by it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Error, Judged, Policy, Request};

/// The settings of a dummy policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DummyPolicy)]
pub struct Dummy {
    /// What it says.
    #[serde(default)]
    pub result: bool,
    /// Kept for files and clients, without effect.
    #[serde(default = "five")]
    pub wait_min: u32,
    /// Kept for files and clients, without effect.
    #[serde(default = "thirty")]
    pub wait_max: u32,
}

fn five() -> u32 {
    5
}

fn thirty() -> u32 {
    30
}

#[async_trait(?Send)]
impl Policy for Dummy {
    async fn judge(&self, _: &Request<'_>) -> Result<Judged, Error> {
        Ok(Judged::new(self.result).saying("dummy"))
    }
}
