//! What is refused and said after a commit whose outcome is unknown, and how it is found out.
//!
//! What must stay true: the outcome is reported to no caller of that commit, who were answered that
//! it is unknown; nothing is written before the engine knows it.

use super::State;
use crate::ledger::LedgerError;
use crate::ledger::engine::Engine;
use std::time::{Duration, Instant};

/// How long after one look for the outcome the next one is due.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl<E: Engine> State<E> {
    /// Why nothing more is written, if that is so.
    pub(super) fn refused(&self) -> Option<LedgerError> {
        let follows = if self.engine.is_looking() { "it is looked for" } else { "restart" };
        let lost = |why| {
            LedgerError::Unavailable(format!("a commit's outcome is unknown ({why}); {follows}"))
        };
        let damaged = |detail| LedgerError::Damaged(format!("{detail}; restore a backup"));
        self.damage.lost().map(lost).or_else(|| self.damage.found().map(damaged))
    }

    /// What a request is answered whose transaction was rolled back.
    pub(super) fn rolled_back(&self, why: String) -> LedgerError {
        self.refused().unwrap_or(LedgerError::Unavailable(why))
    }

    /// Takes note of a commit whose outcome is unknown.
    pub(super) fn note_lost(&mut self, why: &str) {
        let follows = if self.engine.is_looking() {
            "it is looked for, and nothing is written until it is known"
        } else {
            "restart to recover"
        };
        tracing::error!(why, "the outcome of a commit is unknown; {follows}");
        self.damage.note_lost(why);
    }

    /// Whether the outcome of a commit is being looked for.
    pub(super) fn is_looking(&self) -> bool {
        self.engine.is_looking()
    }

    /// When it is to be looked for again.
    pub(super) fn look_due(&self) -> Instant {
        self.looked + LOOK_EVERY
    }

    /// Looks for the outcome once more; once it is known, requests are done again.
    pub(super) fn look(&mut self) {
        let found = self.engine.find_out();
        self.looked = Instant::now();
        if let Some(is_committed) = found {
            self.damage.note_found_out();
            tracing::warn!(is_committed, "what became of the commit is known; writing goes on");
        }
    }
}
