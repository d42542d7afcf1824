//! What a client wants to change of a refund or of a credit balance adjustment.
//!
//! Sources: of Refund only ReasonCode, Status and TransferredToAccounting can be updated (field
//! descriptions); an adjustment is cancelled by an update of its Status.

use super::super::vocabulary::{
    AdjustmentStatus, CustomizedObject, RefundStatus, TransferredToAccounting,
};
use super::Field;
use super::common::Common;
use super::fields::{Draft, Setter, reads_updated, setters};
use crate::catalogue::credit_balance_adjustment::CreditBalanceAdjustmentField;
use crate::catalogue::refund::RefundField;
use serde::Serialize;

pub use super::field_change::Change;

/// Changes of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RefundChange {
    /// What every draft has.
    pub common: Common,
    /// One of the tenant's reason codes, or none.
    pub reason_code: Field<String>,
    /// Only ever to Canceled.
    pub status: Field<RefundStatus>,
    /// Whether it has reached the accounting system.
    pub transferred_to_accounting: Field<TransferredToAccounting>,
}

impl Draft for RefundChange {
    const OBJECT: CustomizedObject = CustomizedObject::Refund;
    const SETTERS: &'static [Setter<Self>] = setters! { RefundField:
        ReasonCode => reason_code = text(),
        Status => status = read(RefundStatus::from_name),
        TransferredToAccounting =>
            transferred_to_accounting = read(TransferredToAccounting::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_updated::<RefundChange>();

/// Changes of a credit balance adjustment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AdjustmentChange {
    /// What every draft has.
    pub common: Common,
    /// Free text, at most 255 characters.
    pub comment: Field<String>,
    /// One of the tenant's reason codes, or none.
    pub reason_code: Field<String>,
    /// Only ever to Canceled.
    pub status: Field<AdjustmentStatus>,
    /// Whether it has reached the accounting system.
    pub transferred_to_accounting: Field<TransferredToAccounting>,
}

impl Draft for AdjustmentChange {
    const OBJECT: CustomizedObject = CustomizedObject::CreditBalanceAdjustment;
    const SETTERS: &'static [Setter<Self>] = setters! { CreditBalanceAdjustmentField:
        Comment => comment = text(),
        ReasonCode => reason_code = text(),
        Status => status = read(AdjustmentStatus::from_name),
        TransferredToAccounting =>
            transferred_to_accounting = read(TransferredToAccounting::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_updated::<AdjustmentChange>();

#[cfg(test)]
mod tests {
    use super::super::super::row_error::RowError;
    use super::*;

    #[test]
    fn a_field_is_kept_set_cleared_or_wrong() {
        let mut change = RefundChange::default();
        assert!(change.set("ReasonCode", " Other ") && change.set("Status", ""));
        assert!(!change.set("Comment", "x") && !change.set("Amount", "1"));
        let code = change.common.change(&change.reason_code, "ReasonCode");
        assert_eq!(code, Ok(Change::To(&"Other".to_owned())));
        assert_eq!(change.common.change(&change.status, "Status"), Ok(Change::Keep));
        assert!(change.clear("TransferredToAccounting"));
        let transferred = &change.transferred_to_accounting;
        let transferred = change.common.change(transferred, "TransferredToAccounting");
        assert_eq!(transferred, Ok(Change::Clear));
        assert!(change.set("Status", "canceled"));
        let error = RowError::invalid("Status", "canceled");
        assert_eq!(change.common.change(&change.status, "Status"), Err(error));
    }
}
