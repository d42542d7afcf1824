//! What an operation came to: an answer, a fault, or nothing that anybody could say.

use super::fault::Fault;
use crate::ledger::query::FindError;
use crate::ledger::{LedgerError, RowResult};
use crate::service::create::CreateError;
use crate::service::login::LoginError;
use crate::service::query::QueryFailure;
use crate::service::session::SessionError;

/// The answer of an operation that was done.
pub(super) struct Done {
    pub(super) body: Vec<u8>,
    /// Whether it is the stored answer to an earlier request.
    pub(super) replayed: bool,
    pub(super) tally: Tally,
}

/// What the rows of a call came to; nothing for an answer that was stored earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) refunds: u32,
    pub(super) row_errors: u32,
}

impl Tally {
    /// Of rows that create refunds.
    pub(super) fn of_refunds(rows: &[RowResult]) -> Self {
        let row_errors = Self::of_others(rows).row_errors;
        let rows = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        Self { refunds: rows.saturating_sub(row_errors), row_errors }
    }

    /// Of rows that do anything else.
    pub(super) fn of_others(rows: &[RowResult]) -> Self {
        let failed = rows.iter().filter(|row| row.is_err()).count();
        Self { refunds: 0, row_errors: u32::try_from(failed).unwrap_or(u32::MAX) }
    }
}

/// Why an operation has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was done, and this is why.
    Fault(Fault),
    /// Nobody can say what was done, so the caller must be told nothing.
    Unknown(String),
}

impl Failure {
    /// What became of a query; `locator` is the one that it came with.
    pub(super) fn of_query(failure: QueryFailure, locator: String) -> Self {
        match failure {
            QueryFailure::Find(FindError::NoLocator) => Fault::WrongLocator(locator).into(),
            QueryFailure::Find(FindError::TooSlow) => Fault::QueryTooSlow.into(),
            QueryFailure::Ledger(error) => error.into(),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Busy => Self::Fault(Fault::TooManyRequests),
            LedgerError::Withdrawn => Self::Fault(Fault::TooLate),
            LedgerError::Unavailable(why) => {
                tracing::error!(why, "the ledger cannot be written");
                Self::Fault(Fault::LedgerUnavailable)
            }
            LedgerError::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid => Self::Fault(Fault::InvalidSession),
            SessionError::Ledger(error) => error.into(),
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Mismatch => Self::Fault(Fault::WrongLogin),
            LoginError::Refused => Self::Fault(Fault::TooManyWrongLogins),
            LoginError::Busy => Self::Fault(Fault::TooManyLogins),
            LoginError::Ledger(error) => error.into(),
        }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::KeyReused => Self::Fault(Fault::KeyReused),
            CreateError::KeyRunning => Self::Fault(Fault::KeyRunning),
            CreateError::TooLate => Self::Fault(Fault::TooLate),
            CreateError::Ledger(error) => error.into(),
        }
    }
}
