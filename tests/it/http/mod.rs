//! What clients and browsers get over HTTP.

mod account;
mod api;
mod executor;
mod interface;
mod login;
mod logout;
mod next;
mod overload;
mod page;
mod refused;
mod secrecy;
mod setup;
mod status;
mod tabs;
