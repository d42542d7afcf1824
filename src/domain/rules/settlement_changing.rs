//! Changing, cancelling and deleting refunds by the v1 operations.
//!
//! Sources: "Update a refund" (referenceId of external ones only), "Cancel a refund", "Delete a
//! refund" (only a Canceled one; one of a credit balance never).

use super::Asking;
use super::changing::check_cancel;
use super::custom::OwnFields;
use super::settlement::known_reason;
use crate::domain::access::{Object, Operation};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::refund_details::Transferred;
use crate::domain::draft::settlement_refunds::RefundUpdateDraft;
use crate::domain::facts::{ExistingRefund, Tenant};
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{RefundStatus, RefundType, SourceType, TransferredToAccounting};
use std::collections::BTreeMap;

/// What an update of a refund writes; of each field nothing, or the value that is there afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettlementUpdate {
    /// Whether it is cancelled: its source has the money again.
    pub cancels: bool,
    /// comment.
    pub comment: Option<Option<String>>,
    /// reasonCode.
    pub reason_code: Option<Option<String>>,
    /// referenceId.
    pub reference_id: Option<Option<String>>,
    /// financeInformation.transferredToAccounting; none is `No`.
    pub transferred: Option<Option<TransferredToAccounting>>,
    /// The accounting codes and the fields for NetSuite.
    pub notes: BTreeMap<&'static str, Option<String>>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// Decides whether `draft` may change `refund`; none when there is no such one.
pub fn decide_settlement_update(
    draft: &RefundUpdateDraft,
    refund: Option<&ExistingRefund>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<SettlementUpdate, RowError> {
    let refund = refund.ok_or_else(|| RowError::no_such(draft.refund.as_str()))?;
    let object = Object::Refund(refund.source_type, refund.refund_type);
    if draft.cancels {
        asking.check(Operation::Cancel, object)?;
        check_cancel(refund)?;
        return Ok(SettlementUpdate { cancels: true, ..SettlementUpdate::default() });
    }
    let owned = |value: Option<&String>| value.cloned();
    let comment = draft.comment.checked()?.map(owned);
    let reasons = match refund.source_type {
        SourceType::Payment => &tenant.payment_reason_codes,
        SourceType::CreditMemo => &tenant.credit_memo_reason_codes,
        SourceType::CreditBalance => &tenant.reason_codes,
    };
    let reason_code = match draft.reason_code.checked()? {
        None => None,
        Some(None) => Some(None),
        Some(Some(code)) => Some(Some(known_reason(code, reasons, tenant)?)),
    };
    let reference_id = draft.reference_id.checked()?.map(owned);
    let transferred = draft.transferred.checked()?.map(|value| match value {
        Some(Transferred::As(value)) => Some(*value),
        Some(Transferred::No) | None => None,
    });
    let mut notes = BTreeMap::new();
    for (name, put) in &draft.notes {
        if let Some(value) = put.checked()? {
            notes.insert(*name, value.cloned());
        }
    }
    let own = OwnFields::of_refund(tenant, refund.source_type);
    let custom = own.checked(&draft.custom, asking)?;
    asking.check(Operation::Update, object)?;
    if reference_id.is_some() && refund.refund_type != RefundType::External {
        return Err(RowError::external_only("referenceId"));
    }
    let cancels = false;
    Ok(SettlementUpdate { cancels, comment, reason_code, reference_id, transferred, notes, custom })
}

/// Decides whether `refund` may be deleted; none when there is no such one.
pub fn decide_settlement_deletion(
    key: &str,
    refund: Option<&ExistingRefund>,
    asking: &Asking,
) -> Result<(), RowError> {
    let refund = refund.ok_or_else(|| RowError::no_such(key))?;
    let object = Object::Refund(refund.source_type, refund.refund_type);
    asking.check(Operation::Delete, object)?;
    match (refund.source_type, refund.status) {
        (SourceType::CreditBalance, _) => Err(RowError::not_of_settlement()),
        (_, RefundStatus::Canceled) => Ok(()),
        (_, status) => Err(RowError::refund_not_canceled(status.name())),
    }
}
