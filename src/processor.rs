//! Payment gateway connectors behind one interface.
//!
//! An answer is approved, declined or unknown, and never guessed: whatever is not certain is
//! unknown. A connector may be asked twice for one refund and must pay at most once, which it
//! knows by the refund's id.

pub mod http;
pub mod sandbox;

use crate::domain::lifecycle::Verdict;
use crate::ledger::Order;
use std::future::Future;
use std::pin::Pin;

/// What comes back from a gateway, some time later.
pub type Reply<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a gateway answered to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It said for certain what happened.
    Certain(Verdict),
    /// Nobody can say whether it paid; the text is for operators.
    Unknown(String),
}

/// What a gateway answered when it was asked about an earlier order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// It knows the order and what became of it.
    Certain(Verdict),
    /// It has never heard of it, so that it may be sent again under the same id.
    NeverHeard,
    /// It could not be asked, or its answer could not be understood.
    Unknown(String),
}

/// A payment gateway.
pub trait Processor: Send + Sync {
    /// Asks for the money to be paid out.
    fn refund(&self, order: &Order) -> Reply<Answer>;

    /// Asks what became of an order.
    fn inquire(&self, order: &Order) -> Reply<Inquiry>;
}
