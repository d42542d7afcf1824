//! How many calls the REST API takes: at once, and in a minute, an hour and a day.
//!
//! Source: "Rate and concurrent request limits" of the vendor's REST reference for the headers.
//! What must stay true: what the headers say is what is enforced.

use crate::call::Header;
use crate::service::RestSettings;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The limits, and what is used of them.
pub(super) struct Limits {
    calls: Arc<Semaphore>,
    calls_max: usize,
    windows: Mutex<[Window; 3]>,
}

/// A window of time that begins again when it is over.
#[derive(Debug, Clone, Copy)]
struct Window {
    seconds: i64,
    calls_max: u64,
    begun: i64,
    calls: u64,
}

/// A call that is under way, and what its answer says of the limits.
pub(super) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    /// The headers of the answer.
    pub(super) headers: Vec<Header>,
    /// Where the call is over a limit: after how many seconds another may come.
    pub(super) refused_s: Option<u32>,
}

impl Limits {
    pub(super) fn new(settings: &RestSettings) -> Self {
        let window = |seconds, calls_max| Window { seconds, calls_max, begun: 0, calls: 0 };
        let calls_max = settings.concurrent_calls_max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            calls: Arc::new(Semaphore::new(calls_max)),
            calls_max,
            windows: Mutex::new([
                window(60, settings.calls_per_minute_max),
                window(3_600, settings.calls_per_hour_max),
                window(86_400, settings.calls_per_day_max),
            ]),
        }
    }

    /// Counts a call that begins now.
    pub(super) fn enter(&self, now: DateTime<Utc>) -> Place {
        let permit = Arc::clone(&self.calls).try_acquire_owned().ok();
        let now = now.timestamp();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused_s: Option<i64> = permit.is_none().then_some(1);
        for window in windows.iter_mut() {
            let begun = now - now.rem_euclid(window.seconds);
            // A clock that goes back does not begin a window anew.
            if begun > window.begun {
                (window.begun, window.calls) = (begun, 0);
            }
            if window.calls >= window.calls_max {
                let ends = (window.begun + window.seconds - now).max(1);
                refused_s = Some(refused_s.unwrap_or(0).max(ends));
            }
        }
        if refused_s.is_none() {
            windows.iter_mut().for_each(|window| window.calls += 1);
        }
        let headers = self.headers(&windows, now);
        drop(windows);
        let refused_s = refused_s.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        Place { _permit: permit, headers, refused_s }
    }

    /// What an answer says of the limits: of all windows, and what is left of the nearest.
    fn headers(&self, windows: &[Window; 3], now: i64) -> Vec<Header> {
        let [minute, ..] = windows;
        let left = |window: &Window| window.calls_max.saturating_sub(window.calls);
        let nearest = windows.iter().min_by_key(|window| left(window)).unwrap_or(minute);
        let all: Vec<String> =
            windows.iter().map(|one| format!("{};w={}", one.calls_max, one.seconds)).collect();
        let limit = format!("{}, {}", nearest.calls_max, all.join(", "));
        let reset = (nearest.begun + nearest.seconds - now).max(0).to_string();
        let header = |name, value| Header { name, value };
        vec![
            header("ratelimit-limit", limit),
            header("ratelimit-remaining", left(nearest).to_string()),
            header("ratelimit-reset", reset),
            header("concurrency-limit-type", "Default".to_owned()),
            header("concurrency-limit-limit", self.calls_max.to_string()),
            header("concurrency-limit-remaining", self.calls.available_permits().to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_040 + second, 0).unwrap()
    }

    fn value(place: &Place, name: &str) -> String {
        let found = place.headers.iter().find(|header| header.name == name);
        found.map(|header| header.value.clone()).unwrap()
    }

    #[test]
    fn a_window_that_is_used_up_refuses_until_it_is_over() {
        let settings = RestSettings { calls_per_minute_max: 2, ..RestSettings::default() };
        let limits = Limits::new(&settings);
        let first = limits.enter(at(0));
        assert_eq!(value(&first, "ratelimit-remaining"), "1");
        assert!(limits.enter(at(59)).refused_s.is_none());
        let third = limits.enter(at(10));
        assert_eq!(third.refused_s, Some(50));
        assert_eq!(value(&third, "ratelimit-reset"), "50");
        assert!(value(&third, "ratelimit-limit").starts_with("2, 2;w=60, "));
        assert!(limits.enter(at(60)).refused_s.is_none());
        // A clock that is set back does not begin the window anew.
        assert!(limits.enter(at(60)).refused_s.is_none());
        assert!(limits.enter(at(1)).refused_s.is_some());
    }

    #[test]
    fn a_call_that_is_over_gives_its_place_back() {
        let limits = Limits::new(&RestSettings { concurrent_calls_max: 1, ..Default::default() });
        let one = limits.enter(at(0));
        assert_eq!(value(&one, "concurrency-limit-remaining"), "0");
        assert_eq!(limits.enter(at(0)).refused_s, Some(1));
        drop(one);
        assert!(limits.enter(at(0)).refused_s.is_none());
    }
}
