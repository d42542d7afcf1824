//! Payment gateway connectors behind one interface.
//!
//! An answer is approved, declined or unknown, and never guessed: what is not certain is
//! unknown. A connector may be asked twice for one refund and must pay at most once, which it
//! knows by the refund's id.

pub mod http;
pub mod sandbox;

use crate::domain::id::RefundId;
use crate::domain::lifecycle::{Response, Verdict};
use crate::ledger::Order;
use crate::ledger::orders::Transcript;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// What comes back from a gateway, some time later. The caller may stop waiting at any moment;
/// what was sent by then was sent.
pub type Reply<T> = Pin<Box<dyn Future<Output = Report<T>> + Send>>;

/// What a gateway said, and in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<T> {
    /// What it means.
    pub outcome: T,
    /// What was sent and received, without secrets, for the refund's history.
    pub transcript: Transcript,
}

/// What a gateway answered to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It said for certain what happened.
    Certain(Verdict),
    /// The order certainly never left (no connection, an open circuit); the text is for operators.
    NotSent(String),
    /// It is unknown whether it paid; the text is for operators.
    Unknown(String),
}

impl Answer {
    /// An answer to which no exchange led.
    pub fn without_transcript(self) -> Report<Self> {
        Report { outcome: self, transcript: Transcript::default() }
    }
}

/// What a gateway answered when it was asked about an earlier order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// It knows the order and what became of it.
    Certain(Verdict),
    /// It has never heard of it. That says nothing about money, but the order may be sent again
    /// under the same id, as long as the gateway would be sure to know that.
    NeverHeard {
        /// For how long it is sure to know an order by its id, in its own words: it counts where
        /// it is shorter than [`Processor::key_retention`].
        retention: Option<Duration>,
    },
    /// It could not be asked, it has not decided yet, or its answer could not be understood.
    Unknown(String),
}

/// The decline of an order whose payment is older than its gateway gives payments back, if it is.
///
/// Source: the vendor's overview of refunds. A refund that asks for it gets it, and its
/// gateway declines it; PayPal in these words.
fn too_late(order: &Order, window_days: Option<u32>) -> Option<Response> {
    let age_days = order.repaid?.age_days;
    let is_too_late = age_days > i64::from(window_days?);
    is_too_late.then(|| Response {
        code: "10009".to_owned(),
        text: "You are over the time limit to perform a refund on this transaction.".to_owned(),
    })
}

/// A payment gateway.
pub trait Processor: Send + Sync {
    /// Takes note of an order that is committed and will be sent. Orders come in the order of their
    /// commits, and of the rows of their call; they may be sent in another. It must not wait.
    fn line_up(&self, _order: &Order) {}

    /// Asks for the money to be paid out.
    fn refund(&self, order: &Order) -> Reply<Answer>;

    /// Asks what became of an order.
    fn inquire(&self, order: &Order) -> Reply<Inquiry>;

    /// With which words it declines an order before it is sent for the first time, if it does. What
    /// was sent once is never declined so.
    fn declines_unsent(&self, _order: &Order) -> Option<Response> {
        None
    }

    /// The refund has ended: it is not sent or asked about any more.
    fn forget(&self, _refund: RefundId) {}

    /// For how long after an order was first sent the gateway is sure to know it by its id, so that
    /// sending it again cannot pay twice. Zero if it never is.
    fn key_retention(&self) -> Duration;

    /// Whether it is left alone for a while, because it failed again and again.
    fn is_left_alone(&self) -> bool {
        false
    }

    /// How many calls it takes at once, at least 1; the others wait for their turn or for another
    /// time.
    fn calls_max(&self) -> usize;
}
