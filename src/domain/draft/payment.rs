//! A Payment, its changes, and the part of one that pays an invoice (InvoicePayment), as a client
//! asks for them.
//!
//! Names, types and lengths by the WSDL and the objects' field descriptions. Refunded amounts,
//! numbers and what a gateway answered are the server's.

use super::super::calendar::CalendarText;
use super::super::id::ObjectId;
use super::super::vocabulary::{CustomizedObject, PaymentStatus, PaymentType};
use super::common::Common;
use super::fields::{Draft, FieldRule};
use super::{AmountText, Field};
use serde::Serialize;

/// The longest AccountingCode, in characters.
const ACCOUNTING_CODE_CHARS_MAX: usize = 100;
/// The longest SoftDescriptor, in characters.
const SOFT_DESCRIPTOR_CHARS_MAX: usize = 35;
/// The longest SoftDescriptorPhone, in characters.
const SOFT_DESCRIPTOR_PHONE_CHARS_MAX: usize = 20;
/// The longest Comment, in characters.
const COMMENT_CHARS_MAX: usize = 255;
/// The longest ReferenceId, in characters.
const REFERENCE_CHARS_MAX: usize = 60;
/// The longest InvoiceNumber, in characters.
const INVOICE_NUMBER_CHARS_MAX: usize = 255;

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
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::id("AccountId", |d, sent| d.account_id = sent.object()),
        FieldRule::kept_text("AccountingCode", ACCOUNTING_CODE_CHARS_MAX),
        FieldRule::value("Amount", |d, sent| d.amount = sent.amount()),
        FieldRule::value("AppliedCreditBalanceAmount", |d, sent| {
            d.to_credit_balance = sent.amount_or_zero();
        }),
        FieldRule::value("AppliedInvoiceAmount", |d, sent| d.applied = sent.amount_or_zero()),
        FieldRule::value("Comment", |d, sent| d.comment = sent.text(COMMENT_CHARS_MAX)),
        FieldRule::unused_id("CreatedById"),
        FieldRule::value("EffectiveDate", |d, sent| d.effective_date = sent.day()),
        FieldRule::id("InvoiceId", |d, sent| d.invoice_id = sent.object()),
        FieldRule::value("InvoiceNumber", |d, sent| {
            d.invoice_number = sent.text(INVOICE_NUMBER_CHARS_MAX);
        }),
        FieldRule::id("PaymentMethodId", |d, sent| d.method_id = sent.object()),
        FieldRule::unused_id("PaymentMethodSnapshotId"),
        FieldRule::value("ReferenceId", |d, sent| d.reference_id = sent.text(REFERENCE_CHARS_MAX)),
        FieldRule::kept_text("SoftDescriptor", SOFT_DESCRIPTOR_CHARS_MAX),
        FieldRule::kept_text("SoftDescriptorPhone", SOFT_DESCRIPTOR_PHONE_CHARS_MAX),
        FieldRule::value("Status", |d, sent| d.status = sent.read(PaymentStatus::from_name)),
        FieldRule::value("Type", |d, sent| d.payment_type = sent.read(PaymentType::from_name)),
        FieldRule::unused_id("UpdatedById"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

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
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::unused_id("AccountId"),
        FieldRule::kept_text("AccountingCode", ACCOUNTING_CODE_CHARS_MAX),
        FieldRule::value("Comment", |d, sent| d.comment = sent.text(COMMENT_CHARS_MAX)),
        FieldRule::unused_id("CreatedById"),
        FieldRule::unused_id("InvoiceId"),
        FieldRule::unused_id("PaymentMethodId"),
        FieldRule::unused_id("PaymentMethodSnapshotId"),
        FieldRule::value("ReferenceId", |d, sent| d.reference_id = sent.text(REFERENCE_CHARS_MAX)),
        FieldRule::kept_text("SoftDescriptor", SOFT_DESCRIPTOR_CHARS_MAX),
        FieldRule::kept_text("SoftDescriptorPhone", SOFT_DESCRIPTOR_PHONE_CHARS_MAX),
        FieldRule::value("Status", |d, sent| d.status = sent.read(PaymentStatus::from_name)),
        FieldRule::unused_id("UpdatedById"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

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
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::value("Amount", |d, sent| d.amount = sent.amount()),
        FieldRule::unused_id("CreatedById"),
        FieldRule::id("InvoiceId", |d, sent| d.invoice_id = sent.object()),
        FieldRule::id("PaymentId", |d, sent| d.payment_id = sent.object()),
        FieldRule::unused_id("UpdatedById"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}
