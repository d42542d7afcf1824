//! The last minutes of the gateway, as the front page draws them.
//!
//! What must stay true: what is kept is bounded, and keeping it ends with the gateway.

use super::Console;
use crate::http::Pulse;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// How many looks are kept: those of five minutes.
const KEPT_MAX: usize = 150;

/// What one look found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    pub(super) pulse: Pulse,
    /// Requests that wait for the ledger's writer.
    pub(super) queued: u64,
}

/// The last looks, the oldest first.
#[derive(Default)]
pub(super) struct Pulses(Mutex<VecDeque<Sample>>);

impl Pulses {
    fn push(&self, sample: Sample) {
        let mut kept = self.0.lock();
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(sample);
    }

    /// What was kept.
    pub(super) fn all(&self) -> Vec<Sample> {
        self.0.lock().iter().copied().collect()
    }

    /// For how many seconds a look stands.
    pub(super) const fn seconds_each() -> u64 {
        EVERY.as_secs()
    }
}

/// Looks at a gateway until it is gone.
pub(super) fn keep(console: &Arc<Console>) {
    let console = Arc::downgrade(console);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            let Some(console) = console.upgrade() else { return };
            if console.inside.is_stopping() {
                return;
            }
            let queued = console.service.ledger().stats().queued;
            console.pulses.push(Sample { pulse: console.inside.pulse(), queued });
        }
    });
}
