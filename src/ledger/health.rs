//! How the ledger is: whether it can be written, what was found wrong with it, and how much it
//! does.

use super::Reply;

/// What the ledger says of itself, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerStats {
    /// Requests that wait for the writer now.
    pub queued: u64,
    /// Transactions committed since the start.
    pub commits: u64,
    /// Requests that those transactions carried.
    pub committed_requests: u64,
    /// Transactions rolled back or lost since the start.
    pub failures: u64,
    /// Time spent in commits since the start, in microseconds.
    pub commit_us: u64,
}

/// The state of a ledger that is served.
pub trait Health: Send + Sync {
    /// Writes durably and changes nothing, to learn whether the ledger can be written.
    fn probe(&self) -> Reply<()>;

    /// Checks what is stored, now and every hour, beside whatever else is done, where the engine
    /// does not do so by itself. Damage ends all writing.
    fn begin_check(&self);

    /// What was found damaged since the start; once there is something, nothing is written.
    fn damage(&self) -> Option<String>;

    /// Why the outcome of a commit is unknown, since which nothing is written; the next start
    /// recovers what there is.
    fn lost_commit(&self) -> Option<String>;

    /// Counters since the start.
    fn stats(&self) -> LedgerStats;
}
