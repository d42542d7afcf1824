//! When a gateway is asked again about a refund whose outcome it has not reported.
//!
//! Soon at first, then less and less often, at least once an hour, and for the last time 48 hours
//! after the refund was created (documented). The same refund is asked about at the same moments
//! whenever the clock says the same, so that runs can be repeated.

use super::id::RefundId;
use crate::domain::number::saturated;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// For how long a refund belongs to the request that created it: until then, or until that request
/// has noted what the gateway said, no other task asks about it.
pub const FRESH: TimeDelta = TimeDelta::seconds(60);

/// How long after its creation a refund is asked about; from then on an operator may settle it.
pub const ASKED_FOR: TimeDelta = TimeDelta::hours(48);

/// Seconds from one exchange to the next, by how many there were; the last stands for all others.
const STEPS_S: [i64; 12] = [1, 1, 2, 4, 8, 15, 30, 60, 120, 600, 1_800, 3_600];

/// No inquiry is planned further ahead than this. One that is was planned by a clock that has gone
/// back since, and is due.
pub const PLANNED_AHEAD_MAX: TimeDelta = TimeDelta::hours(2);

/// The longest time between two inquiries that a reader of the refund can bring about, in seconds.
pub const READERS_STEP_MAX_S: i64 = 60;

/// A tenth of a step is spread by chance, so that a gateway that comes back is not asked about
/// everything in one moment.
const SPREAD: i64 = 10;

/// The moment at which the gateway is asked again after `attempts` exchanges, of which the last
/// was `now`; none when it is not asked again, because 48 hours are over. `at_least` is `now`, or
/// earlier where the clock may be ahead: then they are not over for certain.
pub fn next_inquiry(
    refund: RefundId,
    attempts: u32,
    now: DateTime<Utc>,
    at_least: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let last = refund.created_at() + ASKED_FOR;
    let step_ms = step_s(attempts) * 1_000;
    let step = TimeDelta::milliseconds(step_ms + spread(refund, attempts) % (step_ms / SPREAD));
    let next = if now < last { last.min(now + step) } else { now + step };
    (at_least < last).then_some(next)
}

/// The least time between two inquiries that readers of the refund bring about.
pub fn readers_interval(attempts: u32) -> TimeDelta {
    TimeDelta::seconds(step_s(attempts).min(READERS_STEP_MAX_S))
}

fn step_s(attempts: u32) -> i64 {
    let at = saturated::<usize>(attempts);
    STEPS_S.get(at).or(STEPS_S.last()).copied().unwrap_or(READERS_STEP_MAX_S)
}

/// A number of 32 bits that looks drawn and follows from the refund alone.
fn spread(refund: RefundId, attempts: u32) -> i64 {
    let mut hash = Sha256::new();
    hash.update(refund.to_string());
    hash.update(attempts.to_be_bytes());
    let drawn: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, ..] = drawn;
    i64::from(u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RefundNumber;

    fn refund(number: i64) -> RefundId {
        RefundId::new(1_790_000_000_000, 7, RefundNumber::new(number).unwrap())
    }

    /// Every moment at which a refund is asked about when nothing is ever learnt, in milliseconds
    /// since its creation.
    fn moments(refund: RefundId) -> Vec<i64> {
        let mut now = refund.created_at();
        let mut moments = Vec::new();
        while let Some(next) = next_inquiry(refund, moments.len().try_into().unwrap(), now, now) {
            now = next;
            moments.push((now - refund.created_at()).num_milliseconds());
        }
        moments
    }

    #[test]
    fn it_is_asked_soon_and_hourly_and_for_the_last_time_after_48_hours() {
        let all = moments(refund(1));
        assert!(all[0] < 5_000, "{all:?}");
        assert_eq!(all.last(), Some(&ASKED_FOR.num_milliseconds()));
        let gaps = all.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.clone().all(|gap| (1..=3_960_000).contains(&gap)), "{all:?}");
        assert!(gaps.clone().all(|gap| gap < PLANNED_AHEAD_MAX.num_milliseconds()));
        assert!((50..=70).contains(&all.len()), "{}", all.len());
        let over = refund(1).created_at() + ASKED_FOR;
        assert_eq!(next_inquiry(refund(1), 3, over, over), None);
    }

    /// Regression: a clock that jumped ahead ended the asking at once, for good.
    #[test]
    fn a_clock_that_may_be_ahead_ends_no_asking() {
        let refund = refund(1);
        let over = refund.created_at() + ASKED_FOR;
        let next = next_inquiry(refund, 3, over, refund.created_at()).unwrap();
        assert!(next > over && next <= over + PLANNED_AHEAD_MAX);
    }

    #[test]
    fn refunds_of_one_moment_are_spread_and_the_same_one_is_not() {
        assert_eq!(moments(refund(1)), moments(refund(1)));
        let mut late: Vec<i64> = (1..=50).map(|number| moments(refund(number))[12]).collect();
        late.sort_unstable();
        late.dedup();
        assert!(late.len() > 25, "{late:?}");
    }

    #[test]
    fn readers_are_answered_within_a_minute_of_asking() {
        assert_eq!(readers_interval(1), TimeDelta::seconds(1));
        assert_eq!(readers_interval(1_000), TimeDelta::seconds(READERS_STEP_MAX_S));
    }
}
