//! How far an audit is.

use crate::ledger::audit::Progress;
#[cfg(test)]
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far an audit is, in rows that its parts looked at.
pub(super) struct Meter {
    all: u64,
    done: AtomicU64,
    progress: Progress,
}

impl Meter {
    /// One of `all` rows.
    pub(super) fn new(all: u64, progress: Progress) -> Self {
        Self { all, done: AtomicU64::new(0), progress }
    }

    /// One whose progress is not reported.
    #[cfg(test)]
    pub(super) fn unseen() -> Self {
        Self::new(0, Arc::new(|_, _| ()))
    }

    /// So many more rows were looked at.
    pub(super) fn add(&self, rows: u64) {
        let done = self.done.fetch_add(rows, Ordering::Relaxed).saturating_add(rows);
        (self.progress)(done.min(self.all), self.all);
    }
}
