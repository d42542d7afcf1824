//! A Payment, its changes, and the part of one that pays an invoice (InvoicePayment), as a client
//! asks for them.
//!
//! Names, types and lengths by the WSDL and the objects' field descriptions. Refunded amounts,
//! numbers and what a gateway answered are the server's.

use super::super::calendar::CalendarText;
use super::super::id::ObjectId;
use super::super::vocabulary::{CustomizedObject, PaymentStatus, PaymentType};
use super::common::Common;
use super::fields::{Draft, Setter, reads_created, reads_updated, setters};
use super::{AmountText, Field};
use crate::catalogue::payment::{InvoicePaymentField, PaymentField};
use serde::Serialize;

/// A Payment to be created. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PaymentDraft {
    /// What every draft has, and the values that are only kept.
    pub common: Common,
    /// Who paid.
    pub account_id: Field<ObjectId>,
    /// How much, in the account's currency; without it, what is applied.
    pub amount: Field<AmountText>,
    /// What of it goes to the credit balance; may be zero.
    pub to_credit_balance: Field<AmountText>,
    /// What of it pays the invoice; may be zero.
    pub applied: Field<AmountText>,
    /// Free text, at most 255 characters.
    pub comment: Field<String>,
    /// The day it counts for.
    pub effective_date: Field<CalendarText>,
    /// The invoice that it pays.
    pub invoice_id: Field<ObjectId>,
    /// Its number.
    pub invoice_number: Field<String>,
    /// The method that it came from.
    pub method_id: Field<ObjectId>,
    /// A number of the payer's bank, say; at most 60 characters.
    pub reference_id: Field<String>,
    /// Whether it counts.
    pub status: Field<PaymentStatus>,
    /// Who moved the money.
    pub payment_type: Field<PaymentType>,
}

impl Draft for PaymentDraft {
    const OBJECT: CustomizedObject = CustomizedObject::Payment;
    const SETTERS: &'static [Setter<Self>] = setters! { PaymentField:
        AccountId => account_id = object(),
        Amount => amount = amount(),
        AppliedCreditBalanceAmount => to_credit_balance = amount_or_zero(),
        AppliedInvoiceAmount => applied = amount_or_zero(),
        Comment => comment = text(),
        EffectiveDate => effective_date = day(),
        InvoiceId => invoice_id = object(),
        InvoiceNumber => invoice_number = text(),
        PaymentMethodId => method_id = object(),
        ReferenceId => reference_id = text(),
        Status => status = read(PaymentStatus::from_name),
        Type => payment_type = read(PaymentType::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_created::<PaymentDraft>();

/// Changes of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PaymentChange {
    /// What every draft has, and the values that are only kept.
    pub common: Common,
    /// Free text, at most 255 characters.
    pub comment: Field<String>,
    /// A number of the payer's bank, say; at most 60 characters.
    pub reference_id: Field<String>,
    /// Whether it counts: from Draft to Processed, or to Canceled or Voided.
    pub status: Field<PaymentStatus>,
}

impl Draft for PaymentChange {
    const OBJECT: CustomizedObject = CustomizedObject::Payment;
    const SETTERS: &'static [Setter<Self>] = setters! { PaymentField:
        Comment => comment = text(),
        ReferenceId => reference_id = text(),
        Status => status = read(PaymentStatus::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_updated::<PaymentChange>();

/// An InvoicePayment. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PaymentPartDraft {
    /// What every draft has.
    pub common: Common,
    /// How much of the payment, in the account's currency.
    pub amount: Field<AmountText>,
    /// The invoice that it pays.
    pub invoice_id: Field<ObjectId>,
    /// The payment that it is a part of.
    pub payment_id: Field<ObjectId>,
}

impl Draft for PaymentPartDraft {
    const OBJECT: CustomizedObject = CustomizedObject::InvoicePayment;
    const SETTERS: &'static [Setter<Self>] = setters! { InvoicePaymentField:
        Amount => amount = amount(),
        InvoiceId => invoice_id = object(),
        PaymentId => payment_id = object(),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_created::<PaymentPartDraft>();
