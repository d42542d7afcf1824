//! The result of recomputing every balance from the entries behind it.

use crate::domain::money::{Currency, MinorUnits};

/// Every account, and everything that does not add up.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// All accounts, by number.
    pub accounts: Vec<AuditedAccount>,
    /// Sentences about what is wrong, at most 100; none in a sound ledger.
    pub problems: Vec<String>,
    /// How many more problems there are.
    pub more_problems: u64,
    /// How many refunds there are.
    pub refunds: u64,
    /// How many entries there are.
    pub entries: u64,
    /// The conditions on single values could not be checked, because the file may only be read.
    pub lacks_conditions: bool,
}

/// How many problems are told; a broken file could have millions.
const PROBLEMS_TOLD_MAX: usize = 100;

impl Audit {
    /// Notes a problem, or that there is one more.
    pub(super) fn complain(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_TOLD_MAX {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
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
