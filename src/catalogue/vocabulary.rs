//! The closed sets of names that objects use, exactly as they stand on the wire.
//!
//! The WSDL calls them all `string`; the values are documented with the Refund and PaymentMethod
//! objects. Names are case-sensitive.

use super::Object;
use serde::{Deserialize, Serialize};

macro_rules! vocabulary {
    (
        $(#[$doc:meta])+
        $name:ident { $($(#[$variant_doc:meta])+ $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])+ #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in a fixed order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name of each, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text,)+];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value that `text` names, letter for letter.
            pub fn from_name(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == text)
            }

            /// The number by which the ledger keeps it: its place in the order above, which never
            /// changes; a new value is added at the end.
            pub const fn code(self) -> i64 {
                self as i64
            }

            /// The value of a code.
            pub fn from_code(code: i64) -> Option<Self> {
                usize::try_from(code).ok().and_then(|place| Self::ALL.get(place)).copied()
            }
        }
    };
}

vocabulary! {
    /// Who moves the money.
    RefundType {
        /// Paid outside the gateway (a cheque, say) and only recorded here.
        External = "External",
        /// Paid through a payment gateway.
        Electronic = "Electronic",
    }
}

vocabulary! {
    /// Where the money comes from.
    SourceType {
        /// A payment that the customer made (a referenced refund).
        Payment = "Payment",
        /// The account's credit balance (a non-referenced refund).
        CreditBalance = "CreditBalance",
        /// A credit memo, under Invoice Settlement (a non-referenced refund). No SOAP client can
        /// ask for one; queries show it.
        CreditMemo = "CreditMemo",
    }
}

impl SourceType {
    /// The names that a SOAP client may send (field descriptions of Refund).
    pub const SENT_NAMES: &'static [&'static str] = &["Payment", "CreditBalance"];

    /// The value that a SOAP client names, letter for letter.
    pub fn from_sent(text: &str) -> Option<Self> {
        Self::from_name(text).filter(|_| Self::SENT_NAMES.contains(&text))
    }
}

vocabulary! {
    /// The kind of a payment method, and how a refund was paid.
    MethodType {
        /// Automated Clearing House.
        Ach = "ACH",
        /// A bank transfer (known to the original from its REST interface).
        BankTransfer = "BankTransfer",
        /// Cash.
        Cash = "Cash",
        /// A cheque.
        Check = "Check",
        /// A credit card.
        CreditCard = "CreditCard",
        /// A card known by a token of the gateway.
        CreditCardReferenceTransaction = "CreditCardReferenceTransaction",
        /// A debit card.
        DebitCard = "DebitCard",
        /// Anything else outside a gateway.
        Other = "Other",
        /// PayPal.
        PayPal = "PayPal",
        /// A wire transfer.
        WireTransfer = "WireTransfer",
    }
}

impl MethodType {
    /// Whether a gateway can pay to a method of this type (PaymentMethod object: Cash, Check,
    /// WireTransfer and Other are external).
    pub const fn is_electronic(self) -> bool {
        !matches!(self, Self::Cash | Self::Check | Self::WireTransfer | Self::Other)
    }
}

vocabulary! {
    /// Where an account stands.
    AccountStatus {
        /// New.
        Draft = "Draft",
        /// In use.
        Active = "Active",
        /// Given up.
        Canceled = "Canceled",
    }
}

vocabulary! {
    /// Whether a payment method may still be used.
    MethodStatus {
        /// In use.
        Active = "Active",
        /// Given up by its owner; no electronic refund goes there.
        Closed = "Closed",
    }
}

vocabulary! {
    /// How a payment was made.
    PaymentType {
        /// Outside the gateway and only recorded here.
        External = "External",
        /// Through a payment gateway.
        Electronic = "Electronic",
    }
}

vocabulary! {
    /// Where a refund stands.
    RefundStatus {
        /// Money is out: an external refund at once, an electronic one when the gateway approved.
        Processed = "Processed",
        /// The gateway has not answered for certain; the amount is held.
        Processing = "Processing",
        /// The gateway declined; the amount went back to the balance.
        Error = "Error",
        /// Taken back (refunds of payments only).
        Canceled = "Canceled",
    }
}

vocabulary! {
    /// Where an electronic refund stands with its gateway.
    GatewayState {
        /// Written down, not yet confirmed by the gateway.
        MarkedForSubmission = "MarkedForSubmission",
        /// Approved by the gateway.
        Submitted = "Submitted",
        /// Declined by the gateway.
        NotSubmitted = "NotSubmitted",
        /// Confirmed by the gateway's settlement.
        Settled = "Settled",
        /// Rejected after it had been approved.
        FailedToSettle = "FailedToSettle",
    }
}

vocabulary! {
    /// Whether a payment counts.
    PaymentStatus {
        /// Not yet: it has moved nothing.
        Draft = "Draft",
        /// It does.
        Processed = "Processed",
        /// An external payment that was taken back.
        Canceled = "Canceled",
        /// An electronic payment that was taken back.
        Voided = "Voided",
    }
}

vocabulary! {
    /// Where a credit memo stands.
    CreditMemoStatus {
        /// It has moved nothing and may still be posted.
        Draft = "Draft",
        /// It can be applied and refunded.
        Posted = "Posted",
        /// Given up as a draft.
        Canceled = "Canceled",
    }
}

vocabulary! {
    /// What a refund of a payment answers to (refundTransactionType).
    RefundTransactionType {
        /// The payer's bank took the money back.
        Chargeback = "Chargeback",
        /// The payment failed after it had been taken for good.
        PaymentReversal = "PaymentReversal",
    }
}

vocabulary! {
    /// Which way an adjustment moves a credit balance.
    AdjustmentType {
        /// Up, from a negative invoice or an overpayment.
        Increase = "Increase",
        /// Down, into an invoice that is to be paid.
        Decrease = "Decrease",
    }
}

vocabulary! {
    /// Which way an adjustment moves the balance of an invoice.
    InvoiceAdjustmentType {
        /// Down (a credit memo), to zero at most.
        Credit = "Credit",
        /// Up (a debit memo).
        Charge = "Charge",
    }
}

vocabulary! {
    /// What the line of an invoice is (SourceType of an InvoiceItemAdjustment).
    LineKind {
        /// A charge: an InvoiceItem.
        InvoiceDetail = "InvoiceDetail",
        /// The tax on a charge: a TaxationItem.
        Tax = "Tax",
    }
}

vocabulary! {
    /// Whether an adjustment still counts.
    AdjustmentStatus {
        /// It does.
        Processed = "Processed",
        /// It was taken back by an entry of its own.
        Canceled = "Canceled",
    }
}

vocabulary! {
    /// Whether an object has reached the accounting system; null until it is set.
    TransferredToAccounting {
        /// It is on its way.
        Processing = "Processing",
        /// It has.
        Yes = "Yes",
        /// It failed.
        Error = "Error",
        /// It never will.
        Ignore = "Ignore",
    }
}

vocabulary! {
    /// The objects that a tenant can give fields of its own.
    CustomizedObject {
        /// A customer's account.
        Account = "Account",
        /// An adjustment of a credit balance.
        CreditBalanceAdjustment = "CreditBalanceAdjustment",
        /// An invoice.
        Invoice = "Invoice",
        /// An adjustment of an invoice as a whole.
        InvoiceAdjustment = "InvoiceAdjustment",
        /// An adjustment of one line of an invoice.
        InvoiceItemAdjustment = "InvoiceItemAdjustment",
        /// The part of a payment that pays an invoice.
        InvoicePayment = "InvoicePayment",
        /// A payment.
        Payment = "Payment",
        /// A payment method.
        PaymentMethod = "PaymentMethod",
        /// A refund.
        Refund = "Refund",
    }
}

impl CustomizedObject {
    /// The object in the catalogue.
    pub const fn object(self) -> Object {
        match self {
            Self::Account => Object::Account,
            Self::CreditBalanceAdjustment => Object::CreditBalanceAdjustment,
            Self::Invoice => Object::Invoice,
            Self::InvoiceAdjustment => Object::InvoiceAdjustment,
            Self::InvoiceItemAdjustment => Object::InvoiceItemAdjustment,
            Self::InvoicePayment => Object::InvoicePayment,
            Self::Payment => Object::Payment,
            Self::PaymentMethod => Object::PaymentMethod,
            Self::Refund => Object::Refund,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive_and_round_trip() {
        for method in MethodType::ALL {
            assert_eq!(MethodType::from_name(method.name()), Some(*method));
            assert_eq!(MethodType::from_name(&method.name().to_lowercase()), None);
        }
        assert_eq!(RefundStatus::Canceled.name(), "Canceled");
    }

    #[test]
    fn exactly_four_methods_are_external() {
        let external = MethodType::ALL.iter().filter(|method| !method.is_electronic()).count();
        assert_eq!(external, 4);
    }
}
