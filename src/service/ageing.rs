//! By which clock things get old: stored answers of idempotency keys, sessions, tokens, locators of
//! queries, events that are kept for so long, and refunds that are asked about for 48 hours.
//!
//! The machine's clock can be wrong for a while. If it were followed, a jump of a day ahead would
//! end every promise at once, and a retry would pay twice. So what is older than allowed is decided
//! by an age clock of the ledger's own: it is the machine's as long as that runs evenly, is kept
//! in the ledger, and approaches the machine's slowly after a jump.
//!
//! What must stay true: it never goes back, also over restarts; while the process runs it runs at
//! least half and at most one and a half times as fast as time passes; over a restart it moves on
//! by at most the configured gap. On a test ledger it is the tester's clock.
//!
//! Whether a gateway still knows an order is asked the other way round: there the age clock, which
//! may be slow, must not count alone. So the moments that it can be at the earliest and at the
//! latest are kept as well: they follow from the process's start and the time that has passed.

use super::Service;
use super::clock::Clock;
use crate::ledger::{Ledger, LedgerError};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// How often the ledger keeps its age.
const KEPT_EVERY: Duration = Duration::from_secs(600);
/// How far the clocks may part before that is worth a line in the log.
const WORTH_A_LINE: TimeDelta = TimeDelta::minutes(5);

/// What the age clock said last, and when that was. Moments by a clock that never jumps are given
/// as the time that has passed by it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aged {
    at: DateTime<Utc>,
    then: Duration,
    /// The moments between which it is, unless the start was misled.
    earliest: DateTime<Utc>,
    latest: DateTime<Utc>,
}

impl Aged {
    /// The age clock of a ledger that was so old last, by a machine's clock and by the time that
    /// a start may add at most.
    pub(super) fn begin(
        kept: Option<DateTime<Utc>>,
        machine: DateTime<Utc>,
        gap: TimeDelta,
        then: Duration,
    ) -> Self {
        let most = |kept: DateTime<Utc>| kept.checked_add_signed(gap).unwrap_or(kept);
        let at = kept.map_or(machine, |kept| machine.clamp(kept, most(kept)));
        Self { at, then, earliest: at.min(machine), latest: at.max(machine) }
    }

    /// The age clock at `now`.
    pub(super) fn on(self, machine: DateTime<Utc>, now: Duration) -> Self {
        let passed = now.saturating_sub(self.then);
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::zero());
        let half = passed / 2;
        let after = |from: DateTime<Utc>, span| from.checked_add_signed(span).unwrap_or(from);
        let (least, most) = (after(self.at, half), after(self.at, passed + half));
        Self {
            at: machine.clamp(least, most),
            then: now.max(self.then),
            earliest: after(self.earliest, passed),
            latest: after(self.latest, passed),
        }
    }

    /// What it says.
    pub(super) const fn at(self) -> DateTime<Utc> {
        self.at
    }

    /// The earliest moment that it can be, where the machine's clock says `machine`.
    pub(super) fn earliest(self, machine: DateTime<Utc>) -> DateTime<Utc> {
        self.earliest.min(self.at).min(machine)
    }

    /// The latest moment that it can be, where the machine's clock says `machine`.
    pub(super) fn latest(self, machine: DateTime<Utc>) -> DateTime<Utc> {
        self.latest.max(self.at).max(machine)
    }
}

/// Has things on `ledger` age by its own clock, unless it is a test ledger. `gap` is how much a
/// start adds to its age at most.
pub async fn begin(clock: &Clock, ledger: &dyn Ledger, gap: TimeDelta) -> Result<(), LedgerError> {
    if ledger.test_bench().is_some() {
        return Ok(());
    }
    let kept = ledger.age().await?;
    clock.begin_ageing(kept, gap);
    let (now, aged) = (clock.now(), clock.aged());
    if now - aged > WORTH_A_LINE {
        tracing::warn!(
            minutes = (now - aged).num_minutes(),
            "the clock is further ahead of what the ledger saw last than a start may add; keys, \
             sessions and events get old by the ledger's own clock, which catches up slowly"
        );
    }
    if aged - now > WORTH_A_LINE {
        tracing::warn!(
            minutes = (aged - now).num_minutes(),
            "the clock is behind what the ledger saw last; keys, sessions and events get old by \
             the ledger's own clock, which waits slowly"
        );
    }
    ledger.keep_age(aged).await
}

impl Service {
    /// Has the ledger keep its age every ten minutes, until the service is ended or gone.
    pub(super) fn start_keeping_age(self: &Arc<Self>) {
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                sleep(KEPT_EVERY).await;
                let Some(service) = service.upgrade() else { return };
                if service.is_ending.load(Ordering::Acquire) {
                    return;
                }
                service.keep_age().await;
            }
        });
    }

    /// Has the ledger keep its age.
    pub(super) async fn keep_age(&self) {
        if self.ledger.test_bench().is_some() {
            return;
        }
        if let Err(error) = self.ledger.keep_age(self.clock.aged()).await {
            tracing::warn!(%error, "the age of the ledger was not kept; later again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn passed(seconds: i64) -> Duration {
        Duration::from_secs(seconds.unsigned_abs())
    }

    const HOUR: i64 = 3_600;
    const GAP: TimeDelta = TimeDelta::hours(1);

    #[test]
    fn it_is_the_machines_clock_while_that_runs_evenly() {
        let mut aged = Aged::begin(None, at(0), GAP, Duration::ZERO);
        for second in [1, 2, 60, 86_400] {
            aged = aged.on(at(second), passed(second));
            assert_eq!(aged.at(), at(second));
        }
    }

    /// Regression: a clock that jumped 25 hours ahead made every idempotency key forgotten.
    #[test]
    fn a_jump_is_followed_slowly_in_both_directions() {
        let aged = Aged::begin(None, at(0), GAP, Duration::ZERO);
        let ahead = aged.on(at(25 * HOUR), passed(10));
        assert_eq!(ahead.at(), at(15));
        let right_again = ahead.on(at(20), passed(20));
        assert_eq!(right_again.at(), at(20));
        // Ahead for good: it is there after twice the jump.
        let caught_up = aged.on(at(75 * HOUR), passed(50 * HOUR));
        assert_eq!(caught_up.at(), at(75 * HOUR));
        let behind = aged.on(at(-25 * HOUR), passed(10));
        assert_eq!(behind.at(), at(5), "it never goes back");
    }

    #[test]
    fn a_start_adds_a_gap_at_most_and_takes_nothing_away() {
        let begin = |machine| Aged::begin(Some(at(0)), machine, GAP, Duration::ZERO).at();
        assert_eq!(begin(at(1_800)), at(1_800));
        assert_eq!(begin(at(25 * HOUR)), at(HOUR));
        assert_eq!(begin(at(-25 * HOUR)), at(0));
    }

    /// Regression: the age clock, which goes on at half the pace behind a clock that was set back,
    /// had an order sent again that its gateway had forgotten.
    #[test]
    fn a_clock_that_is_set_back_or_ahead_leaves_the_moments_that_it_can_be() {
        let begun = Aged::begin(None, at(0), GAP, Duration::ZERO);
        for hours_wrong in [-60, 60] {
            let machine = at((30 + hours_wrong) * HOUR);
            let later = begun.on(machine, passed(30 * HOUR));
            assert!(later.earliest(machine) <= at(30 * HOUR), "{hours_wrong}");
            assert!(later.latest(machine) >= at(30 * HOUR), "{hours_wrong}");
        }
        let evenly = begun.on(at(30 * HOUR), passed(30 * HOUR));
        let both = [evenly.earliest(at(30 * HOUR)), evenly.latest(at(30 * HOUR))];
        assert_eq!(both, [at(30 * HOUR); 2]);
    }
}
