//! Gatelog.
fn main() {}
