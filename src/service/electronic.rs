//! Paying electronic refunds: the gateway is asked outside any transaction, and its verdict ends
//! the refund in a second one, exactly once.
//!
//! What must stay true: while an order is being sent or asked about, no other task does either for
//! the same refund, of this node or another (`leases`); what a task that was overtaken knew of an
//! order is not written down any more (`Seen`), only what its gateway said for certain; what brings
//! no verdict is noted with the moment of the next inquiry, and what cannot be noted is due by an
//! earlier note. So no verdict is ever lost for good.

use super::Service;
use super::leases::Lease;
use super::outcome_writes::begin;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::schedule::{FRESH, next_inquiry};
use crate::ledger::orders::{
    Exchange, ExchangeKind, Note, OpenOrder, SettleError, Settlement, Transcript,
};
use crate::ledger::sharing::Claim;
use crate::ledger::{Ended, LedgerError, Order};
use crate::processor::{Answer, Report};
use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep, timeout_at};

/// The waits before a verdict that could not be written is written again. After the last the refund
/// is asked about like any other.
const VERDICT_RETRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How long an operator's decision waits for its lease, and how often that is tried.
const OPERATORS_WAIT: Duration = Duration::from_secs(2);
const TURNS_TRIED_EVERY: Duration = Duration::from_millis(20);

impl Service {
    /// Asks the gateways for all orders at once and waits for them up to the configured time, and
    /// never beyond the `deadline` of the call. What has no answer by then goes on by itself and
    /// stays in Processing until it has one.
    ///
    /// Each order is begun before the next, and goes as far as it gets without waiting: what is
    /// answered at once is written in the order of the call.
    ///
    /// Returns how those refunds ended that have a verdict, written, by then.
    pub(super) async fn pay(
        self: &Arc<Self>,
        orders: Vec<Order>,
        deadline: Instant,
    ) -> Vec<(RefundId, Ended)> {
        let mut ended = Vec::new();
        if orders.is_empty() {
            return ended;
        }
        let wait = Duration::from_millis(self.settings.gateway_wait_ms);
        let deadline = deadline.min(Instant::now() + wait);
        let mut calls = Vec::new();
        for order in orders {
            let service = Arc::clone(self);
            let mut work = Box::pin(async move { service.pay_one(order, deadline).await });
            match begin(work.as_mut()).await {
                Poll::Ready(one) => ended.extend(one),
                Poll::Pending => calls.push(self.spawn("order", Vec::new(), work)),
            }
        }
        let all = async {
            for call in calls {
                match call.await {
                    Ok(Some(one)) => ended.extend(one),
                    // It was cut off, and so will be the call that waits for it.
                    Ok(None) => pending::<()>().await,
                    Err(error) => report_panic(&error),
                }
            }
        };
        // Past the time, the tasks go on and no call waits for them.
        let _ = timeout_at(deadline, all).await;
        ended
    }

    /// Starts a task that goes on when its caller goes away, and that [`Service::finish`] waits
    /// for. It has no result when a tester replaced the ledger below it.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        what: &'static str,
        accounts: Vec<ObjectId>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        tokio::spawn(self.drain.join(what, accounts).until_cut(work))
    }

    /// Waits until no gateway is being asked any more, at most for `patience`; what is left then
    /// stays in Processing and is taken up by the next start.
    pub async fn finish(&self, patience: Duration) {
        self.is_ending.store(true, Ordering::Release);
        self.keep_age().await;
        if !self.drain.ends_within(patience).await {
            tracing::warn!("refunds stay in Processing; the next start asks about them again");
        }
    }

    /// Sends an order for the first time, if the gateway has room for it before the deadline.
    async fn pay_one(&self, order: Order, deadline: Instant) -> Option<(RefundId, Ended)> {
        let lease = self.leases.take(order.refund.number())?;
        let lease = self.shared(lease, Duration::ZERO).await?;
        // From then on it belongs to the resolver, which asks before it sends.
        if self.clock.now() >= order.refund.created_at() + FRESH {
            return None;
        }
        let order = Order { trace: self.traces.of(order.refund), ..order };
        let open = OpenOrder { order, first_sent: None, attempts: 0, next: None };
        let not_sent = |why: &str| {
            (ExchangeKind::Refund, Answer::NotSent(why.to_owned()).without_transcript())
        };
        let answer = match self.processors.of(&open.order.gateway) {
            None => not_sent("there is no connector for its gateway"),
            Some(connected) => {
                match timeout_at(deadline, Arc::clone(&connected.room).acquire_owned()).await {
                    Ok(Ok(_room)) => connected.send_first(&open).await,
                    _ => not_sent("the gateway had no room for another call in time"),
                }
            }
        };
        let ended = self.conclude(&open, answer, lease).await?;
        Some((open.order.refund, ended))
    }

    /// Writes down what came of an order that was sent; returns how the refund ended, if it did.
    pub(super) async fn conclude(
        &self,
        open: &OpenOrder,
        (kind, report): (ExchangeKind, Report<Answer>),
        lease: Lease,
    ) -> Option<Ended> {
        let exchange = self.exchange(kind, report.transcript);
        match report.outcome {
            Answer::Certain(verdict) => self.end(&open.order, verdict, exchange, lease).await,
            Answer::NotSent(why) => {
                self.note(open, exchange, why, open.first_sent.is_none(), &lease).await;
                None
            }
            Answer::Unknown(why) => {
                self.note(open, exchange, why, false, &lease).await;
                None
            }
        }
    }

    /// An exchange that is over now.
    pub(super) fn exchange(&self, kind: ExchangeKind, transcript: Transcript) -> Exchange {
        Exchange { kind, transcript, at: self.clock.now() }
    }

    /// Writes a verdict, and once more where that fails, because what the gateway said stays true.
    /// One that cannot be written at all is asked for again. Returns how the refund ended, if it
    /// was this verdict that ended it.
    pub(super) async fn end(
        &self,
        order: &Order,
        verdict: Verdict,
        exchange: Exchange,
        lease: Lease,
    ) -> Option<Ended> {
        let approved = matches!(verdict, Verdict::Approved { .. });
        let refund = order.refund.to_string();
        let mut retries = VERDICT_RETRIES.into_iter();
        loop {
            let number = order.refund.number();
            let write = || self.ledger.end_refund(number, verdict.clone(), exchange.clone());
            let write = || self.leases.gave(&lease).then(write);
            let written = self.outcome_writes.write(write).await?;
            match written {
                Ok(has_ended) => {
                    if !has_ended {
                        tracing::error!(%refund, approved, "a verdict came after the refund's end");
                    }
                    self.forget(order, lease);
                    return has_ended.then(|| verdict.ending().into());
                }
                Err(error) => tracing::error!(%refund, %error, "a verdict was not written"),
            }
            match retries.next() {
                Some(wait) if !self.is_ending.load(Ordering::Acquire) => sleep(wait).await,
                _ => break,
            }
        }
        tracing::error!(%refund, "a verdict could not be written; its gateway is asked again");
        None
    }

    /// A lease of this process as one of all nodes, where there are others; none where another one
    /// has it, or gave it back less than `interval` ago. What cannot be found out counts so.
    pub(super) async fn shared(&self, lease: Lease, interval: Duration) -> Option<Lease> {
        let Some(sharing) = self.ledger.sharing() else { return Some(lease) };
        let claim = Claim::order(lease.number());
        match sharing.claim(claim.clone(), interval).await {
            Ok(true) => Some(lease.shared(sharing, claim)),
            Ok(false) => {
                lease.forget();
                None
            }
            Err(error) => {
                tracing::warn!(%error, "an order could not be claimed; its gateway is asked later");
                None
            }
        }
    }

    /// Forgets a refund that has ended.
    fn forget(&self, order: &Order, lease: Lease) {
        lease.forget();
        if let Some(connected) = self.processors.of(&order.gateway) {
            connected.processor.forget(order.refund);
        }
    }

    /// Ends a refund by an operator's hand. Its lease is taken first, so that no verdict that is on
    /// its way comes too late for the decision.
    pub async fn settle(
        &self,
        settlement: Settlement,
    ) -> Result<Result<RefundNumber, SettleError>, LedgerError> {
        let settled = self.perform("settle", Vec::new(), self.settle_in_turn(settlement)).await;
        settled.unwrap_or(Err(LedgerError::Withdrawn))
    }

    async fn settle_in_turn(
        &self,
        settlement: Settlement,
    ) -> Result<Result<RefundNumber, SettleError>, LedgerError> {
        let number = settlement.refund.number();
        let until = Instant::now() + OPERATORS_WAIT;
        let lease = loop {
            let lease = match self.leases.take(number) {
                Some(lease) => self.shared(lease, Duration::ZERO).await,
                None => None,
            };
            match lease {
                Some(lease) => break lease,
                None if Instant::now() < until => sleep(TURNS_TRIED_EVERY).await,
                None => return Ok(Err(SettleError::BeingAsked { number })),
            }
        };
        let settled = self.ledger.settle_refund(settlement).await?;
        lease.forget();
        Ok(settled)
    }

    /// Notes an exchange without a verdict, and when to ask again; false when the refund has ended
    /// or nothing could be written.
    pub(super) async fn note(
        &self,
        open: &OpenOrder,
        exchange: Exchange,
        why: String,
        was_never_sent: bool,
        lease: &Lease,
    ) -> bool {
        let (refund, gateway) = (open.order.refund, &open.order.gateway);
        self.gateway_counters.unknowns.fetch_add(1, Ordering::Relaxed);
        let next = next_inquiry(refund, open.attempts + 1, exchange.at, self.clock.at_least());
        match next {
            Some(_) => tracing::warn!(%refund, gateway, why, "the outcome of a refund is unknown"),
            None => tracing::error!(
                %refund, gateway, why,
                "the gateway is not asked any more; an operator has to settle this refund"
            ),
        }
        let note = Note { exchange, attempts: open.attempts, why, was_never_sent, next };
        let write = || self.ledger.note_exchange(refund.number(), note);
        let write = || self.leases.gave(lease).then(write);
        let Some(noted) = self.outcome_writes.write(write).await else { return false };
        noted.unwrap_or_else(|error| {
            tracing::error!(%refund, %error, "an exchange was not noted; it is asked about again");
            false
        })
    }
}

pub(super) fn report_panic(error: &JoinError) {
    tracing::error!(%error, "asking a gateway ended early; it is asked again");
}
