//! The values of a refund's draft, each checked by itself, and what is decided once all are good.
//!
//! What must stay true: values are checked in WSDL order, and the first that is wrong is reported.

use super::custom::OwnFields;
use super::{Asking, Decision, Facts, MethodChoice, Payout, Source, day_named, require, source_of};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::{AmountText, Field, RefundDraft};
use crate::domain::facts::{Account, MethodKey, Tenant};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{MethodType, RefundType};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// A draft whose every value is acceptable by itself.
pub(super) struct Valid<'a> {
    pub(super) account: &'a Account,
    pub(super) amount: Decimal,
    pub(super) refund_date: NaiveDate,
    pub(super) reason_code: Option<String>,
    pub(super) refund_type: RefundType,
    pub(super) custom: CustomValues,
}

/// How a refund is, or will be, paid.
pub(super) struct Paid {
    pub(super) method_type: MethodType,
    pub(super) method: Option<MethodKey>,
    pub(super) payout: Payout,
    /// What the source had to give before.
    pub(super) source_before: MinorUnits,
}

impl Valid<'_> {
    /// What is decided of the draft whose values these are.
    pub(super) fn decided(
        self,
        draft: &RefundDraft,
        source: Source,
        amount: MinorUnits,
        paid: Paid,
    ) -> Decision {
        let is_named = draft.payment_method_id.given().is_some();
        let choice = match (&source, paid.method) {
            (_, None) => MethodChoice::TypeAlone,
            (_, Some(_)) if is_named => MethodChoice::Named,
            (Source::CreditBalance | Source::CreditMemo { .. }, Some(_)) => MethodChoice::Default,
            (Source::Payment { .. }, Some(_)) => MethodChoice::OfPayment,
        };
        Decision {
            choice,
            source_before: paid.source_before,
            account: self.account.key,
            source,
            amount,
            currency: self.account.currency,
            method_type: paid.method_type,
            method: paid.method,
            payout: paid.payout,
            refund_date: self.refund_date,
            comment: draft.comment.given().cloned(),
            reason_code: self.reason_code,
            soft_descriptor: draft.soft_descriptor.given().cloned(),
            soft_descriptor_phone: draft.soft_descriptor_phone.given().cloned(),
            custom: self.custom,
            detail: None,
        }
    }
}

/// What the checks of values differ in, by the source.
pub(super) struct Origin<'a> {
    /// The account, if what names it leads to one.
    pub(super) account: Option<&'a Account>,
    /// Whether an AccountId that is one is wrong all the same.
    pub(super) is_account_wrong: bool,
    /// Whether a PaymentId that is one is wrong all the same.
    pub(super) is_payment_wrong: bool,
    /// Before this day there can be no refund.
    pub(super) not_before: Option<NaiveDate>,
}

/// Checks each value, in WSDL order and then those of the tenant's own fields, and names the first
/// that is wrong.
pub(super) fn check_values<'a>(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    asking: &Asking,
    origin: &Origin<'a>,
) -> Result<Valid<'a>, RowError> {
    draft.common.check_unknown(asking.strict)?;
    if let Some(id) = draft.account_id.checked()?.filter(|_| origin.is_account_wrong) {
        return Err(RowError::invalid("AccountId", id.as_str()));
    }
    let amount = check_amount("Amount", &draft.amount, origin.account.map(|one| one.currency))?;
    draft.comment.checked()?;
    draft.gateway_options.checked()?;
    draft.method_type.checked()?;
    if let Some(id) = draft.payment_id.checked()?.filter(|_| origin.is_payment_wrong) {
        return Err(RowError::invalid("PaymentId", id.as_str()));
    }
    if let (Some(id), None) = (draft.payment_method_id.checked()?, &facts.method) {
        return Err(RowError::invalid("PaymentMethodId", id.as_str()));
    }
    let reason_code = check_reason(&draft.reason_code, facts.tenant)?;
    let refund_date = check_date(draft, facts.tenant, asking, origin.not_before)?;
    check_parts(draft, origin)?;
    draft.soft_descriptor.checked()?;
    draft.soft_descriptor_phone.checked()?;
    draft.source_type.checked()?;
    let refund_type = *draft.refund_type.checked()?.ok_or_else(|| RowError::missing("Type"))?;
    let account = origin.account.ok_or_else(|| RowError::missing("AccountId"))?;
    let amount = amount.ok_or_else(|| RowError::missing("Amount"))?;
    let own = OwnFields::of_refund(facts.tenant, source_of(draft));
    let custom = own.checked(&draft.common.custom, asking)?;
    Ok(Valid { account, amount, refund_date, reason_code, refund_type, custom })
}

/// An amount that the currency can hold, if both are known.
pub(super) fn check_amount(
    name: &str,
    amount: &Field<AmountText>,
    currency: Option<Currency>,
) -> Result<Option<Decimal>, RowError> {
    let (Some(amount), Some(currency)) = (amount.checked()?, currency) else {
        return Ok(None);
    };
    if currency.can_hold(amount.value) {
        return Ok(Some(amount.value));
    }
    Err(RowError::invalid(name, &amount.text))
}

/// That each part of a refund says of which invoice it takes how much.
fn check_parts(draft: &RefundDraft, origin: &Origin<'_>) -> Result<(), RowError> {
    for part in draft.parts.checked()?.into_iter().flatten() {
        let has_invoice = part.invoice_id.checked()?.is_some();
        require(has_invoice, "InvoiceId")?;
        require(!part.amount.is_absent(), "RefundAmount")?;
        check_amount("RefundAmount", &part.amount, origin.account.map(|one| one.currency))?;
    }
    Ok(())
}

/// One of the tenant's codes; without one, the first of them.
fn check_reason(code: &Field<String>, tenant: &Tenant) -> Result<Option<String>, RowError> {
    match code.checked()? {
        None => Ok(tenant.reason_codes.first().cloned()),
        Some(code) => known_reason(code, tenant).map(Some),
    }
}

pub(super) fn known_reason(code: &str, tenant: &Tenant) -> Result<String, RowError> {
    let known = tenant.reason_codes.iter().find(|known| *known == code);
    known.cloned().ok_or_else(|| RowError::invalid("ReasonCode", code))
}

/// One of the tenant's codes for adjustments; without one, the default. Codes of refunds are taken
/// as well, because adjustments had no list of their own once.
pub(super) fn check_adjustment_reason(
    code: &Field<String>,
    default: Option<&String>,
    tenant: &Tenant,
) -> Result<Option<String>, RowError> {
    match code.checked()? {
        None => Ok(default.cloned()),
        Some(code) => known_adjustment_reason(code, tenant).map(Some),
    }
}

pub(super) fn known_adjustment_reason(code: &str, tenant: &Tenant) -> Result<String, RowError> {
    let known = tenant.adjustment_reason_codes.iter().find(|known| *known == code);
    known.cloned().map_or_else(|| known_reason(code, tenant), Ok)
}

/// External: any day up to today in tenant time, later with future-dated adjustments.
/// Electronic: today. Without a date: today. Never before the payment.
fn check_date(
    draft: &RefundDraft,
    tenant: &Tenant,
    asking: &Asking,
    not_before: Option<NaiveDate>,
) -> Result<NaiveDate, RowError> {
    let electronic = draft.refund_type.given() == Some(&RefundType::Electronic);
    day_named("RefundDate", &draft.refund_date, tenant, asking, |day, today| {
        let late = if electronic { day == today } else { day <= today };
        (late || (tenant.future_dated_adjustments && !electronic))
            && not_before.is_none_or(|first| day >= first)
    })
}
