//! The rules of changes of a payment: a draft is processed or given up, a payment is taken back.
//!
//! Source: the Payment object's field descriptions. What a draft may do when it is processed is
//! what a new payment may: nothing of it was moved or reserved before.

use super::custom::OwnFields;
use super::paying::{check_applied, check_gateway, check_reference};
use super::payment_amounts::{NewCredit, credit};
use super::{Asking, require};
use crate::domain::access::{Object, Operation};
use crate::domain::collected::{KnownPayment, ReferenceKey};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::change::Change;
use crate::domain::draft::common::KeptValues;
use crate::domain::draft::payment::PaymentChange;
use crate::domain::facts::{Gateway, Invoice, Payment, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{CustomizedObject, MethodStatus, PaymentStatus, PaymentType};

/// What the ledger knows for a change of a payment.
#[derive(Debug, Clone)]
pub struct PaymentChangeFacts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The payment; none when its Id is unknown.
    pub payment: Option<Payment>,
    /// The invoices of a draft's parts, in their order.
    pub invoices: Vec<Invoice>,
    /// The payments that gateways know by the reference that it has, or is to have.
    pub known: Vec<KnownPayment>,
}

/// What a change of Status does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentStep {
    /// A draft moves its money: its invoices are owed less, and it brings this credit.
    Process(Option<NewCredit>),
    /// A draft is given up; it never moved anything.
    Discard,
    /// What it paid is owed again.
    TakeBack,
}

/// What may be changed of a payment. Nothing stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentUpdate<'d> {
    /// The status that it gets, if it gets another, and what that does.
    pub status: Option<(PaymentStatus, PaymentStep)>,
    /// Free text.
    pub comment: Change<&'d str>,
    /// A number of the payer's bank.
    pub reference_id: Change<&'d str>,
    /// What is only kept.
    pub kept: KeptValues<'d>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// Decides whether `draft` may change a payment. A draft becomes Processed, by the rules of a new
/// payment, or Canceled. An external payment is cancelled, an electronic one voided, and only as
/// long as no refund and no adjustment took anything of it.
pub fn decide_payment_update<'d>(
    draft: &'d PaymentChange,
    facts: &PaymentChangeFacts<'_>,
    asking: &Asking,
) -> Result<PaymentUpdate<'d>, RowError> {
    draft.common.check_ids()?;
    require(!draft.common.id.is_absent(), "Id")?;
    draft.common.check_unknown(asking.strict)?;
    let id = draft.common.id.checked()?.map_or("", ObjectId::as_str);
    let payment = facts.payment.as_ref().ok_or_else(|| RowError::invalid("Id", id))?;
    draft.common.check_nulls(CustomizedObject::Payment)?;
    let comment = draft.common.change(&draft.comment, "Comment")?.map(String::as_str);
    let reference_id = draft.common.change(&draft.reference_id, "ReferenceId")?;
    let reference_id = reference_id.map(String::as_str);
    let wanted = draft.status.checked()?.copied().filter(|wanted| *wanted != payment.status);
    let kept = draft.common.kept_values()?;
    let own = OwnFields::of(facts.tenant, CustomizedObject::Payment);
    let custom = own.checked(&draft.common.custom, asking)?;
    if let Some(wanted) = wanted.filter(|wanted| !is_possible(*wanted, payment)) {
        return Err(RowError::invalid("Status", wanted.name()));
    }
    asking.check(Operation::Update, Object::Payment)?;
    let reference = reference_after(&reference_id, payment);
    let step = |wanted| step(wanted, payment, reference, facts, asking);
    let status = wanted.map(|wanted| step(wanted).map(|step| (wanted, step))).transpose()?;
    if let Some(reference) = reference.filter(|_| payment.is_collected()) {
        check_new_reference(reference, payment, &facts.known)?;
    }
    Ok(PaymentUpdate { status, comment, reference_id, kept, custom })
}

/// Whether a payment can get a status at all.
const fn is_possible(wanted: PaymentStatus, payment: &Payment) -> bool {
    use PaymentStatus::{Canceled, Draft, Processed, Voided};
    matches!(
        (payment.status, wanted, payment.payment_type),
        (Draft, Processed | Canceled, _)
            | (Processed, Canceled, PaymentType::External)
            | (Processed, Voided, PaymentType::Electronic)
    )
}

/// What is done to a payment so that it gets a status that it can get, and from then on this
/// reference if it is another.
fn step(
    wanted: PaymentStatus,
    payment: &Payment,
    reference: Option<&str>,
    facts: &PaymentChangeFacts<'_>,
    asking: &Asking,
) -> Result<PaymentStep, RowError> {
    if payment.status == PaymentStatus::Draft {
        return match wanted {
            PaymentStatus::Processed => {
                process(payment, reference, facts, asking).map(PaymentStep::Process)
            }
            _ => Ok(PaymentStep::Discard),
        };
    }
    let taken = payment.refunded.units() + payment.to_credit_balance.units();
    if taken != 0 {
        return Err(RowError::payment_in_use(&payment.number));
    }
    Ok(PaymentStep::TakeBack)
}

/// That a draft may move its money now; gives the credit that it brings.
fn process(
    payment: &Payment,
    reference: Option<&str>,
    facts: &PaymentChangeFacts<'_>,
    asking: &Asking,
) -> Result<Option<NewCredit>, RowError> {
    if let Some(method) = &payment.method {
        if method.status == MethodStatus::Closed {
            return Err(RowError::payment_method_closed(&payment.number));
        }
        if let Some(gateway) = &payment.gateway {
            check_gateway(gateway, facts.gateways, method)?;
            let reference = reference.unwrap_or(payment.reference());
            check_reference(reference, gateway, Some(payment.key), &facts.known)?;
        }
    }
    let (account, tenant) = (&payment.account, facts.tenant);
    let wanted = payment.to_credit_balance;
    let credit = credit(wanted, account, payment.effective_date, tenant, asking)?;
    for (part, invoice) in payment.parts.iter().zip(&facts.invoices) {
        check_applied(part.amount, part.amount, invoice)?;
    }
    Ok(credit)
}

/// The reference by which the gateway of `payment` is to know it from now on, if that changes.
pub fn reference_after<'a>(change: &Change<&'a str>, payment: &'a Payment) -> Option<&'a str> {
    match change {
        Change::Keep => None,
        Change::To(reference) => Some(*reference),
        Change::Clear => Some(&payment.number),
    }
}

/// That the gateway of `payment` may know it by another reference: one that is free there, and only
/// as long as nothing was sent against the old one, or the same money could be sent twice.
fn check_new_reference(
    reference: &str,
    payment: &Payment,
    known: &[KnownPayment],
) -> Result<(), RowError> {
    let Some(gateway) = &payment.gateway else { return Ok(()) };
    if ReferenceKey::of(reference) == ReferenceKey::of(payment.reference()) {
        return Ok(());
    }
    if payment.collected.is_some_and(|collected| collected.sent > MinorUnits::ZERO) {
        return Err(RowError::reference_in_use(&payment.number, gateway));
    }
    check_reference(reference, gateway, Some(payment.key), known)
}
