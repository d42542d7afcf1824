//! Time that passes, for spans within one process that no jump of a clock may stretch: how long
//! logins are refused, and the windows of the REST API's limits.
//!
//! What must stay true: it never goes back. On a real ledger nothing but time that passes moves it;
//! on a test ledger it follows the tester's clock ahead, and goes on when that is set back.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// What it said last, and what the clocks did then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    at: DateTime<Utc>,
    /// What the clock said that can be set.
    said: DateTime<Utc>,
    /// How much time had passed.
    passed: Duration,
}

impl Passing {
    /// One that begins at what a clock says now.
    pub(super) const fn from(said: DateTime<Utc>, passed: Duration) -> Self {
        Self { at: said, said, passed }
    }

    /// Where it is by now; `follows` is whether the clock that can be set moves it ahead.
    pub(super) fn on(self, said: DateTime<Utc>, passed: Duration, follows: bool) -> Self {
        let steadily = passed.saturating_sub(self.passed);
        let steadily = TimeDelta::from_std(steadily).unwrap_or(TimeDelta::zero());
        let went_on = if follows && said >= self.said { said - self.said } else { steadily };
        let at = self.at.checked_add_signed(went_on).unwrap_or(self.at);
        Self { at, said, passed: passed.max(self.passed) }
    }

    /// What it says.
    pub(super) const fn at(self) -> DateTime<Utc> {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    /// Regression: after a clock that was ahead for a moment, logins were refused for as long.
    #[test]
    fn a_clock_that_jumps_moves_it_by_what_has_passed() {
        let second = Duration::from_secs(1);
        let begun = Passing::from(at(0), Duration::ZERO);
        let ahead = begun.on(at(90_000), second, false);
        assert_eq!(ahead.at(), at(1));
        assert_eq!(ahead.on(at(2), 2 * second, false).at(), at(2));
        assert_eq!(begun.on(at(-90_000), second, false).at(), at(1));
    }

    #[test]
    fn a_testers_clock_moves_it_ahead_and_never_back() {
        let second = Duration::from_secs(1);
        let advanced = Passing::from(at(0), Duration::ZERO).on(at(60), second, true);
        assert_eq!(advanced.at(), at(60));
        let reset = advanced.on(at(0), 2 * second, true);
        assert_eq!(reset.at(), at(61));
        assert_eq!(reset.on(at(0), 9 * second, true).at(), at(61), "it stands still");
    }
}
