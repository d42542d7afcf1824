//! The tables of InvoiceAdjustment and InvoiceItemAdjustment: fields and limits by the objects'
//! field descriptions. The longest InvoiceNumber is the longest that a seed can give.

use super::field::{day, decimal, fields, id, moment, text};
use super::vocabulary::{
    AdjustmentStatus, InvoiceAdjustmentType, LineKind, TransferredToAccounting,
};

fields! {
    /// The fields of an InvoiceAdjustment.
    InvoiceAdjustmentField {
        AccountId = id(),
        AccountingCode = text().max(100).created(),
        AdjustmentDate = day().created(),
        AdjustmentNumber = text(),
        Amount = decimal().created(),
        CancelledById = id(),
        CancelledOn = moment(),
        Comments = text().max(255).created(),
        CreatedById = id(),
        CreatedDate = moment(),
        CustomerName = text(),
        CustomerNumber = text(),
        ImpactAmount = decimal(),
        InvoiceId = id().created(),
        InvoiceNumber = text().max(255).created(),
        ReasonCode = text().since(45).max(32).written().clearable(),
        ReferenceId = text().max(100).created(),
        Status = text().of(AdjustmentStatus::NAMES).updated(),
        TransferredToAccounting =
            text().since(27).of(TransferredToAccounting::NAMES).updated().clearable(),
        Type = text().of(InvoiceAdjustmentType::NAMES).created(),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}

fields! {
    /// The fields of an InvoiceItemAdjustment.
    InvoiceItemAdjustmentField {
        AccountId = id(),
        AccountingCode = text().max(100).created(),
        AdjustmentDate = day().created(),
        AdjustmentNumber = text().max(255).created(),
        Amount = decimal().created(),
        CancelledById = id(),
        CancelledDate = moment(),
        Comment = text().max(255).created(),
        CreatedById = id(),
        CreatedDate = moment(),
        CustomerName = text(),
        CustomerNumber = text(),
        InvoiceId = id().created(),
        InvoiceItemName = text(),
        InvoiceNumber = text().max(255).created(),
        ReasonCode = text().since(45).max(32).written().clearable(),
        ReferenceId = text().max(100).created(),
        ServiceEndDate = day(),
        ServiceStartDate = day(),
        SourceId = text().created(),
        SourceType = text().of(LineKind::NAMES).created(),
        Status = text().of(AdjustmentStatus::NAMES).updated(),
        TransferredToAccounting =
            text().since(27).of(TransferredToAccounting::NAMES).updated().clearable(),
        Type = text().of(InvoiceAdjustmentType::NAMES).created(),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}
