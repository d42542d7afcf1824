//! The table of CreditBalanceAdjustment, by the object's description. It came with 22.0.

use super::field::{day, decimal, fields, id, moment, text};
use super::vocabulary::{AdjustmentStatus, AdjustmentType, TransferredToAccounting};

fields! {
    /// The fields of a CreditBalanceAdjustment.
    CreditBalanceAdjustmentField {
        AccountId = id().created(),
        AccountingCode = text().max(100).created(),
        AdjustmentDate = day().created(),
        Amount = decimal().created(),
        CancelledOn = moment().since(45),
        Comment = text().max(255).written().clearable(),
        CreatedById = id(),
        CreatedDate = moment(),
        Number = text(),
        ReasonCode = text().since(51).max(32).written().clearable(),
        ReferenceId = text().max(60).created(),
        SourceTransactionId = text().created(),
        SourceTransactionNumber = text().max(50).created(),
        SourceTransactionType = text(),
        Status = text().of(AdjustmentStatus::NAMES).updated(),
        TransferredToAccounting =
            text().since(27).of(TransferredToAccounting::NAMES).updated().clearable(),
        Type = text().of(AdjustmentType::NAMES).created(),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}
