//! The result of recomputing every balance from the entries behind it.

use crate::domain::money::{Currency, MinorUnits};

/// Every account, and everything that does not add up.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// All accounts, by number.
    pub accounts: Vec<AuditedAccount>,
    /// Sentences about what is wrong; none in a sound ledger.
    pub problems: Vec<String>,
    /// How many refunds there are.
    pub refunds: u64,
    /// How many entries there are.
    pub entries: u64,
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
