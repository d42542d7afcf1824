//! What engines say in different words of SQL, as far as a query needs it.
//!
//! Every engine knows the functions that a statement calls, which mean the same in each:
//! `refund_id(moment, salt, number)` and its like for other objects, `refund_number(number)`,
//! `adjustment_number(key)`, `folded(text)` without case, `is_like(text, pattern, case_sensitive)`,
//! and `amount_against(units, currency, decimal)` and `decimal_against(text, decimal)`, which are
//! below, at or above zero as the value is below, at or above the decimal. What must stay true:
//! texts are compared and put in order byte by byte.

use super::columns::{Column, Stored};

/// The words of an engine.
pub trait Dialect: Sync {
    /// Writes the place at which the value of this number, from 1, is bound.
    fn place(&self, sql: &mut String, number: usize);

    /// The text that names a member of a JSON document, as it is bound.
    fn path(&self, member: &str) -> String;

    /// Writes the value of a member of the document in a column, stored as `stored` says; the place
    /// of this number has the text that names it.
    fn member_of(&self, sql: &mut String, document: &str, stored: Stored, number: usize);
}

impl dyn Dialect {
    /// Writes the member that a column is.
    pub(super) fn member(&self, sql: &mut String, column: &Column, number: usize) {
        self.member_of(sql, column.sql, column.stored, number);
    }
}
