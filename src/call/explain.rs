//! What a front door can say of an exchange afterwards, for people who wonder why it was refused.

use crate::ledger::test_bench::KnownId;
use serde::Serialize;

/// Why a call, or one of its rows, was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The row, from 1; none for the call as a whole.
    pub row: Option<usize>,
    /// The code.
    pub code: String,
    /// The text.
    pub message: String,
}

/// Reads exchanges that are over. It only reads, and says nothing about what it cannot read.
pub trait Explain {
    /// What was refused in an answer.
    fn rejections(&self, answer: &str) -> Vec<Rejection>;

    /// What in a request to `version` (as sent) is close to something that would have been
    /// understood; `known` are the ids of the objects that there are.
    fn near_misses(&self, request: &str, version: &str, known: &[KnownId]) -> Vec<String>;
}
