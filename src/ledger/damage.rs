//! What was found damaged in a ledger since it was opened.
//!
//! What must stay true: damage, once found, is never taken back while the process lives, and from
//! then on the writer begins nothing and commits nothing.

use std::sync::{Arc, OnceLock};

/// The damage that was found, shared by all who use the ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Damage(Arc<OnceLock<String>>);

impl Damage {
    /// What was found first, on one line.
    pub(super) fn found(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Takes note of damage; only the first counts.
    pub(super) fn note(&self, detail: &str) {
        let detail = detail.lines().collect::<Vec<_>>().join(" ");
        if self.0.set(detail).is_ok() {
            let detail = self.found();
            tracing::error!(detail, "the ledger is damaged; nothing more is written to it");
        }
    }
}
