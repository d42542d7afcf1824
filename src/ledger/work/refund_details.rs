//! What only refunds by the v1 operations have: kept beside the narrow row that every refund has.

use crate::domain::facts::MethodKey;
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::rules::{Detail, Source};
use crate::ledger::books::BooksError;
use crate::ledger::record::ByName;
use crate::ledger::records::{MethodRow, MethodSnapshot, Refund, RefundDetail};
use crate::ledger::unit::Unit;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Accounting codes and fields for NetSuite, by their names.
pub(super) type Notes = BTreeMap<String, String>;

/// Keeps what a new refund has beside its row, with its payment method as it is now.
pub(super) fn keep(
    unit: &mut Unit<'_>,
    refund: &Refund,
    source: &Source,
    detail: &Detail,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let snapshot = match refund.payment_method {
        Some(method) => Some(snapshot(unit, method, at)?),
        None => None,
    };
    let credit_memo = match source {
        Source::CreditMemo { memo, .. } => Some(*memo),
        Source::CreditBalance | Source::Payment { .. } => None,
    };
    let rates = (!detail.rates.is_empty()).then(|| serde_json::to_string(&detail.rates));
    unit.insert(RefundDetail {
        refund: refund.number,
        credit_memo,
        snapshot,
        transaction_type: detail.transaction_type.map(ByName),
        reconciliation_status: None,
        reconciliation_reason: None,
        payout_id: None,
        notes: serde_json::to_string(&detail.notes).map_err(unwritable)?,
        rates: rates.transpose().map_err(unwritable)?,
    })
}

/// The detail of a refund, made empty where it has none yet: one by SOAP that is changed by a v1
/// operation.
pub(super) fn ensure(unit: &mut Unit<'_>, refund: &Refund) -> Result<RefundDetail, BooksError> {
    let key = (refund.number,);
    if let Some(detail) = unit.get::<RefundDetail>(&key)? {
        return Ok(detail.clone());
    }
    let empty = RefundDetail {
        refund: refund.number,
        credit_memo: None,
        snapshot: None,
        transaction_type: None,
        reconciliation_status: None,
        reconciliation_reason: None,
        payout_id: None,
        notes: "{}".to_owned(),
        rates: None,
    };
    unit.insert(empty.clone())?;
    Ok(empty)
}

/// The notes in a column.
pub(super) fn notes(column: &str) -> Result<Notes, BooksError> {
    serde_json::from_str(column).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
pub(super) fn unwritable(error: serde_json::Error) -> BooksError {
    BooksError::Engine(error.to_string())
}

/// Writes down a payment method as it is; gives the key of that.
fn snapshot(unit: &mut Unit<'_>, method: MethodKey, at: DateTime<Utc>) -> Result<i64, BooksError> {
    let row: MethodRow = unit.existing(&(method,))?;
    let key = unit.next_key::<MethodSnapshot>()?;
    let id = ObjectId::from(unit.row_id(IdKind::PaymentMethodSnapshot, at, key)?);
    unit.insert(MethodSnapshot {
        key,
        id,
        method,
        method_type: row.method_type,
        status: row.status,
        gateway: row.gateway,
        kept: row.kept,
        created_ms: at,
    })?;
    Ok(key)
}
