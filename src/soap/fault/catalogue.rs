//! The list of everything that can go wrong for a caller, for docs/FAULTS.md.

use super::{Fault, FaultClass};
use crate::domain::error_code::ErrorCode;
use crate::domain::facts::Gateway;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::permission::Permission;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::MethodType;

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
        text: fault.to_string(),
        cause: fault.cause(),
    });
    faults.chain(rows()).collect()
}

fn rows() -> impl Iterator<Item = FaultEntry> {
    let errors = values().into_iter().chain(circumstances());
    errors.map(|(error, cause)| FaultEntry {
        code: error.code,
        faultcode: String::new(),
        kind: "row",
        status: 200,
        text: error.message,
        cause,
    })
}

/// What is wrong with a row by itself.
fn values() -> Vec<(RowError, &'static str)> {
    vec![
        (
            RowError::invalid_id("<Field>", "<value>"),
            "an id that is neither 32 letters or digits nor a number, or an empty one",
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
            generic(RowError::no_permission(permission), &[(permission.name(), "<permission>")]),
            "the user lacks the permission that the refund's Type needs",
        ),
        (RowError::gateway_inactive(&gateway), "the gateway of an electronic refund is not active"),
        (
            RowError::gateway_without_non_referenced(&gateway),
            "the gateway of an electronic refund only takes back its own payments",
        ),
        (
            generic(
                RowError::gateway_without_method(&gateway, method),
                &[(method.name(), "<MethodType>")],
            ),
            "the gateway of an electronic refund cannot pay to such a method",
        ),
        (over_balance(), "the amount is more than the account's credit balance"),
    ]
}

fn over_balance() -> RowError {
    let (amount, balance) = (MinorUnits::new(7), MinorUnits::new(5));
    let Some(currency) = Currency::from_code("JPY") else {
        return RowError::too_long();
    };
    generic(
        RowError::over_balance(currency.decimal(amount), balance, currency),
        &[("7", "<amount>"), ("5", "<balance>")],
    )
}

/// The error with placeholders where the sample's values stand.
fn generic(error: RowError, placeholders: &[(&str, &str)]) -> RowError {
    let message = placeholders
        .iter()
        .fold(error.message, |message, (value, placeholder)| message.replace(value, placeholder));
    RowError { message, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_constructor_of_a_row_error_is_listed() {
        let source = include_str!("../../domain/row_error.rs");
        let constructors = source.lines().filter(|line| line.contains("    pub fn ")).count();
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
