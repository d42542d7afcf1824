//! Paying electronic refunds: the gateway is asked outside any transaction, and its verdict ends
//! the refund in a second one, exactly once.

use super::Service;
use crate::domain::facts::Gateway;
use crate::domain::lifecycle::Verdict;
use crate::domain::script::ScriptedRule;
use crate::ledger::{LedgerError, Order};
use crate::processor::sandbox::Sandbox;
use crate::processor::{Answer, Inquiry, Processor};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// How many orders are taken up at once after a start.
const RESUMED_AT_ONCE: usize = 64;

/// The connector of each gateway, by name.
pub struct Processors(HashMap<String, Arc<dyn Processor>>);

impl Processors {
    /// A sandbox for each gateway of the ledger, and the connectors to those that are configured.
    pub fn new(
        gateways: Vec<(Gateway, Vec<ScriptedRule>)>,
        connectors: Vec<(String, Arc<dyn Processor>)>,
    ) -> Self {
        let connect = |(gateway, rules): (Gateway, Vec<ScriptedRule>)| {
            (gateway.name, Arc::new(Sandbox::new(rules)) as Arc<dyn Processor>)
        };
        Self(gateways.into_iter().map(connect).chain(connectors).collect())
    }

    fn of(&self, order: &Order) -> Option<Arc<dyn Processor>> {
        self.0.get(&order.gateway).cloned()
    }
}

impl Service {
    /// Asks the gateways for all orders at once and waits for them up to the configured time, and
    /// never beyond the `deadline` of the call. What has no answer by then goes on by itself and
    /// stays in Processing until it has one.
    pub(super) async fn pay(self: &Arc<Self>, orders: Vec<Order>, deadline: Instant) {
        if orders.is_empty() {
            return;
        }
        let pay_one = |order| {
            let service = Arc::clone(self);
            self.spawn(async move { service.pay_one(order).await })
        };
        let calls: Vec<_> = orders.into_iter().map(pay_one).collect();
        let all = async {
            for call in calls {
                report_panic(call.await);
            }
        };
        let wait = Duration::from_millis(self.settings.gateway_wait_ms);
        // Past the time, the tasks go on without anybody who waits for them.
        let _ = tokio::time::timeout_at(deadline.min(Instant::now() + wait), all).await;
    }

    /// Takes up again every refund that an earlier process left in Processing.
    pub(super) async fn resume_open_orders(self: &Arc<Self>) -> Result<(), LedgerError> {
        let orders = self.ledger.open_orders().await?;
        let service = Arc::clone(self);
        self.spawn(async move {
            let mut calls = JoinSet::new();
            for order in orders {
                if calls.len() >= RESUMED_AT_ONCE
                    && let Some(ended) = calls.join_next().await
                {
                    report_panic(ended);
                }
                let service = Arc::clone(&service);
                calls.spawn(async move { service.resume(order).await });
            }
            while let Some(ended) = calls.join_next().await {
                report_panic(ended);
            }
        });
        Ok(())
    }

    /// Starts a task that [`Service::finish`] waits for.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        // There is none left only when everything is being ended already.
        let under_way = Arc::clone(&self.under_way).try_read_owned().ok();
        tokio::spawn(async move {
            let _under_way = under_way;
            work.await
        })
    }

    /// Waits until no gateway is being asked any more, at most for `patience`; what is left then
    /// stays in Processing and is taken up by the next start.
    pub async fn finish(&self, patience: Duration) {
        if tokio::time::timeout(patience, self.under_way.write()).await.is_err() {
            tracing::warn!("refunds stay in Processing; the next start asks about them again");
        }
    }

    async fn pay_one(&self, order: Order) {
        let Some(processor) = self.processors.of(&order) else {
            return report_unknown(&order, "there is no connector for its gateway");
        };
        match processor.refund(&order).await {
            Answer::Certain(verdict) => self.end(&order, verdict).await,
            Answer::Unknown(why) => report_unknown(&order, &why),
        }
    }

    /// Asks first; only an order that the gateway has never heard of is sent again, under the
    /// same id.
    async fn resume(&self, order: Order) {
        let Some(processor) = self.processors.of(&order) else {
            return report_unknown(&order, "there is no connector for its gateway");
        };
        match processor.inquire(&order).await {
            Inquiry::Certain(verdict) => self.end(&order, verdict).await,
            Inquiry::NeverHeard => self.pay_one(order).await,
            Inquiry::Unknown(why) => report_unknown(&order, &why),
        }
    }

    async fn end(&self, order: &Order, verdict: Verdict) {
        let number = order.refund.number();
        if let Err(error) = self.ledger.end_refund(number, verdict, self.clock.now()).await {
            let refund = order.refund.to_string();
            tracing::error!(%refund, %error, "a verdict was not written; a restart asks again");
        }
    }
}

fn report_unknown(order: &Order, why: &str) {
    let refund = order.refund.to_string();
    tracing::warn!(%refund, gateway = order.gateway, why, "the outcome of a refund is unknown");
}

fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "asking a gateway ended early; the next start asks again");
    }
}
