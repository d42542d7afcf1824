//! What a front door gives back: an answer as the listener sends it, or nothing, and why.

use super::{CallFacts, CallLimit, OperationName, Outcome};
use crate::service::faults::OrderedHeader;
use std::fmt;

/// A header of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// An answer, and what metrics want to know of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type; empty where there is no body.
    pub content_type: &'static str,
    /// What is sent.
    pub body: Vec<u8>,
    /// After how many bytes of the body the connection is closed, because a tester ordered it.
    pub cut_after: Option<usize>,
    /// The Retry-After, in seconds.
    pub retry_after_s: Option<u32>,
    /// Further headers of the front door. The first of a name takes the place of what the listener
    /// would send by itself; one that cannot be a header is left away.
    pub headers: Vec<Header>,
    /// Headers that a tester ordered, in the place of all others of their names.
    pub ordered: Vec<OrderedHeader>,
    /// Whether this is the stored answer to an earlier request (`Idempotent-Replayed: true`).
    pub replayed: bool,
    /// The operation.
    pub operation: OperationName,
    /// What came of the call.
    pub outcome: Outcome,
    /// The limit for which the call was refused, if it was for one.
    pub limit: Option<CallLimit>,
    /// How many rows failed.
    pub row_errors: u32,
    /// How many refunds were created.
    pub refunds: u32,
    /// How many fields with a value were passed over.
    pub ignored_fields: u32,
    /// What the log says of the call.
    pub facts: Box<CallFacts>,
}

impl Answer {
    /// An answer of this status and body to `operation`, which came to `outcome`, with nothing
    /// further to say.
    pub fn new(
        status: u16,
        (content_type, body): (&'static str, Vec<u8>),
        operation: OperationName,
        outcome: Outcome,
    ) -> Self {
        Self {
            status,
            content_type,
            body,
            cut_after: None,
            retry_after_s: None,
            headers: Vec::new(),
            ordered: Vec::new(),
            replayed: false,
            operation,
            outcome,
            limit: None,
            row_errors: 0,
            refunds: 0,
            ignored_fields: 0,
            facts: Box::default(),
        }
    }
}

impl fmt::Debug for Answer {
    /// Without the body, which may hold a session.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Answer");
        out.field("status", &self.status).field("operation", &self.operation);
        out.field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is answered.
    Answer(Answer),
    /// What was done by this operation is unknown: what is sent breaks off.
    Abort(OperationName, Box<CallFacts>),
    /// A tester ordered that the connection is closed before the first byte.
    Reset(OperationName, Box<CallFacts>),
}

impl Reply {
    /// The reply, with what the log says of its call.
    #[must_use]
    pub fn with_facts(self, facts: CallFacts) -> Self {
        match self {
            Self::Answer(answer) => Self::Answer(Answer { facts: Box::new(facts), ..answer }),
            Self::Abort(operation, _) => Self::Abort(operation, Box::new(facts)),
            Self::Reset(operation, _) => Self::Reset(operation, Box::new(facts)),
        }
    }

    /// What the log says of its call.
    pub(super) fn into_facts(self) -> CallFacts {
        match self {
            Self::Answer(answer) => *answer.facts,
            Self::Abort(_, facts) | Self::Reset(_, facts) => *facts,
        }
    }
}
