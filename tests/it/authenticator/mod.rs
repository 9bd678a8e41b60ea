//! Second factors on the running server: how they are set up, and what they prove.

mod duo;
mod headless;
