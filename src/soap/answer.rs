//! The answers of the SOAP front door.
//!
//! What must stay true: a fault states its own status and Retry-After, from the one table of
//! faults.

use super::envelope::Dialect;
use super::fault::{self, Fault};
use super::outcome::Done;
use crate::call::{Answer, OperationName, Outcome};

impl Answer {
    /// The answer to a call that was done.
    pub(super) fn done(done: Done, operation: OperationName, dialect: &Dialect) -> Self {
        let body = (dialect.soap.content_type(), done.body);
        Self {
            replayed: done.replayed,
            row_errors: done.tally.row_errors(),
            refunds: done.tally.refunds(),
            ..Self::new(200, body, operation, Outcome::Ok)
        }
    }

    /// The answer that a fault is; nothing was done.
    pub(super) fn fault(fault: &Fault, operation: OperationName, dialect: &Dialect) -> Self {
        let body = (dialect.soap.content_type(), fault::encode(fault, dialect));
        Self {
            retry_after_s: fault.retry_after_s(),
            limit: fault.limit(),
            ..Self::new(fault.status(), body, operation, fault.outcome())
        }
    }
}
