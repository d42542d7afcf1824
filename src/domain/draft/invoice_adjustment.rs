//! An InvoiceAdjustment or an InvoiceItemAdjustment as a client asks for it, and what a client
//! wants to change of one: every field read, none yet judged.
//!
//! Fields and limits by the objects' field descriptions. What both objects have stands in one
//! struct, so that one rule decides about both.

use super::super::calendar::CalendarText;
use super::super::id::ObjectId;
use super::super::vocabulary::{
    AdjustmentStatus, CustomizedObject, InvoiceAdjustmentType, LineKind, TransferredToAccounting,
};
use super::common::Common;
use super::fields::{Draft, FieldRule};
use super::{AmountText, Field};
use serde::Serialize;

/// The longest AccountingCode and the longest ReferenceId, in characters.
const CODE_CHARS_MAX: usize = 100;
/// The longest Comments and the longest Comment, in characters.
const COMMENT_CHARS_MAX: usize = 255;
/// The longest AdjustmentNumber, and the longest InvoiceNumber that a seed can give, in characters.
const NUMBER_CHARS_MAX: usize = 255;
/// The longest ReasonCode, in characters.
const REASON_CHARS_MAX: usize = 32;

/// An InvoiceAdjustment to be created, and what an InvoiceItemAdjustment has in common with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct InvoiceAdjustmentDraft {
    /// What every draft has.
    pub common: Common,
    /// At most 100 characters.
    pub accounting_code: Field<String>,
    /// The day it counts for, not before the invoice's.
    pub adjustment_date: Field<CalendarText>,
    /// How much, in the account's currency.
    pub amount: Field<AmountText>,
    /// Free text (Comments, or Comment), at most 255 characters.
    pub comment: Field<String>,
    /// The invoice.
    pub invoice_id: Field<ObjectId>,
    /// Its number.
    pub invoice_number: Field<String>,
    /// Why; one of the tenant's reason codes.
    pub reason_code: Field<String>,
    /// At most 100 characters.
    pub reference_id: Field<String>,
    /// Up or down.
    pub adjustment_type: Field<InvoiceAdjustmentType>,
}

impl Draft for InvoiceAdjustmentDraft {
    const OBJECT: CustomizedObject = CustomizedObject::InvoiceAdjustment;
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::unused_id("AccountId"),
        FieldRule::value("AccountingCode", |d, sent| {
            d.accounting_code = sent.text(CODE_CHARS_MAX);
        }),
        FieldRule::value("AdjustmentDate", |d, sent| d.adjustment_date = sent.day()),
        FieldRule::value("Amount", |d, sent| d.amount = sent.amount()),
        FieldRule::unused_id("CancelledById"),
        FieldRule::value("Comments", |d, sent| d.comment = sent.text(COMMENT_CHARS_MAX)),
        FieldRule::unused_id("CreatedById"),
        FieldRule::id("InvoiceId", |d, sent| d.invoice_id = sent.object()),
        FieldRule::value("InvoiceNumber", |d, sent| {
            d.invoice_number = sent.text(NUMBER_CHARS_MAX);
        }),
        FieldRule::value("ReasonCode", |d, sent| d.reason_code = sent.text(REASON_CHARS_MAX)),
        FieldRule::value("ReferenceId", |d, sent| d.reference_id = sent.text(CODE_CHARS_MAX)),
        FieldRule::value("Type", |d, sent| {
            d.adjustment_type = sent.read(InvoiceAdjustmentType::from_name);
        }),
        FieldRule::unused_id("UpdatedById"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

/// An InvoiceItemAdjustment to be created.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ItemAdjustmentDraft {
    /// What adjustments of whole invoices have as well.
    pub whole: InvoiceAdjustmentDraft,
    /// AdjustmentNumber, unique, at most 255 characters; the server's when absent.
    pub number: Field<String>,
    /// The line: an InvoiceItem or a TaxationItem.
    pub source_id: Field<ObjectId>,
    /// Which of the two.
    pub source_type: Field<LineKind>,
}

impl Draft for ItemAdjustmentDraft {
    const OBJECT: CustomizedObject = CustomizedObject::InvoiceItemAdjustment;
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::unused_id("AccountId"),
        FieldRule::value("AccountingCode", |d, sent| {
            d.whole.accounting_code = sent.text(CODE_CHARS_MAX);
        }),
        FieldRule::value("AdjustmentDate", |d, sent| d.whole.adjustment_date = sent.day()),
        FieldRule::value("AdjustmentNumber", |d, sent| d.number = sent.text(NUMBER_CHARS_MAX)),
        FieldRule::value("Amount", |d, sent| d.whole.amount = sent.amount()),
        FieldRule::unused_id("CancelledById"),
        FieldRule::value("Comment", |d, sent| d.whole.comment = sent.text(COMMENT_CHARS_MAX)),
        FieldRule::unused_id("CreatedById"),
        FieldRule::id("InvoiceId", |d, sent| d.whole.invoice_id = sent.object()),
        FieldRule::value("InvoiceNumber", |d, sent| {
            d.whole.invoice_number = sent.text(NUMBER_CHARS_MAX);
        }),
        FieldRule::value("ReasonCode", |d, sent| {
            d.whole.reason_code = sent.text(REASON_CHARS_MAX);
        }),
        FieldRule::value("ReferenceId", |d, sent| {
            d.whole.reference_id = sent.text(CODE_CHARS_MAX);
        }),
        FieldRule::value("SourceId", |d, sent| d.source_id = sent.object()),
        FieldRule::value("SourceType", |d, sent| {
            d.source_type = sent.read(LineKind::from_name);
        }),
        FieldRule::value("Type", |d, sent| {
            d.whole.adjustment_type = sent.read(InvoiceAdjustmentType::from_name);
        }),
        FieldRule::unused_id("UpdatedById"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.whole.common
    }
}

/// Changes of an InvoiceAdjustment, and those of an InvoiceItemAdjustment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct InvoiceAdjustmentChange {
    /// What every draft has.
    pub common: Common,
    /// One of the tenant's reason codes, or none.
    pub reason_code: Field<String>,
    /// Only ever to Canceled.
    pub status: Field<AdjustmentStatus>,
    /// Whether it has reached the accounting system.
    pub transferred_to_accounting: Field<TransferredToAccounting>,
}

impl Draft for InvoiceAdjustmentChange {
    const OBJECT: CustomizedObject = CustomizedObject::InvoiceAdjustment;
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::unused_id("AccountId"),
        FieldRule::unused_id("CancelledById"),
        FieldRule::unused_id("CreatedById"),
        FieldRule::unused_id("InvoiceId"),
        FieldRule::value("ReasonCode", |d, sent| d.reason_code = sent.text(REASON_CHARS_MAX)),
        FieldRule::value("Status", |d, sent| d.status = sent.read(AdjustmentStatus::from_name)),
        FieldRule::value("TransferredToAccounting", |d, sent| {
            d.transferred_to_accounting = sent.read(TransferredToAccounting::from_name);
        }),
        FieldRule::unused_id("UpdatedById"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

/// Changes of an InvoiceItemAdjustment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ItemAdjustmentChange(pub InvoiceAdjustmentChange);

impl Draft for ItemAdjustmentChange {
    const OBJECT: CustomizedObject = CustomizedObject::InvoiceItemAdjustment;
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::unused_id("AccountId"),
        FieldRule::unused_id("CancelledById"),
        FieldRule::unused_id("CreatedById"),
        FieldRule::unused_id("InvoiceId"),
        FieldRule::value("ReasonCode", |d, sent| d.0.reason_code = sent.text(REASON_CHARS_MAX)),
        FieldRule::value("Status", |d, sent| d.0.status = sent.read(AdjustmentStatus::from_name)),
        FieldRule::value("TransferredToAccounting", |d, sent| {
            d.0.transferred_to_accounting = sent.read(TransferredToAccounting::from_name);
        }),
        FieldRule::unused_id("UpdatedById"),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.0.common
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::row_error::RowError;
    use super::*;

    #[test]
    fn each_object_has_its_own_name_for_the_comment_and_its_own_limits() {
        let mut whole = InvoiceAdjustmentDraft::default();
        assert!(whole.set("Comments", "x") && !whole.set("Comment", "x"));
        assert!(!whole.set("AdjustmentNumber", "IA-1") && !whole.set("SourceId", "7"));
        let mut item = ItemAdjustmentDraft::default();
        assert!(item.set("Comment", "x") && !item.set("Comments", "x"));
        assert!(!item.set("ImpactAmount", "1") && !item.set("Status", "Canceled"));
        for (name, most) in [
            ("AccountingCode", 100),
            ("AdjustmentNumber", 255),
            ("Comment", 255),
            ("ReasonCode", 32),
            ("ReferenceId", 100),
        ] {
            for (chars, expected) in [(most, Ok(())), (most + 1, Err(RowError::too_long()))] {
                let mut item = ItemAdjustmentDraft::default();
                assert!(item.set(name, &"x".repeat(chars)));
                let whole = &item.whole;
                let texts = [
                    &whole.accounting_code,
                    &item.number,
                    &whole.comment,
                    &whole.reason_code,
                    &whole.reference_id,
                ];
                let read = texts.into_iter().try_for_each(|text| text.checked().map(|_| ()));
                assert_eq!(read, expected, "{name} of {chars}");
            }
        }
    }

    #[test]
    fn a_source_that_is_no_id_is_wrong_where_it_stands() {
        let mut item = ItemAdjustmentDraft::default();
        assert!(item.set("SourceId", "x") && item.set("SourceType", "Discount"));
        // The WSDL calls it a string.
        assert_eq!(item.whole.common.check_ids(), Ok(()));
        assert_eq!(item.source_id.checked(), Err(RowError::invalid("SourceId", "x")));
        let wrong = RowError::invalid("SourceType", "Discount");
        assert_eq!(item.source_type.checked(), Err(wrong));
        assert!(item.set("InvoiceId", "y"));
        let wrong = RowError::invalid_id("InvoiceId", "y");
        assert_eq!(item.whole.common.check_ids(), Err(wrong));
    }
}
