//! Why an account, a payment method, a payment or a part of one cannot be made, changed or deleted.
//! What nobody has recorded is in our words.

use super::super::error_code::ErrorCode;
use super::super::money::{Currency, MinorUnits};
use super::{RowError, SHOWN_CHARS_MAX};

impl RowError {
    /// The value of a field that is never told back: the number of a card or a bank account.
    pub fn invalid_secret(field: &str) -> Self {
        Self::new(ErrorCode::InvalidValue, format!("Invalid value for field {field}"))
    }

    /// Another account has the AccountNumber.
    pub fn account_number_taken(number: &str) -> Self {
        let shown: String = number.chars().take(SHOWN_CHARS_MAX).collect();
        let text = format!("The account number {shown} is already in use.");
        Self::new(ErrorCode::DuplicateValue, text)
    }

    /// An account that is owed money is not cancelled.
    pub fn account_with_balance() -> Self {
        let text = "An account with a credit balance cannot be canceled.";
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// Something belongs to an account, or happened on it.
    pub fn account_in_use() -> Self {
        let text = "An account with payment methods, transactions or balances cannot be deleted.";
        Self::new(ErrorCode::CannotDelete, text)
    }

    /// A default method stays (documented, without a text).
    pub fn default_method_stays() -> Self {
        let text = "The default payment method of an account cannot be deleted.";
        Self::new(ErrorCode::CannotDelete, text)
    }

    /// Money came from a method, or went to it.
    pub fn method_in_use() -> Self {
        let text = "A payment method with payments or refunds cannot be deleted. Close it instead.";
        Self::new(ErrorCode::CannotDelete, text)
    }

    /// Objects of this type stay.
    pub fn type_stays(object: &str) -> Self {
        let text = format!("Objects of the type {object} cannot be deleted.");
        Self::new(ErrorCode::CannotDelete, text)
    }

    /// A refund or an adjustment took something of a payment.
    pub fn payment_in_use(number: &str) -> Self {
        let text =
            format!("The payment {number} has refunds or adjustments and cannot be taken back.");
        Self::new(ErrorCode::InvalidValue, text)
    }

    /// A payment pays an invoice once.
    pub fn invoice_already_paid(payment: &str, invoice: &str) -> Self {
        let text = format!("The payment {payment} is already applied to the invoice {invoice}.");
        Self::new(ErrorCode::DuplicateValue, text)
    }

    /// Less is left of a payment than an invoice is to be paid.
    pub fn over_payment(amount: MinorUnits, left: MinorUnits, currency: Currency) -> Self {
        Self::more_than_there_is(("applied", amount), ("unapplied amount", left), currency)
    }

    /// Less is owed on an invoice than it is to be paid.
    pub fn over_invoice_balance(
        amount: MinorUnits,
        balance: MinorUnits,
        currency: Currency,
    ) -> Self {
        Self::more_than_there_is(("applied", amount), ("invoice balance", balance), currency)
    }

    /// Another row of a single transaction failed.
    pub fn transaction_failed() -> Self {
        let text = "Nothing was created, because another object of the transaction failed.";
        Self::new(ErrorCode::TransactionFailed, text)
    }
}
