//! The error of one row of a call: a code and the text that the client shows to people.
//!
//! Only the first error of a row is ever told, and never an Error/Field element (captured answers
//! have none). The texts stand here and nowhere else; docs/FAULTS.md is checked against them.

use super::error_code::ErrorCode;
use super::facts::Gateway;
use super::money::{Currency, MinorUnits};
use super::permission::Permission;
use super::version::ApiVersion;
use super::vocabulary::MethodType;
use rust_decimal::Decimal;
use serde::Serialize;

/// How much of a refused value is repeated to the caller, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Why a row failed. The other rows of the call go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct RowError {
    /// The code, before it is mapped to the caller's version.
    pub code: ErrorCode,
    /// The text, in English, in the words of the captured templates where there are any.
    pub message: String,
}

impl RowError {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A required field is absent, empty or nil (captured template).
    pub fn missing(field: &str) -> Self {
        Self::new(ErrorCode::MissingRequiredValue, format!("Missing required value: {field}"))
    }

    /// A value is not acceptable (captured template); it is repeated up to 64 characters.
    pub fn invalid(field: &str, value: &str) -> Self {
        Self::new(ErrorCode::InvalidValue, invalid_text(field, value))
    }

    /// An identifier that has not the form of one: 32 letters or digits, or a number.
    pub fn invalid_id(field: &str, value: &str) -> Self {
        Self::new(ErrorCode::InvalidId, invalid_text(field, value))
    }

    /// A text is longer than its field allows (captured text).
    pub fn too_long() -> Self {
        Self::new(ErrorCode::InvalidValue, "The length of field value is too big.")
    }

    /// A field that a caller may not send, where the configuration is strict.
    pub fn unknown_field(field: &str) -> Self {
        let shown: String = field.chars().take(SHOWN_CHARS_MAX).collect();
        Self::new(ErrorCode::InvalidField, format!("Invalid field: {shown}"))
    }

    /// The Credit Balance feature is off in this tenant.
    pub fn credit_balance_off() -> Self {
        Self::new(ErrorCode::InvalidValue, "The Credit Balance feature is not enabled.")
    }

    /// Invoice Settlement is on, which replaces credit balances by credit memos.
    pub fn invoice_settlement_on() -> Self {
        Self::new(
            ErrorCode::InvalidValue,
            "Credit balance refunds are not available while Invoice Settlement is enabled.",
        )
    }

    /// An advanced custom field is required, which a refund of a credit balance cannot show ("Cancel
    /// and refund credit balances").
    pub fn advanced_field_required(field: &str) -> Self {
        let text = format!(
            "Credit balance refunds are not available while the advanced custom field {field} is \
             required."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The version is older than credit-balance refunds.
    pub fn version_too_old() -> Self {
        let first = ApiVersion::CREDIT_BALANCE_REFUNDS;
        let text = format!("SourceType CreditBalance needs API version {first} or later.");
        Self::new(ErrorCode::InvalidVersion, text)
    }

    /// The caller's role lacks what this kind of refund needs.
    pub fn no_permission(permission: Permission) -> Self {
        let text = format!("The user lacks the permission {}.", permission.name());
        Self::new(ErrorCode::NoPermission, text)
    }

    /// The gateway that would have to pay is switched off.
    pub fn gateway_inactive(gateway: &Gateway) -> Self {
        let text = format!("The payment gateway {} is not active.", gateway.name);
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The gateway cannot pay without a payment to refer to.
    pub fn gateway_without_non_referenced(gateway: &Gateway) -> Self {
        let name = &gateway.name;
        let text = format!("The payment gateway {name} does not support non-referenced refunds.");
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The gateway does not know this type of payment method.
    pub fn gateway_without_method(gateway: &Gateway, method: MethodType) -> Self {
        let (name, method) = (&gateway.name, method.name());
        let text = format!(
            "The payment gateway {name} does not support the payment method type {method}."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The account has less credit than the refund wants.
    pub fn over_balance(amount: Decimal, balance: MinorUnits, currency: Currency) -> Self {
        let (amount, balance) = (currency.format_decimal(amount), currency.format(balance));
        let text =
            format!("The refund amount {amount} is greater than the credit balance {balance}.");
        Self::new(ErrorCode::InvalidValue, text)
    }
}

fn invalid_text(field: &str, value: &str) -> String {
    let shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    format!("Invalid value for field {field}: {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    /// A stored answer is repeated to whatever version asks again.
    #[test]
    fn every_code_of_a_row_is_as_old_as_the_oldest_version() {
        let gateway = Gateway::sandbox();
        let usd = Currency::from_code("USD").unwrap();
        let errors = [
            RowError::missing("Type"),
            RowError::invalid("Type", "x"),
            RowError::invalid_id("Id", "x"),
            RowError::too_long(),
            RowError::unknown_field("x"),
            RowError::credit_balance_off(),
            RowError::invoice_settlement_on(),
            RowError::advanced_field_required("Case__c"),
            RowError::version_too_old(),
            RowError::no_permission(Permission::ExternalRefund),
            RowError::gateway_inactive(&gateway),
            RowError::gateway_without_non_referenced(&gateway),
            RowError::gateway_without_method(&gateway, MethodType::Check),
            RowError::over_balance(Decimal::ONE, MinorUnits::ZERO, usd),
        ];
        for error in errors {
            assert_eq!(error.code.for_version(ApiVersion::FIRST), error.code);
        }
    }
}
