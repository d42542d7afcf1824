//! What a client wants to change of a refund or of a credit balance adjustment.
//!
//! Sources: of Refund only ReasonCode, Status and TransferredToAccounting can be updated (field
//! descriptions); an adjustment is cancelled by an update of its Status.

use super::draft::{Field, MalformedId, bounded, read_id, typed};
use super::id::ObjectId;
use super::row_error::RowError;
use super::vocabulary::{AdjustmentStatus, RefundStatus, TransferredToAccounting};
use super::white_space::trim;
use serde::Serialize;

/// The longest ReasonCode, in characters.
const REASON_CODE_CHARS_MAX: usize = 32;
/// The longest Comment, in characters.
const COMMENT_CHARS_MAX: usize = 255;
/// The one field of an update whose type is ID and that counts.
const ID: &str = "Id";

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub enum Change<T> {
    /// It stays as it is: not sent, empty, or nil.
    #[default]
    Keep,
    /// It loses its value (fieldsToNull).
    Clear,
    /// It gets this value.
    To(T),
    /// What was sent is not acceptable, whatever the ledger says.
    Wrong(RowError),
}

impl<T> Change<T> {
    /// The change, or the error of what was sent.
    pub fn checked(&self) -> Result<Change<&T>, RowError> {
        match self {
            Self::Keep => Ok(Change::Keep),
            Self::Clear => Ok(Change::Clear),
            Self::To(value) => Ok(Change::To(value)),
            Self::Wrong(error) => Err(error.clone()),
        }
    }

    /// Takes a value that was sent, unless there is one already.
    fn take(&mut self, name: &str, text: &str, value: Field<T>) {
        *self = match (&self, value) {
            (Self::Keep, Field::Given(value)) => Self::To(value),
            (Self::Keep, Field::Wrong(error)) => Self::Wrong(error),
            (Self::Keep, Field::Absent) => Self::Keep,
            _ => Self::Wrong(RowError::invalid(name, text)),
        };
    }
}

/// Changes of an existing object. `S` is the set of its statuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeDraft<S> {
    /// An Id that has not the form of one; told before everything else.
    pub malformed_id: Option<MalformedId>,
    /// The first field that an update cannot change; an error only where the configuration is
    /// strict.
    pub unknown_field: Option<String>,
    /// Which object.
    pub id: Field<ObjectId>,
    /// Free text, at most 255 characters; of adjustments only.
    pub comment: Change<String>,
    /// One of the tenant's reason codes, or none.
    pub reason_code: Change<String>,
    /// Only ever to Canceled.
    pub status: Change<S>,
    /// Whether it has reached the accounting system.
    pub transferred_to_accounting: Change<TransferredToAccounting>,
}

impl<S> Default for ChangeDraft<S> {
    fn default() -> Self {
        Self {
            malformed_id: None,
            unknown_field: None,
            id: Field::Absent,
            comment: Change::Keep,
            reason_code: Change::Keep,
            status: Change::Keep,
            transferred_to_accounting: Change::Keep,
        }
    }
}

/// Changes of a refund.
pub type RefundChange = ChangeDraft<RefundStatus>;
/// Changes of a credit balance adjustment.
pub type AdjustmentChange = ChangeDraft<AdjustmentStatus>;

/// An object whose status can be changed.
pub trait StatusName: Sized {
    /// Whether its Comment can be changed as well.
    const COMMENT_CHANGES: bool;
    /// The status that `text` names.
    fn named(text: &str) -> Option<Self>;
}

impl StatusName for RefundStatus {
    const COMMENT_CHANGES: bool = false;
    fn named(text: &str) -> Option<Self> {
        Self::from_name(text)
    }
}

impl StatusName for AdjustmentStatus {
    const COMMENT_CHANGES: bool = true;
    fn named(text: &str) -> Option<Self> {
        Self::from_name(text)
    }
}

impl<S: StatusName> ChangeDraft<S> {
    /// Reads `text` into the field `name`; false when an update cannot change such a field. Blanks
    /// around a value never count; a blank one is absent, and a second one is wrong.
    pub fn set(&mut self, name: &str, text: &str) -> bool {
        let text = trim(text);
        match name {
            ID => {
                let id = read_id(&mut self.malformed_id, &[ID], name, text);
                self.id = match self.id {
                    Field::Absent => id,
                    _ => Field::Wrong(RowError::invalid(name, text)),
                };
            }
            "ReasonCode" | "Status" | "TransferredToAccounting" if text.is_empty() => {}
            "ReasonCode" => {
                self.reason_code.take(name, text, bounded(text, REASON_CODE_CHARS_MAX));
            }
            "Status" => self.status.take(name, text, typed(name, text, S::named(text))),
            "TransferredToAccounting" => {
                let value = TransferredToAccounting::from_name(text);
                self.transferred_to_accounting.take(name, text, typed(name, text, value));
            }
            "Comment" if S::COMMENT_CHANGES => {
                if !text.is_empty() {
                    self.comment.take(name, text, bounded(text, COMMENT_CHARS_MAX));
                }
            }
            _ => return false,
        }
        true
    }

    /// Takes the value of the field `name` away (fieldsToNull); false when an update cannot.
    /// A value beside it is wrong, and so is taking away what an object always has.
    pub fn clear(&mut self, name: &str) -> bool {
        fn clear<T>(change: &mut Change<T>, name: &str) {
            *change = match change {
                Change::Keep | Change::Clear => Change::Clear,
                Change::To(_) | Change::Wrong(_) => {
                    Change::Wrong(RowError::invalid("fieldsToNull", name))
                }
            };
        }
        match name {
            "ReasonCode" => clear(&mut self.reason_code, name),
            "TransferredToAccounting" => clear(&mut self.transferred_to_accounting, name),
            "Comment" if S::COMMENT_CHANGES => clear(&mut self.comment, name),
            "Status" => {
                self.status = Change::Wrong(RowError::invalid("fieldsToNull", name));
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_kept_set_cleared_or_wrong() {
        let mut change = RefundChange::default();
        assert!(change.set("ReasonCode", " Other ") && change.set("Status", ""));
        assert!(!change.set("Comment", "x") && !change.set("Amount", "1"));
        assert_eq!(change.reason_code, Change::To("Other".to_owned()));
        assert_eq!(change.status, Change::Keep);
        assert!(change.clear("TransferredToAccounting"));
        assert_eq!(change.transferred_to_accounting, Change::Clear);
        assert!(change.clear("ReasonCode"));
        let error = RowError::invalid("fieldsToNull", "ReasonCode");
        assert_eq!(change.reason_code.checked(), Err(error));
        assert!(change.set("Status", "canceled"));
        assert_eq!(change.status.checked(), Err(RowError::invalid("Status", "canceled")));
    }

    #[test]
    fn only_of_adjustments_the_comment_changes() {
        let mut change = AdjustmentChange::default();
        assert!(change.set("Comment", "x") && change.set("Id", "x"));
        assert_eq!(change.comment, Change::To("x".to_owned()));
        assert!(change.malformed_id.is_some());
    }
}
