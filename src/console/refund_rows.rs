//! Rows of refunds, as the admin API lists them and tables show them.

use super::asking::asked;
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::{Console, words};
use crate::call::Method;
use crate::http::Inside;
use crate::ledger::trail::Act;
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;

/// A refund, as the admin API writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RefundRow {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) status: String,
    #[serde(rename = "type")]
    pub(super) refund_type: String,
    pub(super) source_type: String,
    pub(super) method_type: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) refund_date: String,
    pub(super) account: String,
    pub(super) account_number: String,
    pub(super) account_name: String,
    pub(super) payment_number: Option<String>,
    pub(super) gateway: Option<String>,
    pub(super) gateway_state: Option<String>,
    pub(super) gateway_response: Option<String>,
    pub(super) gateway_response_code: Option<String>,
    pub(super) reference_id: Option<String>,
    pub(super) reason_code: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) created: String,
    pub(super) created_by: Option<String>,
    pub(super) updated: Option<String>,
}

/// A page of refunds.
#[derive(Debug, Deserialize)]
pub(super) struct RefundList {
    pub(super) refunds: Vec<RefundRow>,
    /// Where the next page begins.
    pub(super) next: Option<String>,
}

impl RefundRow {
    /// The colour of its status.
    pub(super) fn colour(&self) -> &'static str {
        words::colour(&self.status)
    }

    fn in_zone(mut self, zone: Tz) -> Self {
        self.created = words::local_text(&self.created, zone);
        self.updated = self.updated.map(|at| words::local_text(&at, zone));
        self
    }
}

/// The page of refunds that a query of the admin API asks for, with moments in the tenant's zone.
pub(super) async fn listed(
    console: &Console,
    visitor: &Visitor,
    query: &str,
) -> Result<RefundList, Trouble> {
    let act = visitor.act(console);
    let RefundList { refunds, next } = read(&console.inside, act, query).await?;
    let zone = console.service.tenant().time_zone;
    Ok(RefundList { refunds: refunds.into_iter().map(|row| row.in_zone(zone)).collect(), next })
}

/// The same with moments as the admin API writes them.
pub(super) async fn read(inside: &Inside, act: Act, query: &str) -> Result<RefundList, Trouble> {
    asked(inside, act, (Method::Get, "refunds", query), &Value::Null).await
}
