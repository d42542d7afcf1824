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
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// The connector of each gateway, by name.
pub struct Processors(HashMap<String, Arc<dyn Processor>>);

impl Processors {
    /// A connector for each gateway.
    pub fn new(gateways: Vec<(Gateway, Vec<ScriptedRule>)>) -> Self {
        let connect = |(gateway, rules): (Gateway, Vec<ScriptedRule>)| {
            (gateway.name, Arc::new(Sandbox::new(rules)) as Arc<dyn Processor>)
        };
        Self(gateways.into_iter().map(connect).collect())
    }

    fn of(&self, order: &Order) -> Option<Arc<dyn Processor>> {
        self.0.get(&order.gateway).cloned()
    }
}

impl Service {
    /// Asks the gateways for all orders at once and waits for them up to the configured time. What
    /// has no answer by then goes on by itself and stays in Processing until it has one.
    pub(super) async fn pay(self: &Arc<Self>, orders: Vec<Order>) {
        if orders.is_empty() {
            return;
        }
        let mut calls = JoinSet::new();
        for order in orders {
            let service = Arc::clone(self);
            calls.spawn(async move { service.pay_one(order).await });
        }
        let wait = Duration::from_millis(self.settings.gateway_wait_ms);
        let all = async { while calls.join_next().await.is_some() {} };
        if tokio::time::timeout(wait, all).await.is_err() {
            calls.detach_all();
        }
    }

    /// Takes up again every refund that an earlier process left in Processing.
    pub(super) async fn resume_open_orders(self: &Arc<Self>) -> Result<(), LedgerError> {
        for order in self.ledger.open_orders().await? {
            let service = Arc::clone(self);
            tokio::spawn(async move { service.resume(order).await });
        }
        Ok(())
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
        match processor.inquire(order.refund).await {
            Inquiry::Certain(verdict) => self.end(&order, verdict).await,
            Inquiry::NeverHeard => self.pay_one(order).await,
            Inquiry::Unknown(why) => report_unknown(&order, &why),
        }
    }

    async fn end(&self, order: &Order, verdict: Verdict) {
        let number = order.refund.number();
        if let Err(error) = self.ledger.end_refund(number, verdict, self.clock.now()).await {
            let refund = order.refund.to_string();
            tracing::error!(
                %refund, %error, "a verdict could not be written; the refund stays in Processing"
            );
        }
    }
}

fn report_unknown(order: &Order, why: &str) {
    let refund = order.refund.to_string();
    tracing::warn!(%refund, gateway = order.gateway, why, "the outcome of a refund is unknown");
}
