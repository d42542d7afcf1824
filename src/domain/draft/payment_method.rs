//! A PaymentMethod as a client asks for it, to be created or to be changed.
//!
//! What must stay true: a draft never holds the number of a card or a bank account, only its mask
//! (`masked.rs`), and nothing of a security code; both are left out of every error.

use super::super::id::ObjectId;
use super::super::vocabulary::{CustomizedObject, MethodStatus, MethodType};
use super::Field;
use super::common::Common;
use super::fields::{Draft, Setter, reads_created, reads_updated, setters};
use super::masked::is_security_code;
use crate::catalogue::payment_method::PaymentMethodField;
use serde::Serialize;

/// A PaymentMethod. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MethodDraft {
    /// What every draft has, and the values that are only kept, masks among them.
    pub common: Common,
    /// Whose it is.
    pub account_id: Field<ObjectId>,
    /// Its kind.
    pub method_type: Field<MethodType>,
    /// Whether it may still be used.
    pub status: Field<MethodStatus>,
    /// A security code came, and was one; it is not kept.
    pub security_code: Field<()>,
}

/// The fields without which a method of a type is of no use: of each group, one is enough, and the
/// first is the one that is missing (PaymentMethod object, field descriptions).
pub const fn needed_fields(method_type: MethodType) -> &'static [&'static [&'static str]] {
    match method_type {
        MethodType::Ach => &[
            &["AchAbaCode"],
            &["AchAccountName"],
            &[ACH_MASK],
            &["AchAccountType"],
            &["AchBankName"],
        ],
        MethodType::BankTransfer => &[&["BankTransferType"], &[BANK_MASK]],
        MethodType::CreditCard => &[
            &["CreditCardExpirationMonth"],
            &["CreditCardExpirationYear"],
            &["CreditCardHolderName"],
            &[CARD_MASK],
            &["CreditCardType"],
        ],
        MethodType::DebitCard => {
            &[&["CreditCardExpirationMonth"], &["CreditCardExpirationYear"], &[CARD_MASK]]
        }
        MethodType::CreditCardReferenceTransaction => &[&["TokenId"]],
        MethodType::PayPal => &[&["PaypalBaid", "PaypalEmail", "PaypalPreapprovalKey"]],
        MethodType::Cash | MethodType::Check | MethodType::Other | MethodType::WireTransfer => &[],
    }
}

/// The field that a client sets to what is kept under `name`.
pub fn sent_as(name: &'static str) -> &'static str {
    match name {
        ACH_MASK => "AchAccountNumber",
        BANK_MASK => "BankTransferAccountNumber",
        CARD_MASK => "CreditCardNumber",
        other => other,
    }
}

const ACH_MASK: &str = "AchAccountNumberMask";
const BANK_MASK: &str = "BankTransferAccountNumberMask";
const CARD_MASK: &str = "CreditCardMaskNumber";

impl Draft for MethodDraft {
    const OBJECT: CustomizedObject = CustomizedObject::PaymentMethod;
    const SETTERS: &'static [Setter<Self>] = setters! { PaymentMethodField:
        AccountId => account_id = object(),
        CreditCardSecurityCode =>
            security_code = secret(|text| is_security_code(text).then_some(())),
        PaymentMethodStatus => status = read(MethodStatus::from_name),
        Type => method_type = read(MethodType::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_created::<MethodDraft>();
const _: () = reads_updated::<MethodDraft>();

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "4111111111111111";
    const IBAN: &str = "DE89370400440532013000";

    fn draft(fields: &[(&str, &str)]) -> MethodDraft {
        let mut draft = MethodDraft::default();
        for (name, text) in fields {
            assert!(draft.set(name, text), "{name}");
        }
        draft
    }

    #[test]
    fn no_number_and_no_code_stays_in_a_draft() {
        let draft = draft(&[
            ("CreditCardNumber", CARD),
            ("CreditCardSecurityCode", "7391"),
            ("IBAN", IBAN),
            ("AchAccountNumber", "987654321012"),
        ]);
        let stored = serde_json::to_string(&draft).unwrap();
        for text in [format!("{draft:?}"), stored] {
            for secret in [CARD, "7391", IBAN, "987654321012", "411111"] {
                assert!(!text.contains(secret), "{secret}: {text}");
            }
            assert!(text.contains("************1111"), "{text}");
        }
    }

    #[test]
    fn no_number_is_told_in_an_error() {
        for (name, wrong) in [
            ("CreditCardNumber", "4111111111111112"),
            ("IBAN", "DE88370400440532013000"),
            ("AchAccountNumber", "9876543210é"),
            ("BankTransferAccountNumber", "1"),
            ("TokenId", CARD),
            ("CreditCardExpirationMonth", CARD),
        ] {
            let error = draft(&[(name, wrong)]).common.kept_values().unwrap_err();
            assert_eq!(error.message.to_string(), format!("Invalid value for field {name}"));
        }
        let code = draft(&[("CreditCardSecurityCode", "73915")]).security_code;
        assert!(!code.checked().unwrap_err().message.to_string().contains("73915"));
        let twice = draft(&[("CreditCardNumber", CARD), ("CreditCardNumber", CARD)]);
        assert!(!twice.common.kept_values().unwrap_err().message.to_string().contains(CARD));
    }
}
