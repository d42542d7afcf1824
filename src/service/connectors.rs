//! The connectors to payment gateways, by the gateways' names.
//!
//! What must stay true: a gateway that is configured is never mistaken for a sandbox of its name.

use super::Service;
use crate::domain::facts::Gateway;
use crate::domain::lifecycle::Verdict;
use crate::domain::script::Script;
use crate::ledger::Order;
use crate::ledger::orders::{ExchangeKind, OpenOrder};
use crate::processor::sandbox::Sandbox;
use crate::processor::{Answer, Inquiry, Processor, Report};
use parking_lot::RwLock;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A gateway's connector, and how many calls it has room for.
#[derive(Clone)]
pub(super) struct Connected {
    pub(super) processor: Arc<dyn Processor>,
    pub(super) room: Arc<Semaphore>,
    calls: GatewayCalls,
}

/// How long the calls to a gateway took.
#[derive(Debug, Clone)]
pub struct GatewayCalls {
    /// Those that ask to pay.
    pub refunds: Histogram,
    /// Those that ask what became of a refund.
    pub inquiries: Histogram,
}

/// Upper bounds in seconds of what a call over a network takes.
pub(super) const CALL_BUCKETS: [f64; 11] =
    [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

impl Connected {
    /// Sends an order that certainly never left, unless its gateway declines it unasked. Gives
    /// what came of it with the kind of exchange that this was.
    pub(super) async fn send_first(&self, open: &OpenOrder) -> (ExchangeKind, Report<Answer>) {
        match self.processor.declines_unsent(&open.order) {
            Some(response) => {
                let unsent = ExchangeKind::Unsent { attempts: open.attempts };
                (unsent, Answer::Certain(Verdict::Declined { response }).without_transcript())
            }
            None => (ExchangeKind::Refund, self.refund(&open.order).await),
        }
    }

    /// Sends an order, and measures how long its gateway takes.
    pub(super) async fn refund(&self, order: &Order) -> Report<Answer> {
        measured(&self.calls.refunds, self.processor.refund(order)).await
    }

    /// Asks what became of an order, and measures that.
    pub(super) async fn inquire(&self, order: &Order) -> Report<Inquiry> {
        measured(&self.calls.inquiries, self.processor.inquire(order)).await
    }
}

/// What a call comes to; its time is counted once it has ended.
pub(super) async fn measured<T>(durations: &Histogram, call: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let result = call.await;
    durations.observe(started.elapsed().as_secs_f64());
    result
}

/// The connector of each gateway, by name: sandboxes of the ledger's making, which can change on a
/// test ledger, and connectors to those that are configured, which stay.
pub(super) struct Processors {
    sandboxes: RwLock<HashMap<String, (Arc<Sandbox>, Connected)>>,
    configured: HashMap<String, Connected>,
}

fn connected((name, processor): (String, Arc<dyn Processor>)) -> (String, Connected) {
    let room = Arc::new(Semaphore::new(processor.calls_max().max(1)));
    let [refunds, inquiries] = [(); 2].map(|()| Histogram::new(CALL_BUCKETS));
    (name, Connected { processor, room, calls: GatewayCalls { refunds, inquiries } })
}

impl Processors {
    /// A sandbox for each gateway of the ledger, and the connectors to those that are configured.
    pub(super) fn new(
        gateways: Vec<(Gateway, Script)>,
        connectors: Vec<(String, Arc<dyn Processor>)>,
    ) -> Self {
        let processors = Self {
            sandboxes: RwLock::default(),
            configured: connectors.into_iter().map(connected).collect(),
        };
        processors.add_sandboxes(gateways);
        processors
    }

    /// A sandbox for each gateway that has none yet; the others go on as they are.
    pub(super) fn add_sandboxes(&self, gateways: Vec<(Gateway, Script)>) {
        let mut sandboxes = self.sandboxes.write();
        for (gateway, script) in gateways {
            sandboxes.entry(gateway.name.clone()).or_insert_with(|| {
                let sandbox = Arc::new(Sandbox::new(script));
                let processor: Arc<dyn Processor> = Arc::<Sandbox>::clone(&sandbox);
                (sandbox, connected((gateway.name, processor)).1)
            });
        }
    }

    /// Lets each sandbox refuse what its gateway refuses now; a gateway without one gets one.
    pub(super) fn follow(&self, gateways: Vec<(Gateway, Script)>) {
        for (gateway, script) in &gateways {
            if let Some(sandbox) = self.sandbox(&gateway.name) {
                sandbox.set_switches(script.switches);
            }
        }
        self.add_sandboxes(gateways);
    }

    /// Forgets the sandboxes, and with them what they paid and which rules are used up.
    pub(super) fn forget_sandboxes(&self) {
        self.sandboxes.write().clear();
    }

    /// The sandbox of a gateway, if it is one.
    pub(super) fn sandbox(&self, gateway: &str) -> Option<Arc<Sandbox>> {
        let sandboxes = self.sandboxes.read();
        sandboxes.get(gateway).map(|(sandbox, _)| Arc::clone(sandbox))
    }

    pub(super) fn of(&self, gateway: &str) -> Option<Connected> {
        let sandboxes = self.sandboxes.read();
        let of_sandbox = || sandboxes.get(gateway).map(|(_, connected)| connected);
        self.configured.get(gateway).or_else(of_sandbox).cloned()
    }

    /// Lets each gateway take note of those of the orders that it will get.
    pub(super) fn line_up(&self, orders: &[Order]) {
        for order in orders {
            if let Some(connected) = self.of(&order.gateway) {
                connected.processor.line_up(order);
            }
        }
    }

    pub(super) fn all(&self) -> Vec<(String, Connected)> {
        let sandboxes = self.sandboxes.read();
        let of_sandboxes = sandboxes.iter().map(|(name, (_, connected))| (name, connected));
        let all = of_sandboxes.chain(&self.configured);
        all.map(|(name, connected)| (name.clone(), connected.clone())).collect()
    }
}

impl Service {
    /// How long the calls to each gateway took, for metrics.
    pub fn gateway_calls(&self) -> Vec<(String, GatewayCalls)> {
        let all = self.processors.all().into_iter();
        all.map(|(name, connected)| (name, connected.calls)).collect()
    }

    /// Whether a gateway is left alone for a while, because it failed again and again.
    pub fn is_left_alone(&self, gateway: &str) -> bool {
        self.processors.of(gateway).is_some_and(|connected| connected.processor.is_left_alone())
    }

    /// The sandbox of a gateway, if it is one.
    pub fn sandbox(&self, gateway: &str) -> Option<Arc<Sandbox>> {
        self.processors.sandbox(gateway)
    }
}
