//! The list of everything that can go wrong for a caller, for docs/FAULTS.md.

use super::{Fault, FaultClass};
use crate::domain::error_code::ErrorCode;
use crate::domain::facts::{Account, AccountKey, Ahead, Gateway, Payment, PaymentKey};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::permission::Permission;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{MethodType, PaymentStatus, PaymentType, RefundStatus};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// A fault, or the error of a row, as the documentation lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultEntry {
    /// The code in the fault's detail or in the row, before it is mapped to the caller's version.
    pub code: ErrorCode,
    /// What stands as faultcode in SOAP 1.1; empty for a row.
    pub faultcode: String,
    /// The fault's type, or `row`.
    pub kind: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The text, with placeholders such as `<Field>` where a value stands.
    pub text: String,
    /// What brings it about.
    pub cause: &'static str,
}

/// Every fault, then every error of a row.
pub fn catalogue() -> Vec<FaultEntry> {
    let faults = Fault::samples().into_iter().map(|fault| FaultEntry {
        code: fault.code(),
        faultcode: match fault.class() {
            FaultClass::Sender | FaultClass::Receiver => format!("fns:{}", fault.code().name()),
            FaultClass::Client | FaultClass::VersionMismatch | FaultClass::MustUnderstand => {
                format!("soapenv:{}", fault.outcome())
            }
        },
        kind: fault.fault_type().name(),
        status: fault.status(),
        text: fault.text().template().to_owned(),
        cause: fault.cause(),
    });
    faults.chain(rows()).collect()
}

fn rows() -> impl Iterator<Item = FaultEntry> {
    let errors = values().into_iter().chain(circumstances());
    let errors = errors.chain(payments()).chain(changes()).chain(adjustments());
    let errors = errors.chain(invoice_adjustments()).chain(objects());
    let errors = errors.chain(RowError::settlement_samples());
    errors.map(|(error, cause)| FaultEntry {
        code: error.code,
        faultcode: String::new(),
        kind: "row",
        status: 200,
        text: error.message.template().to_owned(),
        cause,
    })
}

/// What is wrong with a row by itself.
fn values() -> Vec<(RowError, &'static str)> {
    vec![
        (
            RowError::invalid_id("<Field>", "<value>"),
            "an id that is neither 32 letters or digits nor a number, or in update and delete an \
             empty one",
        ),
        (
            RowError::placeholder_id("<Field>"),
            "an id that is still the `?` of a sample request from SoapUI",
        ),
        (
            RowError::unknown_field("<Field>"),
            "with `strict = true` only: a field that a caller may not send",
        ),
        (
            RowError::missing("<Field>"),
            "a required field is absent, empty, blank or nil (recorded)",
        ),
        (
            RowError::invalid("<Field>", "<value>"),
            "an enum, date or amount that is none, an unknown or foreign id, a field that comes \
             twice or holds elements (recorded for an id)",
        ),
        (RowError::too_long(), "a text longer than its field allows (recorded)"),
    ]
}

/// What is wrong with a row in the eyes of the tenant, the user, the gateway or the account.
fn circumstances() -> Vec<(RowError, &'static str)> {
    let gateway = Gateway { name: "<name>".to_owned(), ..Gateway::sandbox() };
    let permission = Permission::CreditBalanceExternalRefund;
    let method = MethodType::Ach;
    vec![
        (RowError::invoice_settlement_on(), "Invoice Settlement is on in the tenant"),
        (RowError::credit_balance_off(), "the Credit Balance feature is off in the tenant"),
        (
            RowError::advanced_field_required("<Field>"),
            "a required custom field of Refund is an advanced one, which such refunds do not show \
             (documented)",
        ),
        (RowError::version_too_old(), "the version in the path is below 31.0"),
        (
            RowError::no_permission(permission),
            "the user lacks the permission that the operation on such an object needs \
             (PERMISSIONS.md)",
        ),
        (RowError::gateway_inactive(&gateway), "the gateway of an electronic refund is not active"),
        (
            RowError::gateway_without_non_referenced(&gateway),
            "the gateway of an electronic refund only takes back its own payments",
        ),
        (
            RowError::gateway_without_method(&gateway, method),
            "the gateway of an electronic refund cannot pay to such a method",
        ),
        (
            RowError::over_balance(SEVEN, FIVE, YEN),
            "the amount is more than the account's credit balance",
        ),
        (
            RowError::over_balance_of_day("adjustment", FIVE, FIVE, NaiveDate::MIN, YEN),
            "what a refund of a past day takes, or, with future-dated adjustments, a refund, an \
             adjustment or the cancellation of one, is not there on its day, or not any more on a \
             later one",
        ),
    ]
}

/// What is wrong with a refund in the eyes of its payment.
fn payments() -> Vec<(RowError, &'static str)> {
    let gateway = Gateway { name: "<name>".to_owned(), ..Gateway::sandbox() };
    let over = RowError::over_refundable(SEVEN, FIVE, YEN, "payment", "<number>");
    let differ = RowError::parts_differ(FIVE, MinorUnits::new(7), YEN);
    vec![
        (
            RowError::payment_not_processed(&payment()),
            "the payment is Canceled or Voided, or still a Draft",
        ),
        (
            RowError::payment_without_gateway(&payment()),
            "an electronic refund of an external payment",
        ),
        (
            RowError::original_method_closed(&payment()),
            "an electronic refund of a payment whose method is Closed",
        ),
        (
            RowError::original_gateway_inactive(&gateway),
            "the gateway of the payment, which alone can refund it, is not active",
        ),
        (
            RowError::gateway_without_referenced(&gateway),
            "the gateway of the payment cannot give back what it took, by its configuration",
        ),
        (
            over,
            "the amount is more than what is left of the `payment`, or a part of \
             RefundInvoicePaymentData more than what is left of the payment's for its `invoice`",
        ),
        (
            RowError::over_collected(MinorUnits::new(7), FIVE, &payment()),
            "the gateway collected less under the payment's ReferenceId, or was asked for it \
             before; what was sent for a refund that was cancelled or deleted since went out",
        ),
        (
            RowError::parts_needed(ApiVersion::FIRST),
            "below 64.0, a partial refund of a payment of several invoices; from there on \
             RefundInvoicePaymentData is missing",
        ),
        (differ, "the parts of RefundInvoicePaymentData are less than the refund, or more"),
    ]
}

/// What stands against changing or deleting a refund.
fn changes() -> Vec<(RowError, &'static str)> {
    let status = RefundStatus::Error;
    let settled = RowError::invoice_settled_since("<number>", FIVE, YEN);
    vec![
        (
            RowError::credit_balance_refund_is_final(),
            "update of Status of a refund that drew on a credit balance",
        ),
        (
            RowError::credit_balance_refund_stays(),
            "delete of a refund that drew on a credit balance",
        ),
        (RowError::refund_under_way(), "delete of a refund whose gateway has not answered"),
        (RowError::not_cancelable(status), "update to Canceled of a refund that is not Processed"),
        (
            RowError::is_compensated(),
            "update to Canceled of a refund whose money was put back by reconciliation",
        ),
        (
            settled,
            "update to Canceled, or delete, of a refund whose invoice was paid otherwise since",
        ),
    ]
}

/// What is wrong with an adjustment of a credit balance, or stands against cancelling it.
fn adjustments() -> Vec<(RowError, &'static str)> {
    let over_rest = RowError::over_unapplied(SEVEN, FIVE, YEN, &payment());
    let over_balance = RowError::adjustment_over_balance(MinorUnits::new(7), FIVE, YEN);
    vec![
        (RowError::adjustments_under_settlement(), "Invoice Settlement is on in the tenant"),
        (
            RowError::over_invoice(),
            "an Increase beyond what a negative invoice owes, or a Decrease beyond what an \
             invoice still asks for (recorded)",
        ),
        (
            over_rest,
            "an Increase beyond what a payment has left beside its invoices and its refunds",
        ),
        (over_balance, "a Decrease, or the cancellation of an Increase, beyond the credit balance"),
        (
            RowError::balance_full(MinorUnits::new(7), YEN),
            "an Increase, or the cancellation of a Decrease, that takes the credit balance beyond \
             half of what 64 bits of minor units can count",
        ),
        (
            RowError::increase_from_payment_is_final(),
            "update to Canceled of an Increase from an overpayment",
        ),
        (RowError::decrease_of_refund_is_final(), "update of the adjustment that a refund made"),
    ]
}

/// What stands against adjusting an invoice or one of its items.
fn invoice_adjustments() -> Vec<(RowError, &'static str)> {
    vec![
        (
            RowError::invoice_adjustments_under_settlement(),
            "create, update or delete of an InvoiceAdjustment or an InvoiceItemAdjustment while \
             Invoice Settlement is on in the tenant",
        ),
        (
            RowError::too_old_for_invoice_adjustments(),
            "create, update or delete of an InvoiceAdjustment, and the version in the path is \
             below 24.0",
        ),
        (
            RowError::adjustment_number_taken("<AdjustmentNumber>"),
            "an AdjustmentNumber that another adjustment of an invoice has",
        ),
        (
            RowError::credit_over_invoice_balance(SEVEN, FIVE, YEN),
            "a Credit beyond what the invoice still asks for",
        ),
        (
            RowError::over_line(SEVEN, FIVE, YEN),
            "a Credit of an item, or of its tax, beyond its amount less earlier credits",
        ),
        (
            RowError::charge_over_negative_invoice(SEVEN, FIVE, YEN),
            "a Charge beyond what a negative invoice owes the customer",
        ),
        (
            RowError::invoice_full(SEVEN, YEN),
            "a Charge, or the end of a Credit, that takes an invoice beyond half of what 64 bits \
             of minor units can count",
        ),
        (
            RowError::charge_paid_since("<number>", FIVE, YEN),
            "update to Canceled, or delete, of a Charge that was paid or credited since",
        ),
    ]
}

/// What stands against making, changing or deleting accounts, methods, payments and their parts.
fn objects() -> Vec<(RowError, &'static str)> {
    let seven = MinorUnits::new(7);
    let over_payment = RowError::over_payment(seven, FIVE, YEN);
    let over_invoice = RowError::over_invoice_balance(seven, FIVE, YEN);
    vec![
        (
            RowError::invalid_secret("<Field>"),
            "a number of a card or a bank account that is none, a security code or a token that \
             is none: the value is not repeated",
        ),
        (
            RowError::account_number_taken("<AccountNumber>"),
            "an AccountNumber that another account has (recorded for create; update says the same)",
        ),
        (
            RowError::account_with_balance(),
            "update of Status to Canceled of an account with a credit balance",
        ),
        (
            RowError::account_below_itself(),
            "a ParentId that names the account itself, or one that is below it",
        ),
        (RowError::account_is_parent(), "delete of an account that is the ParentId of others"),
        (RowError::account_in_use(), "delete of an account with methods or a history"),
        (RowError::default_method_stays(), "delete of a default payment method"),
        (RowError::method_in_use(), "delete of a payment method that payments or refunds refer to"),
        (
            RowError::built_in_method(),
            "update of one of the four payment methods that every tenant has",
        ),
        (RowError::built_in_method_stays(), "delete of one of them"),
        (
            RowError::payment_method_closed("<number>"),
            "update of Status to Processed of a draft whose payment method was closed since",
        ),
        (RowError::type_stays("<Type>"), "delete of a type whose objects stay"),
        (
            RowError::payment_in_use("<number>"),
            "update of Status to Canceled or Voided of a payment with refunds or adjustments",
        ),
        (
            RowError::reference_taken("<ReferenceId>", "<number>", "<name>"),
            "a ReferenceId by which the gateway of an electronic payment knows another, be it that \
             payment's ReferenceId or, where it has none, its number; white space and the case of \
             letters make no difference",
        ),
        (
            RowError::reference_in_use("<number>", "<name>"),
            "update of ReferenceId of an electronic payment of which a refund was sent",
        ),
        (
            RowError::invoice_already_paid("<payment>", "<invoice>"),
            "an InvoicePayment of a payment that has one for the invoice",
        ),
        (
            over_payment,
            "an InvoicePayment, or AppliedInvoiceAmount, beyond what the payment has left",
        ),
        (
            over_invoice,
            "an InvoicePayment, or AppliedInvoiceAmount, beyond what is owed on the invoice",
        ),
        (
            RowError::transaction_failed(),
            "with `single_transaction = true` only: useSingleTransaction, and another row failed",
        ),
    ]
}

/// The currency of the samples, which has no decimals.
const YEN: Currency = Currency::YEN;
/// The amount that is too much in the samples.
const SEVEN: Decimal = Decimal::from_parts(7, 0, 0, false, 0);
/// What there is.
const FIVE: MinorUnits = MinorUnits::new(5);

fn payment() -> Payment {
    Payment {
        key: PaymentKey(0),
        number: "<number>".to_owned(),
        account: Account {
            key: AccountKey(0),
            currency: YEN,
            balance: MinorUnits::ZERO,
            ahead: Ahead::default(),
            default_method: None,
            gateway: None,
        },
        payment_type: PaymentType::External,
        status: PaymentStatus::Voided,
        amount: MinorUnits::ZERO,
        refunded: MinorUnits::ZERO,
        to_credit_balance: MinorUnits::ZERO,
        effective_date: NaiveDate::MIN,
        method: None,
        gateway: Some("<name>".to_owned()),
        reference_id: None,
        collected: None,
        parts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_constructor_of_a_row_error_is_listed() {
        let own = include_str!("../../domain/row_error.rs").lines();
        let lines = own.chain(include_str!("../../domain/row_error/objects.rs").lines());
        let lines = lines.chain(include_str!("../../domain/row_error/invoices.rs").lines());
        let lines = lines.chain(include_str!("../../domain/row_error/settlement.rs").lines());
        let is_constructor =
            |line: &&str| line.contains("    pub fn ") && !line.contains("fn settlement_samples");
        let constructors = lines.filter(is_constructor).count();
        assert_eq!(rows().count(), constructors);
    }

    #[test]
    fn no_entry_is_listed_twice() {
        let entries = catalogue();
        let texts: HashSet<_> = entries
            .iter()
            .map(|entry| (entry.code, &entry.text, entry.kind, entry.status))
            .collect();
        assert_eq!(texts.len(), entries.len());
    }

    #[test]
    fn samples_have_placeholders_for_what_differs_between_answers() {
        let texts: Vec<_> = rows().map(|entry| entry.text).collect();
        for expected in [
            "The refund amount <amount> is greater than the credit balance <balance>.",
            "The user lacks the permission <permission>.",
            "The payment gateway <name> does not support the payment method type <MethodType>.",
            "Invalid value for field <Field>: <value>",
        ] {
            assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:?}");
        }
    }
}
