//! The limits for which a front door refuses a call that has been read, as metrics count them.

use crate::service::Refusal;
use crate::xml::LimitKind;

/// A limit for which a call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallLimit {
    /// The document exceeds a limit of XML.
    Document(LimitKind),
    /// Too many requests wait for the ledger.
    LedgerQueue,
    /// Too many wrong passwords, or wrong secrets of OAuth clients, came.
    LoginGuard,
    /// The caller has made too many calls by REST in a while, or has too many under way.
    RestCalls,
    /// The work had not begun, or the query had not ended, in time.
    RequestTimeout,
}

impl CallLimit {
    /// The limit for which the service refuses; none where it refuses for something else.
    pub const fn of(refusal: Refusal) -> Option<Self> {
        match refusal {
            Refusal::TooManyRequests => Some(Self::LedgerQueue),
            Refusal::TooManyWrongLogins => Some(Self::LoginGuard),
            Refusal::TooLate | Refusal::QueryTooSlow => Some(Self::RequestTimeout),
            _ => None,
        }
    }
}
