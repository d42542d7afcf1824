//! Webhooks as the admin API shows them: what each has got and what it has not. On any ledger.
//!
//! What must stay true: it only reads, and shows neither where a webhook is nor its secret.

use super::api::{Api, NOTHING};
use super::query::Pairs;
use super::readings::{moment, read_alone, shown, span};
use super::talk::{Answered, Wrong, bad, missing, of_ledger, ok};
use crate::ledger::readings::FailedDelivery;
use crate::service::webhooks::WebhookStats;
use hyper::Method;
use serde_json::{Value, json};

impl Api {
    /// The webhooks, or what one of them did not take.
    pub(super) async fn webhooks(
        &self,
        method: &Method,
        rest: &[&str],
        query: &str,
    ) -> Result<Answered, Wrong> {
        read_alone(method)?;
        let webhooks = self.service.webhook_stats();
        match rest {
            [] => {
                let webhooks: Vec<_> = webhooks.iter().map(webhook).collect();
                Ok(ok(json!({ "webhooks": webhooks })))
            }
            [name, "failures"] => {
                if !webhooks.iter().any(|webhook| webhook.name == *name) {
                    return Err(missing(format!("There is no webhook `{name}`.")));
                }
                let pairs = Pairs::parse(query, &["limit", "cursor"]).map_err(bad)?;
                let span = span(&pairs).map_err(bad)?;
                let listed = self.service.ledger().list_failed_deliveries(name, span).await;
                Ok(ok(shown("failures", &listed.map_err(|error| of_ledger(&error))?, failure)))
            }
            _ => Err(missing(NOTHING)),
        }
    }
}

fn webhook(webhook: &WebhookStats) -> Value {
    json!({
        "name": webhook.name,
        "delivered": webhook.delivered,
        "failed": webhook.failed,
        "waiting": webhook.stats.waiting,
        "given_up": webhook.stats.given_up,
    })
}

fn failure(delivery: &FailedDelivery) -> Value {
    json!({
        "sequence": delivery.sequence,
        "kind": delivery.kind,
        "refund": delivery.refund.to_string(),
        "attempts": delivery.attempts,
        "since": moment(delivery.since),
        "next_attempt": delivery.next.map(moment),
        "last_error": delivery.last_error,
        "given_up": delivery.is_given_up,
    })
}
