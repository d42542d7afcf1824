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
use super::fields::{Draft, Setter, reads_created, reads_updated, setters};
use super::{AmountText, Field};
use crate::catalogue::invoice_adjustment::{InvoiceAdjustmentField, InvoiceItemAdjustmentField};
use serde::Serialize;

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
    const SETTERS: &'static [Setter<Self>] = setters! { InvoiceAdjustmentField:
        AccountingCode => accounting_code = text(),
        AdjustmentDate => adjustment_date = day(),
        Amount => amount = amount(),
        Comments => comment = text(),
        InvoiceId => invoice_id = object(),
        InvoiceNumber => invoice_number = text(),
        ReasonCode => reason_code = text(),
        ReferenceId => reference_id = text(),
        Type => adjustment_type = read(InvoiceAdjustmentType::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_created::<InvoiceAdjustmentDraft>();

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
    const SETTERS: &'static [Setter<Self>] = setters! { InvoiceItemAdjustmentField:
        AccountingCode => whole.accounting_code = text(),
        AdjustmentDate => whole.adjustment_date = day(),
        AdjustmentNumber => number = text(),
        Amount => whole.amount = amount(),
        Comment => whole.comment = text(),
        InvoiceId => whole.invoice_id = object(),
        InvoiceNumber => whole.invoice_number = text(),
        ReasonCode => whole.reason_code = text(),
        ReferenceId => whole.reference_id = text(),
        SourceId => source_id = object(),
        SourceType => source_type = read(LineKind::from_name),
        Type => whole.adjustment_type = read(InvoiceAdjustmentType::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.whole.common
    }
}

const _: () = reads_created::<ItemAdjustmentDraft>();

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
    const SETTERS: &'static [Setter<Self>] = setters! { InvoiceAdjustmentField:
        ReasonCode => reason_code = text(),
        Status => status = read(AdjustmentStatus::from_name),
        TransferredToAccounting =>
            transferred_to_accounting = read(TransferredToAccounting::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_updated::<InvoiceAdjustmentChange>();

/// Changes of an InvoiceItemAdjustment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ItemAdjustmentChange(pub InvoiceAdjustmentChange);

impl Draft for ItemAdjustmentChange {
    const OBJECT: CustomizedObject = CustomizedObject::InvoiceItemAdjustment;
    const SETTERS: &'static [Setter<Self>] = setters! { InvoiceItemAdjustmentField:
        ReasonCode => 0.reason_code = text(),
        Status => 0.status = read(AdjustmentStatus::from_name),
        TransferredToAccounting =>
            0.transferred_to_accounting = read(TransferredToAccounting::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.0.common
    }
}

const _: () = reads_updated::<ItemAdjustmentChange>();

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
