//! What ends all writing to a ledger: what was found damaged since it was opened, or a commit whose
//! outcome is unknown.
//!
//! What must stay true: neither is ever taken back while the process lives, and from then on the
//! writer begins nothing and commits nothing.

use std::sync::{Arc, OnceLock};

/// What ended all writing, shared by all who use the ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Damage(Arc<Ends>);

#[derive(Debug, Default)]
struct Ends {
    found: OnceLock<String>,
    lost: OnceLock<String>,
}

impl Damage {
    /// What was found first, on one line.
    pub(super) fn found(&self) -> Option<&str> {
        self.0.found.get().map(String::as_str)
    }

    /// Why the outcome of a commit is unknown.
    pub(super) fn lost(&self) -> Option<&str> {
        self.0.lost.get().map(String::as_str)
    }

    /// Takes note of a commit whose outcome is unknown; only the first counts.
    pub(super) fn note_lost(&self, why: &str) {
        tracing::error!(why, "the outcome of a commit is unknown; restart to recover");
        // Only the first is kept, and it says the same as any other.
        let _ = self.0.lost.set(why.to_owned());
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
