//! How a ledger is opened, whatever engine keeps it.

use crate::domain::facts::Gateway;
use serde::{Deserialize, Serialize};

/// How much the writer takes on; every value has a bound and a default. What is skipped here stands
/// in a configuration file beside the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSettings {
    /// How many requests may wait for the writer; one more is answered "busy".
    pub queue_max: usize,
    /// How many requests one transaction carries at most.
    pub batch_max: usize,
    /// Gateways that are configured beside those of the seed, which the rules know like those.
    #[serde(skip)]
    pub gateways: Vec<Gateway>,
    /// Whether what happens to refunds is kept for those who listen; none: as it was last said.
    #[serde(skip)]
    pub events: Option<bool>,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self { queue_max: 256, batch_max: 256, gateways: Vec::new(), events: None }
    }
}

/// Whether a ledger may be made, and which mark it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Creates the ledger if it is missing; its mark must be the one given. For serving: a ledger
    /// of the current schema is opened without reading all of it, and checked beside serving
    /// ([`Health::begin_check`](crate::ledger::Health::begin_check)).
    CreateOrOpen {
        /// Whether it is a test ledger, on which reset and clocks work.
        test: bool,
    },
    /// Creates an unmarked ledger if it is missing; any mark will do. The whole of it is checked.
    CreateOrOpenAny,
    /// The ledger must exist; any mark will do. The whole of it is checked.
    Existing,
}

/// How to open a ledger.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Whether it may be made.
    pub mode: OpenMode,
    /// Derives ids and session tokens from this number (test ledgers only).
    pub id_seed: Option<u64>,
    /// What the writer takes on.
    pub settings: LedgerSettings,
}
