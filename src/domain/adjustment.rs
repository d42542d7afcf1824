//! A CreditBalanceAdjustment as a client asks for it: every field read, none yet judged.
//!
//! Fields by the object's description. AccountId follows from the source; whoever sends it all the
//! same must mean the same account. AccountId, Number, Status and the rest are the server's.

use super::calendar::CalendarText;
use super::draft::{AmountText, Field, MalformedId, amount, bounded, read_id, typed};
use super::id::ObjectId;
use super::row_error::RowError;
use super::vocabulary::AdjustmentType;
use super::white_space::trim;
use serde::Serialize;

/// The longest texts that the CreditBalanceAdjustment object documents, in characters.
mod limits {
    pub(super) const ACCOUNTING_CODE: usize = 100;
    pub(super) const COMMENT: usize = 255;
    pub(super) const REASON_CODE: usize = 32;
    pub(super) const REFERENCE_ID: usize = 60;
    pub(super) const SOURCE_NUMBER: usize = 50;
}

/// The fields of CreditBalanceAdjustment whose type is ID, in WSDL order.
const ID_FIELDS: [&str; 5] =
    ["Id", "AccountId", "CreatedById", "SourceTransactionId", "UpdatedById"];

/// A CreditBalanceAdjustment to be created. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AdjustmentDraft {
    /// The first id, in WSDL order, that has not the form of one; told before everything else.
    pub malformed_id: Option<MalformedId>,
    /// The first field that a caller may not send; an error only where the configuration is strict.
    pub unknown_field: Option<String>,
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

impl AdjustmentDraft {
    /// Reads `text` into the field `name`; false when a caller may not set a field of this name.
    /// Blanks around a value never count; a blank one is absent, and a second one is wrong.
    pub fn set(&mut self, name: &str, text: &str) -> bool {
        let text = trim(text);
        if ID_FIELDS.contains(&name) {
            let id = read_id(&mut self.malformed_id, &ID_FIELDS, name, text);
            return match name {
                "AccountId" => put(&mut self.account_id, name, text, id),
                "SourceTransactionId" => put(&mut self.source_id, name, text, id),
                _ => false,
            };
        }
        let blank = text.is_empty();
        match name {
            "AccountingCode"
            | "AdjustmentDate"
            | "Amount"
            | "Comment"
            | "ReasonCode"
            | "ReferenceId"
            | "SourceTransactionNumber"
            | "Type"
                if blank =>
            {
                true
            }
            "AccountingCode" => {
                let value = bounded(text, limits::ACCOUNTING_CODE);
                put(&mut self.accounting_code, name, text, value)
            }
            "AdjustmentDate" => {
                let value = typed(name, text, CalendarText::parse(text));
                put(&mut self.adjustment_date, name, text, value)
            }
            "Amount" => put(&mut self.amount, name, text, amount(name, text)),
            "Comment" => put(&mut self.comment, name, text, bounded(text, limits::COMMENT)),
            "ReasonCode" => {
                put(&mut self.reason_code, name, text, bounded(text, limits::REASON_CODE))
            }
            "ReferenceId" => {
                put(&mut self.reference_id, name, text, bounded(text, limits::REFERENCE_ID))
            }
            "SourceTransactionNumber" => {
                put(&mut self.source_number, name, text, bounded(text, limits::SOURCE_NUMBER))
            }
            "Type" => {
                let value = typed(name, text, AdjustmentType::from_name(text));
                put(&mut self.adjustment_type, name, text, value)
            }
            _ => false,
        }
    }
}

/// Sets a field that is not set yet; one that comes twice is wrong.
fn put<T>(field: &mut Field<T>, name: &str, text: &str, value: Field<T>) -> bool {
    *field = match field {
        Field::Absent => value,
        Field::Given(_) | Field::Wrong(_) => Field::Wrong(RowError::invalid(name, text)),
    };
    true
}

#[cfg(test)]
mod tests {
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
        assert!(!draft.set("UpdatedById", "x") && draft.set("SourceTransactionId", ""));
        let told = draft.malformed_id.map(|malformed| malformed.error);
        assert_eq!(told, Some(RowError::invalid_id("SourceTransactionId", "")));
    }
}
