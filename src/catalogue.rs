//! The objects of the API and their fields, version by version, as data alone.
//!
//! Each object has one table, and everything that knows fields takes them from it: the WSDL, the
//! drafts that requests are read into, queries, and the columns of the ledger. What must stay
//! true: own fields stand in the order of the WSDL, which is alphabetical regardless of the case of
//! the letters; nothing here decides anything; and this room imports no other.

pub mod account;
pub mod credit_balance_adjustment;
pub mod field;
pub mod invoice;
pub mod invoice_adjustment;
pub mod payment;
pub mod payment_method;
pub mod refund;
pub mod stand;
pub mod vendor;
pub mod version;
pub mod vocabulary;

use account::AccountField;
use credit_balance_adjustment::CreditBalanceAdjustmentField;
use field::{Field, Fields};
use invoice::{InvoiceField, InvoiceItemField, TaxationItemField};
use invoice_adjustment::{InvoiceAdjustmentField, InvoiceItemAdjustmentField};
use payment::{InvoicePaymentField, PaymentField};
use payment_method::PaymentMethodField;
use refund::{
    GatewayOptionField, RefundField, RefundInvoicePaymentField, RefundTransactionLogField,
};
use stand::Stand;
use version::ApiVersion;

macro_rules! objects {
    ($($(#[$doc:meta])+ $object:ident: $fields:ty = $stand:expr,)+) => {
        /// An object of the API: a type of the WSDL that extends `zObject`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Object {
            $($(#[$doc])+ $object,)+
        }

        impl Object {
            /// Every object, in the order of the WSDL.
            pub const ALL: &'static [Self] = &[$(Self::$object,)+];

            /// The name in the WSDL.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$object => stringify!($object),)+ }
            }

            /// The versions and tenants whose WSDL has it.
            pub const fn stand(self) -> Stand {
                match self { $(Self::$object => $stand,)+ }
            }

            /// Its own fields, in the order of the WSDL. Id and fieldsToNull, which every object
            /// inherits, come before them.
            pub const fn fields(self) -> &'static [&'static Field] {
                match self { $(Self::$object => <$fields>::FIELDS,)+ }
            }
        }
    };
}

objects! {
    /// A customer's account.
    Account: AccountField = Stand::ALWAYS,
    /// An adjustment of a credit balance, asked for or made by a refund.
    CreditBalanceAdjustment: CreditBalanceAdjustmentField = Stand::ALWAYS.since(22).of_credit(),
    /// A parameter for a gateway, which stands in refunds and payments.
    GatewayOption: GatewayOptionField = Stand::ALWAYS.since(30),
    /// An invoice.
    Invoice: InvoiceField = Stand::ALWAYS,
    /// An adjustment of an invoice as a whole.
    InvoiceAdjustment: InvoiceAdjustmentField = Stand::ALWAYS,
    /// A charge of an invoice.
    InvoiceItem: InvoiceItemField = Stand::ALWAYS,
    /// An adjustment of one line of an invoice.
    InvoiceItemAdjustment: InvoiceItemAdjustmentField = Stand::ALWAYS.since(23),
    /// The part of a payment that pays an invoice.
    InvoicePayment: InvoicePaymentField = Stand::ALWAYS,
    /// A payment.
    Payment: PaymentField = Stand::ALWAYS,
    /// A payment method.
    PaymentMethod: PaymentMethodField = Stand::ALWAYS,
    /// A refund.
    Refund: RefundField = Stand::ALWAYS,
    /// The part of a refund that takes back a part of its payment.
    RefundInvoicePayment: RefundInvoicePaymentField = Stand::ALWAYS,
    /// An exchange with a gateway about a refund.
    RefundTransactionLog: RefundTransactionLogField = Stand::ALWAYS,
    /// The tax on a charge of an invoice.
    TaxationItem: TaxationItemField = Stand::ALWAYS,
}

impl Object {
    /// The object of this name, letter by letter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|object| object.name() == name)
    }

    /// The objects of `version`, in the order of the WSDL.
    pub fn of(version: ApiVersion) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |object| object.stand().covers(version))
    }

    /// Its own fields in `version`, in the order of the WSDL; none where the version lacks it.
    pub fn fields_in(self, version: ApiVersion) -> impl Iterator<Item = &'static Field> {
        let is_there = self.stand().covers(version);
        let own = self.fields().iter().copied();
        own.filter(move |field| is_there && field.stand.covers(version))
    }

    /// Its own field of this name, letter by letter.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().copied().find(|field| field.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::field::{Fate, Kind};
    use super::*;

    #[test]
    fn fields_are_in_alphabetical_order_and_none_is_there_twice() {
        for object in Object::ALL {
            let names: Vec<_> =
                object.fields().iter().map(|field| field.name.to_lowercase()).collect();
            assert!(names.is_sorted_by(|one, next| one < next), "{}", object.name());
        }
        assert!(Object::ALL.is_sorted_by_key(|object| object.name()));
    }

    #[test]
    fn limits_stand_where_they_mean_something() {
        for object in Object::ALL {
            for field in object.fields() {
                let named = format!("{}.{}", object.name(), field.name);
                let is_whole = matches!(field.kind, Kind::Int | Kind::Short);
                assert!(field.chars_max == usize::MAX || field.kind == Kind::Text, "{named}");
                assert!(field.range == (i64::MIN, i64::MAX) || is_whole, "{named}");
                assert!(field.values.is_empty() || field.kind == Kind::Text, "{named}");
                let is_set = field.is_created || field.is_updated;
                assert_eq!(is_set, field.fate != Fate::Ignored, "{named}");
            }
        }
    }

    #[test]
    fn what_is_masked_a_token_or_dropped_is_a_secret_and_so_are_masks() {
        for object in Object::ALL {
            for field in object.fields() {
                let is_hidden =
                    matches!(field.fate, Fate::Masked(..) | Fate::Token | Fate::Dropped);
                let is_mask = object
                    .fields()
                    .iter()
                    .any(|other| matches!(other.fate, Fate::Masked(_, mask) if mask == field.name));
                let named = format!("{}.{}", object.name(), field.name);
                assert!(field.is_secret || !(is_hidden || is_mask), "{named}");
            }
        }
    }

    #[test]
    fn a_mask_is_kept_under_a_field_of_the_servers() {
        for object in Object::ALL {
            for field in object.fields() {
                if let Fate::Masked(_, mask) = field.fate {
                    let under = object.field(mask).map(|field| field.fate);
                    assert_eq!(under, Some(Fate::Ignored), "{}.{mask}", object.name());
                }
            }
        }
    }
}
