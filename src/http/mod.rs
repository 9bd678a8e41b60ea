//! Thin handlers: extract, call, map.

pub mod operator;
