//! The objects of one call to create, all of one type, as the documents ask for.

use super::draft::RefundDraft;
use serde::Serialize;

/// What a call wants to create, in the order of its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Drafts {
    /// Refunds.
    Refund(Vec<RefundDraft>),
}

impl Drafts {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Refund(drafts) => drafts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
