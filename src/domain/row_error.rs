//! The error of one row of a call: a code and the text that the client shows to people.
//!
//! Only the first error of a row is ever reported, and never an Error/Field element (captured
//! answers have none). The texts stand here and nowhere else; docs/FAULTS.md is checked against
//! them.

mod category;
mod invoices;
mod objects;
mod settlement;

pub use category::Category;

use super::draft::masked::{is_card_number, is_iban};
use super::error_code::ErrorCode;
use super::facts::{Gateway, Payment};
use super::money::{Currency, MinorUnits};
use super::permission::Permission;
use super::text::Text;
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
    pub message: Text,
    /// What kind of error it is to the v1 operations, where the code does not say it.
    #[serde(skip)]
    category: Option<Category>,
}

impl RowError {
    /// An error of a code and a text.
    pub const fn new(code: ErrorCode, message: Text) -> Self {
        Self { code, message, category: None }
    }

    /// Each `<place>` of the template stands for the value beside its name.
    fn reported<const N: usize>(
        code: ErrorCode,
        template: &'static str,
        values: [(&'static str, &str); N],
    ) -> Self {
        Self::new(code, Text::new(template, values))
    }

    /// The same, for what most rows fail with.
    fn wrong<const N: usize>(template: &'static str, values: [(&'static str, &str); N]) -> Self {
        Self::reported(ErrorCode::InvalidValue, template, values)
    }

    /// A required field is absent, empty or nil (captured template).
    pub fn missing(field: &str) -> Self {
        let template = "Missing required value: <Field>";
        Self::reported(ErrorCode::MissingRequiredValue, template, [("Field", field)])
    }

    /// A value is not acceptable (captured template); it is repeated up to 64 characters.
    pub fn invalid(field: &str, value: &str) -> Self {
        Self::new(ErrorCode::InvalidValue, invalid_text(field, value))
    }

    /// The `?` that SoapUI writes into a sample request for each value, in the place of an id.
    pub fn placeholder_id(field: &str) -> Self {
        let template = "Invalid value for field <Field>: ? is SoapUI's placeholder; put an id in \
                        its place or remove the element.";
        Self::reported(ErrorCode::InvalidId, template, [("Field", field)])
    }

    /// An identifier that has not the form of one: 32 letters or digits, or a number.
    pub fn invalid_id(field: &str, value: &str) -> Self {
        if value == "?" {
            return Self::placeholder_id(field);
        }
        Self::new(ErrorCode::InvalidId, invalid_text(field, value))
    }

    /// A text is longer than its field allows (captured text).
    pub fn too_long() -> Self {
        Self::wrong("The length of field value is too big.", [])
    }

    /// A field that a caller may not send, where the configuration is strict.
    pub fn unknown_field(field: &str) -> Self {
        let shown: String = field.chars().take(SHOWN_CHARS_MAX).collect();
        Self::reported(ErrorCode::InvalidField, "Invalid field: <Field>", [("Field", &shown)])
    }

    /// The Credit Balance feature is off in this tenant.
    pub fn credit_balance_off() -> Self {
        Self::wrong("The Credit Balance feature is not enabled.", [])
    }

    /// Invoice Settlement is on, which replaces credit balances by credit memos.
    pub fn invoice_settlement_on() -> Self {
        let template =
            "Credit balance refunds are not available while Invoice Settlement is enabled.";
        Self::wrong(template, [])
    }

    /// An advanced custom field is required, which a refund of a credit balance cannot show
    /// ("Cancel and refund credit balances").
    pub fn advanced_field_required(field: &str) -> Self {
        let template = "Credit balance refunds are not available while the advanced custom field \
                        <Field> is required.";
        Self::wrong(template, [("Field", field)])
    }

    /// The version is older than credit-balance refunds.
    pub fn version_too_old() -> Self {
        let first = ApiVersion::CREDIT_BALANCE_REFUNDS.to_string();
        let template = "SourceType CreditBalance needs API version <version> or later.";
        Self::reported(ErrorCode::InvalidVersion, template, [("version", &first)])
    }

    /// The caller's role lacks what this kind of refund needs.
    pub fn no_permission(permission: Permission) -> Self {
        let template = "The user lacks the permission <permission>.";
        Self::reported(ErrorCode::NoPermission, template, [("permission", permission.name())])
    }

    /// The gateway that would have to pay is switched off.
    pub fn gateway_inactive(gateway: &Gateway) -> Self {
        Self::wrong("The payment gateway <name> is not active.", [("name", &gateway.name)])
    }

    /// The gateway cannot pay without a payment to refer to.
    pub fn gateway_without_non_referenced(gateway: &Gateway) -> Self {
        let template = "The payment gateway <name> does not support non-referenced refunds.";
        Self::wrong(template, [("name", &gateway.name)])
    }

    /// The gateway cannot give back the payments that it took.
    pub fn gateway_without_referenced(gateway: &Gateway) -> Self {
        let template = "The payment gateway <name> does not support referenced refunds.";
        Self::wrong(template, [("name", &gateway.name)])
    }

    /// The gateway does not know this type of payment method.
    pub fn gateway_without_method(gateway: &Gateway, method: MethodType) -> Self {
        let template =
            "The payment gateway <name> does not support the payment method type <MethodType>.";
        Self::wrong(template, [("name", &gateway.name), ("MethodType", method.name())])
    }

    /// The account has less credit than the refund wants.
    pub fn over_balance(amount: Decimal, balance: MinorUnits, currency: Currency) -> Self {
        let (amount, balance) = (currency.format_decimal(amount), currency.format(balance));
        let template = "The refund amount <amount> is greater than the credit balance <balance>.";
        Self::wrong(template, [("amount", &amount), ("balance", &balance)])
    }

    /// What is taken from a credit balance, or taken back of it, is not there on its day.
    pub fn over_balance_of_day(
        wanted: &str,
        amount: MinorUnits,
        available: MinorUnits,
        day: NaiveDate,
        currency: Currency,
    ) -> Self {
        let (amount, balance) = (currency.format(amount), currency.format(available));
        let template = "The <wanted> amount <amount> is greater than the credit balance <balance> \
                        that is available on <day>.";
        let day = day.to_string();
        let values =
            [("wanted", wanted), ("amount", &amount), ("balance", &balance), ("day", &day)];
        Self::wrong(template, values)
    }

    /// The payment does not count any more.
    pub fn payment_not_processed(payment: &Payment) -> Self {
        let values = [("number", payment.number.as_str()), ("Status", payment.status.name())];
        Self::wrong("The payment <number> is <Status>.", values)
    }

    /// No gateway took part in the payment, so none can refund it.
    pub fn payment_without_gateway(payment: &Payment) -> Self {
        let template = "The payment <number> was not made through a payment gateway. Record an \
                        External refund instead.";
        Self::wrong(template, [("number", &payment.number)])
    }

    /// The only method that the money may go back to is given up.
    pub fn original_method_closed(payment: &Payment) -> Self {
        let template = "The payment method of the payment <number> is Closed. Record an External \
                        refund instead.";
        Self::wrong(template, [("number", &payment.number)])
    }

    /// The only gateway that can refund a payment is switched off.
    pub fn original_gateway_inactive(gateway: &Gateway) -> Self {
        let template = "The payment gateway <name> of the payment is not active. Record an \
                        External refund instead.";
        Self::wrong(template, [("name", &gateway.name)])
    }

    /// A gateway was asked before for what it collected with a payment.
    pub fn over_collected(amount: MinorUnits, left: MinorUnits, payment: &Payment) -> Self {
        let currency = payment.account.currency;
        let [amount, left] = [amount, left].map(|one| currency.format(one));
        let template = "The refund amount <amount> is greater than <rest>, what the payment \
                        gateway <name> was not asked to give back yet of the payment <number>.";
        let gateway = payment.gateway.as_deref().unwrap_or_default();
        let values = [
            ("amount", amount.as_str()),
            ("rest", &left),
            ("name", gateway),
            ("number", &payment.number),
        ];
        Self::wrong(template, values)
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
        let template = "The refund amount <amount> is greater than the refundable amount <rest> of \
                        the <source> <number>.";
        let values =
            [("amount", amount.as_str()), ("rest", &rest), ("source", what), ("number", number)];
        Self::wrong(template, values)
    }

    /// Nothing says which invoices a partial refund reopens.
    pub fn parts_needed(version: ApiVersion) -> Self {
        if version >= ApiVersion::REFUND_PARTS {
            return Self::missing("RefundInvoicePaymentData");
        }
        let first = ApiVersion::REFUND_PARTS.to_string();
        let template = "A payment of several invoices can only be refunded in full before API \
                        version <version>.";
        Self::wrong(template, [("version", &first)])
    }

    /// The parts of a refund do not make its amount.
    pub fn parts_differ(sum: MinorUnits, amount: MinorUnits, currency: Currency) -> Self {
        let (sum, amount) = (currency.format(sum), currency.format(amount));
        let template = "The parts of RefundInvoicePaymentData add up to <sum>, and the refund \
                        amount is <amount>.";
        Self::wrong(template, [("sum", &sum), ("amount", &amount)])
    }

    /// What a refund took from a credit balance stays taken.
    pub fn credit_balance_refund_is_final() -> Self {
        let text = "A refund of a credit balance cannot be canceled.";
        Self::wrong(text, [])
    }

    /// A refund of a credit balance stays.
    pub fn credit_balance_refund_stays() -> Self {
        Self::reported(
            ErrorCode::CannotDelete,
            "A refund of a credit balance cannot be deleted.",
            [],
        )
    }

    /// Only its gateway, an inquiry or the operator ends a refund in Processing.
    pub fn refund_under_way() -> Self {
        Self::reported(ErrorCode::CannotDelete, "A refund in Processing cannot be deleted.", [])
    }

    /// Only a Processed refund can be cancelled.
    pub fn not_cancelable(status: RefundStatus) -> Self {
        let template = "A refund in status <Status> cannot be canceled.";
        Self::wrong(template, [("Status", status.name())])
    }

    /// The gateway rejected it after all, and what it took is back already.
    pub fn is_compensated() -> Self {
        let text = "A refund whose money was put back cannot be canceled.";
        Self::wrong(text, [])
    }

    /// An invoice that a refund reopened was paid otherwise since, so that it cannot be paid again.
    pub fn invoice_settled_since(number: &str, rest: MinorUnits, currency: Currency) -> Self {
        let rest = currency.format(rest);
        let template = "The balance <balance> of the invoice <number> does not cover what the \
                        refund reopened.";
        Self::wrong(template, [("balance", &rest), ("number", number)])
    }

    /// Invoice Settlement is on, under which credit balances are not adjusted.
    pub fn adjustments_under_settlement() -> Self {
        let template =
            "Credit balance adjustments are not available while Invoice Settlement is enabled.";
        Self::wrong(template, [])
    }

    /// An adjustment wants more than the invoice has (captured text).
    pub fn over_invoice() -> Self {
        let text = "You cannot transfer an amount greater than the invoice balance. \
                    Please update and try again.";
        Self::wrong(text, [])
    }

    /// An adjustment wants more of a payment than pays no invoice.
    pub fn over_unapplied(
        amount: Decimal,
        rest: MinorUnits,
        currency: Currency,
        payment: &Payment,
    ) -> Self {
        let (amount, rest) = (currency.format_decimal(amount), currency.format(rest));
        let template = "The adjustment amount <amount> is greater than the unapplied amount <rest> \
                        of the payment <number>.";
        Self::wrong(template, [("amount", &amount), ("rest", &rest), ("number", &payment.number)])
    }

    /// The credit balance does not cover an adjustment, or the cancellation of one.
    pub fn adjustment_over_balance(
        amount: MinorUnits,
        balance: MinorUnits,
        currency: Currency,
    ) -> Self {
        let template = "The adjustment amount <amount> is greater than the credit balance <rest>.";
        Self::beyond(template, amount, balance, currency)
    }

    /// A credit balance cannot hold so much more.
    pub fn balance_full(amount: MinorUnits, currency: Currency) -> Self {
        let amount = currency.format(amount);
        let template = "The credit balance has no room for <amount> more.";
        Self::wrong(template, [("amount", &amount)])
    }

    /// What is wanted exceeds what there is; the template's places are `<amount>` and `<rest>`.
    fn beyond(
        template: &'static str,
        amount: MinorUnits,
        rest: MinorUnits,
        currency: Currency,
    ) -> Self {
        let (amount, rest) = (currency.format(amount), currency.format(rest));
        Self::wrong(template, [("amount", &amount), ("rest", &rest)])
    }

    /// What an overpayment became stays a credit balance.
    pub fn increase_from_payment_is_final() -> Self {
        let text = "An increase from an overpayment cannot be canceled.";
        Self::wrong(text, [])
    }

    /// The decrease that a refund made follows the refund, and nothing else changes it.
    pub fn decrease_of_refund_is_final() -> Self {
        let text = "A decrease that a refund made cannot be changed or canceled.";
        Self::wrong(text, [])
    }
}

/// The value is left out where it is the number of a card or an IBAN that got into a wrong field.
fn invalid_text(field: &str, value: &str) -> Text {
    if is_card_number(value) || is_iban(value) {
        return Text::new("Invalid value for field <Field>", [("Field", field)]);
    }
    let shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    Text::new("Invalid value for field <Field>: <value>", [("Field", field), ("value", &shown)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn a_number_in_a_wrong_field_is_not_told_back() {
        for number in ["4012888888881881", "4012 8888 8888 1881", "DE89370400440532013000"] {
            for error in [RowError::invalid("Type", number), RowError::invalid_id("Id", number)] {
                assert!(error.message.to_string().starts_with("Invalid value for field "));
                assert!(!error.message.to_string().contains(':'), "{}", error.message);
            }
        }
        let no_number = RowError::invalid("Type", "4012888888881882").message.to_string();
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
