//! The sums of rows in the file: written with each row, and compared with the row when it is read.
//!
//! Use cases write and read rows through [`super::books`], which does both. Statements that write
//! beside it use `row_sum(…)`, a function of SQL over the columns of the whole record in their
//! order, or give the rows that they changed their sums anew with [`renew`].

use crate::ledger::books::BooksError;
use crate::ledger::record::{Sum, Table, differs};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Row};

/// The column of every table that holds the sum of its row.
pub(super) const SUM: &str = "sum";

/// Makes `row_sum(…)` known to a connection that writes. Nothing that stays in the file uses it.
pub(super) fn add_function(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("row_sum", -1, flags, |context| {
        let mut sum = Sum::default();
        (0..context.len()).for_each(|place| add(&mut sum, context.get_raw(place)));
        Ok(sum.kept())
    })
}

/// A row of floating point is no row of ours, and has no sum of ours either.
fn add(sum: &mut Sum, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => sum.add_nothing(),
        ValueRef::Integer(value) => sum.add_integer(value),
        ValueRef::Real(value) => sum.add_bytes(&value.to_le_bytes()),
        ValueRef::Text(text) => sum.add_text(text),
        ValueRef::Blob(bytes) => sum.add_bytes(bytes),
    }
}

/// The columns that [`verify`] reads, as they are selected.
pub(super) fn columns(table: &'static Table) -> String {
    format!("{}, {SUM}", table.whole().columns.join(", "))
}

/// Compares a row with its sum. Its columns, as [`columns`] gives them, begin at a place.
pub(super) fn verify(row: &Row<'_>, begin: usize, table: &'static Table) -> Result<(), BooksError> {
    let whole = table.whole();
    let value = |place: usize| row.get_ref(begin + place).map_err(BooksError::from);
    let mut sum = Sum::default();
    for place in 0..whole.columns.len() {
        add(&mut sum, value(place)?);
    }
    match value(whole.columns.len())? {
        ValueRef::Integer(kept) if kept == sum.kept() => Ok(()),
        _ => {
            let key = value(0)?.as_i64().ok();
            Err(BooksError::Damaged(differs(whole.name, key)))
        }
    }
}

/// Gives rows, which a condition of SQL chooses, the sums of what they hold now.
pub(super) fn renew(
    connection: &Connection,
    table: &'static Table,
    condition: &str,
    values: impl Params,
) -> rusqlite::Result<usize> {
    let (name, columns) = (table.name, table.whole().columns.join(", "));
    let update = format!("update {name} set {SUM} = row_sum({columns}) where {condition}");
    connection.prepare_cached(&update)?.execute(values)
}

/// Gives every row without a sum one, which rows have that a test wrote.
#[cfg(test)]
pub(super) fn renew_all(connection: &Connection) {
    add_function(connection).unwrap();
    let select = "select name, sql from sqlite_schema where type = 'trigger'";
    let mut statement = connection.prepare(select).unwrap();
    let triggers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let triggers: Vec<(String, String)> = triggers.map(Result::unwrap).collect();
    for (name, _) in &triggers {
        connection.execute_batch(&format!("drop trigger {name}")).unwrap();
    }
    for record in crate::ledger::records::WHOLE {
        renew(connection, record.table, "sum is null", []).unwrap();
    }
    for (_, sql) in &triggers {
        connection.execute_batch(sql).unwrap();
    }
}
