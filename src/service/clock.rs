//! The one place where the time of day comes from.
//!
//! What must stay true: it is set on a test ledger alone; otherwise it is the machine's. It
//! never returns a moment that the ledger cannot hold.

use super::ageing::Aged;
use super::passing::Passing;
use super::steady::Steady;
use crate::domain::age::Age;
use crate::domain::moment::can_be_held;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::{Mutex, RwLock};

/// The machine's clock, or what a tester made of it.
#[derive(Debug)]
pub struct Clock {
    start: Mode,
    now: RwLock<Mode>,
    /// By which things get old; none: by this clock.
    aged: Mutex<Option<Aged>>,
    passing: Mutex<Passing>,
    steady: Steady,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The machine's clock, ahead of it or behind by so much.
    Running(TimeDelta),
    /// Standing still.
    Standing(DateTime<Utc>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::starting(Mode::Running(TimeDelta::zero()))
    }

    /// A clock that stands still at `moment`, to the millisecond.
    pub fn fixed(moment: DateTime<Utc>) -> Self {
        Self::starting(Mode::Standing(to_the_millisecond(moment)))
    }

    fn starting(start: Mode) -> Self {
        let steady = Steady::of_process();
        let passing = Mutex::new(Passing::from(start.now(), steady.passed()));
        Self { start, now: RwLock::new(start), aged: Mutex::default(), passing, steady }
    }

    /// The same, with time that passes as a test says.
    #[cfg(test)]
    pub(super) fn on_time_of(self, steady: Steady) -> Self {
        let passing = Mutex::new(Passing::from(self.now(), steady.passed()));
        Self { passing, steady, ..self }
    }

    /// Has things get old by a clock that begins where the ledger's ended, at most `gap` later.
    pub(super) fn begin_ageing(&self, kept: Option<Age>, gap: TimeDelta) {
        *self.aged.lock() = Some(Aged::begin(kept, self.now(), gap, self.steady.passed()));
    }

    /// The moment by which things get old, to the millisecond: it never jumps.
    pub fn aged(&self) -> DateTime<Utc> {
        self.age_to_keep().at
    }

    /// What the ledger keeps of its age.
    pub(super) fn age_to_keep(&self) -> Age {
        let by_machine = || Age { at: self.now(), machine: None, set_back: None };
        self.age().map_or_else(by_machine, Aged::to_keep)
    }

    fn age(&self) -> Option<Aged> {
        let mut aged = self.aged.lock();
        *aged = aged.map(|aged| aged.on(self.finely(), self.steady.passed()));
        *aged
    }

    /// A moment that is for spans within this process alone: the time between two of them has
    /// passed, whatever a clock was set to meanwhile. A tester's clock moves it ahead.
    pub fn passing(&self) -> DateTime<Utc> {
        let follows = self.aged.lock().is_none();
        let mut passing = self.passing.lock();
        *passing = passing.on(self.finely(), self.steady.passed(), follows);
        passing.at()
    }

    /// The earlier of the two moments that clocks say: what is over by it is over for certain.
    pub fn at_least(&self) -> DateTime<Utc> {
        self.now().min(self.aged())
    }

    /// The earliest moment that it can be by all that is known. Unlike [`Self::at_least`] it stays
    /// behind where the machine slept.
    pub(super) fn earliest(&self) -> DateTime<Utc> {
        let now = self.now();
        self.age().map_or(now, |aged| to_the_millisecond(aged.earliest(now)))
    }

    /// The latest moment that it can be by all that is known, and as much later as the clocks
    /// disagree: what is not over by it is not over.
    pub(super) fn latest(&self) -> DateTime<Utc> {
        let now = self.now();
        let Some(aged) = self.age() else { return now };
        let apart = (now - aged.at()).abs();
        let latest = aged.latest(now);
        to_the_millisecond(latest.checked_add_signed(apart).unwrap_or(latest))
    }

    fn finely(&self) -> DateTime<Utc> {
        match self.mode() {
            Mode::Running(ahead) => machine() + ahead,
            Mode::Standing(moment) => moment,
        }
    }

    /// The moment it is, to the millisecond.
    pub fn now(&self) -> DateTime<Utc> {
        self.mode().now()
    }

    /// Whether it stands still.
    pub fn stands(&self) -> bool {
        matches!(self.mode(), Mode::Standing(_))
    }

    /// Makes it stand still at `moment`, one that a ledger can hold.
    pub fn stand_at(&self, moment: DateTime<Utc>) {
        self.set(Mode::Standing(to_the_millisecond(moment)));
    }

    /// Makes it run with the machine's again.
    pub fn run(&self) {
        self.set(Mode::Running(TimeDelta::zero()));
    }

    /// The moment it is once it was reset.
    pub fn beginning(&self) -> DateTime<Utc> {
        self.start.now()
    }

    /// Makes it what it was at the start.
    pub fn reset(&self) {
        self.set(self.start);
    }

    /// Moves it on by `span`, whether it stands or runs; false if the ledger could not hold that.
    pub fn advance(&self, span: TimeDelta) -> bool {
        let holds = |moment: Option<DateTime<Utc>>| moment.filter(can_be_held);
        let advanced = match self.mode() {
            Mode::Running(ahead) => ahead
                .checked_add(&span)
                .filter(|ahead| holds(machine().checked_add_signed(*ahead)).is_some())
                .map(Mode::Running),
            Mode::Standing(moment) => holds(moment.checked_add_signed(span)).map(Mode::Standing),
        };
        advanced.map(|mode| self.set(mode)).is_some()
    }

    /// Moves it on to `moment` if it is earlier, whether it stands or runs; whether it was.
    pub fn not_before(&self, moment: DateTime<Utc>) -> bool {
        let moment = to_the_millisecond(moment);
        let is_behind = self.now() < moment;
        if is_behind {
            self.set(match self.mode() {
                Mode::Running(_) => Mode::Running(moment - to_the_millisecond(machine())),
                Mode::Standing(_) => Mode::Standing(moment),
            });
        }
        is_behind
    }

    fn mode(&self) -> Mode {
        *self.now.read()
    }

    fn set(&self, mode: Mode) {
        *self.now.write() = mode;
    }
}

impl Mode {
    fn now(self) -> DateTime<Utc> {
        match self {
            Self::Running(ahead) => to_the_millisecond(machine()) + ahead,
            Self::Standing(moment) => moment,
        }
    }
}

pub(super) fn to_the_millisecond(moment: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(moment.timestamp_millis()).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn machine() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::moment;

    #[test]
    fn it_stands_where_it_was_put_and_moves_only_when_told() {
        let noon = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let clock = Clock::fixed(noon);
        assert!(clock.advance(TimeDelta::minutes(15)));
        assert_eq!((clock.now(), clock.stands()), (noon + TimeDelta::minutes(15), true));
        assert!(!clock.advance(TimeDelta::MAX));
        clock.reset();
        assert_eq!(clock.now(), noon);
    }

    #[test]
    fn it_never_tells_what_the_ledger_cannot_hold() {
        let clock = Clock::fixed(moment("2026-01-02T03:04:05Z").unwrap());
        assert!(
            !clock.advance(TimeDelta::days(-30_000)) && !clock.advance(TimeDelta::days(3_000_000))
        );
        clock.run();
        assert!(
            !clock.advance(TimeDelta::days(-30_000)) && !clock.advance(TimeDelta::days(3_000_000))
        );
    }

    #[test]
    fn a_running_clock_runs_on_from_where_it_was_moved_to() {
        let clock = Clock::system();
        let before = clock.now();
        assert!(clock.advance(TimeDelta::days(2)));
        assert!(clock.now() >= before + TimeDelta::days(2) && !clock.stands());
        clock.run();
        assert!(clock.now() < before + TimeDelta::days(1));
    }
}
