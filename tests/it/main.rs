//! Every test that is not a unit test, in one binary. The modules mirror those of `src/`.

mod api;
mod app;
mod architecture;
mod authenticator;
mod browser;
mod cli;
mod courier;
mod deploy;
mod docs;
mod erasure;
mod execution;
mod expression;
mod flows;
mod forward;
mod handbook;
mod http;
mod journal;
mod load;
mod nodes;
mod policy;
mod proxies;
mod soak;
mod stage;
mod support;
mod telemetry;
mod verify;
