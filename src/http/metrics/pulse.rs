//! What a page shows of the requests of the last minutes, which histograms of Prometheus cannot be
//! asked for.
//!
//! What must stay true: a request costs no more here than three additions, without a lock.

use crate::call::Outcome;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of durations, in microseconds; what took longer is counted behind the last.
const BOUNDS_US: [u64; 15] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000, 60_000_000,
];

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Requests that have ended.
    pub requests: u64,
    /// Those of them that ended otherwise than well.
    pub failed: u64,
    /// Requests that are being worked on.
    pub in_flight: u64,
    /// How many took so long, by [`BOUNDS_US`].
    took: [u64; BOUNDS_US.len() + 1],
}

impl Pulse {
    /// What came after an earlier pulse.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut took = self.took;
        for (now, before) in took.iter_mut().zip(earlier.took) {
            *now = now.saturating_sub(before);
        }
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            failed: self.failed.saturating_sub(earlier.failed),
            in_flight: self.in_flight,
            took,
        }
    }

    /// How long this many in a hundred of the requests took at most, in microseconds, as exactly as
    /// the bounds are; none where there were no requests.
    pub fn quantile_us(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.took.iter().sum();
        let wanted = (all * percent).div_ceil(100).max(1);
        let mut reached = 0;
        let found = self.took.iter().position(|count| {
            reached += count;
            reached >= wanted
        });
        let longest = BOUNDS_US.last().copied().unwrap_or_default();
        found.map(|place| BOUNDS_US.get(place).copied().unwrap_or(longest))
    }
}

/// The counters behind a [`Pulse`].
#[derive(Debug, Default)]
pub(super) struct PulseCounters {
    failed: AtomicU64,
    took: [AtomicU64; BOUNDS_US.len() + 1],
}

impl PulseCounters {
    pub(super) fn count(&self, outcome: Outcome, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS_US.partition_point(|bound| *bound < us);
        if let Some(counter) = self.took.get(place) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if outcome != Outcome::Ok {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self, in_flight: u64) -> Pulse {
        let mut took = [0; BOUNDS_US.len() + 1];
        for (read, counter) in took.iter_mut().zip(&self.took) {
            *read = counter.load(Ordering::Relaxed);
        }
        let (requests, failed) = (took.iter().sum(), self.failed.load(Ordering::Relaxed));
        Pulse { requests, failed, in_flight, took }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_bound_below_which_so_many_stayed() {
        let counters = PulseCounters::default();
        let before = counters.read(0);
        assert_eq!(before.quantile_us(50), None);
        for _ in 0..99 {
            counters.count(Outcome::Ok, Duration::from_micros(400));
        }
        counters.count(Outcome::Ok, Duration::from_secs(90));
        let pulse = counters.read(3).since(&before);
        assert_eq!((pulse.requests, pulse.failed, pulse.in_flight), (100, 0, 3));
        assert_eq!((pulse.quantile_us(50), pulse.quantile_us(99)), (Some(500), Some(500)));
        assert_eq!(pulse.quantile_us(100), Some(60_000_000));
        assert_eq!(pulse.since(&pulse).quantile_us(99), None);
    }
}
