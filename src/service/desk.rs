//! Who is busy with which refund at its gateway: at most one at a time.
//!
//! This is memory of the process alone and can be lost at any moment: a gateway pays once for an
//! id, however often it is asked. It keeps us from asking twice at once, or too often.

use crate::domain::id::RefundNumber;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The refunds that somebody is busy with, or was.
#[derive(Default)]
pub(super) struct Desk(Mutex<Places>);

type Places = Arc<Mutex<HashMap<RefundNumber, Place>>>;

#[derive(Clone, Copy)]
enum Place {
    Busy,
    FreeSince(Instant),
}

impl Desk {
    /// The right to deal with a refund's gateway, if nobody has it.
    pub(super) fn take(&self, number: RefundNumber) -> Option<Turn> {
        self.take_after(number, Duration::ZERO)
    }

    /// As [`Desk::take`], if the last turn ended at least `interval` ago.
    pub(super) fn take_after(&self, number: RefundNumber, interval: Duration) -> Option<Turn> {
        let of_all = self.places();
        let mut places = of_all.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = match places.get(&number) {
            None => true,
            Some(Place::Busy) => false,
            Some(Place::FreeSince(moment)) => moment.elapsed() >= interval,
        };
        if !is_free {
            return None;
        }
        places.insert(number, Place::Busy);
        drop(places);
        Some(Turn { places: of_all, number, has_ended: false })
    }

    /// Whether a turn is still good: one from before [`Desk::clear`] is not.
    pub(super) fn gave(&self, turn: &Turn) -> bool {
        Arc::ptr_eq(&self.places(), &turn.places)
    }

    /// Forgets everybody, because the same numbers will be those of other refunds.
    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Places::default();
    }

    fn places(&self) -> Places {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The right to deal with a refund's gateway, until it is dropped.
pub(super) struct Turn {
    places: Places,
    number: RefundNumber,
    has_ended: bool,
}

impl Turn {
    /// Gives the turn back for a refund that nobody will ask about again.
    pub(super) fn forget(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_ended {
            places.remove(&self.number);
        } else {
            places.insert(self.number, Place::FreeSince(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_not_too_often() {
        let (desk, number) = (Desk::default(), RefundNumber::new(1).unwrap());
        let turn = desk.take(number).unwrap();
        assert!(desk.take(number).is_none());
        drop(turn);
        assert!(desk.take_after(number, Duration::from_secs(3600)).is_none());
        desk.take(number).unwrap().forget();
        assert!(desk.take_after(number, Duration::from_secs(3600)).is_some());
    }

    #[test]
    fn a_turn_of_before_is_not_good_and_in_nobodys_way() {
        let (desk, number) = (Desk::default(), RefundNumber::new(1).unwrap());
        let before = desk.take(number).unwrap();
        assert!(desk.gave(&before));
        desk.clear();
        assert!(!desk.gave(&before));
        let now = desk.take(number).unwrap();
        drop(before);
        assert!(desk.gave(&now) && desk.take(number).is_none());
    }
}
