//! Changing and deleting what is there: refunds and credit balance adjustments.
//!
//! Sources: field descriptions (what an update may touch), the overview of credit balances (what a
//! refund took from one is final; an increase from a negative invoice can be taken back while the
//! balance covers it, one from an overpayment cannot, a decrease into an invoice can), and the
//! life of refunds (Processing is left only by the gateway, by inquiry, or once by the operator).

use super::adjustment::{check_room, check_switches};
use super::custom::OwnFields;
use super::refund_values::known_adjustment_reason;
use super::{Asking, check_day, known_reason, require};
use crate::domain::access::{Object, Operation};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::Field;
use crate::domain::draft::change::{AdjustmentChange, Change, RefundChange};
use crate::domain::draft::common::Common;
use crate::domain::facts::{
    AdjustmentSource, AskedAdjustment, ExistingAdjustment, ExistingRefund, Tenant,
};
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{
    AdjustmentStatus, AdjustmentType, CustomizedObject, RefundStatus, SourceType,
    TransferredToAccounting,
};

/// What an update of a refund writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundUpdate<'a> {
    /// ReasonCode.
    pub reason_code: Change<&'a String>,
    /// TransferredToAccounting.
    pub transferred_to_accounting: Change<&'a TransferredToAccounting>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
    /// Whether it is cancelled: its payment has the money again, and its invoices are paid again.
    pub cancels: bool,
}

/// What an update of an adjustment writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentUpdate<'a> {
    /// The adjustment.
    pub adjustment: &'a AskedAdjustment,
    /// Comment.
    pub comment: Change<&'a String>,
    /// ReasonCode.
    pub reason_code: Change<&'a String>,
    /// TransferredToAccounting.
    pub transferred_to_accounting: Change<&'a TransferredToAccounting>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
    /// Whether it is cancelled, which an entry of the opposite sign does.
    pub cancels: bool,
}

/// Decides whether `change` may be made to `refund`; none when its Id is not known.
pub fn decide_refund_update<'a>(
    change: &'a RefundChange,
    refund: Option<&ExistingRefund>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<RefundUpdate<'a>, RowError> {
    let common = &change.common;
    let refund = check_target(common, refund, asking)?;
    common.check_nulls(CustomizedObject::Refund)?;
    let reason_code = reason_change(common, &change.reason_code, known_reason, tenant)?;
    let transferred = &change.transferred_to_accounting;
    let transferred_to_accounting = common.change(transferred, "TransferredToAccounting")?;
    let source = refund.source_type;
    let custom = OwnFields::of_refund(tenant, source).checked(&common.custom, asking)?;
    let cancels = match change.status.checked()? {
        Some(RefundStatus::Canceled) => true,
        Some(other) => return Err(RowError::invalid("Status", other.name())),
        None => false,
    };
    let operation = if cancels { Operation::Cancel } else { Operation::Update };
    asking.check(operation, Object::Refund(source, refund.refund_type))?;
    if cancels {
        check_cancel(refund)?;
    }
    Ok(RefundUpdate { reason_code, transferred_to_accounting, custom, cancels })
}

/// A refund is cancelled from Processed only, and only one of a payment.
pub(super) fn check_cancel(refund: &ExistingRefund) -> Result<(), RowError> {
    if refund.source_type == SourceType::CreditBalance {
        return Err(RowError::credit_balance_refund_is_final());
    }
    match refund.status {
        RefundStatus::Processed if refund.is_compensated => Err(RowError::is_compensated()),
        RefundStatus::Processed => check_invoices(refund),
        RefundStatus::Processing | RefundStatus::Error | RefundStatus::Canceled => {
            Err(RowError::not_cancelable(refund.status))
        }
    }
}

/// That what a refund reopened is still open, so that the payment can pay it again.
fn check_invoices(refund: &ExistingRefund) -> Result<(), RowError> {
    match refund.invoice_settled_since() {
        None => Ok(()),
        Some(invoice) => {
            let ExistingRefund { currency, .. } = *refund;
            Err(RowError::invoice_settled_since(&invoice.number, invoice.balance, currency))
        }
    }
}

/// Decides whether `refund` may be deleted: one of a payment that is not in Processing. What a
/// live one took goes back as if it were cancelled.
pub fn decide_refund_deletion(
    id: &ObjectId,
    refund: Option<&ExistingRefund>,
    asking: &Asking,
) -> Result<(), RowError> {
    let refund = refund.ok_or_else(|| RowError::invalid("Id", id.as_str()))?;
    asking.check(Operation::Delete, Object::Refund(refund.source_type, refund.refund_type))?;
    if refund.source_type == SourceType::CreditBalance {
        return Err(RowError::credit_balance_refund_stays());
    }
    match refund.status {
        RefundStatus::Processing => Err(RowError::refund_under_way()),
        RefundStatus::Processed if !refund.is_compensated => check_invoices(refund),
        RefundStatus::Processed | RefundStatus::Error | RefundStatus::Canceled => Ok(()),
    }
}

/// Decides whether `change` may be made to `adjustment`; none when its Id is not known.
pub fn decide_adjustment_update<'a>(
    change: &'a AdjustmentChange,
    adjustment: Option<&'a ExistingAdjustment>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<AdjustmentUpdate<'a>, RowError> {
    let common = &change.common;
    let adjustment = check_target(common, adjustment, asking)?;
    common.check_nulls(CustomizedObject::CreditBalanceAdjustment)?;
    let comment = common.change(&change.comment, "Comment")?;
    let known = known_adjustment_reason;
    let reason_code = reason_change(common, &change.reason_code, known, tenant)?;
    let wanted = is_to_be_canceled(&change.status)?;
    let transferred = &change.transferred_to_accounting;
    let transferred_to_accounting = common.change(transferred, "TransferredToAccounting")?;
    let own = OwnFields::of(tenant, CustomizedObject::CreditBalanceAdjustment);
    let custom = own.checked(&common.custom, asking)?;
    check_switches(tenant)?;
    let operation = if wanted { Operation::Cancel } else { Operation::Update };
    asking.check(operation, Object::CreditBalanceAdjustment)?;
    let ExistingAdjustment::Asked(adjustment) = adjustment else {
        return Err(RowError::decrease_of_refund_is_final());
    };
    if wanted {
        check_adjustment_cancel(adjustment)?;
    }
    Ok(AdjustmentUpdate {
        adjustment,
        comment,
        reason_code,
        transferred_to_accounting,
        custom,
        cancels: wanted,
    })
}

/// Whether an adjustment is to be cancelled, which is all that its Status can be set to.
pub(super) fn is_to_be_canceled(status: &Field<AdjustmentStatus>) -> Result<bool, RowError> {
    match status.checked()? {
        Some(AdjustmentStatus::Canceled) => Ok(true),
        Some(status) => Err(RowError::invalid("Status", status.name())),
        None => Ok(false),
    }
}

fn check_adjustment_cancel(adjustment: &AskedAdjustment) -> Result<(), RowError> {
    if adjustment.status == AdjustmentStatus::Canceled {
        return Err(RowError::invalid("Status", AdjustmentStatus::Canceled.name()));
    }
    match (adjustment.adjustment_type, adjustment.source) {
        (AdjustmentType::Decrease, _) => check_room(&adjustment.account, adjustment.amount),
        (AdjustmentType::Increase, AdjustmentSource::Payment(_)) => {
            Err(RowError::increase_from_payment_is_final())
        }
        (AdjustmentType::Increase, AdjustmentSource::Invoice(_)) => {
            let AskedAdjustment { amount, account, .. } = adjustment;
            let (balance, currency) = (account.balance, account.currency);
            if *amount > balance {
                return Err(RowError::adjustment_over_balance(*amount, balance, currency));
            }
            check_day("adjustment", account, *amount, adjustment.adjustment_date)
        }
    }
}

/// What becomes of ReasonCode: one of the tenant's codes, which `known` finds, or none.
pub(super) fn reason_change<'c>(
    common: &Common,
    code: &'c Field<String>,
    known: fn(&str, &Tenant) -> Result<String, RowError>,
    tenant: &Tenant,
) -> Result<Change<&'c String>, RowError> {
    let change = common.change(code, "ReasonCode")?;
    if let Change::To(code) = change {
        known(code, tenant)?;
    }
    Ok(change)
}

/// The object that is to be changed, once the change names one and nothing else is wrong with it.
pub(super) fn check_target<'t, T>(
    common: &Common,
    target: Option<&'t T>,
    asking: &Asking,
) -> Result<&'t T, RowError> {
    common.check_ids()?;
    require(!common.id.is_absent(), "Id")?;
    common.check_unknown(asking.strict)?;
    let id = common.id.checked()?;
    target.ok_or_else(|| RowError::invalid("Id", id.map_or("", |id| id.as_str())))
}
