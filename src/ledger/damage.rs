//! What ends all writing to a ledger: what was found damaged since it was opened, a commit whose
//! outcome is unknown, or files that are not those any more that were opened.
//!
//! What must stay true: damage is never taken back while the process lives, and a lost commit only
//! once it is known what became of it; until then the writer begins nothing and commits nothing.

use super::engine::CloseError;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What ended all writing, shared by all who use the ledger.
#[derive(Debug, Clone, Default)]
pub struct Damage(Arc<Ends>);

#[derive(Debug, Default)]
struct Ends {
    found: OnceLock<String>,
    lost: Mutex<Option<String>>,
    parted: OnceLock<String>,
    /// Why nothing should be served for now.
    unready: Mutex<Option<String>>,
}

impl Damage {
    /// What was found first, on one line.
    pub fn found(&self) -> Option<&str> {
        self.0.found.get().map(String::as_str)
    }

    /// Why the outcome of a commit is unknown.
    pub fn lost(&self) -> Option<String> {
        self.0.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why what was served and closed is not what its name leads to.
    pub fn parted(&self) -> Option<&str> {
        self.0.parted.get().map(String::as_str)
    }

    /// Why nothing should be served for now, although it could be.
    pub(super) fn unready(&self) -> Option<String> {
        self.0.unready.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of why nothing should be served for now, or that nothing is in the way any more.
    pub(super) fn note_unready(&self, why: Option<String>) {
        *self.0.unready.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Takes note of what was found when the ledger was closed.
    pub(super) fn note_close(&self, error: &CloseError) {
        match error {
            CloseError::Damaged(detail) => self.note(detail),
            CloseError::Parted(why) => {
                let _ = self.0.parted.set(why.clone());
            }
        }
    }

    /// Takes note of a commit whose outcome is unknown; only the first counts.
    pub(super) fn note_lost(&self, why: &str) {
        let mut lost = self.0.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.get_or_insert_with(|| why.to_owned());
    }

    /// It is known what became of that commit.
    pub(super) fn note_found_out(&self) {
        *self.0.lost.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Takes note of damage; only the first counts.
    pub(super) fn note(&self, detail: &str) {
        let detail = detail.lines().collect::<Vec<_>>().join(" ");
        if self.0.found.set(detail).is_ok() {
            let detail = self.found();
            tracing::error!(detail, "the ledger is damaged; nothing more is written to it");
        }
    }
}
