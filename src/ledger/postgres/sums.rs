//! The sums of rows in PostgreSQL: written with each row, and compared with it when it is read.
//!
//! What must stay true: whatever reads rows as records reads their whole rows, and has them
//! compared here; a row without a sum is one that a program of an earlier schema wrote, or that
//! the server made, and passes (`summing` gives it one).

use super::books::quoted;
use super::values::{RowColumns, value_at};
use crate::ledger::books::BooksError;
use crate::ledger::record::{Columns, Sum, Table, Value, differs};
use tokio_postgres::Row;

/// The column of every table of records that holds the sum of its row.
pub(super) const SUM: &str = "sum";

/// The columns that [`Whole`] and [`verify`] read, as they are selected from what is called `of`.
pub(super) fn columns(table: &'static Table, of: &str) -> String {
    let all = table.whole().columns.iter().chain([&SUM]);
    all.map(|column| format!("{of}.{}", quoted(column))).collect::<Vec<_>>().join(", ")
}

/// Compares a row, as [`columns`] selects it, with its sum, if it has one.
pub(super) fn verify(row: &Whole<'_>) -> Result<(), BooksError> {
    let Whole { row, table, first } = *row;
    let (whole, columns) = (table.whole(), RowColumns(row));
    match columns.value(first + whole.columns.len()) {
        Value::Null => Ok(()),
        Value::Integer(kept) if kept == sum_from(&columns, whole, first) => Ok(()),
        _ => {
            let key = match columns.value(first) {
                Value::Integer(key) => Some(key),
                _ => None,
            };
            Err(BooksError::Damaged(differs(whole.name, key)))
        }
    }
}

/// The sum that the row of a whole record should have.
pub(super) fn sum_of(columns: &dyn Columns, whole: &Table) -> i64 {
    sum_from(columns, whole, 0)
}

/// The same of a row that begins at a place.
fn sum_from(columns: &dyn Columns, whole: &Table, first: usize) -> i64 {
    let mut sum = Sum::default();
    (first..first + whole.columns.len()).for_each(|place| sum.add(&columns.value(place)));
    sum.kept()
}

/// A row whose columns are those of the whole record of a table.
pub(super) struct Whole<'r> {
    pub(super) row: &'r Row,
    /// The table as the record that is read has it.
    pub(super) table: &'static Table,
    /// Where it begins in what was selected.
    pub(super) first: usize,
}

impl Columns for Whole<'_> {
    fn value(&self, place: usize) -> Value<'_> {
        value_at(self.row, self.first + self.table.place_in_whole(place))
    }
}
