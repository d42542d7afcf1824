//! What the refunds of the v1 operations share: the switch, the permission, and every value that
//! the refund of a credit memo and that of an unapplied payment both have.
//!
//! Sources: "Refund a credit memo" and "Refund a payment". The order of the checks is part of the
//! contract: the tenant's switch, the permission, what the path names, what is missing, what is
//! invalid, and then the rules.

use super::custom::OwnFields;
use super::{Asking, Decision, Source, require};
use crate::domain::access::{Object, Operation};
use crate::domain::calendar::day_at;
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::refund_details::{RefundDetails, Transferred};
use crate::domain::draft::{Field, GatewayOption};
use crate::domain::facts::{Account, MethodKey, Tenant};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::row_error::RowError;
use crate::domain::rules::{MethodChoice, Payout};
use crate::domain::vocabulary::{
    MethodType, RefundTransactionType, RefundType, SourceType, TransferredToAccounting,
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// What only the v1 operations ask for, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Detail {
    /// referenceId, until a gateway gives another.
    pub reference_id: Option<String>,
    /// secondRefundReferenceId, until a gateway gives another.
    pub second_reference_id: Option<String>,
    /// financeInformation.transferredToAccounting; none is `No`.
    pub transferred: Option<TransferredToAccounting>,
    /// refundTransactionType.
    pub transaction_type: Option<RefundTransactionType>,
    /// The accounting codes and the fields for NetSuite, by their names.
    pub notes: BTreeMap<&'static str, String>,
    /// customRates.
    pub rates: Vec<Rate>,
}

/// A rate of the client's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// The home or the reporting currency.
    pub currency: Currency,
    /// What a unit of the refund's currency is in it, above zero.
    #[serde(rename = "customFxRate")]
    pub rate: Decimal,
    /// The day of the rate.
    #[serde(rename = "rateDate")]
    pub day: Option<NaiveDate>,
}

/// That Invoice Settlement is on.
pub(super) fn check_switch(tenant: &Tenant) -> Result<(), RowError> {
    if tenant.invoice_settlement { Ok(()) } else { Err(RowError::settlement_off()) }
}

/// That the caller may make such a refund, as far as the draft says of which type it is.
pub(super) fn check_may_refund(
    source: SourceType,
    details: &RefundDetails,
    asking: &Asking,
) -> Result<(), RowError> {
    match details.refund_type.given() {
        Some(refund_type) => asking.check(Operation::Create, Object::Refund(source, *refund_type)),
        None => Ok(()),
    }
}

/// Values of a draft that are each good by themselves.
pub(super) struct Valid<'a> {
    pub(super) account: &'a Account,
    pub(super) refund_type: RefundType,
    /// None where the whole is meant.
    pub(super) amount: Option<MinorUnits>,
    pub(super) options: Vec<GatewayOption>,
    refund_date: NaiveDate,
    reason_code: Option<String>,
    detail: Box<Detail>,
    custom: CustomValues,
}

/// How a refund is, or will be, paid.
pub(super) struct Paid {
    pub(super) method_type: MethodType,
    pub(super) method: Option<MethodKey>,
    pub(super) choice: MethodChoice,
    pub(super) payout: Payout,
}

/// What a refund of this source may be asked for with.
pub(super) struct Scope<'a> {
    pub(super) tenant: &'a Tenant,
    /// Whose money it is.
    pub(super) account: &'a Account,
    /// Where it comes from.
    pub(super) source: SourceType,
    /// Before this day there can be no refund.
    pub(super) not_before: NaiveDate,
    /// The tenant's reason codes for it.
    pub(super) reasons: &'a [String],
    /// Whether totalAmount may be absent.
    pub(super) may_be_whole: bool,
}

/// That what every such refund needs is there.
pub(super) fn check_present(details: &RefundDetails, scope: &Scope<'_>) -> Result<(), RowError> {
    require(!details.refund_type.is_absent(), "type")?;
    require(scope.may_be_whole || !details.total_amount.is_absent(), "totalAmount")?;
    let is_external = details.refund_type.given() == Some(&RefundType::External);
    require(!is_external || !details.method_type.is_absent(), "methodType")?;
    let own = OwnFields::of_refund(scope.tenant, scope.source);
    own.check_present(&details.custom)
}

/// Checks each value by itself and what goes with the type, in the order of the documents.
pub(super) fn check_values<'a>(
    details: &RefundDetails,
    scope: &Scope<'a>,
    asking: &Asking,
) -> Result<Valid<'a>, RowError> {
    let refund_type = *details.refund_type.checked()?.ok_or_else(|| RowError::missing("type"))?;
    let currency = scope.account.currency;
    let amount = match details.total_amount.checked()? {
        None => None,
        Some(amount) => {
            let units = currency.minor_units(amount.value);
            Some(units.ok_or_else(|| RowError::invalid("totalAmount", &amount.text))?)
        }
    };
    let method_type = details.method_type.checked()?;
    let is_electronic = refund_type == RefundType::Electronic;
    empty_if(is_electronic && method_type.is_some(), "methodType", refund_type)?;
    details.comment.checked()?;
    let rates = check_rates(details, scope.tenant)?;
    let notes = details.notes.checked()?;
    let transferred = match details.transferred.checked()? {
        Some(Transferred::As(value)) => Some(*value),
        Some(Transferred::No) | None => None,
    };
    let options = details.options()?;
    let reason_code = check_reason(&details.reason_code, scope)?;
    let reference_id = details.reference_id.checked()?.cloned();
    let refund_date = check_date(details, scope, refund_type, asking)?;
    let second_reference_id = details.second_reference_id.checked()?.cloned();
    details.soft_descriptor.checked()?;
    details.soft_descriptor_phone.checked()?;
    let own = OwnFields::of_refund(scope.tenant, scope.source);
    let custom = own.checked(&details.custom, asking)?;
    let detail = Box::new(Detail {
        reference_id,
        second_reference_id,
        transferred,
        transaction_type: None,
        notes,
        rates,
    });
    let account = scope.account;
    Ok(Valid { account, refund_type, amount, options, refund_date, reason_code, detail, custom })
}

impl Valid<'_> {
    /// What is decided of the draft whose values these are.
    pub(super) fn decided(
        self,
        details: &RefundDetails,
        (source, source_before): (Source, MinorUnits),
        amount: MinorUnits,
        transaction_type: Option<RefundTransactionType>,
        paid: Paid,
    ) -> Decision {
        let mut detail = self.detail;
        detail.transaction_type = transaction_type;
        Decision {
            account: self.account.key,
            source,
            source_before,
            amount,
            currency: self.account.currency,
            method_type: paid.method_type,
            method: paid.method,
            choice: paid.choice,
            payout: paid.payout,
            refund_date: self.refund_date,
            comment: details.comment.given().cloned(),
            reason_code: self.reason_code,
            soft_descriptor: details.soft_descriptor.given().cloned(),
            soft_descriptor_phone: details.soft_descriptor_phone.given().cloned(),
            custom: self.custom,
            detail: Some(detail),
        }
    }
}

/// That a field is empty where this type of refund wants it so.
pub(super) fn empty_if(
    is_wrong: bool,
    field: &str,
    refund_type: RefundType,
) -> Result<(), RowError> {
    if is_wrong { Err(RowError::must_be_empty(field, refund_type)) } else { Ok(()) }
}

/// One of the tenant's codes for this source, or of those for all refunds; without one, the first.
fn check_reason(code: &Field<String>, scope: &Scope<'_>) -> Result<Option<String>, RowError> {
    match code.checked()? {
        None => Ok(scope.reasons.first().cloned()),
        Some(code) => known_reason(code, scope.reasons, scope.tenant).map(Some),
    }
}

/// The code, if the tenant has it for this source or for refunds of any.
pub(super) fn known_reason(
    code: &str,
    reasons: &[String],
    tenant: &Tenant,
) -> Result<String, RowError> {
    let mut known = reasons.iter().chain(&tenant.reason_codes);
    let found = known.find(|known| *known == code).cloned();
    found.ok_or_else(|| RowError::invalid("reasonCode", code))
}

/// External: a day from `not_before` up to today in tenant time; without one, today. Electronic:
/// today, and none may be named.
fn check_date(
    details: &RefundDetails,
    scope: &Scope<'_>,
    refund_type: RefundType,
    asking: &Asking,
) -> Result<NaiveDate, RowError> {
    let today = day_at(asking.now, scope.tenant.time_zone);
    let given = details.refund_date.checked()?.copied();
    let is_electronic = refund_type == RefundType::Electronic;
    empty_if(is_electronic && given.is_some(), "refundDate", refund_type)?;
    let day = given.unwrap_or(today);
    if day < scope.not_before || day > today {
        return Err(RowError::invalid("refundDate", &day.to_string()));
    }
    Ok(day)
}

/// At most one rate for the home currency and one for the reporting currency.
fn check_rates(details: &RefundDetails, tenant: &Tenant) -> Result<Vec<Rate>, RowError> {
    details.check_rates()?;
    if details.custom_rates.is_empty() {
        return Ok(Vec::new());
    }
    if tenant.fx_data && tenant.currency_conversion_exports {
        return Err(RowError::rates_excluded());
    }
    let mut rates: Vec<Rate> = Vec::with_capacity(details.custom_rates.len());
    for draft in &details.custom_rates {
        require(!draft.currency.is_absent(), "customRates.currency")?;
        require(!draft.custom_fx_rate.is_absent(), "customRates.customFxRate")?;
        let (Some(currency), Some(rate)) =
            (draft.currency.checked()?, draft.custom_fx_rate.checked()?)
        else {
            return Err(RowError::missing("customRates.currency"));
        };
        let of_tenant = [tenant.home_currency, tenant.reporting_currency].into_iter().flatten();
        let is_known = of_tenant.into_iter().any(|known| known == *currency);
        if !is_known || rates.iter().any(|rate| rate.currency == *currency) {
            return Err(RowError::invalid("customRates.currency", currency.code()));
        }
        let day = draft.rate_date.checked()?.copied();
        rates.push(Rate { currency: *currency, rate: rate.value, day });
    }
    Ok(rates)
}
