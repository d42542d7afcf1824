//! The operator's one decision about a refund whose processor never answered what became of it,
//! while the gateway runs.
//!
//! What must stay true: it is the decision of `refund settle`, with its bounds, and the history
//! says that it came by this way.

use super::api::Api;
use super::talk::{Answered, Wrong, bad, conflict, from_json, missing, of_ledger, ok};
use crate::domain::id::RefundId;
use crate::domain::lifecycle::SettledAs;
use crate::ledger::orders::{SettleError, Settlement};
use crate::ledger::trail::Act;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    status: String,
    reason: String,
}

impl Api {
    /// Ends a refund in Processing by hand.
    pub(super) async fn settle(&self, id: &str, body: &Bytes, act: Act) -> Result<Answered, Wrong> {
        let refund =
            RefundId::parse(id).ok_or_else(|| bad(format!("`{id}` is no Id of a refund")))?;
        let Settle { status, reason } = from_json(body)?;
        let settled_as = match status.as_str() {
            "Processed" => SettledAs::Processed,
            "Error" => SettledAs::Error,
            other => return Err(bad(format!("status: `{other}` is neither Processed nor Error"))),
        };
        let reason = Settlement::checked_reason(&reason).map_err(bad)?;
        let at_least = self.service.clock().at_least();
        let settlement = Settlement { refund, settled_as, reason, act, at_least };
        let settled = self.service.settle(settlement).await;
        let settled = settled.map_err(|error| of_ledger(&error))?;
        let number = settled.map_err(|error| match error {
            SettleError::NoRefund(_) => missing(error.to_string()),
            _ => conflict(error.to_string()),
        })?;
        Ok(ok(json!({ "number": number.to_string(), "status": status })))
    }
}
