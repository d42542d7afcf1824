//! Refunds of a credit balance (non-referenced refunds).
//!
//! Sources: "Refund all or part of a customer's credit balance" (External: optional method or the
//! default; Electronic: a method is required), the Refund object's field descriptions, and the
//! rules of credit balances.

use super::{
    Asking, Decision, Facts, Origin, Paid, Payout, Source, Valid, check_day, check_told_type,
    check_values, gateway_named, gateway_of, named_method, options_of, wrong_method,
};
use crate::domain::access::{Object, Operation};
use crate::domain::draft::RefundDraft;
use crate::domain::facts::{PaymentMethod, Tenant};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{
    CustomizedObject, MethodStatus, MethodType, RefundType, SourceType,
};

/// Decides about a draft whose required fields are there.
pub(super) fn decide(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    asking: &Asking,
) -> Result<Decision, RowError> {
    let origin = Origin {
        account: facts.account.as_ref(),
        is_account_wrong: facts.account.is_none(),
        // Beside CreditBalance a payment contradicts the source.
        is_payment_wrong: true,
        not_before: facts.account.as_ref().and_then(|account| account.ahead.first_day()),
    };
    let valid = check_values(draft, facts, asking, &origin)?;
    check_switches(facts.tenant, asking.version)?;
    let refund = Object::Refund(SourceType::CreditBalance, valid.refund_type);
    asking.check(Operation::Create, refund)?;
    let (method_type, method) = choose_method(draft, facts, &valid)?;
    let payout = match (valid.refund_type, method) {
        (RefundType::External, _) => Payout::External,
        (RefundType::Electronic, Some(method)) => choose_gateway(draft, facts, &valid, method)?,
        (RefundType::Electronic, None) => return Err(RowError::missing("PaymentMethodId")),
    };
    let amount = check_balance(&valid)?;
    let method = method.map(|method| method.key);
    let source_before = valid.account.balance;
    let paid = Paid { method_type, method, payout, source_before };
    Ok(valid.decided(draft, Source::CreditBalance, amount, paid))
}

/// The amount in minor units, if the balance covers it.
fn check_balance(valid: &Valid<'_>) -> Result<MinorUnits, RowError> {
    let Valid { account, amount, .. } = valid;
    let units = account.currency.minor_units(*amount).filter(|units| *units <= account.balance);
    let units =
        units.ok_or_else(|| RowError::over_balance(*amount, account.balance, account.currency))?;
    check_day("refund", account, units, valid.refund_date)?;
    Ok(units)
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
    let mut fields = tenant.custom_fields.of(CustomizedObject::Refund);
    // It would need a value that it cannot have.
    match fields.find(|field| field.is_advanced && field.is_required) {
        Some(field) => Err(RowError::advanced_field_required(field.name.as_str())),
        None => Ok(()),
    }
}

/// The type and the method of the refund, once the method is known to be the account's.
fn choose_method<'a>(
    draft: &RefundDraft,
    facts: &'a Facts<'_>,
    valid: &Valid<'a>,
) -> Result<(MethodType, Option<&'a PaymentMethod>), RowError> {
    let named = named_method(draft, facts, valid.account)?;
    let given = draft.method_type.given().copied();
    match (valid.refund_type, named) {
        (RefundType::External, _) => {
            let method = named.or(valid.account.default_method.as_ref());
            let method_type = given.or(method.map(|method| method.method_type));
            // A type that was sent says how it was really paid: the default method then is not it.
            let method = if given.is_some() { named } else { method };
            method_type.map(|one| (one, method)).ok_or_else(|| RowError::missing("MethodType"))
        }
        (RefundType::Electronic, Some(method)) => {
            if !method.method_type.is_electronic() || method.status == MethodStatus::Closed {
                return Err(wrong_method(draft));
            }
            check_told_type(draft, method)?;
            Ok((method.method_type, Some(method)))
        }
        (RefundType::Electronic, None) => Err(RowError::missing("PaymentMethodId")),
    }
}

/// The gateway that pays.
fn choose_gateway(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    valid: &Valid<'_>,
    method: &PaymentMethod,
) -> Result<Payout, RowError> {
    let gateway = gateway_named(gateway_of(method, valid.account, facts.tenant), facts.gateways);
    if !gateway.active {
        return Err(RowError::gateway_inactive(&gateway));
    }
    if !gateway.non_referenced_refunds {
        return Err(RowError::gateway_without_non_referenced(&gateway));
    }
    if !gateway.supports(method.method_type) {
        return Err(RowError::gateway_without_method(&gateway, method.method_type));
    }
    Ok(Payout::Electronic {
        gateway: gateway.name.clone(),
        payment_method: method.id.clone(),
        original_payment: None,
        options: options_of(draft),
    })
}
