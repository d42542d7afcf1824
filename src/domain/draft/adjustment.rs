//! A CreditBalanceAdjustment as a client asks for it: every field read, none yet judged.
//!
//! Fields by the object's description. AccountId follows from the source; a caller that sends it
//! all the same must mean the same account. Number, Status and the rest are the server's.

use super::super::calendar::CalendarText;
use super::super::id::ObjectId;
use super::super::vocabulary::{AdjustmentType, CustomizedObject};
use super::common::Common;
use super::fields::{Draft, Setter, reads_created, setters};
use super::{AmountText, Field};
use crate::catalogue::credit_balance_adjustment::CreditBalanceAdjustmentField;
use serde::Serialize;

/// A CreditBalanceAdjustment to be created. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AdjustmentDraft {
    /// What every draft has.
    pub common: Common,
    /// Whose credit balance moves.
    pub account_id: Field<ObjectId>,
    /// At most 100 characters.
    pub accounting_code: Field<String>,
    /// The day it counts for; later than today only with future-dated adjustments.
    pub adjustment_date: Field<CalendarText>,
    /// How much, in the account's currency.
    pub amount: Field<AmountText>,
    /// Free text, at most 255 characters.
    pub comment: Field<String>,
    /// Why; one of the tenant's reason codes.
    pub reason_code: Field<String>,
    /// At most 60 characters.
    pub reference_id: Field<String>,
    /// The invoice or the payment that it is made from or into.
    pub source_id: Field<ObjectId>,
    /// Its number.
    pub source_number: Field<String>,
    /// Up or down.
    pub adjustment_type: Field<AdjustmentType>,
}

impl Draft for AdjustmentDraft {
    const OBJECT: CustomizedObject = CustomizedObject::CreditBalanceAdjustment;
    const SETTERS: &'static [Setter<Self>] = setters! { CreditBalanceAdjustmentField:
        AccountId => account_id = object(),
        AccountingCode => accounting_code = text(),
        AdjustmentDate => adjustment_date = day(),
        Amount => amount = amount(),
        Comment => comment = text(),
        ReasonCode => reason_code = text(),
        ReferenceId => reference_id = text(),
        SourceTransactionId => source_id = object(),
        SourceTransactionNumber => source_number = text(),
        Type => adjustment_type = read(AdjustmentType::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_created::<AdjustmentDraft>();

#[cfg(test)]
mod tests {
    use super::super::super::row_error::RowError;
    use super::*;

    #[test]
    fn what_comes_twice_is_wrong_and_blank_is_absent() {
        let mut draft = AdjustmentDraft::default();
        assert!(draft.set("Amount", " 1 ") && draft.set("Comment", " ") && draft.set("Type", "x"));
        assert!(draft.amount.given().is_some() && draft.comment.is_absent());
        assert_eq!(draft.adjustment_type.checked(), Err(RowError::invalid("Type", "x")));
        assert!(draft.set("Amount", "1"));
        assert_eq!(draft.amount.checked(), Err(RowError::invalid("Amount", "1")));
        assert!(!draft.set("Status", "Canceled") && !draft.set("amount", "1"));
    }

    #[test]
    fn ids_that_are_none_are_told_even_on_fields_that_are_not_taken() {
        let mut draft = AdjustmentDraft::default();
        assert!(!draft.set("UpdatedById", "x") && draft.set("AccountId", "?"));
        let reported = draft.common.check_ids();
        assert_eq!(reported, Err(RowError::invalid_id("AccountId", "?")));
        // The WSDL calls it a string.
        assert!(draft.set("SourceTransactionId", "") && draft.source_id.is_absent());
        assert!(draft.set("SourceTransactionId", "x"));
        let error = RowError::invalid("SourceTransactionId", "x");
        assert_eq!(draft.source_id.checked(), Err(error));
    }
}
