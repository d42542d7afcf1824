//! How the ledger is: whether it can be written, what was found wrong with it, and how much it
//! does.

use super::Reply;
use super::damage::Damage;
use prometheus_client::metrics::histogram::Histogram;

/// What the ledger says of itself, for metrics.
#[derive(Debug, Clone)]
pub struct LedgerStats {
    /// Requests that wait for the writer now.
    pub queued: u64,
    /// Transactions committed since the start.
    pub commits: u64,
    /// Requests that those transactions carried.
    pub committed_requests: u64,
    /// Transactions rolled back or lost since the start.
    pub failures: u64,
    /// How long commits took since the start.
    pub commit_durations: Histogram,
    /// The size of the ledger's file, where it is one.
    pub file_bytes: Option<u64>,
    /// The size of that file's log, where there is one.
    pub log_bytes: Option<u64>,
}

/// Upper bounds of what commits take, in seconds: from a disk that confirms at once to one that is
/// about to fail.
const COMMIT_BUCKETS: [f64; 13] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

impl Default for LedgerStats {
    fn default() -> Self {
        Self {
            queued: 0,
            commits: 0,
            committed_requests: 0,
            failures: 0,
            commit_durations: Histogram::new(COMMIT_BUCKETS),
            file_bytes: None,
            log_bytes: None,
        }
    }
}

/// The state of a ledger that is served.
pub trait Health: Send + Sync {
    /// Writes durably and changes nothing, to learn whether the ledger can be written.
    fn probe(&self) -> Reply<()>;

    /// Checks what is stored, now and every hour, beside whatever else is done, where the engine
    /// does not do so by itself. Damage ends all writing.
    fn begin_check(&self);

    /// What ended all writing, which can be asked for after the ledger was closed too.
    fn noted(&self) -> Damage;

    /// What was found damaged since the start; once there is something, nothing is written.
    fn damage(&self) -> Option<String> {
        self.noted().found().map(str::to_owned)
    }

    /// Why the outcome of a commit is unknown. Until it is known nothing is written; an engine that
    /// cannot look for it recovers what there is at its next start.
    fn lost_commit(&self) -> Option<String> {
        self.noted().lost()
    }

    /// Counters since the start.
    fn stats(&self) -> LedgerStats;
}
