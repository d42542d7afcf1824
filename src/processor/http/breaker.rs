//! A circuit breaker: a processor that fails again and again is left alone for a while.
//!
//! It only ever delays. An order that it does not let through was not sent, and its refund stays in
//! Processing.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// When the circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// How many failures in a row open it.
    pub failures: u32,
    /// How long it stays open before one request tries again.
    pub open_for: Duration,
}

/// Counts failures in a row.
pub(super) struct Breaker {
    settings: BreakerSettings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// Set while the circuit is open: when the next request may try.
    retry_at: Option<Instant>,
}

/// What a request did to the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is as it was.
    None,
    /// It has opened.
    Opened,
    /// It has closed: the processor answers again.
    Closed,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: Mutex::default() }
    }

    /// Whether a request may be sent at `now`. While the circuit is open, one may in each period;
    /// if its outcome never becomes known, the next period lets another try.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        match state.retry_at {
            None => true,
            Some(at) if now < at => false,
            Some(_) => {
                state.retry_at = Some(now + self.settings.open_for);
                true
            }
        }
    }

    /// Whether the circuit is open.
    pub(super) fn is_open(&self) -> bool {
        self.state.lock().retry_at.is_some()
    }

    /// Notes whether the processor answered a request in a way that can be understood.
    pub(super) fn note(&self, is_good: bool, now: Instant) -> Change {
        let mut state = self.state.lock();
        let was_open = state.retry_at.is_some();
        if is_good {
            *state = State::default();
            return if was_open { Change::Closed } else { Change::None };
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures < self.settings.failures {
            return Change::None;
        }
        state.retry_at = Some(now + self.settings.open_for);
        if was_open { Change::None } else { Change::Opened }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings { failures: 2, open_for: Duration::from_secs(10) })
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_answer_closes_it() {
        let (breaker, start) = (breaker(), Instant::now());
        assert_eq!(breaker.note(false, start), Change::None);
        assert_eq!(breaker.note(true, start), Change::None);
        assert_eq!(breaker.note(false, start), Change::None);
        assert!(breaker.admits(start));
        assert_eq!(breaker.note(false, start), Change::Opened);
        assert!(breaker.is_open());
        assert!(!breaker.admits(start + Duration::from_secs(9)));
        let later = start + Duration::from_secs(10);
        assert!(breaker.admits(later), "the trial");
        assert!(!breaker.admits(later), "only one");
        assert_eq!(breaker.note(true, later), Change::Closed);
        assert!(!breaker.is_open());
        assert!(breaker.admits(later));
    }

    #[test]
    fn a_trial_that_fails_or_is_lost_is_followed_by_another_later() {
        let (breaker, start) = (breaker(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        breaker.note(false, start);
        breaker.note(false, start);
        assert!(breaker.admits(at(10)));
        assert_eq!(breaker.note(false, at(11)), Change::None);
        assert!(!breaker.admits(at(20)));
        assert!(breaker.admits(at(21)));
        assert!(breaker.admits(at(31)), "nobody heard of the last trial");
    }
}
