//! Why an adjustment of an invoice, or of one of its lines, cannot be made, changed or deleted.
//! None of it was recorded from the original, so all of it is in our words.

use super::super::error_code::ErrorCode;
use super::super::money::{Currency, MinorUnits};
use super::super::version::ApiVersion;
use super::{RowError, SHOWN_CHARS_MAX};
use rust_decimal::Decimal;

impl RowError {
    /// Invoice Settlement is on, under which invoices are adjusted by memos.
    pub fn invoice_adjustments_under_settlement() -> Self {
        let text = "Invoice adjustments are not available while Invoice Settlement is enabled.";
        Self::wrong(text, [])
    }

    /// The version is older than the calls that adjust invoices.
    pub fn too_old_for_invoice_adjustments() -> Self {
        let first = ApiVersion::INVOICE_ADJUSTMENTS.to_string();
        let template = "InvoiceAdjustment needs API version <version> or later.";
        Self::reported(ErrorCode::InvalidVersion, template, [("version", &first)])
    }

    /// Another adjustment has the AdjustmentNumber.
    pub fn adjustment_number_taken(number: &str) -> Self {
        let shown: String = number.chars().take(SHOWN_CHARS_MAX).collect();
        let template = "The adjustment number <AdjustmentNumber> is already in use.";
        Self::reported(ErrorCode::DuplicateValue, template, [("AdjustmentNumber", &shown)])
    }

    /// A Credit wants more than the invoice still asks for.
    pub fn credit_over_invoice_balance(
        amount: Decimal,
        balance: MinorUnits,
        currency: Currency,
    ) -> Self {
        let template = "The credit amount <amount> is greater than the invoice balance <rest>.";
        Self::amount_beyond(template, amount, balance, currency)
    }

    /// A Credit wants more than earlier credits left of the line.
    pub fn over_line(amount: Decimal, left: MinorUnits, currency: Currency) -> Self {
        let template = "The credit amount <amount> is greater than what is left of the invoice \
                        item, <rest>.";
        Self::amount_beyond(template, amount, left, currency)
    }

    /// A Charge would bring a negative invoice above zero.
    pub fn charge_over_negative_invoice(
        amount: Decimal,
        balance: MinorUnits,
        currency: Currency,
    ) -> Self {
        let template = "The charge amount <amount> would raise the balance <rest> of a negative \
                        invoice above zero.";
        Self::amount_beyond(template, amount, balance, currency)
    }

    /// The balance of an invoice cannot hold so much more.
    pub fn invoice_full(amount: Decimal, currency: Currency) -> Self {
        let amount = currency.format_decimal(amount);
        let template = "The invoice balance has no room for <amount> more.";
        Self::wrong(template, [("amount", &amount)])
    }

    /// What a Charge added to an invoice was paid or credited since.
    pub fn charge_paid_since(number: &str, balance: MinorUnits, currency: Currency) -> Self {
        let balance = currency.format(balance);
        let template = "The balance <balance> of the invoice <number> does not cover what the \
                        adjustment added.";
        Self::wrong(template, [("balance", &balance), ("number", number)])
    }

    /// As [`RowError::beyond`], for an amount that minor units may not hold.
    fn amount_beyond(
        template: &'static str,
        amount: Decimal,
        rest: MinorUnits,
        currency: Currency,
    ) -> Self {
        let (amount, rest) = (currency.format_decimal(amount), currency.format(rest));
        Self::wrong(template, [("amount", &amount), ("rest", &rest)])
    }
}
