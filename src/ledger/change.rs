//! Changing and deleting what the ledger has: requests and results.

use super::UserKey;
use super::ticket::Ticket;
use crate::domain::change::{AdjustmentChange, RefundChange};
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::rules::Asking;

/// What a row of such a call came to: the id of what was changed or deleted.
pub type ChangeResult = Result<ObjectId, RowError>;

/// A batch of changes, each of which is made or refused on its own.
pub struct Update {
    /// Who asks.
    pub user: UserKey,
    /// With which permissions and version, and when.
    pub asking: Asking,
    /// The changes, in the order of the results.
    pub changes: Changes,
    /// With which the request can be withdrawn until its transaction begins.
    pub ticket: Ticket,
}

/// Changes of objects of one type.
pub enum Changes {
    /// Of refunds.
    Refunds(Vec<RefundChange>),
    /// Of credit balance adjustments.
    Adjustments(Vec<AdjustmentChange>),
}

/// Refunds that are to be deleted, each on its own. Only refunds of a payment can be, and what a
/// live one took goes back to it.
pub struct DeleteRefunds {
    /// Who asks.
    pub asking: Asking,
    /// Their ids, in the order of the results; for one that has not the form of an id, its error.
    pub ids: Vec<ChangeResult>,
    /// With which the request can be withdrawn until its transaction begins.
    pub ticket: Ticket,
}
