//! The journals, all against one contract.

mod contract;
mod memory;
mod postgres;
mod sled;

pub(crate) use sled::recovery::copy;
