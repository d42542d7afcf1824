//! Refunds of the unapplied part of a payment, and those that unapply it first.
//!
//! Sources: "Refund a payment" (the payment's own method and gateway; an external refund of an
//! electronic payment may be recorded) and "Unapply and refund a payment" (without an amount the
//! whole payment; without invoices as much of them as is needed, in the order in which they were
//! paid).

use super::credit_memo::{AppliedShare, Movable, decide_shares};
use super::payment::{check_collected, check_open, electronic_method, original_gateway};
use super::settlement::{
    Paid, Scope, Valid, check_may_refund, check_present, check_switch, check_values, known_reason,
};
use super::{Asking, Decision, MethodChoice, Payout, Source};
use crate::domain::access::{Object, Operation};
use crate::domain::calendar::day_at;
use crate::domain::draft::settlement_refunds::{PaymentRefundDraft, UnapplyDraft};
use crate::domain::facts::{Gateway, NamedInvoice, Payment, Tenant};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{PaymentStatus, RefundType, SourceType};
use chrono::NaiveDate;

/// What the ledger knows about the things that such a draft names.
#[derive(Debug, Clone)]
pub struct PaymentRefundFacts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The payment; none when there is no such one.
    pub payment: Option<Payment>,
    /// The invoices that are named to be unapplied, in the draft's order.
    pub invoices: Vec<NamedInvoice>,
}

/// A refund of a payment that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnappliedRefund {
    /// The refund.
    pub refund: Decision,
    /// What comes back from invoices before it.
    pub unapplied: Vec<AppliedShare>,
    /// The credit memos that write those invoices off, if they are.
    pub write_off: Option<WriteOff>,
}

/// What the credit memos of a write-off are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOff {
    /// Their day.
    pub date: NaiveDate,
    /// Free text.
    pub comment: String,
    /// One of the tenant's codes for credit memos.
    pub reason_code: Option<String>,
}

/// The comment of a write-off that has none of its own.
const WRITE_OFF_COMMENT: &str = "Write-off";

/// Decides whether `draft` may become a refund.
pub fn decide_payment_refund(
    draft: &PaymentRefundDraft,
    facts: &PaymentRefundFacts<'_>,
    asking: &Asking,
) -> Result<UnappliedRefund, RowError> {
    let (tenant, details) = (facts.tenant, &draft.details);
    check_switch(tenant)?;
    check_may_refund(SourceType::Payment, details, asking)?;
    if draft.unapply.is_some() {
        asking.check(Operation::Update, Object::InvoicePayment)?;
    }
    let payment =
        facts.payment.as_ref().ok_or_else(|| RowError::no_such(draft.payment.as_str()))?;
    let scope = Scope {
        tenant,
        account: &payment.account,
        source: SourceType::Payment,
        not_before: payment.effective_date,
        reasons: &tenant.payment_reason_codes,
        may_be_whole: draft.unapply.is_some(),
    };
    check_present(details, &scope)?;
    let valid = check_values(details, &scope, asking)?;
    let transaction_type = draft.transaction_type.checked()?.copied();
    let write_off = match &draft.unapply {
        Some(unapply) => write_off(unapply, tenant, asking)?,
        None => None,
    };
    if payment.status != PaymentStatus::Processed {
        return Err(RowError::payment_not_processed(payment));
    }
    let paid = paid(draft, payment, facts.gateways, &valid)?;
    let (amount, unapplied) = match (&draft.unapply, valid.amount) {
        (Some(unapply), given) => unapplying(unapply, given, payment, &facts.invoices)?,
        (None, Some(given)) => (given, Vec::new()),
        (None, None) => return Err(RowError::missing("totalAmount")),
    };
    if write_off.is_some() && unapplied.is_empty() {
        return Err(RowError::write_off_without_invoice());
    }
    let back: i64 = unapplied.iter().map(|share| share.amount.units()).sum();
    let rest = MinorUnits::new(payment.unapplied().units().saturating_add(back));
    if amount > rest {
        let of = ("payment", payment.number.as_str());
        return Err(RowError::over_unapplied_of(amount, rest, payment.account.currency, of));
    }
    if matches!(paid.payout, Payout::Electronic { .. }) {
        check_collected(amount, payment)?;
    }
    let source = (Source::Payment { payment: payment.key, parts: Vec::new() }, rest);
    let refund = valid.decided(details, source, amount, transaction_type, paid);
    Ok(UnappliedRefund { refund, unapplied, write_off })
}

/// What the credit memos of a write-off are like, if there is one; values of the options are
/// checked in any case.
fn write_off(
    draft: &UnapplyDraft,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<Option<WriteOff>, RowError> {
    let is_wanted = draft.write_off.checked()?.copied().unwrap_or(false);
    let options = &draft.options;
    let comment = options.comment.checked()?.cloned();
    let today = day_at(asking.now, tenant.time_zone);
    let date = options.memo_date.checked()?.copied().unwrap_or(today);
    let reasons = &tenant.credit_memo_reason_codes;
    let reason_code = match options.reason_code.checked()? {
        None => reasons.first().cloned(),
        Some(code) => {
            let field = "writeOffOptions.reasonCode";
            let known = known_reason(code, reasons, tenant);
            Some(known.map_err(|_| RowError::invalid(field, code))?)
        }
    };
    options.calculates_taxes.checked()?;
    let comment = comment.unwrap_or_else(|| WRITE_OFF_COMMENT.to_owned());
    Ok(is_wanted.then_some(WriteOff { date, comment, reason_code }))
}

/// How the refund is, or will be, paid: an electronic one to where the payment came from.
fn paid(
    draft: &PaymentRefundDraft,
    payment: &Payment,
    gateways: &[Gateway],
    valid: &Valid<'_>,
) -> Result<Paid, RowError> {
    if valid.refund_type == RefundType::External {
        let method_type = draft.details.method_type.given();
        return Ok(Paid {
            method_type: *method_type.ok_or_else(|| RowError::missing("methodType"))?,
            method: None,
            choice: MethodChoice::TypeAlone,
            payout: Payout::External,
        });
    }
    let method = electronic_method(payment)?;
    check_open(method, payment)?;
    Ok(Paid {
        method_type: method.method_type,
        method: Some(method.key),
        choice: MethodChoice::OfPayment,
        payout: original_gateway(payment, method, gateways, valid.options.clone())?,
    })
}

/// How much is refunded, and what comes back from which invoice for it.
fn unapplying(
    unapply: &UnapplyDraft,
    given: Option<MinorUnits>,
    payment: &Payment,
    invoices: &[NamedInvoice],
) -> Result<(MinorUnits, Vec<AppliedShare>), RowError> {
    if !unapply.invoices.is_empty() {
        let movable = movable(payment);
        let shares = decide_shares(&unapply.invoices, invoices, &movable, false)?;
        let add = |sum: i64, one: &AppliedShare| sum.saturating_add(one.amount.units());
        let sum = MinorUnits::new(shares.iter().fold(0, add));
        return Ok((given.unwrap_or(sum), shares));
    }
    let amount = given.unwrap_or_else(|| payment.refundable());
    if amount <= MinorUnits::ZERO {
        return Err(RowError::nothing_to_refund(&payment.number));
    }
    let mut needed = amount.units();
    let mut shares = Vec::new();
    for part in &payment.parts {
        let taken = part.rest().units().min(needed);
        if taken > 0 {
            needed -= taken;
            shares.push(AppliedShare { invoice: part.invoice, amount: MinorUnits::new(taken) });
        }
    }
    Ok((amount, shares))
}

/// What of a payment can go to invoices and come back from them.
pub(super) fn movable(payment: &Payment) -> Movable<'_> {
    Movable {
        account: &payment.account,
        unapplied: payment.unapplied(),
        applied: payment.parts.iter().map(|part| (part.invoice, part.rest())).collect(),
        name: ("payment", &payment.number),
    }
}
