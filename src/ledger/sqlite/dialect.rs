//! The words of SQLite. The functions that statements call are in `functions`.

use crate::ledger::query::columns::Stored;
use crate::ledger::query::dialect::Dialect;
use std::fmt::Write as _;

/// SQLite's.
pub(super) struct SqliteDialect;

impl Dialect for SqliteDialect {
    /// The values are numbered by their order.
    fn place(&self, sql: &mut String, _number: usize) {
        sql.push('?');
    }

    fn path(&self, member: &str) -> String {
        format!("$.{member}")
    }

    /// Members have the types that values are stored as.
    fn member_of(&self, sql: &mut String, document: &str, _stored: Stored, _number: usize) {
        // Writing to a text never fails.
        let _ = write!(sql, "json_extract({document}, ?)");
    }
}
