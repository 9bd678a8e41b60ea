//! What clients and browsers get over HTTP.

mod executor;
mod login;
mod logout;
mod next;
mod refused;
mod tabs;
