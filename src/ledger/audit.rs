//! The result of recomputing every balance from the entries behind it.

use crate::domain::money::{Currency, MinorUnits};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Called while an audit runs, from any of its threads: how much is done of how much.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// How far an audit is, in rows that its parts looked at.
pub(super) struct Meter {
    all: u64,
    done: AtomicU64,
    progress: Progress,
}

impl Meter {
    /// One of `all` rows.
    pub(super) const fn new(all: u64, progress: Progress) -> Self {
        Self { all, done: AtomicU64::new(0), progress }
    }

    /// One whose progress is not reported.
    pub(super) fn unseen() -> Self {
        Self::new(0, Arc::new(|_, _| ()))
    }

    /// So many more rows were looked at.
    pub(super) fn add(&self, rows: u64) {
        let done = self.done.fetch_add(rows, Ordering::Relaxed).saturating_add(rows);
        (self.progress)(done.min(self.all), self.all);
    }
}

/// Every account, and everything that does not add up.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// All accounts, by number.
    pub accounts: Vec<AuditedAccount>,
    /// What is wrong; nothing in a sound ledger.
    pub findings: Findings,
    /// How many refunds there are.
    pub refunds: u64,
    /// How many entries there are.
    pub entries: u64,
    /// The conditions on single values could not be checked, because the file may only be read.
    pub lacks_conditions: bool,
    /// How many rows have no sum, because a program wrote them that knew none.
    pub unsummed: u64,
}

impl Audit {
    /// Adds what a part of the audit found.
    pub(super) fn take_over(&mut self, findings: Findings) {
        findings.problems.into_iter().for_each(|problem| self.findings.complain(problem));
        self.findings.more += findings.more;
    }
}

/// How many problems are written out; a broken file could have millions.
const PROBLEMS_MAX: usize = 100;

/// Sentences about what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// The first of them, at most 100.
    pub problems: Vec<String>,
    /// How many more there are.
    pub more: u64,
}

impl Findings {
    /// Notes a problem, or that there is one more.
    pub(super) fn complain(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }
}

/// One account of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedAccount {
    /// Its id.
    pub id: String,
    /// AccountNumber.
    pub number: String,
    /// Its currency.
    pub currency: Currency,
    /// The credit balance it started with.
    pub opening: MinorUnits,
    /// The credit balance it has.
    pub balance: MinorUnits,
    /// How many refunds drew on it.
    pub refunds: u64,
}
