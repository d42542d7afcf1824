//! The answer to a SOAP request, as the HTTP door sends it: its status, its bytes, and what metrics
//! and the log say of the call.
//!
//! What must stay true: a fault says its own status and Retry-After, from the one table of faults.

use super::CallFacts;
use super::envelope::Dialect;
use super::fault::{self, Fault};
use super::outcome::Done;
use crate::service::faults::OrderedHeader;
use crate::xml::LimitKind;
use std::fmt;

/// An answer, and what metrics want to know of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SoapAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type.
    pub content_type: &'static str,
    /// The envelope.
    pub body: Vec<u8>,
    /// After how many bytes of the body the connection is closed, because a tester ordered it.
    pub cut_after: Option<usize>,
    /// The Retry-After, in seconds.
    pub retry_after_s: Option<u32>,
    /// Headers that a tester ordered.
    pub headers: Vec<OrderedHeader>,
    /// Whether this is the stored answer to an earlier request (`Idempotent-Replayed: true`).
    pub replayed: bool,
    /// The operation: a name of the WSDL, or `unknown`.
    pub operation: &'static str,
    /// `ok`, the error code of a fault, or `Client`, `VersionMismatch`, `MustUnderstand`.
    pub outcome: &'static str,
    /// The limit that the document exceeded.
    pub limit: Option<LimitKind>,
    /// How many rows failed.
    pub row_errors: u32,
    /// How many refunds were created.
    pub refunds: u32,
    /// How many fields with a value were passed over.
    pub ignored_fields: u32,
    /// What the log says of the call.
    pub facts: Box<CallFacts>,
}

impl fmt::Debug for SoapAnswer {
    /// Without the body, which may hold a session.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("SoapAnswer");
        out.field("status", &self.status).field("operation", &self.operation);
        out.field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

impl SoapAnswer {
    /// The answer to a call that was done.
    pub(super) fn done(done: Done, operation: &'static str, dialect: &Dialect) -> Self {
        Self {
            status: 200,
            content_type: dialect.soap.content_type(),
            body: done.body,
            cut_after: None,
            retry_after_s: None,
            headers: Vec::new(),
            replayed: done.replayed,
            operation,
            outcome: "ok",
            limit: None,
            row_errors: done.tally.row_errors(),
            refunds: done.tally.refunds(),
            ignored_fields: 0,
            facts: Box::default(),
        }
    }

    /// The answer that a fault is; nothing was done.
    pub(super) fn fault(fault: &Fault, operation: &'static str, dialect: &Dialect) -> Self {
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
