//! Whether a queued request has begun, and the right to withdraw it until then.
//!
//! A deadline may fault only what is withdrawn before its transaction begins; begun and withdrawn
//! exclude each other; the first has effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// Shared by the one who waits and the one who works.
#[derive(Debug, Clone, Default)]
pub struct Ticket(Arc<AtomicU8>);

impl Ticket {
    /// Takes the request back; true when it had not begun, and now never will.
    pub fn withdraw(&self) -> bool {
        self.leave_waiting(WITHDRAWN)
    }

    /// Begins the work; false when it was withdrawn.
    pub fn begin(&self) -> bool {
        self.leave_waiting(BEGUN) || self.0.load(Ordering::Acquire) == BEGUN
    }

    fn leave_waiting(&self, next: u8) -> bool {
        self.0.compare_exchange(WAITING, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begun_and_withdrawn_exclude_each_other() {
        let begun = Ticket::default();
        assert!(begun.begin() && begun.begin());
        assert!(!begun.withdraw());
        let withdrawn = Ticket::default();
        assert!(withdrawn.clone().withdraw());
        assert!(!withdrawn.begin() && !withdrawn.withdraw());
    }
}
