//! What operators report about payment gateways: their settlements, on any ledger, and rules for a
//! sandbox, on a test ledger.

use super::talk::{Wrong, bad, of_ledger};
use crate::domain::id::ObjectId;
use crate::domain::money::parse_amount;
use crate::domain::script::{ScriptedAnswer, ScriptedRule};
use crate::ledger::reconciliation::ReconcileResult;
use crate::ledger::trail::Act;
use crate::service::Service;
use crate::service::reconciliation::WrittenEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The most events of one call.
const EVENTS_MAX: usize = 1_000;
/// The longest delay of a scripted answer, in milliseconds.
const DELAY_MS_MAX: u64 = 600_000;

/// The body of a call to reconcile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settlements {
    pub(super) events: Vec<WrittenEvent>,
}

/// Reports each event to the ledger and returns what came of it, in their order; an error is the
/// call's.
pub(super) async fn reconcile(
    service: &Service,
    settlements: Settlements,
    act: Act,
) -> Result<Value, Wrong> {
    let count = settlements.events.len();
    if count > EVENTS_MAX {
        return Err(bad(format!("events: there are {count}, at most {EVENTS_MAX} at once")));
    }
    let checked = settlements.events.iter().map(|event| event.checked(act.at));
    let checked: Vec<_> = checked.collect();
    let good = checked.iter().filter_map(|event| event.clone().ok()).collect();
    let results = service.reconcile(good, act).await;
    let mut results = results.map_err(|error| of_ledger(&error))?.into_iter();
    let mut next = || results.next().map_or_else(|| json!({ "error": "lost" }), reported);
    let results = checked.into_iter().map(|event| match event {
        Ok(_) => next(),
        Err(why) => json!({ "error": why }),
    });
    Ok(json!({ "results": results.collect::<Vec<_>>() }))
}

fn reported(result: ReconcileResult) -> Value {
    match result {
        Ok(done) => json!({
            "refund": done.refund.to_string(),
            "number": done.refund.number().to_string(),
            "gateway_state": done.gateway_state.name(),
            "changed": done.has_changed,
            "put_back": done.was_put_back,
        }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// A rule of a sandbox's script as it is written; the same keys as in a seed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    answer: ScriptedAnswer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default)]
    delay_ms: u64,
}

impl WrittenRule {
    /// The rule, or what is wrong with it.
    pub(super) fn checked(self) -> Result<ScriptedRule, String> {
        let amount = |text: String| {
            parse_amount(&text).ok_or_else(|| format!("amount: `{text}` is no amount above 0"))
        };
        let method = |text: String| {
            ObjectId::parse_stored(&text)
                .ok_or_else(|| format!("payment_method: `{text}` is no id: 32 letters or digits"))
        };
        if self.times == Some(0) {
            return Err("times: a rule that matches no call is none; at least 1".to_owned());
        }
        if self.delay_ms > DELAY_MS_MAX {
            return Err(format!("delay_ms: is {}, at most {DELAY_MS_MAX}", self.delay_ms));
        }
        Ok(ScriptedRule {
            amount: self.amount.map(amount).transpose()?,
            payment_method: self.payment_method.map(method).transpose()?,
            times: self.times,
            answer: self.answer,
            code: self.code,
            text: self.text,
            delay_ms: self.delay_ms,
        })
    }
}

/// A rule as it stands, with how many calls it still matches.
pub(super) fn shown(rule: ScriptedRule) -> WrittenRule {
    WrittenRule {
        amount: rule.amount.map(|amount| amount.to_string()),
        payment_method: rule.payment_method.map(|id| id.to_string()),
        times: rule.times,
        answer: rule.answer,
        code: rule.code,
        text: rule.text,
        delay_ms: rule.delay_ms,
    }
}
