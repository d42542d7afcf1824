//! What operators decide about deliveries that failed.
//!
//! What must stay true: nothing is sent from here. A delivery becomes due, and the one task that
//! delivers to its webhook sends it in its turn, so that no event is under way twice.

use super::{Receiver, Service};
use crate::ledger::LedgerError;
use crate::ledger::outbox::{Decided, Decision, DecisionRefusal};
use crate::ledger::trail::Act;
use std::sync::Arc;

impl Service {
    /// Does with a delivery that failed, named by its webhook and the place of its event, what an
    /// operator decides.
    pub async fn decide_delivery(
        &self,
        delivery: (&str, i64),
        decision: Decision,
        act: Act,
    ) -> Result<Decided, LedgerError> {
        let (webhook, _) = delivery;
        // So that no test ledger is replaced meanwhile.
        let _turn = self.bench_turn.lock().await;
        let Some(receiver) = self.receiver(webhook) else {
            return Ok(Err(DecisionRefusal::NoWebhook(webhook.to_owned())));
        };
        let at = self.time_for(&receiver);
        let decided = self.ledger.decide_delivery(delivery, decision, at, act).await?;
        // What is reported of the webhook follows at once.
        let stats = self.ledger.delivery_stats(webhook).await?;
        *receiver.stats.lock() = stats;
        Ok(decided)
    }

    fn receiver(&self, webhook: &str) -> Option<Arc<Receiver>> {
        let receivers = self.receivers.lock();
        receivers.iter().find(|receiver| receiver.name == webhook).cloned()
    }
}
