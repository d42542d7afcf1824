//! Delivering events: signed, at least once, and in order for each account.
//!
//! What must stay true: an event counts as delivered only once that is in the ledger, so that a
//! process that dies delivers it again; of the nodes of a ledger one at a time delivers to a
//! webhook; a receiver that fails for one account delays that account alone. The moment of signing
//! is the machine's, because receivers compare it with their own; when an event is tried again, and
//! when it is given up, goes by the age of the ledger (`ageing.rs`), so that a clock that jumps
//! gives up nothing. A test ledger has no age, and a tester's clock may stand: there it goes by the
//! machine's.

mod undelivered;

use super::Service;
use super::clock::Clock;
use super::connectors::{CALL_BUCKETS, measured};
use crate::client::header::{CONTENT_TYPE, HeaderValue};
use crate::client::{ClientLimits, Endpoint, Method, Pool, Request, Trust};
use crate::domain::event::EventKind;
use crate::domain::facts::AccountKey;
use crate::domain::trace::TraceContext;
use crate::ledger::LedgerError;
use crate::ledger::outbox::{Attempt, Delivery, DeliveryStats};
use crate::ledger::sharing::Claim;
use crate::processor::http::{Secret, unix_seconds};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep};

/// How often the ledger is asked for what is to be delivered.
const TICK: Duration = Duration::from_millis(250);
/// How many deliveries to one webhook may be under way at once.
const UNDER_WAY_MAX: usize = 8;
/// How long connecting to a receiver may take, and waiting for a free connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How much of a receiver's answer is read; only its status counts.
const ANSWER_BYTES_MAX: usize = 4096;
/// The longest wait between two attempts.
const BACK_OFF_MAX_S: i64 = 3600;
/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How long a delivery is left alone whose outcome could not be written.
const AFTER_A_LOST_OUTCOME: Duration = Duration::from_secs(1);

/// A listener.
#[derive(Clone)]
pub struct Webhook {
    /// Its name, by which the ledger knows what it has got.
    pub name: String,
    /// Where events are posted.
    pub endpoint: Endpoint,
    /// What they are signed with.
    pub secret: Secret,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// The kinds that it wants; none: all.
    pub kinds: Option<Vec<EventKind>>,
    /// How long one delivery may take.
    pub timeout: Duration,
    /// How long an event is tried before it is given up.
    pub give_up_after: TimeDelta,
}

/// The deliveries of a webhook, for metrics.
#[derive(Debug, Clone)]
pub struct WebhookStats {
    /// Its name.
    pub name: String,
    /// Events delivered since the start.
    pub delivered: u64,
    /// Attempts that failed since the start.
    pub failed: u64,
    /// How long attempts took.
    pub durations: Histogram,
    /// What waits and what was given up, a few seconds ago at most.
    pub stats: DeliveryStats,
}

/// A delivery that is under way; the error is what went wrong, for operators.
pub(super) type Posting<'p> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'p>>;

/// How events reach a receiver.
pub(super) trait Carrier: Send + Sync {
    /// Sends an event; it may have arrived also where it fails.
    /// It says of which trace it is a part, where that is known.
    fn post<'p>(&'p self, delivery: &'p Delivery, trace: Option<TraceContext>) -> Posting<'p>;
}

/// HTTP: a signed POST of the event's JSON.
struct Post {
    endpoint: Endpoint,
    secret: Secret,
    pool: Pool,
}

impl Post {
    fn to(webhook: &Webhook) -> Self {
        let (connect, body_bytes_max) = (CONNECT, ANSWER_BYTES_MAX);
        let limits = ClientLimits { connect, exchange: webhook.timeout, body_bytes_max };
        let (endpoint, secret) = (webhook.endpoint.clone(), webhook.secret.clone());
        let pool = Pool::new(endpoint.clone(), limits, webhook.trust.clone(), UNDER_WAY_MAX);
        Self { endpoint, secret, pool }
    }

    async fn send(&self, delivery: &Delivery, trace: Option<TraceContext>) -> Result<(), String> {
        let mut request = Request {
            method: Method::POST,
            path: self.endpoint.path().unwrap_or("/").to_owned(),
            headers: Default::default(),
            body: delivery.event.payload.clone().into(),
        };
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.continue_trace(trace.as_ref());
        self.secret.sign_request(&mut request, unix_seconds());
        let answer = self.pool.send(&request).await.map_err(|error| error.to_string())?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(format!("it answered with status {}", answer.status.as_u16()))
    }
}

impl Carrier for Post {
    fn post<'p>(&'p self, delivery: &'p Delivery, trace: Option<TraceContext>) -> Posting<'p> {
        Box::pin(self.send(delivery, trace))
    }
}

/// A webhook and what is counted of it.
pub(super) struct Receiver {
    name: String,
    kinds: Option<Vec<EventKind>>,
    give_up_after: TimeDelta,
    carrier: Arc<dyn Carrier>,
    /// The machine's, for test ledgers.
    clock: Arc<Clock>,
    delivered: AtomicU64,
    failed: AtomicU64,
    durations: Histogram,
    stats: Mutex<DeliveryStats>,
}

impl Receiver {
    fn new(webhook: Webhook) -> Self {
        let carrier = Arc::new(Post::to(&webhook));
        let Webhook { name, kinds, give_up_after, .. } = webhook;
        Self::by(carrier, Arc::new(Clock::system()), name, kinds, give_up_after)
    }

    /// A receiver that is reached by `carrier`, by the time of `clock`.
    pub(super) fn by(
        carrier: Arc<dyn Carrier>,
        clock: Arc<Clock>,
        name: String,
        kinds: Option<Vec<EventKind>>,
        give_up_after: TimeDelta,
    ) -> Self {
        Self {
            name,
            kinds,
            give_up_after,
            carrier,
            clock,
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            durations: Histogram::new(CALL_BUCKETS),
            stats: Mutex::default(),
        }
    }

    /// What is to be written of an attempt that failed at `now`.
    fn failed_attempt(&self, delivery: &Delivery, now: DateTime<Utc>, why: String) -> Attempt {
        if now - delivery.since >= self.give_up_after {
            return Attempt::GivenUp { why };
        }
        Attempt::Again { next: now + back_off(delivery.attempts), why }
    }
}

/// The wait after an attempt that failed: 1 s, 2 s, 4 s, up to an hour.
fn back_off(attempts: u32) -> TimeDelta {
    let seconds = 1_i64.checked_shl(attempts.min(30)).unwrap_or(BACK_OFF_MAX_S);
    TimeDelta::seconds(seconds.min(BACK_OFF_MAX_S))
}

impl Service {
    /// Delivers to these webhooks what happens from now on, and what is left of earlier, until the
    /// service is ended or gone. To be called once.
    pub async fn start_webhooks(
        self: &Arc<Self>,
        webhooks: Vec<Webhook>,
    ) -> Result<(), LedgerError> {
        self.deliver_to(webhooks.into_iter().map(Receiver::new).collect()).await
    }

    /// As [`Service::start_webhooks`], for receivers that are reached by their carriers.
    pub(super) async fn deliver_to(
        self: &Arc<Self>,
        receivers: Vec<Receiver>,
    ) -> Result<(), LedgerError> {
        let names: Vec<_> = receivers.iter().map(|receiver| receiver.name.clone()).collect();
        if !names.is_empty() {
            self.ledger.register_webhooks(names.clone()).await?;
        }
        self.start_removing_events(names);
        let receivers: Vec<_> = receivers.into_iter().map(Arc::new).collect();
        for receiver in &receivers {
            let (service, receiver) = (Arc::downgrade(self), Arc::clone(receiver));
            tokio::spawn(async move {
                let mut under_way = UnderWay::default();
                while let Some(service) = service.upgrade() {
                    if service.is_ending.load(Ordering::Acquire) {
                        return;
                    }
                    let work = service.deliver_what_is_due(&receiver, &mut under_way);
                    service.perform("webhook", Vec::new(), work).await;
                    drop(service);
                    under_way.wait().await;
                }
            });
        }
        *self.receivers.lock() = receivers;
        Ok(())
    }

    /// Lets a ledger that came in the place of another know who listens.
    pub(super) async fn register_webhooks(&self) -> Result<(), LedgerError> {
        let names = self.webhook_stats().into_iter().map(|webhook| webhook.name).collect();
        self.ledger.register_webhooks(names).await
    }

    /// The deliveries of each webhook, for metrics.
    pub fn webhook_stats(&self) -> Vec<WebhookStats> {
        let receivers = self.receivers.lock();
        let reported = |receiver: &Arc<Receiver>| WebhookStats {
            name: receiver.name.clone(),
            delivered: receiver.delivered.load(Ordering::Relaxed),
            failed: receiver.failed.load(Ordering::Relaxed),
            durations: receiver.durations.clone(),
            stats: *receiver.stats.lock(),
        };
        receivers.iter().map(reported).collect()
    }

    async fn deliver_what_is_due(
        self: &Arc<Self>,
        receiver: &Arc<Receiver>,
        under_way: &mut UnderWay,
    ) {
        match self.due(receiver, under_way).await {
            Ok(due) => {
                for delivery in due {
                    let (service, receiver) = (Arc::clone(self), Arc::clone(receiver));
                    let in_flight = self.drain.join("delivery", Vec::new());
                    under_way.start(delivery, |delivery| async move {
                        in_flight.until_cut(service.deliver(&receiver, delivery)).await;
                    });
                }
            }
            // What cannot be read or written now is there the next time.
            Err(error) => {
                let webhook = &receiver.name;
                tracing::warn!(webhook, %error, "what is to be delivered could not be found");
            }
        }
    }

    /// The moment by which deliveries are due, and get old.
    fn time_for(&self, receiver: &Receiver) -> DateTime<Utc> {
        match self.ledger.test_bench() {
            Some(_) => receiver.clock.now(),
            None => self.clock.aged(),
        }
    }

    /// What is due and not under way, within the room that is left.
    async fn due(
        &self,
        receiver: &Receiver,
        under_way: &mut UnderWay,
    ) -> Result<Vec<Delivery>, LedgerError> {
        let (name, now) = (&receiver.name, self.time_for(receiver));
        if !self.delivers_to(name).await? {
            return Ok(Vec::new());
        }
        self.ledger.collect(name, receiver.kinds.clone(), now).await?;
        if under_way.is_time_to_count() {
            let stats = self.ledger.delivery_stats(name).await?;
            *receiver.stats.lock() = stats;
        }
        let room = UNDER_WAY_MAX.saturating_sub(under_way.accounts.len());
        if room == 0 {
            return Ok(Vec::new());
        }
        let mut due = self.ledger.due(name, now, UNDER_WAY_MAX).await?;
        due.retain(|delivery| !under_way.has_one_of(delivery.account));
        due.truncate(room);
        Ok(due)
    }

    /// Whether this node, and no other, delivers to a webhook: events of an account would overtake
    /// each other on two ways.
    async fn delivers_to(&self, webhook: &str) -> Result<bool, LedgerError> {
        match self.ledger.sharing() {
            None => Ok(true),
            Some(sharing) => sharing.claim(Claim::webhook(webhook), Duration::ZERO).await,
        }
    }

    async fn deliver(&self, receiver: &Receiver, delivery: Delivery) {
        let trace = self.traces.of_event(&delivery.event.payload);
        let posting = receiver.carrier.post(&delivery, trace);
        let attempt = match measured(&receiver.durations, posting).await {
            Ok(()) => {
                receiver.delivered.fetch_add(1, Ordering::Relaxed);
                Attempt::Delivered
            }
            Err(why) => {
                receiver.failed.fetch_add(1, Ordering::Relaxed);
                receiver.failed_attempt(&delivery, self.time_for(receiver), why)
            }
        };
        let (webhook, sequence) = (&receiver.name, delivery.event.sequence);
        match &attempt {
            Attempt::Delivered => {}
            Attempt::Again { why, .. } => {
                tracing::warn!(webhook, sequence, why, "an event was not delivered; once more");
            }
            Attempt::GivenUp { why } => {
                tracing::error!(webhook, sequence, why, "an event was given up; it is kept");
            }
        }
        let now = self.time_for(receiver);
        let tried = (sequence, delivery.attempts);
        let noted = self.ledger.note_attempt(webhook, tried, attempt, now).await;
        if let Err(error) = noted {
            tracing::error!(webhook, sequence, %error, "a delivery was not noted; it comes again");
            sleep(AFTER_A_LOST_OUTCOME).await;
        }
    }
}

/// The deliveries to one webhook that have not ended: of an account one at a time, also where an
/// operator has an event tried again.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<()>,
    accounts: HashMap<Id, AccountKey>,
    counted: Option<Instant>,
}

impl UnderWay {
    fn start<F>(&mut self, delivery: Delivery, work: impl FnOnce(Delivery) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let account = delivery.account;
        let task = self.tasks.spawn(work(delivery));
        self.accounts.insert(task.id(), account);
    }

    fn has_one_of(&self, account: AccountKey) -> bool {
        self.accounts.values().any(|known| *known == account)
    }

    fn is_time_to_count(&mut self) -> bool {
        let is_time = self.counted.is_none_or(|last| last.elapsed() >= COUNT_EVERY);
        if is_time {
            self.counted = Some(Instant::now());
        }
        is_time
    }

    /// Waits until one ends, or for a tick.
    async fn wait(&mut self) {
        tokio::select! {
            biased;
            Some(ended) = self.tasks.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => {
                        tracing::error!(%error, "a delivery ended early; it comes again");
                        error.id()
                    }
                };
                self.accounts.remove(&id);
            }
            () = sleep(TICK) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let waits = [0, 1, 2, 11, 12, 4_000_000_000].map(|it| back_off(it).num_seconds());
        assert_eq!(waits, [1, 2, 4, 2048, 3600, 3600]);
    }
}
