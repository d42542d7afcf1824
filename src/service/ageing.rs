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
//!
//! Where the machine's clock was set back while a process ran, an order may have been noted as sent
//! at a moment that was too late by that span. How far it was set back is kept in the ledger, so
//! that the next process counts it in as well, until every such order is too old to be sent again.

use super::Service;
use super::clock::{Clock, to_the_millisecond};
use crate::domain::age::{Age, SetBack};
use crate::domain::schedule::ASKED_FOR;
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

/// The least span by which a clock is set back; clocks that drift apart do so by less between two
/// looks.
const SET_BACK_MIN: TimeDelta = TimeDelta::seconds(1);

/// What the age clock said last, and when that was. Moments by a clock that never jumps are given
/// as the time that has passed by it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aged {
    at: DateTime<Utc>,
    then: Duration,
    /// What the machine's clock said then.
    machine: DateTime<Utc>,
    /// The moments between which it is, unless the start was misled.
    earliest: DateTime<Utc>,
    latest: DateTime<Utc>,
    /// How far the machine's clock is behind the latest moment, and until when that matters.
    set_back: Option<SetBack>,
}

impl Aged {
    /// The age clock of a ledger that was so old last, by a machine's clock and by the time that
    /// a start may add at most. It adds no more than that clock went on by since the ledger was so
    /// old, so that many starts after one jump add no more than one.
    pub(super) fn begin(
        kept: Option<Age>,
        machine: DateTime<Utc>,
        gap: TimeDelta,
        then: Duration,
    ) -> Self {
        let at = kept.map_or(machine, |kept| {
            let went_on = kept.machine.map_or(gap, |then| machine - then);
            let most = after(kept.at, went_on.clamp(TimeDelta::zero(), gap));
            machine.clamp(kept.at, most)
        });
        let set_back = kept.and_then(|kept| kept.set_back).filter(|it| machine < it.until);
        let by = set_back.map_or(TimeDelta::zero(), |set_back| set_back.by);
        let latest = at.max(after(machine, by));
        Self { at, then, machine, earliest: at.min(machine), latest, set_back }
    }

    /// The age clock at `now`.
    pub(super) fn on(self, machine: DateTime<Utc>, now: Duration) -> Self {
        let passed = now.saturating_sub(self.then);
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::zero());
        let half = passed / 2;
        let (least, most) = (after(self.at, half), after(self.at, passed + half));
        let latest = after(self.latest, passed);
        let set_back = self.set_back_at(machine, latest);
        Self {
            at: machine.clamp(least, most),
            then: now.max(self.then),
            machine,
            earliest: after(self.earliest, passed),
            latest: set_back.map_or(latest.min(machine), |_| latest),
            set_back,
        }
    }

    /// How far `machine` is behind the latest moment that it can be; none when nothing matters any
    /// more that was noted before it was set back.
    fn set_back_at(self, machine: DateTime<Utc>, latest: DateTime<Utc>) -> Option<SetBack> {
        let by = (latest - machine).max(TimeDelta::zero());
        let known = self.set_back;
        let before = known.map_or(TimeDelta::zero(), |known| known.by);
        if by > before + SET_BACK_MIN {
            return Some(SetBack { by, until: after(latest, ASKED_FOR) });
        }
        known.filter(|known| machine < known.until).map(|known| SetBack { by, ..known })
    }

    /// What the ledger keeps of it.
    pub(super) fn to_keep(self) -> Age {
        let set_back = self.set_back.filter(|set_back| set_back.by > TimeDelta::zero());
        let machine = Some(to_the_millisecond(self.machine));
        Age { at: to_the_millisecond(self.at), machine, set_back }
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

fn after(from: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    from.checked_add_signed(span).unwrap_or(from)
}

/// Has things on `ledger` age by its own clock, unless it is a test ledger. `gap` is how much a
/// start adds to its age at most.
pub async fn begin(clock: &Clock, ledger: &dyn Ledger, gap: TimeDelta) -> Result<(), LedgerError> {
    if ledger.test_bench().is_some() {
        return Ok(());
    }
    let kept = ledger.age().await?;
    clock.begin_ageing(kept, gap);
    let age = clock.age_to_keep();
    let (now, aged) = (clock.now(), age.at);
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
    ledger.keep_age(age).await
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
        if let Err(error) = self.ledger.keep_age(self.clock.age_to_keep()).await {
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

    fn kept(at: DateTime<Utc>) -> Option<Age> {
        Some(Age { at, machine: None, set_back: None })
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
        let begin = |machine| Aged::begin(kept(at(0)), machine, GAP, Duration::ZERO).at();
        assert_eq!(begin(at(1_800)), at(1_800));
        assert_eq!(begin(at(25 * HOUR)), at(HOUR));
        assert_eq!(begin(at(-25 * HOUR)), at(0));
    }

    /// Regression: with a clock that was 49 hours ahead, thirty starts in a row forgot all keys.
    #[test]
    fn many_starts_after_one_jump_add_one_gap() {
        let mut kept = Aged::begin(None, at(0), GAP, Duration::ZERO).to_keep();
        for start in 0..100 {
            let machine = at(49 * HOUR + start);
            kept = Aged::begin(Some(kept), machine, GAP, Duration::ZERO).to_keep();
        }
        assert_eq!(kept.at, at(HOUR + 99));
        // A stop of a night, once the clock is right again.
        let right = Aged::begin(Some(kept), at(2 * HOUR), GAP, Duration::ZERO).to_keep();
        let next = Aged::begin(Some(right), at(12 * HOUR), GAP, Duration::ZERO);
        assert_eq!(next.at(), at(2 * HOUR + 99));
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

    /// Regression (simulation, seed 20261201620322): an order that was sent while the clock was
    /// ahead seemed younger to the next process, and was sent to a gateway that had forgotten it.
    #[test]
    fn how_far_a_clock_was_set_back_is_known_to_the_next_process() {
        // Ahead by 30 hours when it starts and sends, then set right; 37 hours until it dies.
        let sent = at(30 * HOUR);
        let begun = Aged::begin(None, sent, GAP, Duration::ZERO).on(at(HOUR), passed(HOUR));
        let died = begun.on(at(37 * HOUR), passed(37 * HOUR));
        let next = Aged::begin(Some(died.to_keep()), at(38 * HOUR), GAP, Duration::ZERO);
        assert!(next.latest(at(38 * HOUR)) - sent >= TimeDelta::hours(38), "{next:?}");

        // A stop of a day counts in, too.
        let stopped = Aged::begin(Some(begun.to_keep()), at(25 * HOUR), GAP, Duration::ZERO);
        assert!(stopped.latest(at(25 * HOUR)) - sent >= TimeDelta::hours(25), "{stopped:?}");

        // It is over when such orders are too old to be sent again, in this process and the next.
        for (known, since) in [(died, 79 * HOUR), (next, 41 * HOUR)] {
            let over = known.on(at(79 * HOUR), passed(since));
            assert_eq!(
                (over.latest(at(79 * HOUR)), over.to_keep().set_back),
                (at(79 * HOUR), None)
            );
        }
        let over = Aged::begin(Some(died.to_keep()), at(79 * HOUR), GAP, Duration::ZERO);
        assert_eq!(over.to_keep().set_back, None);
    }

    #[test]
    fn a_clock_that_was_ahead_for_a_while_or_is_slow_was_not_set_back() {
        let begun = Aged::begin(None, at(0), GAP, Duration::ZERO);
        let ahead = begun.on(at(30 * HOUR), passed(60));
        let right = ahead.on(at(120), passed(120));
        assert_eq!(right.to_keep().set_back, None);
        let slow = right.on(at(179), passed(180));
        assert_eq!((slow.latest(at(179)), slow.to_keep().set_back), (at(179), None));
    }
}
