//! How old a ledger is: the moment by which what is in it gets old, and how far a clock that was
//! set back leaves that in doubt.

use chrono::{DateTime, TimeDelta, Utc};

/// What a ledger keeps of its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// The moment by which things get old, to the millisecond.
    pub at: DateTime<Utc>,
    /// What the machine's clock said when this was kept; not known of what earlier versions kept.
    pub machine: Option<DateTime<Utc>>,
    /// How far the machine's clock was set back, as long as that matters.
    pub set_back: Option<SetBack>,
}

/// The machine's clock was set back while a process ran: before that or since then it is wrong. A
/// moment that was noted before is as much longer ago as it was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetBack {
    /// By how much, above zero.
    pub by: TimeDelta,
    /// When that clock shows this, nothing matters any more that was noted before it was set back.
    pub until: DateTime<Utc>,
}
