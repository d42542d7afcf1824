//! Refunds of a payment (referenced refunds).
//!
//! Sources: the Refund object's field descriptions (External needs a MethodType; the account, the
//! method and the gateway follow from the payment; RefundInvoicePaymentData from 64), the overview
//! of refunds (an inactive original gateway: record an External refund), and "a card payment goes
//! back to its own card".

use super::{
    Asking, Decision, Facts, Origin, Paid, Payout, Source, TakenPart, Valid, check_told_type,
    check_values, gateway_named, named_method, options_of, wrong_method,
};
use crate::domain::access::{Object, Operation};
use crate::domain::collected::Collected;
use crate::domain::draft::{GatewayOption, PartDraft, RefundDraft};
use crate::domain::facts::{Account, Gateway, Payment, PaymentMethod, PaymentPart};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{
    MethodStatus, MethodType, PaymentStatus, PaymentType, RefundType, SourceType,
};

/// Decides about a draft whose required fields are there.
pub(super) fn decide(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    asking: &Asking,
) -> Result<Decision, RowError> {
    let payment = facts.payment.as_ref();
    let owner = payment.map(|payment| &payment.account);
    let named = facts.account.as_ref().map(|account| account.key);
    let origin = Origin {
        account: owner,
        // It is not needed; if it is there, it must be the payment's.
        is_account_wrong: owner.map_or(named.is_none(), |owner| named != Some(owner.key)),
        is_payment_wrong: payment.is_none(),
        not_before: payment.map(|payment| payment.effective_date),
    };
    let valid = check_values(draft, facts, asking, &origin)?;
    let payment = payment.ok_or_else(|| RowError::missing("PaymentId"))?;
    asking.check(Operation::Create, Object::Refund(SourceType::Payment, valid.refund_type))?;
    if payment.status != PaymentStatus::Processed {
        return Err(RowError::payment_not_processed(payment));
    }
    let (method_type, method, payout) = match valid.refund_type {
        RefundType::External => {
            let (method_type, method) = choose_external(draft, facts, valid.account)?;
            (method_type, method, Payout::External)
        }
        RefundType::Electronic => {
            let method = original_method(draft, payment)?;
            let options = options_of(draft);
            let payout = original_gateway(payment, method, facts.gateways, options)?;
            (method.method_type, Some(method), payout)
        }
    };
    let amount = check_refundable(&valid, payment)?;
    if matches!(payout, Payout::Electronic { .. }) {
        check_collected(amount, payment)?;
    }
    let parts = match draft.parts.given() {
        Some(parts) => told_parts(parts, amount, payment)?,
        None => implied_parts(amount, payment, asking.version)?,
    };
    let source = Source::Payment { payment: payment.key, parts };
    let method = method.map(|method| method.key);
    let source_before = payment.refundable();
    let paid = Paid { method_type, method, payout, source_before };
    Ok(valid.decided(draft, source, amount, paid))
}

/// How an external refund was paid; a method beside it must be the account's, or one of no account.
fn choose_external<'a>(
    draft: &RefundDraft,
    facts: &'a Facts<'_>,
    account: &Account,
) -> Result<(MethodType, Option<&'a PaymentMethod>), RowError> {
    let named = named_method(draft, facts, account)?;
    let given = draft.method_type.given().copied();
    given.map(|one| (one, named)).ok_or_else(|| RowError::missing("MethodType"))
}

/// The method that the payment came from, to which alone the money may go back.
fn original_method<'a>(
    draft: &RefundDraft,
    payment: &'a Payment,
) -> Result<&'a PaymentMethod, RowError> {
    let method = electronic_method(payment)?;
    if draft.payment_method_id.given().is_some_and(|named| *named != method.id) {
        return Err(wrong_method(draft));
    }
    check_open(method, payment)?;
    check_told_type(draft, method)?;
    Ok(method)
}

/// The method that a payment came from through a gateway.
pub(super) fn electronic_method(payment: &Payment) -> Result<&PaymentMethod, RowError> {
    let method = payment.method.as_ref();
    let is_electronic = payment.payment_type == PaymentType::Electronic;
    let method = method.filter(|method| is_electronic && method.method_type.is_electronic());
    method.ok_or_else(|| RowError::payment_without_gateway(payment))
}

/// That money can still go back to the method of a payment.
pub(super) fn check_open(method: &PaymentMethod, payment: &Payment) -> Result<(), RowError> {
    match method.status {
        MethodStatus::Closed => Err(RowError::original_method_closed(payment)),
        MethodStatus::Active => Ok(()),
    }
}

/// The gateway that the payment came through, which alone can refund it.
pub(super) fn original_gateway(
    payment: &Payment,
    method: &PaymentMethod,
    gateways: &[Gateway],
    options: Vec<GatewayOption>,
) -> Result<Payout, RowError> {
    let name = payment.gateway.as_ref();
    let name = name.ok_or_else(|| RowError::payment_without_gateway(payment))?;
    let gateway = gateway_named(name, gateways);
    if !gateway.active {
        return Err(RowError::original_gateway_inactive(&gateway));
    }
    if !gateway.referenced_refunds {
        return Err(RowError::gateway_without_referenced(&gateway));
    }
    if !gateway.supports(method.method_type) {
        return Err(RowError::gateway_without_method(&gateway, method.method_type));
    }
    Ok(Payout::Electronic {
        gateway: gateway.name.clone(),
        payment_method: method.id.clone(),
        original_payment: Some(payment.reference().to_owned()),
        options,
    })
}

/// The amount in minor units, if that much of the payment is left.
fn check_refundable(valid: &Valid<'_>, payment: &Payment) -> Result<MinorUnits, RowError> {
    let (currency, rest) = (valid.account.currency, payment.refundable());
    let units = currency.minor_units(valid.amount).filter(|units| *units <= rest);
    units.ok_or_else(|| {
        RowError::over_refundable(valid.amount, rest, currency, "payment", &payment.number)
    })
}

/// That the gateway collected that much under the payment's reference and was not asked for it
/// before, by whichever payment and refund: what was cancelled or deleted here went out all the
/// same.
pub(super) fn check_collected(amount: MinorUnits, payment: &Payment) -> Result<(), RowError> {
    let left = payment.collected.unwrap_or(Collected::NOTHING).left();
    if amount <= left {
        return Ok(());
    }
    Err(RowError::over_collected(amount, left, payment))
}

/// The parts that the draft names, once each fits its InvoicePayment and all make the amount.
fn told_parts(
    given: &[PartDraft],
    amount: MinorUnits,
    payment: &Payment,
) -> Result<Vec<TakenPart>, RowError> {
    let currency = payment.account.currency;
    let mut parts: Vec<TakenPart> = Vec::with_capacity(given.len());
    for one in given {
        let (Some(id), Some(wanted)) = (one.invoice_id.given(), one.amount.given()) else {
            return Err(RowError::missing("InvoiceId"));
        };
        let part = payment.parts.iter().find(|part| part.invoice_id == *id);
        // Twice the same invoice is no split.
        let part = part.filter(|part| parts.iter().all(|taken| taken.part != part.key));
        let part = part.ok_or_else(|| RowError::invalid("InvoiceId", id.as_str()))?;
        let units = currency.minor_units(wanted.value).filter(|units| *units <= part.rest());
        let units = units.ok_or_else(|| {
            let number = &part.invoice_number;
            RowError::over_refundable(wanted.value, part.rest(), currency, "invoice", number)
        })?;
        parts.push(TakenPart { part: part.key, invoice: part.invoice, amount: units });
    }
    let sum = MinorUnits::new(parts.iter().map(|part| part.amount.units()).sum());
    if sum == amount { Ok(parts) } else { Err(RowError::parts_differ(sum, amount, currency)) }
}

/// The parts that follow from the payment: of one invoice, its part first and then the unapplied
/// rest; of several, everything or nothing, because it cannot be known which is meant.
fn implied_parts(
    amount: MinorUnits,
    payment: &Payment,
    version: ApiVersion,
) -> Result<Vec<TakenPart>, RowError> {
    let open: Vec<&PaymentPart> =
        payment.parts.iter().filter(|part| part.rest() > MinorUnits::ZERO).collect();
    if open.len() > 1 && amount < payment.refundable() {
        return Err(RowError::parts_needed(version));
    }
    let take = |part: &PaymentPart| TakenPart {
        part: part.key,
        invoice: part.invoice,
        amount: part.rest().min(amount),
    };
    Ok(open.into_iter().map(take).collect())
}
