//! Adjustments of invoices: of a whole one (InvoiceAdjustment) or of one line of it
//! (InvoiceItemAdjustment).
//!
//! Sources: both objects' field descriptions and their supported calls. A Credit lowers what an
//! invoice asks for and a Charge raises it; the credit balance is touched by neither. How far they
//! may go is in no document, so these bounds are our own: a Credit is at most what the invoice
//! still asks for, and on a line at most its amount less earlier credits; a Charge brings a
//! negative invoice to zero at most; a Charge is taken back only while the balance still has it.

use super::changing::{check_target, is_to_be_canceled, reason_change};
use super::custom::OwnFields;
use super::refund_values::{check_adjustment_reason, known_adjustment_reason};
use super::{Asking, check_amount, day_named, require};
use crate::domain::access::{Object, Operation};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::change::Change;
use crate::domain::draft::invoice_adjustment::{
    InvoiceAdjustmentChange, InvoiceAdjustmentDraft, ItemAdjustmentDraft,
};
use crate::domain::facts::{Invoice, InvoiceKey, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::invoicing::{ExistingInvoiceAdjustment, InvoiceLine, LineKey};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{
    AdjustmentStatus, CustomizedObject, InvoiceAdjustmentType, TransferredToAccounting,
};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// What the ledger knows about the invoice that an adjustment names.
#[derive(Debug, Clone)]
pub struct InvoiceAdjustmentFacts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// What InvoiceId names.
    pub by_id: Option<Invoice>,
    /// What InvoiceNumber names.
    pub by_number: Option<Invoice>,
}

/// What the ledger knows about the rest that an adjustment of a line names.
#[derive(Debug, Clone, Copy)]
pub struct ItemFacts {
    /// What SourceId names.
    pub line: Option<InvoiceLine>,
    /// Whether another adjustment has the AdjustmentNumber.
    pub is_number_taken: bool,
}

/// An adjustment that may be made: everything that the ledger has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceAdjustmentDecision<'d> {
    /// The invoice whose balance moves.
    pub invoice: InvoiceKey,
    /// The line that it is about; none for the whole invoice.
    pub line: Option<LineKey>,
    /// The number that the caller gave it.
    pub number: Option<&'d str>,
    /// Up or down.
    pub adjustment_type: InvoiceAdjustmentType,
    /// How much, above zero.
    pub amount: MinorUnits,
    /// The day it counts for, in tenant time.
    pub adjustment_date: NaiveDate,
    /// As it was sent.
    pub accounting_code: Option<&'d str>,
    /// Free text.
    pub comment: Option<&'d str>,
    /// One of the tenant's codes, if it has any.
    pub reason_code: Option<String>,
    /// As it was sent.
    pub reference_id: Option<&'d str>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// What an update of an adjustment writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceAdjustmentUpdate<'a> {
    /// The adjustment.
    pub adjustment: &'a ExistingInvoiceAdjustment,
    /// ReasonCode.
    pub reason_code: Change<&'a String>,
    /// TransferredToAccounting.
    pub transferred_to_accounting: Change<&'a TransferredToAccounting>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
    /// Whether it is cancelled, so that the balance moves back.
    pub cancels: bool,
}

/// An adjustment of a line, and what is known about the line.
type Item<'a> = (&'a ItemAdjustmentDraft, &'a ItemFacts);

/// Decides whether `draft` may become an adjustment of a whole invoice. Order as for refunds.
pub fn decide_invoice_adjustment<'d>(
    draft: &'d InvoiceAdjustmentDraft,
    facts: &InvoiceAdjustmentFacts<'_>,
    asking: &Asking,
) -> Result<InvoiceAdjustmentDecision<'d>, RowError> {
    decide(draft, None, facts, asking)
}

/// Decides whether `draft` may become an adjustment of a line. Order as for refunds.
pub fn decide_item_adjustment<'d>(
    draft: &'d ItemAdjustmentDraft,
    facts: &InvoiceAdjustmentFacts<'_>,
    of_item: &'d ItemFacts,
    asking: &Asking,
) -> Result<InvoiceAdjustmentDecision<'d>, RowError> {
    decide(&draft.whole, Some((draft, of_item)), facts, asking)
}

fn decide<'d>(
    draft: &'d InvoiceAdjustmentDraft,
    item: Option<Item<'d>>,
    facts: &InvoiceAdjustmentFacts<'_>,
    asking: &Asking,
) -> Result<InvoiceAdjustmentDecision<'d>, RowError> {
    draft.common.check_ids()?;
    check_present(draft, item)?;
    let object = match item {
        Some(_) => CustomizedObject::InvoiceItemAdjustment,
        None => CustomizedObject::InvoiceAdjustment,
    };
    let own_fields = OwnFields::of(facts.tenant, object);
    own_fields.check_present(&draft.common.custom)?;
    let valid = check_values(draft, item, facts, asking)?;
    let custom = own_fields.checked(&draft.common.custom, asking)?;
    check_adjusting(Operation::Create, object, facts.tenant, asking)?;
    let line = item.map(|item| line_of(item, valid.invoice)).transpose()?;
    let amount = check_balance(&valid, line)?;
    Ok(InvoiceAdjustmentDecision {
        invoice: valid.invoice.key,
        line: line.map(|line| line.key),
        number: item.and_then(|(item, _)| item.number.given()).map(String::as_str),
        adjustment_type: valid.adjustment_type,
        amount,
        adjustment_date: valid.adjustment_date,
        accounting_code: draft.accounting_code.given().map(String::as_str),
        comment: draft.comment.given().map(String::as_str),
        reason_code: valid.reason_code,
        reference_id: draft.reference_id.given().map(String::as_str),
        custom,
    })
}

/// Type, Amount, and then what else is required, in WSDL order.
fn check_present(draft: &InvoiceAdjustmentDraft, item: Option<Item<'_>>) -> Result<(), RowError> {
    require(!draft.adjustment_type.is_absent(), "Type")?;
    require(!draft.amount.is_absent(), "Amount")?;
    require(item.is_none() || !draft.adjustment_date.is_absent(), "AdjustmentDate")?;
    let has_invoice = !draft.invoice_id.is_absent() || !draft.invoice_number.is_absent();
    require(has_invoice, "InvoiceId")?;
    let Some((item, _)) = item else {
        return Ok(());
    };
    require(!item.source_id.is_absent(), "SourceId")?;
    require(!item.source_type.is_absent(), "SourceType")
}

/// A draft whose every value is acceptable by itself.
struct Valid<'a> {
    invoice: &'a Invoice,
    amount: Decimal,
    adjustment_type: InvoiceAdjustmentType,
    adjustment_date: NaiveDate,
    reason_code: Option<String>,
}

/// Checks each value, in WSDL order, and names the first that is wrong.
fn check_values<'a>(
    draft: &InvoiceAdjustmentDraft,
    item: Option<Item<'_>>,
    facts: &'a InvoiceAdjustmentFacts<'_>,
    asking: &Asking,
) -> Result<Valid<'a>, RowError> {
    draft.common.check_unknown(asking.strict)?;
    let invoice = facts.by_id.as_ref().or(facts.by_number.as_ref());
    draft.accounting_code.checked()?;
    let date = &draft.adjustment_date;
    let adjustment_date = day_named("AdjustmentDate", date, facts.tenant, asking, |day, _| {
        invoice.is_none_or(|invoice| day >= invoice.date)
    })?;
    if let Some((item, known)) = item
        && let Some(number) = item.number.checked()?.filter(|_| known.is_number_taken)
    {
        return Err(RowError::adjustment_number_taken(number));
    }
    let currency = invoice.map(|invoice| invoice.account.currency);
    let amount = check_amount("Amount", &draft.amount, currency)?;
    draft.comment.checked()?;
    check_invoice(draft, facts)?;
    let default = facts.tenant.adjustment_reason_codes.first();
    let reason_code = check_adjustment_reason(&draft.reason_code, default, facts.tenant)?;
    draft.reference_id.checked()?;
    if let Some((item, known)) = item {
        let kind = item.source_type.given();
        let source = item.source_id.checked()?;
        let is_known = known.line.is_some_and(|line| kind.is_none_or(|kind| *kind == line.kind));
        if let Some(id) = source.filter(|_| !is_known) {
            return Err(RowError::invalid("SourceId", id.as_str()));
        }
        item.source_type.checked()?;
    }
    let adjustment_type = draft.adjustment_type.checked()?;
    let adjustment_type = *adjustment_type.ok_or_else(|| RowError::missing("Type"))?;
    let invoice = invoice.ok_or_else(|| RowError::missing("InvoiceId"))?;
    let amount = amount.ok_or_else(|| RowError::missing("Amount"))?;
    Ok(Valid { invoice, amount, adjustment_type, adjustment_date, reason_code })
}

/// That InvoiceId and InvoiceNumber name an invoice, and the same one where both are there.
fn check_invoice(
    draft: &InvoiceAdjustmentDraft,
    facts: &InvoiceAdjustmentFacts<'_>,
) -> Result<(), RowError> {
    if let (Some(id), None) = (draft.invoice_id.checked()?, &facts.by_id) {
        return Err(RowError::invalid("InvoiceId", id.as_str()));
    }
    let Some(number) = draft.invoice_number.checked()? else {
        return Ok(());
    };
    let found = facts.by_number.as_ref().map(|invoice| invoice.key);
    let is_other = facts.by_id.as_ref().is_some_and(|by_id| found != Some(by_id.key));
    if found.is_none() || is_other {
        return Err(RowError::invalid("InvoiceNumber", number));
    }
    Ok(())
}

/// That invoices are adjusted in this tenant, in the caller's version, and by this caller.
fn check_adjusting(
    operation: Operation,
    object: CustomizedObject,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<(), RowError> {
    if tenant.invoice_settlement {
        return Err(RowError::invoice_adjustments_under_settlement());
    }
    // An InvoiceItemAdjustment has no type before the version that began to adjust items.
    let is_whole = object == CustomizedObject::InvoiceAdjustment;
    if is_whole && asking.version < ApiVersion::INVOICE_ADJUSTMENTS {
        return Err(RowError::too_old_for_invoice_adjustments());
    }
    let object = if is_whole { Object::InvoiceAdjustment } else { Object::InvoiceItemAdjustment };
    asking.check(operation, object)
}

/// The line that is to be adjusted, if it is one of the invoice's.
fn line_of<'a>((item, known): Item<'a>, invoice: &Invoice) -> Result<&'a InvoiceLine, RowError> {
    let line = known.line.as_ref().filter(|line| line.invoice == invoice.key);
    line.ok_or_else(|| {
        let id = item.source_id.given().map_or("", |id| id.as_str());
        RowError::invalid("SourceId", id)
    })
}

/// That the invoice and the line have room for the adjustment, and its amount in minor units.
fn check_balance(valid: &Valid<'_>, line: Option<&InvoiceLine>) -> Result<MinorUnits, RowError> {
    let Valid { invoice, amount, adjustment_type, .. } = valid;
    let currency = invoice.account.currency;
    let units = currency.minor_units(*amount);
    let (balance, is_negative) = (invoice.balance, invoice.amount < MinorUnits::ZERO);
    let owed = MinorUnits::new(-balance.units());
    match adjustment_type {
        InvoiceAdjustmentType::Credit => {
            if let Some(line) = line
                && units.is_none_or(|units| units > line.left())
            {
                return Err(RowError::over_line(*amount, line.left(), currency));
            }
            units
                .filter(|units| *units <= balance)
                .ok_or_else(|| RowError::credit_over_invoice_balance(*amount, balance, currency))
        }
        InvoiceAdjustmentType::Charge if is_negative => units
            .filter(|units| *units <= owed)
            .ok_or_else(|| RowError::charge_over_negative_invoice(*amount, balance, currency)),
        InvoiceAdjustmentType::Charge => units
            .filter(|units| invoice.has_room_for(*units))
            .ok_or_else(|| RowError::invoice_full(*amount, currency)),
    }
}

/// Decides whether `change` may be made to `adjustment`; none when there is none of its Id.
pub fn decide_invoice_adjustment_update<'a>(
    change: &'a InvoiceAdjustmentChange,
    object: CustomizedObject,
    adjustment: Option<&'a ExistingInvoiceAdjustment>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<InvoiceAdjustmentUpdate<'a>, RowError> {
    let common = &change.common;
    let adjustment = check_target(common, adjustment, asking)?;
    common.check_nulls(object)?;
    let known = known_adjustment_reason;
    let reason_code = reason_change(common, &change.reason_code, known, tenant)?;
    let cancels = is_to_be_canceled(&change.status)?;
    let transferred = &change.transferred_to_accounting;
    let transferred_to_accounting = common.change(transferred, "TransferredToAccounting")?;
    let custom = OwnFields::of(tenant, object).checked(&common.custom, asking)?;
    let operation = if cancels { Operation::Cancel } else { Operation::Update };
    check_adjusting(operation, object, tenant, asking)?;
    if cancels {
        if !adjustment.is_live() {
            return Err(RowError::invalid("Status", AdjustmentStatus::Canceled.name()));
        }
        check_taking_back(adjustment)?;
    }
    Ok(InvoiceAdjustmentUpdate {
        adjustment,
        reason_code,
        transferred_to_accounting,
        custom,
        cancels,
    })
}

/// Decides whether `adjustment` may be deleted; what a live one moved goes back, as if it were
/// cancelled.
pub fn decide_invoice_adjustment_deletion<'a>(
    id: &ObjectId,
    object: CustomizedObject,
    adjustment: Option<&'a ExistingInvoiceAdjustment>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<&'a ExistingInvoiceAdjustment, RowError> {
    let adjustment = adjustment.ok_or_else(|| RowError::invalid("Id", id.as_str()))?;
    check_adjusting(Operation::Delete, object, tenant, asking)?;
    if adjustment.is_live() {
        check_taking_back(adjustment)?;
    }
    Ok(adjustment)
}

/// That what a Charge added is still to be paid, and that what a Credit took has room.
fn check_taking_back(adjustment: &ExistingInvoiceAdjustment) -> Result<(), RowError> {
    let ExistingInvoiceAdjustment { invoice, amount, .. } = adjustment;
    let currency = invoice.account.currency;
    match adjustment.adjustment_type {
        InvoiceAdjustmentType::Credit if invoice.has_room_for(*amount) => Ok(()),
        InvoiceAdjustmentType::Credit => {
            Err(RowError::invoice_full(currency.decimal(*amount), currency))
        }
        InvoiceAdjustmentType::Charge => {
            // What a negative invoice was given is all that can be owed on it again.
            let least = invoice.amount.min(MinorUnits::ZERO);
            let after = invoice.balance.units().saturating_sub(amount.units());
            if MinorUnits::new(after) >= least {
                return Ok(());
            }
            Err(RowError::charge_paid_since(&invoice.number, invoice.balance, currency))
        }
    }
}
