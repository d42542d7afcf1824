//! A gateway of the replay's own, on a temporary test ledger, on a free port of this machine.

use super::error::ReplayError;
use std::path::{Path, PathBuf};

/// A gateway that serves until it is stopped.
pub(super) struct InProcess;

/// The text of a seed, and where it comes from.
pub(super) struct SeedText {
    pub(super) file: PathBuf,
    pub(super) text: String,
}

impl SeedText {
    pub(super) fn read(file: &Path) -> Result<Self, ReplayError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ReplayError::Seed(format!("{}: {error}", file.display())))?;
        Ok(Self { file: file.to_owned(), text })
    }
}

/// Starts a gateway with this seed, or with the built-in demo.
#[allow(clippy::unused_async)]
pub(super) async fn start(seed: Option<&SeedText>) -> Result<InProcess, ReplayError> {
    let _ = seed.map(|seed| (&seed.file, &seed.text));
    Err(ReplayError::Runtime("no gateway yet".to_owned()))
}

impl InProcess {
    /// Its URL.
    pub(super) fn url(&self) -> String {
        String::new()
    }

    /// Drains and removes the ledger.
    #[allow(clippy::unused_async)]
    pub(super) async fn stop(self) {}
}
