//! Which task deals with which refund at its gateway: at most one at a time.
//!
//! This is memory and can be lost at any moment: a gateway pays once for an id, however often it is
//! asked. It keeps us from asking twice at once, or too often. Where several nodes serve the
//! ledger, a lease holds among them as well once it was claimed there.

use crate::domain::id::RefundNumber;
use crate::domain::schedule::READERS_STEP_MAX_S;
use crate::ledger::sharing::{Claim, Sharing};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The refunds that a task deals with, or dealt with lately.
#[derive(Default)]
pub(super) struct Leases(Mutex<Places>);

type Places = Arc<Mutex<Known>>;

/// No reader is kept from asking for longer.
const LONGEST_INTERVAL: Duration = Duration::from_secs(READERS_STEP_MAX_S.unsigned_abs());

/// From so many places on, those that say nothing any more are looked for.
const TIDIED_FROM: usize = 1_024;

#[derive(Default)]
struct Known {
    of: HashMap<RefundNumber, Place>,
    /// How many were left when they were last tidied.
    left: usize,
}

impl Known {
    /// Forgets those whose lease ended long ago, once there are twice as many
    /// as were left the last time.
    fn tidy(&mut self) {
        if self.of.len() < TIDIED_FROM.max(self.left.saturating_mul(2)) {
            return;
        }
        self.of.retain(|_, place| match place {
            Place::Busy => true,
            Place::FreeSince(moment) => moment.elapsed() <= LONGEST_INTERVAL,
        });
        self.left = self.of.len();
    }
}

#[derive(Clone, Copy)]
enum Place {
    Busy,
    FreeSince(Instant),
}

impl Leases {
    /// The right to deal with a refund's gateway, if it is free.
    pub(super) fn take(&self, number: RefundNumber) -> Option<Lease> {
        self.take_after(number, Duration::ZERO)
    }

    /// As [`Leases::take`], if the last lease ended at least `interval` ago.
    pub(super) fn take_after(&self, number: RefundNumber, interval: Duration) -> Option<Lease> {
        let of_all = self.places();
        let mut places = of_all.lock();
        let is_free = match places.of.get(&number) {
            None => true,
            Some(Place::Busy) => false,
            Some(Place::FreeSince(moment)) => moment.elapsed() >= interval,
        };
        if !is_free {
            return None;
        }
        places.of.insert(number, Place::Busy);
        drop(places);
        Some(Lease { places: of_all, number, has_ended: false, held: None })
    }

    /// Whether a lease is still good: one from before [`Leases::clear`] is not.
    pub(super) fn gave(&self, lease: &Lease) -> bool {
        Arc::ptr_eq(&self.places(), &lease.places)
    }

    /// Forgets all, because the same numbers will be those of other refunds.
    pub(super) fn clear(&self) {
        *self.0.lock() = Places::default();
    }

    fn places(&self) -> Places {
        Arc::clone(&self.0.lock())
    }
}

/// The right to deal with a refund's gateway, until it is dropped.
pub(super) struct Lease {
    places: Places,
    number: RefundNumber,
    has_ended: bool,
    /// What is claimed among all nodes.
    held: Option<(Arc<dyn Sharing>, Claim)>,
}

impl Lease {
    /// The refund.
    pub(super) const fn number(&self) -> RefundNumber {
        self.number
    }

    /// The same, which gives a claim back when it ends.
    pub(super) fn shared(mut self, sharing: Arc<dyn Sharing>, claim: Claim) -> Self {
        self.held = Some((sharing, claim));
        self
    }

    /// Gives the lease back for a refund that is not asked about again.
    pub(super) fn forget(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some((sharing, claim)) = self.held.take() {
            sharing.give_back(claim, self.has_ended);
        }
        let mut places = self.places.lock();
        if self.has_ended {
            places.of.remove(&self.number);
        } else {
            places.of.insert(self.number, Place::FreeSince(Instant::now()));
            places.tidy();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_not_too_often() {
        let (leases, number) = (Leases::default(), RefundNumber::new(1).unwrap());
        let lease = leases.take(number).unwrap();
        assert!(leases.take(number).is_none());
        drop(lease);
        assert!(leases.take_after(number, Duration::from_secs(3600)).is_none());
        leases.take(number).unwrap().forget();
        assert!(leases.take_after(number, Duration::from_secs(3600)).is_some());
    }

    #[test]
    fn places_that_say_nothing_any_more_are_forgotten() {
        let leases = Leases::default();
        let long_ago = LONGEST_INTERVAL + Duration::from_secs(1);
        let (Some(long_ago), count) = (Instant::now().checked_sub(long_ago), 3 * TIDIED_FROM)
        else {
            return; // The machine has not been up for so long.
        };
        for number in 1..=count {
            let number = RefundNumber::new(i64::try_from(number).unwrap()).unwrap();
            drop(leases.take(number));
            let places = leases.places();
            let mut places = places.lock();
            if let Some(place) = places.of.get_mut(&number) {
                *place = Place::FreeSince(long_ago);
            }
        }
        assert!(leases.places().lock().of.len() <= TIDIED_FROM);
    }

    #[test]
    fn a_turn_of_before_is_not_good_and_in_nobodys_way() {
        let (leases, number) = (Leases::default(), RefundNumber::new(1).unwrap());
        let before = leases.take(number).unwrap();
        assert!(leases.gave(&before));
        leases.clear();
        assert!(!leases.gave(&before));
        let now = leases.take(number).unwrap();
        drop(before);
        assert!(leases.gave(&now) && leases.take(number).is_none());
    }
}
