//! Asking again: every refund in Processing gets its end by inquiry, however the first call went.
//!
//! The ledger knows when each refund is asked about next, by the service's clock: at once after a
//! start, soon after an unknown outcome, then less and less often for 48 hours. A call that reads a
//! refund by its id has it asked about as well, as the original does when a record is opened.
//! A gateway that has never heard of an order may be sent it again under the same id, for as long
//! as it is sure to know that id; the money stays held in any case.

use super::Service;
use super::connectors::Connected;
use super::electronic::report_panic;
use super::leases::Lease;
use crate::domain::id::RefundId;
use crate::domain::number::saturated;
use crate::domain::query::{QueryObject, Test, TypedQuery};
use crate::domain::schedule::{ASKED_FOR, readers_interval};
use crate::domain::zoql::Comparator;
use crate::ledger::LedgerError;
use crate::ledger::orders::{Awaited, ExchangeKind, OpenOrder, OpenStats};
use crate::processor::Inquiry;
use chrono::TimeDelta;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

/// How often the ledger is asked what is due.
const TICK: Duration = Duration::from_secs(1);
/// How long a call that reads a refund waits for its gateway.
const READERS_WAIT: Duration = Duration::from_secs(2);
/// How many refunds one query has asked about.
const READ_AT_ONCE_MAX: usize = 10;

/// What is counted of the dealings with gateways.
#[derive(Debug, Default)]
pub(super) struct GatewayCounters {
    pub(super) inquiries: AtomicU64,
    pub(super) unknowns: AtomicU64,
    /// As of the last tick.
    open: Mutex<OpenStats>,
    /// Whether refunds may be at gateways that cannot be asked, because nothing configures them any
    /// more. A gateway can leave only while no process has the ledger.
    has_left_gateways: AtomicBool,
}

/// The dealings with gateways, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayStats {
    /// Inquiries since the start.
    pub inquiries: u64,
    /// Exchanges since the start that brought no verdict.
    pub unknowns: u64,
    /// Refunds in Processing, a second ago at most.
    pub open: u64,
    /// How many of them only an operator can end.
    pub left_to_operators: u64,
    /// The age of the oldest.
    pub oldest: TimeDelta,
}

impl Service {
    /// The dealings with gateways, for metrics.
    pub fn gateway_stats(&self) -> GatewayStats {
        let counters = &self.gateway_counters;
        let open = *counters.open.lock();
        GatewayStats {
            inquiries: counters.inquiries.load(Ordering::Relaxed),
            unknowns: counters.unknowns.load(Ordering::Relaxed),
            open: open.open,
            left_to_operators: open.left_to_operators,
            oldest: open.oldest.map_or(TimeDelta::zero(), |oldest| self.clock.now() - oldest),
        }
    }

    /// Makes every refund in Processing due, unless another node asks already, and asks about what
    /// is due from now on, until the service is ended or gone.
    pub(super) async fn start_resolver(self: &Arc<Self>) -> Result<(), LedgerError> {
        let is_first = self.ledger.sharing().is_none_or(|sharing| sharing.is_first());
        if is_first && self.ledger.open_stats().await?.open > 0 {
            let open = self.ledger.wake_orders(self.clock.now()).await?;
            tracing::info!(open, "refunds are in Processing and are asked about");
        }
        self.look_for_left_gateways().await?;
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(service) = service.upgrade() else { return };
                if service.is_ending.load(Ordering::Acquire) {
                    return;
                }
                let asks = service.perform("resolver", Vec::new(), service.ask_what_is_due()).await;
                if let Some(Err(error)) = asks {
                    tracing::error!(%error, "what is in Processing could not be read");
                }
            }
        });
        Ok(())
    }

    /// Logs refunds in Processing whose gateways left the configuration.
    pub(super) async fn look_for_left_gateways(&self) -> Result<(), LedgerError> {
        let left = self.awaited_in_vain().await?;
        for Awaited { gateway, open, .. } in &left {
            tracing::warn!(
                gateway,
                refunds = open,
                "refunds are in Processing at a gateway that is not configured any more; \
                 configure it again, or settle them after 48 hours"
            );
        }
        self.gateway_counters.has_left_gateways.store(!left.is_empty(), Ordering::Release);
        Ok(())
    }

    /// What is in Processing at gateways that cannot be asked.
    async fn awaited_in_vain(&self) -> Result<Vec<Awaited>, LedgerError> {
        let mut awaited = self.ledger.awaited_gateways().await?;
        awaited.retain(|one| self.processors.of(&one.gateway).is_none());
        Ok(awaited)
    }

    /// What is in Processing. Where its gateway cannot be asked, only operators can end it.
    async fn open_stats(&self) -> Result<OpenStats, LedgerError> {
        let mut stats = self.ledger.open_stats().await?;
        if stats.open > 0 && self.gateway_counters.has_left_gateways.load(Ordering::Acquire) {
            let still_asked_about = |one: &Awaited| one.open - one.left_to_operators;
            let in_vain = self.awaited_in_vain().await?;
            stats.left_to_operators += in_vain.iter().map(still_asked_about).sum::<u64>();
        }
        Ok(stats)
    }

    /// Begins as many inquiries as each gateway has room for; waits for none of them.
    async fn ask_what_is_due(self: &Arc<Self>) -> Result<(), LedgerError> {
        let stats = self.open_stats().await?;
        *self.gateway_counters.open.lock() = stats;
        if stats.open == 0 {
            return Ok(());
        }
        for (gateway, connected) in self.processors.all() {
            let room = saturated::<u32>(connected.room.available_permits());
            let due = self.ledger.due_orders(&gateway, self.clock.now(), room).await?;
            // What has to be sent again meets the gateway in the order of the first time.
            due.iter().for_each(|open| connected.processor.line_up(&open.order));
            for open in due {
                if let Some(lease) = self.leases.take(open.order.refund.number())
                    && let Ok(room) = Arc::clone(&connected.room).try_acquire_owned()
                {
                    let (service, connected) = (Arc::clone(self), connected.clone());
                    let ask = async move {
                        if let Some(lease) = service.shared(lease, Duration::ZERO).await {
                            service.ask(open, &connected, lease, room).await;
                        }
                    };
                    self.spawn("inquiry", Vec::new(), ask);
                }
            }
        }
        Ok(())
    }

    /// Asks about the refunds that a query names by their ids, and waits a little for the answers.
    /// It never fails: the query returns what is known then.
    pub(super) async fn ask_before_reading(self: &Arc<Self>, query: &TypedQuery, until: Instant) {
        let until = until.min(Instant::now() + READERS_WAIT);
        let asks = async {
            let mut asks = Vec::new();
            for id in ids_in(query) {
                asks.extend(self.ask_for_reader(id).await);
            }
            for ask in asks {
                if let Err(error) = ask.await {
                    report_panic(&error);
                }
            }
        };
        // Past the time, the inquiries go on without a call that waits for them.
        let _ = timeout_at(until, asks).await;
    }

    /// Has a refund asked about before it is read, and waits for that until `until` at the latest.
    pub async fn ask_about(self: &Arc<Self>, id: RefundId, until: Instant) {
        if let Some(task) = self.ask_for_reader(id).await {
            let until = until.min(Instant::now() + READERS_WAIT);
            let _ = timeout_at(until, task).await;
        }
    }

    /// Begins an inquiry on behalf of a reader, unless it would be too soon.
    async fn ask_for_reader(self: &Arc<Self>, id: RefundId) -> Option<JoinHandle<Option<()>>> {
        let open = self.ledger.open_order(id.number()).await.ok()??;
        let is_fresh = open.attempts == 0 && open.next.is_some_and(|next| self.clock.now() < next);
        if open.order.refund != id || is_fresh {
            return None;
        }
        let connected = self.processors.of(&open.order.gateway)?;
        let interval = readers_interval(open.attempts).to_std().ok()?;
        // The first inquiry after the order itself comes as soon as a call wants to know.
        let interval = if open.attempts <= 1 { Duration::ZERO } else { interval };
        let lease = self.leases.take_after(id.number(), interval)?;
        let lease = self.shared(lease, interval).await?;
        let room = Arc::clone(&connected.room).try_acquire_owned().ok()?;
        let service = Arc::clone(self);
        let ask = async move { service.ask(open, &connected, lease, room).await };
        Some(self.spawn("inquiry", Vec::new(), ask))
    }

    /// Asks what became of an order, and sends it again where that is safe.
    async fn ask(
        &self,
        found: OpenOrder,
        connected: &Connected,
        lease: Lease,
        _room: OwnedSemaphorePermit,
    ) {
        // What was found may have been noted or ended before the lease was taken.
        let number = found.order.refund.number();
        let mut open = match self.ledger.open_order(number).await {
            Ok(Some(open)) if open.attempts == found.attempts => open,
            Ok(None) => return lease.forget(),
            _ => return,
        };
        open.order.trace = self.traces.of(open.order.refund);
        if open.first_sent.is_none() {
            return self.send_again(open, connected, lease).await;
        }
        self.gateway_counters.inquiries.fetch_add(1, Ordering::Relaxed);
        let report = connected.inquire(&open.order).await;
        let exchange = self.exchange(ExchangeKind::Inquiry, report.transcript);
        match report.outcome {
            Inquiry::Certain(verdict) => {
                self.end(&open.order, verdict, exchange, lease).await;
            }
            Inquiry::Unknown(why) => {
                self.note(&open, exchange, why, false, &lease).await;
            }
            Inquiry::NeverHeard { retention }
                if self.may_be_sent_again(&open, connected, retention) =>
            {
                let why = "the gateway has never heard of it; it is sent again".to_owned();
                if self.note(&open, exchange, why, false, &lease).await {
                    let open = OpenOrder { attempts: open.attempts + 1, ..open };
                    self.send_again(open, connected, lease).await;
                }
            }
            Inquiry::NeverHeard { .. } => {
                let why = "the gateway has never heard of it, and it is too late to send it again";
                self.note(&open, exchange, why.to_owned(), false, &lease).await;
            }
        }
    }

    /// Whether the gateway is sure to know the id of an order that it was sent, so that it cannot
    /// pay twice. `stated` is what it says of its own retention; the shorter one counts.
    fn may_be_sent_again(
        &self,
        open: &OpenOrder,
        connected: &Connected,
        stated: Option<Duration>,
    ) -> bool {
        let now = self.clock.latest();
        let since_first = open.first_sent.map_or(TimeDelta::zero(), |first| now - first);
        let configured = connected.processor.key_retention();
        let retention = stated.map_or(configured, |stated| stated.min(configured));
        let is_known = since_first.to_std().is_ok_and(|since| since < retention);
        is_known && now < open.order.refund.created_at() + ASKED_FOR
    }

    async fn send_again(&self, open: OpenOrder, connected: &Connected, lease: Lease) {
        if self.clock.at_least() >= open.order.refund.created_at() + ASKED_FOR {
            let why = "it was never sent, and it is too late for that".to_owned();
            let exchange = self.exchange(ExchangeKind::Refund, Default::default());
            self.note(&open, exchange, why, true, &lease).await;
            return;
        }
        // Durable before the call: from then on it counts as sent.
        let number = open.order.refund.number();
        if let Ok(true) = self.ledger.mark_sent(number, open.seen(), self.clock.earliest()).await {
            let answer = match open.first_sent {
                None => connected.send_first(&open).await,
                Some(_) => (ExchangeKind::Refund, connected.refund(&open.order).await),
            };
            self.conclude(&open, answer, lease).await;
        }
    }
}

/// The refunds that a query asks for by their ids, each once.
fn ids_in(query: &TypedQuery) -> Vec<RefundId> {
    let mut ids = Vec::new();
    if query.object != QueryObject::Refund {
        return ids;
    }
    for condition in query.conditions.iter().flatten().filter(|it| it.field == "Id") {
        if let Test::Id(Comparator::Equal, text) = &condition.test
            && let Some(id) = RefundId::parse(text)
            && !ids.contains(&id)
            && ids.len() < READ_AT_ONCE_MAX
        {
            ids.push(id);
        }
    }
    ids
}
