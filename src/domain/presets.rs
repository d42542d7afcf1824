//! What the documented payment gateways can do, so that a configuration only has to name one.
//!
//! Source: the vendor's page of each gateway, which says whether it takes non-referenced refunds
//! and to which types of method, and the vendor's pages on refunds (PayPal's window). Where a page
//! says nothing, the table does not allow it; a configuration can.

use super::vocabulary::MethodType;

/// The abilities of a gateway that the documents describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// How a configuration names it.
    pub name: &'static str,
    /// Whether it gives back payments that it took.
    pub referenced_refunds: bool,
    /// Whether it can pay without a payment to refer to.
    pub non_referenced_refunds: bool,
    /// The types of method that it can pay to; none means all.
    pub method_types: Option<&'static [MethodType]>,
    /// For how many days a payment can be given back; none means for ever.
    pub refund_window_days: Option<u32>,
}

const CARDS: &[MethodType] = &[MethodType::CreditCard];
const CARDS_AND_REFERENCES: &[MethodType] =
    &[MethodType::CreditCard, MethodType::CreditCardReferenceTransaction];

/// Every gateway that is known, by name.
pub const PRESETS: [Preset; 10] = [
    Preset {
        method_types: Some(&[
            MethodType::CreditCard,
            MethodType::CreditCardReferenceTransaction,
            MethodType::Ach,
            MethodType::BankTransfer,
        ]),
        ..both("adyen")
    },
    // Needs Expanded Credit Capabilities at the gateway.
    Preset { method_types: Some(CARDS), ..both("authorize.net") },
    Preset { non_referenced_refunds: false, ..both("bluesnap") },
    Preset {
        method_types: Some(&[
            MethodType::CreditCard,
            MethodType::CreditCardReferenceTransaction,
            MethodType::DebitCard,
            MethodType::Ach,
        ]),
        ..both("chase-paymentech-orbital")
    },
    both("cybersource"),
    Preset { method_types: Some(CARDS_AND_REFERENCES), ..both("moneris") },
    Preset { method_types: Some(CARDS_AND_REFERENCES), ..both("payeezy") },
    Preset {
        non_referenced_refunds: false,
        method_types: Some(&[MethodType::PayPal]),
        refund_window_days: Some(60),
        ..both("paypal")
    },
    Preset { non_referenced_refunds: false, ..both("wepay") },
    // Also known as Vantiv.
    Preset { method_types: Some(CARDS), ..both("worldpay") },
];

/// A gateway that takes both kinds of refunds to all methods for ever.
const fn both(name: &'static str) -> Preset {
    Preset {
        name,
        referenced_refunds: true,
        non_referenced_refunds: true,
        method_types: None,
        refund_window_days: None,
    }
}

/// The preset of this name, in any case.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_documents_say_is_what_is_preset() {
        for name in ["Adyen", "authorize.net", "Chase-Paymentech-Orbital", "payeezy", "worldpay"] {
            assert!(preset(name).unwrap().non_referenced_refunds, "{name}");
        }
        for name in ["bluesnap", "wepay", "paypal"] {
            assert!(!preset(name).unwrap().non_referenced_refunds, "{name}");
        }
        assert_eq!(preset("paypal").unwrap().refund_window_days, Some(60));
        assert_eq!(preset("sandbox"), None);
        assert!(PRESETS.is_sorted_by(|one, next| one.name < next.name));
    }
}
