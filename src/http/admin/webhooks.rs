//! Webhooks as the admin API shows them: what each has got and what it has not; and what operators
//! decide about deliveries that failed. On any ledger.
//!
//! What must stay true: it shows neither where a webhook is nor its secret, and sends nothing.

use super::api::{Api, NOTHING, posted};
use super::query::Pairs;
use super::readings::{moment, read_alone, shown, span};
use super::talk::{
    Answered, Wrong, bad, conflict, decoded, done, from_json, missing, of_ledger, ok,
};
use crate::ledger::orders::Settlement;
use crate::ledger::outbox::{Decision, DecisionRefusal};
use crate::ledger::readings::FailedDelivery;
use crate::ledger::trail::Act;
use crate::service::webhooks::WebhookStats;
use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

impl Api {
    /// The webhooks, what one of them did not take, or what is decided about that.
    pub(super) async fn webhooks(
        &self,
        method: &Method,
        rest: &[&str],
        query: &str,
        (body, act): (&Bytes, Act),
    ) -> Result<Answered, Wrong> {
        match rest {
            [] => {
                read_alone(method)?;
                let webhooks: Vec<_> = self.service.webhook_stats().iter().map(webhook).collect();
                Ok(ok(json!({ "webhooks": webhooks })))
            }
            [name, "failures"] => {
                read_alone(method)?;
                self.failures(&decoded(name).map_err(bad)?, query).await
            }
            [name, "failures", event, decision @ ("retry" | "skip")] => {
                let body = posted(method, body)?;
                let name = decoded(name).map_err(bad)?;
                let decision = if *decision == "retry" { retry(body)? } else { skip(body)? };
                self.decide(&name, event, decision, act).await
            }
            _ => Err(missing(NOTHING)),
        }
    }

    async fn failures(&self, name: &str, query: &str) -> Result<Answered, Wrong> {
        if !self.service.webhook_stats().iter().any(|webhook| webhook.name == name) {
            return Err(refused(&DecisionRefusal::NoWebhook(name.to_owned())));
        }
        let pairs = Pairs::parse(query, &["limit", "cursor"]).map_err(bad)?;
        let span = span(&pairs).map_err(bad)?;
        let listed = self.service.ledger().list_failed_deliveries(name, span).await;
        Ok(ok(shown("failures", &listed.map_err(|error| of_ledger(&error))?, failure)))
    }

    async fn decide(
        &self,
        name: &str,
        event: &str,
        decision: Decision,
        act: Act,
    ) -> Result<Answered, Wrong> {
        let event: i64 = event.parse().map_err(|_| {
            bad(format!("`{event}` is no event: failures are named by their `sequence`"))
        })?;
        let is_retry = decision == Decision::Retry;
        let decided = self.service.decide_delivery((name, event), decision, act).await;
        let next = decided.map_err(|error| of_ledger(&error))?.map_err(|error| refused(&error))?;
        Ok(if is_retry { ok(json!({ "next_attempt": next.map(moment) })) } else { done() })
    }
}

fn retry(body: &Bytes) -> Result<Decision, Wrong> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Retry {}
    let Retry {} = from_json(body)?;
    Ok(Decision::Retry)
}

fn skip(body: &Bytes) -> Result<Decision, Wrong> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Skip {
        reason: String,
    }
    let Skip { reason } = from_json(body)?;
    Ok(Decision::Skip { reason: Settlement::checked_reason(&reason).map_err(bad)? })
}

fn refused(refusal: &DecisionRefusal) -> Wrong {
    let why = refusal.to_string();
    match refusal {
        DecisionRefusal::NoWebhook(_) | DecisionRefusal::NoDelivery { .. } => missing(why),
        DecisionRefusal::NotFailed(_) | DecisionRefusal::Waits { .. } => conflict(why),
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
