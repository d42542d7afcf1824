//! The clock of a test ledger, set by testers and at a start.
//!
//! What must stay true: it never stands before the newest moment of the ledger, so that what comes
//! later is never dated earlier. Only a reset takes both back.

use super::Service;
use super::clock::Clock;
use super::test_bench::BenchError;
use crate::ledger::{Ledger, LedgerError};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Moves `clock` on to the newest moment of `ledger`, if it is a test ledger and the clock is
/// earlier. The result is where it was moved to, if it was.
pub async fn catch_up(
    clock: &Clock,
    ledger: &dyn Ledger,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let Some(bench) = ledger.test_bench() else { return Ok(None) };
    let newest = bench.newest_moment().await?;
    Ok(newest.filter(|newest| clock.not_before(*newest)))
}

/// A moment as testers read it.
pub fn reported(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Service {
    /// Lets the clock stand still at `moment`, unless the ledger knows a later one.
    pub async fn stand_clock_at(&self, moment: DateTime<Utc>) -> Result<(), BenchError> {
        self.check_not_earlier(moment).await?;
        self.clock.stand_at(moment);
        Ok(())
    }

    /// Moves the clock by `span`, which may be negative down to the newest moment of the ledger;
    /// false if the ledger could not hold that.
    pub async fn advance_clock(&self, span: TimeDelta) -> Result<bool, BenchError> {
        if let Some(target) = self.clock.now().checked_add_signed(span)
            && span < TimeDelta::zero()
        {
            self.check_not_earlier(target).await?;
        }
        Ok(self.clock.advance(span))
    }

    /// Lets the clock run with the machine's, or from the newest moment of the ledger on where that
    /// is later.
    pub async fn run_clock(&self) -> Result<(), BenchError> {
        let newest = self.bench()?.newest_moment().await?;
        self.clock.run();
        if let Some(newest) = newest {
            self.clock.not_before(newest);
        }
        Ok(())
    }

    async fn check_not_earlier(&self, moment: DateTime<Utc>) -> Result<(), BenchError> {
        match self.bench()?.newest_moment().await? {
            Some(newest) if moment < newest => Err(BenchError::ClockBack { moment, newest }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    /// Regression: the clock began anew at each start, and the next refund was older than the last.
    #[test]
    fn a_clock_is_moved_on_to_the_newest_moment_and_never_back() {
        for clock in [Clock::fixed(at(0)), Clock::system()] {
            let later = clock.now() + TimeDelta::hours(1);
            assert!(clock.not_before(later));
            assert!(clock.now() >= later);
            assert!(!clock.not_before(at(-100)));
            assert!(clock.now() >= later);
        }
    }

    #[test]
    fn a_reset_takes_the_clock_to_where_it_was_configured() {
        let clock = Clock::fixed(at(0));
        clock.not_before(at(60));
        clock.reset();
        assert_eq!(clock.now(), at(0));
    }
}
