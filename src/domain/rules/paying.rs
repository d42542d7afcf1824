//! The rules of payments and of their parts that pay invoices (InvoicePayment): when one may be
//! made.
//!
//! Sources: the Payment and InvoicePayment objects' field descriptions. An electronic payment is
//! taken as approved by its gateway at once: what is tested here are refunds of payments.

use super::custom::OwnFields;
use super::payment_amounts::{Amounts, NewCredit, amount_in, credit};
use super::{Asking, gateway_named, gateway_of, require};
use crate::domain::access::{Object, Operation};
use crate::domain::calendar::day_at;
use crate::domain::collected::KnownPayment;
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::common::KeptValues;
use crate::domain::draft::payment::{PaymentDraft, PaymentPartDraft};
use crate::domain::draft::{AmountText, Field};
use crate::domain::facts::{
    Account, Gateway, Invoice, InvoiceKey, MethodKey, Payment, PaymentKey, PaymentMethod, Tenant,
};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{CustomizedObject, MethodStatus, PaymentStatus, PaymentType};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// What the ledger knows about the things that a draft of a payment names.
#[derive(Debug, Clone)]
pub struct PaymentFacts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The account of AccountId; none when there is no such account.
    pub account: Option<Account>,
    /// The method of PaymentMethodId; none when there is no such method.
    pub method: Option<PaymentMethod>,
    /// The invoice of InvoiceId; none when there is no such invoice.
    pub invoice: Option<Invoice>,
    /// The invoice of InvoiceNumber; none when there is no such invoice.
    pub invoice_by_number: Option<Invoice>,
    /// The payments that gateways know by ReferenceId.
    pub known: Vec<KnownPayment>,
}

/// A payment that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment<'d> {
    /// Who paid.
    pub account: &'d Account,
    /// How much, above zero.
    pub amount: MinorUnits,
    /// Who moved the money.
    pub payment_type: PaymentType,
    /// Whether it counts, or is a draft.
    pub status: PaymentStatus,
    /// The method that it came from, if it came from one.
    pub method: Option<MethodKey>,
    /// The gateway of an electronic payment.
    pub gateway: Option<&'d str>,
    /// The day it counts for.
    pub effective_date: NaiveDate,
    /// The invoice that it pays, and how much of it.
    pub applied: Option<(InvoiceKey, MinorUnits)>,
    /// What of it becomes credit balance now.
    pub credit: Option<NewCredit>,
    /// What of a draft does once it is Processed.
    pub draft_credit: MinorUnits,
    /// Free text.
    pub comment: Option<&'d str>,
    /// A number of the payer's bank.
    pub reference_id: Option<&'d str>,
    /// What is only kept.
    pub kept: KeptValues<'d>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// A part of a payment that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPart {
    /// The payment.
    pub payment: PaymentKey,
    /// The invoice that it pays.
    pub invoice: InvoiceKey,
    /// How much, above zero.
    pub amount: MinorUnits,
    /// Whether its payment has moved, so that the invoice is owed less.
    pub is_paid: bool,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// Decides whether `draft` may become a payment.
pub fn decide_payment<'d>(
    draft: &'d PaymentDraft,
    facts: &'d PaymentFacts<'_>,
    asking: &Asking,
) -> Result<NewPayment<'d>, RowError> {
    draft.common.check_ids()?;
    check_present(draft)?;
    let own = OwnFields::of(facts.tenant, CustomizedObject::Payment);
    own.check_present(&draft.common.custom)?;
    draft.common.check_unknown(asking.strict)?;
    let account = known(&draft.account_id, facts.account.as_ref(), "AccountId")?;
    let amounts = Amounts::of(draft, account.currency)?;
    let comment = draft.comment.checked()?.map(String::as_str);
    let effective_date = effective_date(draft, facts.tenant, asking)?;
    let invoice = named_invoice(draft, facts, account)?;
    let method = usable_method(draft, facts, account)?;
    let reference_id = draft.reference_id.checked()?.map(String::as_str);
    let status = draft.status.checked()?.copied().unwrap_or(PaymentStatus::Processed);
    let is_draft = status == PaymentStatus::Draft;
    if !is_draft && status != PaymentStatus::Processed {
        return Err(RowError::invalid("Status", status.name()));
    }
    let payment_type = draft.payment_type.checked()?.ok_or_else(|| RowError::missing("Type"))?;
    let kept = draft.common.kept_values()?;
    let custom = own.checked(&draft.common.custom, asking)?;
    asking.check(Operation::Create, Object::Payment)?;
    let gateway = match payment_type {
        PaymentType::External => None,
        PaymentType::Electronic => {
            let name = gateway_of(method, account, facts.tenant);
            check_gateway(name, facts.gateways, method)?;
            Some(name)
        }
    };
    if let (Some(gateway), Some(reference)) = (gateway, reference_id) {
        check_reference(reference, gateway, None, &facts.known)?;
    }
    let wanted = amounts.to_credit_balance(facts.tenant);
    let credit = match is_draft {
        true => None,
        false => credit(wanted, account, effective_date, facts.tenant, asking)?,
    };
    let applied = invoice.filter(|_| amounts.applied > MinorUnits::ZERO);
    if let Some(invoice) = applied {
        check_applied(amounts.applied, amounts.whole, invoice)?;
    }
    amounts.check_rest(account.currency)?;
    Ok(NewPayment {
        account,
        amount: amounts.whole,
        payment_type: *payment_type,
        status,
        method: Some(method.key),
        gateway,
        effective_date,
        applied: applied.map(|invoice| (invoice.key, amounts.applied)),
        credit,
        draft_credit: if is_draft { wanted } else { MinorUnits::ZERO },
        comment,
        reference_id,
        kept,
        custom,
    })
}

/// Decides whether `draft` may become a part of `payment` that pays `invoice`; each is none when
/// there is no such one.
pub fn decide_part(
    draft: &PaymentPartDraft,
    payment: Option<&Payment>,
    invoice: Option<&Invoice>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<NewPart, RowError> {
    draft.common.check_ids()?;
    require(!draft.amount.is_absent(), "Amount")?;
    require(!draft.invoice_id.is_absent(), "InvoiceId")?;
    require(!draft.payment_id.is_absent(), "PaymentId")?;
    let own = OwnFields::of(tenant, CustomizedObject::InvoicePayment);
    own.check_present(&draft.common.custom)?;
    draft.common.check_unknown(asking.strict)?;
    draft.amount.checked()?;
    let invoice = known(&draft.invoice_id, invoice, "InvoiceId")?;
    let payment = known(&draft.payment_id, payment, "PaymentId")?;
    let account = &payment.account;
    let amount = amount_in(account.currency, &draft.amount, "Amount")?;
    let custom = own.checked(&draft.common.custom, asking)?;
    let invoice =
        invoice_of(account, invoice).ok_or_else(|| foreign(&draft.invoice_id, "InvoiceId"))?;
    asking.check(Operation::Create, Object::InvoicePayment)?;
    let is_paid = payment.status == PaymentStatus::Processed;
    if !is_paid && payment.status != PaymentStatus::Draft {
        return Err(RowError::payment_not_processed(payment));
    }
    if let Some(part) = payment.parts.iter().find(|part| part.invoice == invoice.key) {
        return Err(RowError::invoice_already_paid(&payment.number, &part.invoice_number));
    }
    check_applied(amount, payment.unapplied(), invoice)?;
    Ok(NewPart { payment: payment.key, invoice: invoice.key, amount, is_paid, custom })
}

/// That a gateway knows no other payment by a reference.
pub(super) fn check_reference(
    reference: &str,
    gateway: &str,
    own: Option<PaymentKey>,
    known: &[KnownPayment],
) -> Result<(), RowError> {
    let other = known.iter().find(|known| known.gateway == gateway && Some(known.key) != own);
    match other {
        Some(other) => Err(RowError::reference_taken(reference, &other.number, gateway)),
        None => Ok(()),
    }
}

fn check_present(draft: &PaymentDraft) -> Result<(), RowError> {
    require(!draft.payment_type.is_absent(), "Type")?;
    // One that is no amount is there as well: what is wrong with it is reported later.
    let is_positive = |amount: &Field<AmountText>| match amount {
        Field::Absent => false,
        Field::Given(amount) => amount.value > Decimal::ZERO,
        Field::Wrong(_) => true,
    };
    let applies = is_positive(&draft.applied);
    let is_split = applies || is_positive(&draft.to_credit_balance);
    require(is_split || !draft.amount.is_absent(), "Amount")?;
    require(!draft.account_id.is_absent(), "AccountId")?;
    // A caller that applies money says both: how much, and to which invoice.
    let names_invoice = !draft.invoice_id.is_absent() || !draft.invoice_number.is_absent();
    require(!applies || names_invoice, "InvoiceId")?;
    let says_amount = !draft.applied.is_absent() || !draft.to_credit_balance.is_absent();
    require(!names_invoice || says_amount, "AppliedInvoiceAmount")?;
    // Documented as INVALID_VALUE, unlike what is missing otherwise.
    if draft.method_id.is_absent() {
        return Err(RowError::invalid("PaymentMethodId", ""));
    }
    Ok(())
}

/// What is named, or that it is not known.
fn known<'f, T>(id: &Field<ObjectId>, found: Option<&'f T>, name: &str) -> Result<&'f T, RowError> {
    id.checked()?;
    found.ok_or_else(|| foreign(id, name))
}

fn foreign(id: &Field<ObjectId>, name: &str) -> RowError {
    RowError::invalid(name, id.given().map_or("", ObjectId::as_str))
}

/// The invoice that is named by its id, its number or both, if it is one of the account's.
fn named_invoice<'f>(
    draft: &PaymentDraft,
    facts: &'f PaymentFacts<'_>,
    account: &Account,
) -> Result<Option<&'f Invoice>, RowError> {
    let by_id = match draft.invoice_id.checked()? {
        None => None,
        Some(_) => Some(known(&draft.invoice_id, facts.invoice.as_ref(), "InvoiceId")?),
    };
    if by_id.is_some_and(|invoice| invoice_of(account, invoice).is_none()) {
        return Err(foreign(&draft.invoice_id, "InvoiceId"));
    }
    let Some(number) = draft.invoice_number.checked()? else {
        return Ok(by_id);
    };
    let found = facts.invoice_by_number.as_ref().and_then(|found| invoice_of(account, found));
    let found = found.filter(|found| by_id.is_none_or(|by_id| by_id.key == found.key));
    found.map(Some).ok_or_else(|| RowError::invalid("InvoiceNumber", number))
}

/// The day that is named, else today.
fn effective_date(
    draft: &PaymentDraft,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<NaiveDate, RowError> {
    let Some(text) = draft.effective_date.checked()? else {
        return Ok(day_at(asking.now, tenant.time_zone));
    };
    text.day(asking.version, tenant.time_zone)
        .ok_or_else(|| RowError::invalid("EffectiveDate", text.as_str()))
}

/// The invoice, if it is one of the account's.
fn invoice_of<'i>(account: &Account, invoice: &'i Invoice) -> Option<&'i Invoice> {
    Some(invoice).filter(|invoice| invoice.account.key == account.key)
}

/// The method, if the account may use it for a payment of this type.
fn usable_method<'f>(
    draft: &PaymentDraft,
    facts: &'f PaymentFacts<'_>,
    account: &Account,
) -> Result<&'f PaymentMethod, RowError> {
    let method = known(&draft.method_id, facts.method.as_ref(), "PaymentMethodId")?;
    let is_electronic = draft.payment_type.given() == Some(&PaymentType::Electronic);
    let is_own = method.account.is_none_or(|owner| owner == account.key);
    let fits = !is_electronic || method.method_type.is_electronic();
    if is_own && fits && method.status == MethodStatus::Active {
        return Ok(method);
    }
    Err(foreign(&draft.method_id, "PaymentMethodId"))
}

/// That money can come through the gateway of this name.
pub(super) fn check_gateway(
    name: &str,
    gateways: &[Gateway],
    method: &PaymentMethod,
) -> Result<(), RowError> {
    let gateway = gateway_named(name, gateways);
    if !gateway.active {
        return Err(RowError::gateway_inactive(&gateway));
    }
    if !gateway.supports(method.method_type) {
        return Err(RowError::gateway_without_method(&gateway, method.method_type));
    }
    Ok(())
}

/// That a part is covered by what is left of its payment, and by what is owed on its invoice.
pub(super) fn check_applied(
    applied: MinorUnits,
    left: MinorUnits,
    invoice: &Invoice,
) -> Result<(), RowError> {
    let currency = invoice.account.currency;
    if applied > left {
        return Err(RowError::over_payment(applied, left, currency));
    }
    if applied > invoice.balance {
        return Err(RowError::over_invoice_balance(applied, invoice.balance, currency));
    }
    Ok(())
}
