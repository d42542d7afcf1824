//! Why an account, a payment method, a payment or a part of one cannot be made, changed or deleted.
//! Texts that were never recorded are our own.

use super::super::error_code::ErrorCode;
use super::super::money::{Currency, MinorUnits};
use super::{RowError, SHOWN_CHARS_MAX};

impl RowError {
    /// The value of a field that is never repeated: the number of a card or a bank account.
    pub fn invalid_secret(field: &str) -> Self {
        Self::wrong("Invalid value for field <Field>", [("Field", field)])
    }

    /// Another account has the AccountNumber (captured text, of create).
    pub fn account_number_taken(number: &str) -> Self {
        let shown: String = number.chars().take(SHOWN_CHARS_MAX).collect();
        let template = "The account number <AccountNumber> is invalid.";
        Self::wrong(template, [("AccountNumber", &shown)])
    }

    /// An account that is owed money is not cancelled.
    pub fn account_with_balance() -> Self {
        let text = "An account with a credit balance cannot be canceled.";
        Self::wrong(text, [])
    }

    /// An account and those above it would go round in a circle.
    pub fn account_below_itself() -> Self {
        Self::wrong("An account cannot be below itself, nor below one that is below it.", [])
    }

    /// Others belong below an account.
    pub fn account_is_parent() -> Self {
        let text = "An account that others are below cannot be deleted.";
        Self::reported(ErrorCode::CannotDelete, text, [])
    }

    /// Something belongs to an account, or happened on it.
    pub fn account_in_use() -> Self {
        let text = "An account with payment methods, transactions or balances cannot be deleted.";
        Self::reported(ErrorCode::CannotDelete, text, [])
    }

    /// A default method stays (documented, without a text).
    pub fn default_method_stays() -> Self {
        let text = "The default payment method of an account cannot be deleted.";
        Self::reported(ErrorCode::CannotDelete, text, [])
    }

    /// Money came from a method, or went to it.
    pub fn method_in_use() -> Self {
        let text = "A payment method with payments or refunds cannot be deleted. Close it instead.";
        Self::reported(ErrorCode::CannotDelete, text, [])
    }

    /// A method that every tenant has stays as it is.
    pub fn built_in_method() -> Self {
        Self::wrong("A payment method of the tenant's own cannot be changed.", [])
    }

    /// A method that every tenant has stays.
    pub fn built_in_method_stays() -> Self {
        let text = "A payment method of the tenant's own cannot be deleted.";
        Self::reported(ErrorCode::CannotDelete, text, [])
    }

    /// A draft is processed by a method that is given up.
    pub fn payment_method_closed(number: &str) -> Self {
        let template = "The payment method of the payment <number> is Closed.";
        Self::wrong(template, [("number", number)])
    }

    /// Objects of this type stay.
    pub fn type_stays(object: &str) -> Self {
        let template = "Objects of the type <Type> cannot be deleted.";
        Self::reported(ErrorCode::CannotDelete, template, [("Type", object)])
    }

    /// A refund or an adjustment took something of a payment.
    pub fn payment_in_use(number: &str) -> Self {
        let template = "The payment <number> has refunds or adjustments and cannot be taken back.";
        Self::wrong(template, [("number", number)])
    }

    /// A gateway knows another payment by this ReferenceId: money that it collected once is given
    /// back once.
    pub fn reference_taken(reference: &str, number: &str, gateway: &str) -> Self {
        let shown: String = reference.chars().take(SHOWN_CHARS_MAX).collect();
        let template = "The payment gateway <name> knows the payment <number> by the ReferenceId \
                        <ReferenceId> already.";
        let values = [("name", gateway), ("number", number), ("ReferenceId", &shown)];
        Self::reported(ErrorCode::DuplicateValue, template, values)
    }

    /// What was sent against a ReferenceId was not sent against another.
    pub fn reference_in_use(number: &str, gateway: &str) -> Self {
        let template = "The ReferenceId of the payment <number> stays: the payment gateway <name> \
                        was asked to refund it.";
        Self::wrong(template, [("number", number), ("name", gateway)])
    }

    /// A payment pays an invoice once.
    pub fn invoice_already_paid(payment: &str, invoice: &str) -> Self {
        let template = "The payment <payment> is already applied to the invoice <invoice>.";
        let values = [("payment", payment), ("invoice", invoice)];
        Self::reported(ErrorCode::DuplicateValue, template, values)
    }

    /// Less is left of a payment than an invoice is to be paid.
    pub fn over_payment(amount: MinorUnits, left: MinorUnits, currency: Currency) -> Self {
        let template = "The applied amount <amount> is greater than the unapplied amount <rest>.";
        Self::beyond(template, amount, left, currency)
    }

    /// Less is owed on an invoice than it is to be paid.
    pub fn over_invoice_balance(
        amount: MinorUnits,
        balance: MinorUnits,
        currency: Currency,
    ) -> Self {
        let template = "The applied amount <amount> is greater than the invoice balance <rest>.";
        Self::beyond(template, amount, balance, currency)
    }

    /// Another row of a single transaction failed.
    pub fn transaction_failed() -> Self {
        let text = "Nothing was created, because another object of the transaction failed.";
        Self::reported(ErrorCode::TransactionFailed, text, [])
    }
}
