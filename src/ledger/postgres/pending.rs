//! What a batch writes, until it is sent.
//!
//! What must stay true: a statement that does not write what it should fails in the server, so that
//! a COMMIT that was sent behind it is a rollback.

use super::fault::{Kind, PostgresError};
use crate::ledger::books::BooksError;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

/// The table of the turn.
pub(super) const TURN: &str = "turn";

/// A statement that writes, and is still to be sent.
pub(super) struct Pending {
    pub(super) statement: Statement,
    pub(super) values: Vec<Box<dyn ToSql + Sync + Send>>,
    pub(super) table: &'static str,
    /// How many rows it writes at most.
    pub(super) rows: u64,
}

impl Pending {
    /// What follows from its error.
    pub(super) fn fault(&self, error: tokio_postgres::Error) -> PostgresError {
        match (error.code(), self.table) {
            (Some(code), TURN) if *code == SqlState::DIVISION_BY_ZERO => {
                PostgresError::new(Kind::Passing, "another node committed in between")
            }
            (Some(code), table) if *code == SqlState::DIVISION_BY_ZERO => {
                BooksError::Missing(table).into()
            }
            _ => error.into(),
        }
    }
}

/// A statement that fails, so that its transaction cannot be committed, where `write` (which ends
/// with RETURNING) does not come to so many rows as an expression of SQL says.
pub(super) fn guarded(write: &str, rows: &str) -> String {
    format!("with done as ({write}) select 1 / (count(*) = {rows})::int from done")
}
