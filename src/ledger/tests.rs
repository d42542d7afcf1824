//! Tests of the use cases that need more than one engine, one file a subject.

pub(in crate::ledger) mod ahead;
pub(in crate::ledger) mod settlement;
mod settlement_model;
