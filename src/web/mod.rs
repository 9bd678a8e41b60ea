//! What a browser gets to see: pages, their stylesheet and pictures, and what their forms say.
//!
//! Texts in and texts out. Nothing here looks anything up or knows of status codes, and no page
//! holds a script but one with a captcha, which cannot do without.

pub mod account;
pub mod applications;
pub mod assets;
pub mod form;
pub mod language;
mod markup;
mod page;
mod picture;
mod shell;

pub use language::Language;
pub use markup::escaped;
pub use page::{Dress, Error, Form, Message, Pages, Person, Picture};
pub use shell::{Shell, ShellPage};
