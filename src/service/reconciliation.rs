//! Reconciling refunds with what their gateways settled or rejected after all.

use super::Service;
use crate::domain::calendar::parse_date;
use crate::domain::moment::moment;
use crate::domain::reconciliation::{Rejected, Settlement};
use crate::ledger::LedgerError;
use crate::ledger::reconciliation::{
    Reconcile, ReconcileResult, Reconciliation, RefundName, TEXT_CHARS_MAX, When,
};
use crate::ledger::trail::Act;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What is done about refunds that their gateways reject after all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconciliationSettings {
    /// What becomes of their money.
    pub rejected: Rejected,
}

/// An event as a table or a program writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenEvent {
    /// An Id or a RefundNumber.
    pub refund: String,
    /// `settled` or `failed`.
    pub state: String,
    /// When: a moment in RFC 3339, or a day of the tenant's; blank or absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Why; blank is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The event's own id; blank is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

impl WrittenEvent {
    /// The event that is written; the error says what is wrong with which words.
    pub fn checked(&self, now: DateTime<Utc>) -> Result<Reconciliation, String> {
        let refund = RefundName::parse(&self.refund).ok_or_else(|| {
            format!("`{}` is neither the Id nor the RefundNumber of a refund", self.refund)
        })?;
        let settlement = match self.state.as_str() {
            "settled" => Settlement::Settled,
            "failed" => Settlement::Failed,
            other => return Err(format!("state: `{other}` is neither settled nor failed")),
        };
        let at = match self.at.as_deref().map(str::trim).filter(|at| !at.is_empty()) {
            None => When::Moment(now),
            Some(at) => when(at).ok_or_else(|| {
                format!("at: `{at}` is neither a moment such as 2026-01-02T03:04:05Z nor a day")
            })?,
        };
        Ok(Reconciliation {
            refund,
            settlement,
            at,
            reason: text("reason", self.reason.as_deref())?,
            event_id: text("event_id", self.event_id.as_deref())?,
        })
    }
}

fn when(text: &str) -> Option<When> {
    if let Some(day) = parse_date(text) {
        return (day >= NaiveDate::default()).then_some(When::Day(day));
    }
    moment(text).map(When::Moment)
}

/// A text that is not too long; a blank one is none.
fn text(name: &str, text: Option<&str>) -> Result<Option<String>, String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
        return Err(format!("{name} has more than {TEXT_CHARS_MAX} characters"));
    }
    Ok(text.map(str::to_owned))
}

impl Service {
    /// Reports each event to the ledger, which accepts or refuses it on its own.
    pub async fn reconcile(
        &self,
        events: Vec<Reconciliation>,
        act: Act,
    ) -> Result<Vec<ReconcileResult>, LedgerError> {
        let rejected = self.settings.reconciliation.rejected;
        let work = self.ledger.reconcile(Reconcile { events, rejected, act });
        let done = self.perform("reconciliation", Vec::new(), work).await;
        done.unwrap_or(Err(LedgerError::Withdrawn))
    }
}
