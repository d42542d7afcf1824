//! Those who are shown every call on the public listener: the journal and a recorder.

use super::journal::Journal;
use super::tap::Tap;
use std::sync::Arc;

/// Those who are shown every call.
pub(super) struct Watchers {
    /// There for those who can read it: where there is a token of the admin API.
    pub(super) journal: Option<Arc<Journal>>,
    /// Records exchanges, where a recorder runs.
    pub(super) tap: Option<Arc<dyn Tap>>,
}

impl Watchers {
    /// Whether one of them is shown bodies.
    pub(super) fn see_bodies(&self) -> bool {
        self.noted_bodies() || self.tap.is_some()
    }

    /// Whether the journal keeps bodies, and what stands in them.
    pub(super) fn noted_bodies(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.keeps_bodies())
    }
}
