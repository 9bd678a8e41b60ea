//! Where blueprints are that the server applies by itself.

use std::path::PathBuf;

use super::reader::Reader;

/// `blueprints.*`.
#[derive(Clone, Debug)]
pub struct Blueprints {
    /// The folder whose files are applied at the start and whenever one changes; none by default.
    pub folder: Option<PathBuf>,
}

impl Blueprints {
    pub(super) fn read(from: &mut Reader) -> Self {
        let folder = from.optional("blueprints.folder", |text| Ok(text.to_owned()));
        Self {
            folder: folder.filter(|it| !it.is_empty()).map(PathBuf::from),
        }
    }
}
