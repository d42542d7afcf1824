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
        Self {
            status: 200,
            content_type: dialect.soap.content_type(),
            body: done.body,
            cut_after: None,
            retry_after_s: None,
            headers: Vec::new(),
            replayed: done.replayed,
            operation,
            outcome: Outcome::Ok,
            limit: None,
            row_errors: done.tally.row_errors(),
            refunds: done.tally.refunds(),
            ignored_fields: 0,
            facts: Box::default(),
        }
    }

    /// The answer that a fault is; nothing was done.
    pub(super) fn fault(fault: &Fault, operation: OperationName, dialect: &Dialect) -> Self {
        Self {
            status: fault.status(),
            content_type: dialect.soap.content_type(),
            body: fault::encode(fault, dialect),
            cut_after: None,
            retry_after_s: fault.retry_after_s(),
            headers: Vec::new(),
            replayed: false,
            operation,
            outcome: fault.outcome(),
            limit: None,
            row_errors: 0,
            refunds: 0,
            ignored_fields: 0,
            facts: Box::default(),
        }
    }
}
