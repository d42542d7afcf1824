//! The rules of refunding a credit balance: a draft and the facts in, a decision out.
//!
//! Sources: "Refund all or part of a customer's credit balance" (External: optional method or the
//! default; Electronic: a method is required), the Refund object's field descriptions, and the
//! rules of credit balances. The order of the checks is part of the contract: the first error of a
//! row is the only one told.

use super::calendar::day_at;
use super::custom_field::CustomField;
use super::custom_value::CustomValues;
use super::draft::{Field, GatewayOption, RefundDraft};
use super::facts::{Account, AccountKey, Gateway, MethodKey, PaymentMethod, Tenant};
use super::id::ObjectId;
use super::money::{Currency, MinorUnits};
use super::permission::{Permission, Permissions};
use super::row_error::RowError;
use super::version::ApiVersion;
use super::vocabulary::{CustomizedObject, MethodStatus, MethodType, RefundType, SourceType};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

/// Who asks, when, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// The version of the caller's endpoint.
    pub version: ApiVersion,
    /// What the caller may do.
    pub permissions: Permissions,
    /// The moment of the call.
    pub now: DateTime<Utc>,
    /// Whether a field that may not be sent is an error instead of being ignored.
    pub strict: bool,
}

/// What the ledger knows about the things that a draft names.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The account of AccountId; none when there is no such account.
    pub account: Option<Account>,
    /// The method of PaymentMethodId; none when there is no such method.
    pub method: Option<PaymentMethod>,
}

/// A refund that may be made: everything that the ledger has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The account to debit.
    pub account: AccountKey,
    /// How much, above zero and at most the balance.
    pub amount: MinorUnits,
    /// The account's currency.
    pub currency: Currency,
    /// How it is, or will be, paid.
    pub method_type: MethodType,
    /// The method it goes to, if one was named or is the default.
    pub method: Option<MethodKey>,
    /// Who moves the money.
    pub payment: Payment,
    /// The day it counts for, in tenant time.
    pub refund_date: NaiveDate,
    /// Free text.
    pub comment: Option<String>,
    /// One of the tenant's codes, if it has any.
    pub reason_code: Option<String>,
    /// Statement text.
    pub soft_descriptor: Option<String>,
    /// Statement phone number.
    pub soft_descriptor_phone: Option<String>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// How the money moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// Outside the gateway; the refund is Processed at once.
    External,
    /// Through this gateway; the amount is held until it answers.
    Electronic {
        /// The gateway's name.
        gateway: String,
        /// The method to pay to.
        payment_method: ObjectId,
        /// Parameters for it.
        options: Vec<GatewayOption>,
    },
}

impl Payment {
    /// The refund's Type.
    pub const fn refund_type(&self) -> RefundType {
        match self {
            Self::External => RefundType::External,
            Self::Electronic { .. } => RefundType::Electronic,
        }
    }
}

/// The permission that a credit-balance refund of this type needs.
pub const fn permission_for(refund_type: RefundType) -> Permission {
    match refund_type {
        RefundType::External => Permission::CreditBalanceExternalRefund,
        RefundType::Electronic => Permission::CreditBalanceElectronicRefund,
    }
}

/// Decides whether `draft` may become a refund.
///
/// Order: ids that are no ids, missing fields, invalid values in WSDL order, tenant switches and
/// version, permission, ownership and method, the gateway's ability, the balance.
pub fn decide(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    asking: &Asking,
) -> Result<Decision, RowError> {
    if let Some(malformed) = &draft.malformed_id {
        return Err(malformed.error.clone());
    }
    check_present(draft)?;
    draft.custom.check_present(own_fields(facts.tenant))?;
    let valid = check_values(draft, facts, asking)?;
    check_switches(facts.tenant, asking.version)?;
    check_advanced_fields(facts.tenant)?;
    let permission = permission_for(valid.refund_type);
    if !asking.permissions.allow(permission) {
        return Err(RowError::no_permission(permission));
    }
    let (method_type, method) = choose_method(draft, facts, &valid)?;
    let payment = match valid.refund_type {
        RefundType::External => Payment::External,
        RefundType::Electronic => choose_gateway(draft, facts, &valid, method_type)?,
    };
    Ok(Decision {
        account: valid.account.key,
        amount: check_balance(&valid)?,
        currency: valid.account.currency,
        method_type,
        method: method.map(|method| method.key),
        payment,
        refund_date: valid.refund_date,
        comment: draft.comment.given().cloned(),
        reason_code: valid.reason_code,
        soft_descriptor: draft.soft_descriptor.given().cloned(),
        soft_descriptor_phone: draft.soft_descriptor_phone.given().cloned(),
        custom: valid.custom,
    })
}

fn check_present(draft: &RefundDraft) -> Result<(), RowError> {
    let require =
        |present: bool, field| if present { Ok(()) } else { Err(RowError::missing(field)) };
    let from_balance = draft.source_type.given() == Some(&SourceType::CreditBalance);
    let electronic = draft.refund_type.given() == Some(&RefundType::Electronic);
    require(!draft.refund_type.is_absent(), "Type")?;
    require(!draft.amount.is_absent(), "Amount")?;
    require(from_balance || !draft.payment_id.is_absent(), "PaymentId")?;
    require(!from_balance || !draft.account_id.is_absent(), "AccountId")?;
    let has_method = !draft.payment_method_id.is_absent();
    require(!from_balance || !electronic || has_method, "PaymentMethodId")
}

/// A draft whose every value is acceptable by itself.
struct Valid<'a> {
    account: &'a Account,
    amount: Decimal,
    refund_date: NaiveDate,
    reason_code: Option<String>,
    refund_type: RefundType,
    custom: CustomValues,
}

/// Checks each value, in WSDL order and then those of the tenant's own fields, and names the first
/// that is wrong.
fn check_values<'a>(
    draft: &RefundDraft,
    facts: &'a Facts<'_>,
    asking: &Asking,
) -> Result<Valid<'a>, RowError> {
    if let Some(field) = draft.unknown_field.as_ref().filter(|_| asking.strict) {
        return Err(RowError::unknown_field(field));
    }
    let account = check_account(draft, facts)?;
    let amount = check_amount(draft, account)?;
    draft.comment.checked()?;
    draft.gateway_options.checked()?;
    draft.method_type.checked()?;
    if let Some(payment) = draft.payment_id.checked()? {
        // Beside CreditBalance a payment contradicts the source; without it, it is not known here.
        return Err(RowError::invalid("PaymentId", payment.as_str()));
    }
    if let (Some(id), None) = (draft.payment_method_id.checked()?, &facts.method) {
        return Err(RowError::invalid("PaymentMethodId", id.as_str()));
    }
    let reason_code = check_reason(draft, facts.tenant)?;
    let refund_date = check_date(draft, facts.tenant, asking)?;
    draft.soft_descriptor.checked()?;
    draft.soft_descriptor_phone.checked()?;
    draft.source_type.checked()?;
    let refund_type = *draft.refund_type.checked()?.ok_or_else(|| RowError::missing("Type"))?;
    let account = account.ok_or_else(|| RowError::missing("AccountId"))?;
    let amount = amount.ok_or_else(|| RowError::missing("Amount"))?;
    let (tenant, version) = (facts.tenant, asking.version);
    let custom = draft.custom.checked(own_fields(tenant), version, tenant.time_zone)?;
    Ok(Valid { account, amount, refund_date, reason_code, refund_type, custom })
}

fn check_account<'a>(
    draft: &RefundDraft,
    facts: &'a Facts<'_>,
) -> Result<Option<&'a Account>, RowError> {
    match (draft.account_id.checked()?, &facts.account) {
        (Some(id), None) => Err(RowError::invalid("AccountId", id.as_str())),
        (_, account) => Ok(account.as_ref()),
    }
}

fn check_amount(
    draft: &RefundDraft,
    account: Option<&Account>,
) -> Result<Option<Decimal>, RowError> {
    let (Some(amount), Some(account)) = (draft.amount.checked()?, account) else {
        return Ok(None);
    };
    let value = Some(amount.value).filter(|value| account.currency.can_hold(*value));
    value.map(Some).ok_or_else(|| RowError::invalid("Amount", &amount.text))
}

/// The amount in minor units, if the balance covers it.
fn check_balance(valid: &Valid<'_>) -> Result<MinorUnits, RowError> {
    let account = valid.account;
    let units = account.currency.minor_units(valid.amount);
    units
        .filter(|units| *units <= account.balance)
        .ok_or_else(|| RowError::over_balance(valid.amount, account.balance, account.currency))
}

fn check_reason(draft: &RefundDraft, tenant: &Tenant) -> Result<Option<String>, RowError> {
    match draft.reason_code.checked()? {
        None => Ok(tenant.reason_codes.first().cloned()),
        Some(code) if tenant.reason_codes.contains(code) => Ok(Some(code.clone())),
        Some(code) => Err(RowError::invalid("ReasonCode", code)),
    }
}

/// External: any day up to today in tenant time, later with future-dated adjustments.
/// Electronic: today. Without a date: today.
fn check_date(
    draft: &RefundDraft,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<NaiveDate, RowError> {
    let today = day_at(asking.now, tenant.time_zone);
    let Some(text) = draft.refund_date.checked()? else {
        return Ok(today);
    };
    let electronic = draft.refund_type.given() == Some(&RefundType::Electronic);
    let allowed = |day: &NaiveDate| {
        if electronic { *day == today } else { *day <= today || tenant.future_dated_adjustments }
    };
    text.day(asking.version, tenant.time_zone)
        .filter(allowed)
        .ok_or_else(|| RowError::invalid("RefundDate", text.as_str()))
}

/// The tenant's own fields that a refund of a credit balance has: it does not show advanced ones.
fn own_fields(tenant: &Tenant) -> impl Iterator<Item = &CustomField> {
    tenant.custom_fields.of(CustomizedObject::Refund).filter(|field| !field.is_advanced)
}

/// A refund of a credit balance cannot have the value that an advanced field would require.
fn check_advanced_fields(tenant: &Tenant) -> Result<(), RowError> {
    let mut fields = tenant.custom_fields.of(CustomizedObject::Refund);
    match fields.find(|field| field.is_advanced && field.is_required) {
        Some(field) => Err(RowError::advanced_field_required(field.name.as_str())),
        None => Ok(()),
    }
}

fn check_switches(tenant: &Tenant, version: ApiVersion) -> Result<(), RowError> {
    if tenant.invoice_settlement {
        return Err(RowError::invoice_settlement_on());
    }
    if !tenant.credit_balance {
        return Err(RowError::credit_balance_off());
    }
    if version < ApiVersion::CREDIT_BALANCE_REFUNDS {
        return Err(RowError::version_too_old());
    }
    Ok(())
}

/// The type and the method of the refund, once the method is known to be the account's.
fn choose_method<'a>(
    draft: &RefundDraft,
    facts: &'a Facts<'_>,
    valid: &Valid<'a>,
) -> Result<(MethodType, Option<&'a PaymentMethod>), RowError> {
    let named = facts.method.as_ref();
    let wrong_method = || {
        let id = draft.payment_method_id.given().map_or("", |id| id.as_str());
        RowError::invalid("PaymentMethodId", id)
    };
    if named.and_then(|method| method.account).is_some_and(|owner| owner != valid.account.key) {
        return Err(wrong_method());
    }
    let told = draft.method_type.given().copied();
    match (valid.refund_type, named) {
        (RefundType::External, _) => {
            let method = named.or(valid.account.default_method.as_ref());
            let method_type = told.or(method.map(|method| method.method_type));
            // A type that was told says how it was really paid: the default method then is not it.
            let method = if told.is_some() { named } else { method };
            method_type.map(|one| (one, method)).ok_or_else(|| RowError::missing("MethodType"))
        }
        (RefundType::Electronic, Some(method)) => {
            if !method.method_type.is_electronic() || method.status == MethodStatus::Closed {
                return Err(wrong_method());
            }
            match told.filter(|told| *told != method.method_type) {
                Some(other) => Err(RowError::invalid("MethodType", other.name())),
                None => Ok((method.method_type, Some(method))),
            }
        }
        (RefundType::Electronic, None) => Err(RowError::missing("PaymentMethodId")),
    }
}

/// The gateway that pays: the method's, else the account's, else the tenant's default.
fn choose_gateway(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    valid: &Valid<'_>,
    method_type: MethodType,
) -> Result<Payment, RowError> {
    let of_method = facts.method.as_ref().and_then(|method| method.gateway.as_ref());
    let name =
        of_method.or(valid.account.gateway.as_ref()).unwrap_or(&facts.tenant.default_gateway);
    let known = facts.gateways.iter().find(|gateway| gateway.name == *name);
    let missing = Gateway { name: name.clone(), active: false, ..Gateway::sandbox() };
    let gateway = known.unwrap_or(&missing);
    if !gateway.active {
        return Err(RowError::gateway_inactive(gateway));
    }
    if !gateway.non_referenced_refunds {
        return Err(RowError::gateway_without_non_referenced(gateway));
    }
    if !gateway.supports(method_type) {
        return Err(RowError::gateway_without_method(gateway, method_type));
    }
    let options = match &draft.gateway_options {
        Field::Given(options) => options.clone(),
        Field::Absent | Field::Wrong(_) => Vec::new(),
    };
    let payment_method = draft.payment_method_id.given().cloned();
    let payment_method = payment_method.ok_or_else(|| RowError::missing("PaymentMethodId"))?;
    Ok(Payment::Electronic { gateway: name.clone(), payment_method, options })
}

#[cfg(test)]
mod tests;
