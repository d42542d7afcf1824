//! The error of one row of a call: a code and the text that the client shows to people.
//!
//! Only the first error of a row is ever told, and never an Error/Field element (captured answers
//! have none). The texts stand here and nowhere else; docs/FAULTS.md is checked against them.

mod objects;

use super::draft::masked::{is_card_number, is_iban};
use super::error_code::ErrorCode;
use super::facts::{Gateway, Payment};
use super::money::{Currency, MinorUnits};
use super::permission::Permission;
use super::version::ApiVersion;
use super::vocabulary::{MethodType, RefundStatus};
use chrono::NaiveDate;
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

    /// An advanced custom field is required, which a refund of a credit balance cannot show
    /// ("Cancel and refund credit balances").
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

    /// The gateway cannot give back the payments that it took.
    pub fn gateway_without_referenced(gateway: &Gateway) -> Self {
        let name = &gateway.name;
        let text = format!("The payment gateway {name} does not support referenced refunds.");
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

    /// What is taken from a credit balance, or taken back of it, is not there on its day.
    pub fn over_balance_of_day(
        wanted: &str,
        amount: MinorUnits,
        available: MinorUnits,
        day: NaiveDate,
        currency: Currency,
    ) -> Self {
        let (amount, available) = (currency.format(amount), currency.format(available));
        let text = format!(
            "The {wanted} amount {amount} is greater than the credit balance {available} that is \
             available on {day}."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The payment does not count any more.
    pub fn payment_not_processed(payment: &Payment) -> Self {
        let (number, status) = (&payment.number, payment.status.name());
        Self::new(ErrorCode::InvalidValue, format!("The payment {number} is {status}."))
    }

    /// No gateway took part in the payment, so none can refund it.
    pub fn payment_without_gateway(payment: &Payment) -> Self {
        let number = &payment.number;
        let text = format!(
            "The payment {number} was not made through a payment gateway. Record an External \
             refund instead."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The only method that the money may go back to is given up.
    pub fn original_method_closed(payment: &Payment) -> Self {
        let number = &payment.number;
        let text = format!(
            "The payment method of the payment {number} is Closed. Record an External refund \
             instead."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The only gateway that can refund a payment is switched off.
    pub fn original_gateway_inactive(gateway: &Gateway) -> Self {
        let text = format!(
            "The payment gateway {} of the payment is not active. Record an External refund \
             instead.",
            gateway.name
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// Less is left of a payment, or of its part for an invoice, than the refund wants; `what` is
    /// the word for it.
    pub fn over_refundable(
        amount: Decimal,
        rest: MinorUnits,
        currency: Currency,
        what: &str,
        number: &str,
    ) -> Self {
        let (amount, rest) = (currency.format_decimal(amount), currency.format(rest));
        let text = format!(
            "The refund amount {amount} is greater than the refundable amount {rest} of the {what} \
             {number}."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// Nothing says which invoices a partial refund reopens.
    pub fn parts_needed(version: ApiVersion) -> Self {
        if version >= ApiVersion::REFUND_PARTS {
            return Self::missing("RefundInvoicePaymentData");
        }
        let first = ApiVersion::REFUND_PARTS;
        let text = format!(
            "A payment of several invoices can only be refunded in full before API version {first}."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The parts of a refund do not make its amount.
    pub fn parts_differ(sum: MinorUnits, amount: MinorUnits, currency: Currency) -> Self {
        let (sum, amount) = (currency.format(sum), currency.format(amount));
        let text = format!(
            "The parts of RefundInvoicePaymentData add up to {sum}, and the refund amount is \
             {amount}."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// What a refund took from a credit balance stays taken.
    pub fn credit_balance_refund_is_final() -> Self {
        let text = "A refund of a credit balance cannot be canceled.";
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// A refund of a credit balance stays.
    pub fn credit_balance_refund_stays() -> Self {
        Self::new(ErrorCode::CannotDelete, "A refund of a credit balance cannot be deleted.")
    }

    /// Only its gateway, an inquiry or the operator ends a refund in Processing.
    pub fn refund_under_way() -> Self {
        Self::new(ErrorCode::CannotDelete, "A refund in Processing cannot be deleted.")
    }

    /// Only a Processed refund can be cancelled.
    pub fn not_cancelable(status: RefundStatus) -> Self {
        let text = format!("A refund in status {} cannot be canceled.", status.name());
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The gateway rejected it after all, and what it took is back already.
    pub fn is_compensated() -> Self {
        let text = "A refund whose money was put back cannot be canceled.";
        Self::new(ErrorCode::InvalidValue, text.to_owned())
    }

    /// An invoice that a refund reopened was paid otherwise since, so that it cannot be paid again.
    pub fn invoice_settled_since(number: &str, rest: MinorUnits, currency: Currency) -> Self {
        let rest = currency.format(rest);
        let text = format!(
            "The balance {rest} of the invoice {number} does not cover what the refund reopened."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// Invoice Settlement is on, under which credit balances are not adjusted.
    pub fn adjustments_under_settlement() -> Self {
        Self::new(
            ErrorCode::InvalidValue,
            "Credit balance adjustments are not available while Invoice Settlement is enabled.",
        )
    }

    /// An adjustment wants more than the invoice has (captured text).
    pub fn over_invoice() -> Self {
        let text = "You cannot transfer an amount greater than the invoice balance. \
                    Please update and try again.";
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// An adjustment wants more of a payment than pays no invoice.
    pub fn over_unapplied(
        amount: Decimal,
        rest: MinorUnits,
        currency: Currency,
        payment: &Payment,
    ) -> Self {
        let (amount, rest) = (currency.format_decimal(amount), currency.format(rest));
        let number = &payment.number;
        let text = format!(
            "The adjustment amount {amount} is greater than the unapplied amount {rest} of the \
             payment {number}."
        );
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The credit balance does not cover an adjustment, or the cancellation of one.
    pub fn adjustment_over_balance(
        amount: MinorUnits,
        balance: MinorUnits,
        currency: Currency,
    ) -> Self {
        Self::more_than_there_is(("adjustment", amount), ("credit balance", balance), currency)
    }

    /// A credit balance cannot hold so much more.
    pub fn balance_full(amount: MinorUnits, currency: Currency) -> Self {
        let amount = currency.format(amount);
        let text = format!("The credit balance has no room for {amount} more.");
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// An amount of what is wanted exceeds what there is of something.
    fn more_than_there_is(
        (wanted, amount): (&str, MinorUnits),
        (limit, there_is): (&str, MinorUnits),
        currency: Currency,
    ) -> Self {
        let (amount, there_is) = (currency.format(amount), currency.format(there_is));
        let text = format!("The {wanted} amount {amount} is greater than the {limit} {there_is}.");
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// What an overpayment became stays a credit balance.
    pub fn increase_from_payment_is_final() -> Self {
        let text = "An increase from an overpayment cannot be canceled.";
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// The decrease that a refund made follows the refund, and nothing else changes it.
    pub fn decrease_of_refund_is_final() -> Self {
        let text = "A decrease that a refund made cannot be changed or canceled.";
        Self::new(ErrorCode::InvalidValue, text)
    }
}

/// The value is left out where it is the number of a card or an IBAN that got into a wrong field.
fn invalid_text(field: &str, value: &str) -> String {
    if is_card_number(value) || is_iban(value) {
        return format!("Invalid value for field {field}");
    }
    let shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    format!("Invalid value for field {field}: {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn a_number_in_a_wrong_field_is_not_told_back() {
        for number in ["4012888888881881", "4012 8888 8888 1881", "DE89370400440532013000"] {
            for error in [RowError::invalid("Type", number), RowError::invalid_id("Id", number)] {
                assert!(error.message.starts_with("Invalid value for field "));
                assert!(!error.message.contains(':'), "{}", error.message);
            }
        }
        let no_number = RowError::invalid("Type", "4012888888881882").message;
        assert_eq!(no_number, "Invalid value for field Type: 4012888888881882");
    }

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
            RowError::gateway_without_referenced(&gateway),
            RowError::gateway_without_method(&gateway, MethodType::Check),
            RowError::over_balance(Decimal::ONE, MinorUnits::ZERO, usd),
        ];
        for error in errors {
            assert_eq!(error.code.for_version(ApiVersion::FIRST), error.code);
        }
    }
}
