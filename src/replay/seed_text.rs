//! The text of a seed, of which a replay reads who can log in.

use super::error::ReplayError;
use std::path::{Path, PathBuf};

/// The text of a seed, and where it comes from.
#[derive(Debug, Clone)]
pub struct SeedText {
    /// The file.
    pub file: PathBuf,
    /// What is in it.
    pub text: String,
}

impl SeedText {
    pub(super) fn read(file: &Path) -> Result<Self, ReplayError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ReplayError::Seed(format!("{}: {error}", file.display())))?;
        Ok(Self { file: file.to_owned(), text })
    }
}
