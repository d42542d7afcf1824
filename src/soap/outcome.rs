//! What an operation came to: an answer, a fault, or an outcome that is unknown.

use super::fault::Fault;
use crate::domain::number::saturated;
use crate::ledger::RowResult;
use crate::service;
use crate::service::query::QueryFailure;

/// The answer of an operation that was done.
pub(super) struct Done {
    pub(super) body: Vec<u8>,
    /// Whether it is the stored answer to an earlier request.
    pub(super) replayed: bool,
    pub(super) tally: Tally,
}

/// What the rows of a call came to; nothing for an answer that was stored earlier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) rows: Vec<RowResult>,
    creates_refunds: bool,
}

impl Tally {
    /// Of rows that create refunds.
    pub(super) fn of_refunds(rows: Vec<RowResult>) -> Self {
        Self { rows, creates_refunds: true }
    }

    /// Of rows that do anything else.
    pub(super) fn of_others(rows: Vec<RowResult>) -> Self {
        Self { rows, creates_refunds: false }
    }

    /// How many rows failed.
    pub(super) fn row_errors(&self) -> u32 {
        let failed = self.rows.iter().filter(|row| row.is_err()).count();
        saturated::<u32>(failed)
    }

    /// How many refunds were created.
    pub(super) fn refunds(&self) -> u32 {
        let made = if self.creates_refunds { self.rows.len() } else { 0 };
        saturated::<u32>(made).saturating_sub(self.row_errors())
    }
}

/// Why an operation has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was done, and this is why.
    Fault(Fault),
    /// It is unknown what was done, so the caller must get no answer.
    Unknown(String),
}

impl Failure {
    /// What became of a query; `locator` is the one that it came with.
    pub(super) fn of_query(failure: QueryFailure, locator: String) -> Self {
        match service::Failure::from(failure) {
            service::Failure::WrongLocator => Fault::WrongLocator(locator).into(),
            other => other.into(),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<F: Into<service::Failure>> From<F> for Failure {
    fn from(failure: F) -> Self {
        match failure.into() {
            service::Failure::Refused(refusal) => Self::Fault(refusal.into()),
            service::Failure::WrongLocator => Self::Fault(Fault::WrongLocator(String::new())),
            service::Failure::Unknown(why) => Self::Unknown(why),
        }
    }
}
