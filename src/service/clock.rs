//! The one place where the time of day comes from.

use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicI64, Ordering};

/// The machine's clock, or one that stands still until somebody advances it.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Unix milliseconds that stand still (test ledgers).
    Fixed(AtomicI64),
}

impl Clock {
    /// A clock that stands still at `moment`, to the millisecond.
    pub fn fixed(moment: DateTime<Utc>) -> Self {
        Self::Fixed(AtomicI64::new(moment.timestamp_millis()))
    }

    /// The moment it is, to the millisecond.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let millis = match self {
            Self::System => Utc::now().timestamp_millis(),
            Self::Fixed(millis) => millis.load(Ordering::Acquire),
        };
        DateTime::from_timestamp_millis(millis).unwrap_or_default()
    }
}
