//! A PaymentMethod as a client asks for it, to be created or to be changed.
//!
//! What must stay true: a draft never holds the number of a card or a bank account, only its mask
//! (`masked.rs`), and nothing of a security code; both are left out of every error.

use super::super::id::ObjectId;
use super::super::vocabulary::{CustomizedObject, MethodStatus, MethodType};
use super::Field;
use super::common::Common;
use super::fields::{Draft, FieldRule};
use super::masked::{MaskedNumber, is_security_code};
use serde::Serialize;

/// The longest token of a gateway, in characters.
const TOKEN_CHARS_MAX: usize = 255;

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
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::id("AccountId", |d, sent| d.account_id = sent.object()),
        FieldRule::kept_text("AchAbaCode", 9),
        FieldRule::kept_text("AchAccountName", 70),
        FieldRule::masked("AchAccountNumber", ACH_MASK, MaskedNumber::account),
        FieldRule::kept_text("AchAccountType", 16),
        FieldRule::kept_text("AchAddress1", 255),
        FieldRule::kept_text("AchAddress2", 255),
        FieldRule::kept_text("AchBankName", 70),
        FieldRule::kept_text("BankBranchCode", 10),
        FieldRule::kept_text("BankCheckDigit", 4),
        FieldRule::kept_text("BankCity", 70),
        FieldRule::kept_text("BankCode", 18),
        FieldRule::kept_text("BankName", 80),
        FieldRule::kept_text("BankPostalCode", 20),
        FieldRule::kept_text("BankStreetName", 60),
        FieldRule::kept_text("BankStreetNumber", 10),
        FieldRule::kept_text("BankTransferAccountName", 60),
        FieldRule::masked("BankTransferAccountNumber", BANK_MASK, MaskedNumber::account),
        FieldRule::kept_text("BankTransferAccountType", 20),
        FieldRule::kept_text("BankTransferType", 20),
        FieldRule::kept_text("BusinessIdentificationCode", 11),
        FieldRule::kept_text("City", 80),
        FieldRule::kept_text("Country", 44),
        FieldRule::unused_id("CreatedById"),
        FieldRule::kept_text("CreditCardAddress1", 255),
        FieldRule::kept_text("CreditCardAddress2", 255),
        FieldRule::kept_text("CreditCardCity", 40),
        FieldRule::kept_text("CreditCardCountry", 40),
        FieldRule::kept_number("CreditCardExpirationMonth", 1, 12),
        FieldRule::kept_number("CreditCardExpirationYear", 1970, 9999),
        FieldRule::kept_text("CreditCardHolderName", 50),
        FieldRule::masked("CreditCardNumber", CARD_MASK, MaskedNumber::card),
        FieldRule::kept_text("CreditCardPostalCode", 20),
        FieldRule::value("CreditCardSecurityCode", |d, sent| {
            d.security_code = sent.secret(|text| is_security_code(text).then_some(()));
        }),
        FieldRule::kept_text("CreditCardState", 50),
        FieldRule::kept_text("CreditCardType", 32),
        FieldRule::kept_text("DeviceSessionId", 255),
        FieldRule::kept_text("Email", 80),
        FieldRule::kept_text("ExistingMandate", 3),
        FieldRule::kept_text("FirstName", 30),
        FieldRule::masked("IBAN", BANK_MASK, MaskedNumber::iban),
        FieldRule::kept_text("IPAddress", 45),
        FieldRule::kept_text("LastName", 70),
        FieldRule::kept_text("MandateID", 36),
        FieldRule::kept_text("MandateReceived", 3),
        FieldRule::kept_number("MaxConsecutivePaymentFailures", 1, 100),
        FieldRule::kept_text("Name", 255),
        FieldRule::value("PaymentMethodStatus", |d, sent| {
            d.status = sent.read(MethodStatus::from_name);
        }),
        FieldRule::kept_number("PaymentRetryWindow", 1, 1000),
        FieldRule::token("PaypalBaid", TOKEN_CHARS_MAX),
        FieldRule::kept_text("PaypalEmail", 80),
        FieldRule::token("PaypalPreapprovalKey", TOKEN_CHARS_MAX),
        FieldRule::kept_text("PaypalType", 32),
        FieldRule::kept_text("Phone", 40),
        FieldRule::kept_text("PostalCode", 20),
        FieldRule::token("SecondTokenId", TOKEN_CHARS_MAX),
        FieldRule::kept_text("State", 70),
        FieldRule::kept_text("StreetName", 100),
        FieldRule::kept_text("StreetNumber", 30),
        FieldRule::token("TokenId", TOKEN_CHARS_MAX),
        FieldRule::value("Type", |d, sent| d.method_type = sent.read(MethodType::from_name)),
        FieldRule::unused_id("UpdatedById"),
        FieldRule::kept_boolean("UseDefaultRetryRule"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

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
