//! Finding rows: in the engine, and among those of a batch by the values that are looked for.

use super::{Held, Shelf};
use crate::ledger::books::{Books, BooksError};
use crate::ledger::record::{Lookup, Record, Value};

impl<R: Record> Shelf<R> {
    /// Whether a row has these values; the engine reads no more rows than that takes.
    pub(in crate::ledger) fn any(
        &self,
        books: &mut dyn Books,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<bool, BooksError> {
        let columns = places::<R>(lookup);
        let has = |held: &Held<R>| held.row.as_ref().is_some_and(|row| fits(row, &columns, values));
        if self.touched.iter().filter_map(|key| self.rows.get(key)).any(has) {
            return Ok(true);
        }
        let mut is_there = false;
        // Of those that were touched, what the engine has says nothing.
        load(books, lookup, values, self.touched.len().saturating_add(1), |row: R| {
            is_there |= self.rows.get(&row.key()).is_none_or(has);
        })?;
        Ok(is_there)
    }
}

/// The places of the columns by which rows are looked up.
pub(super) fn places<R: Record>(lookup: &Lookup) -> Vec<Option<usize>> {
    let place = |by| R::TABLE.columns.iter().position(|column| column == by);
    lookup.by.iter().map(place).collect()
}

/// Whether the columns at these places have these values.
pub(super) fn fits<R: Record>(row: &R, columns: &[Option<usize>], values: &[Value<'_>]) -> bool {
    let mut place = 0;
    let mut matched = 0;
    row.write(&mut |value| {
        let wanted = columns.iter().zip(values).filter(|(column, _)| **column == Some(place));
        matched += wanted.filter(|(_, wanted)| **wanted == value).count();
        place += 1;
    });
    matched == columns.len()
}

/// Passes on the rows that the engine has of these values, `most` of them at most.
pub(super) fn load<R: Record>(
    books: &mut dyn Books,
    lookup: &'static Lookup,
    values: &[Value<'_>],
    most: usize,
    mut take: impl FnMut(R),
) -> Result<(), BooksError> {
    books.find(lookup, values, most, &mut |columns| {
        let row = R::read(columns).map_err(|place| BooksError::Unknown {
            table: R::TABLE.name,
            column: R::TABLE.columns.get(place).copied().unwrap_or("?"),
        })?;
        take(row);
        Ok(())
    })
}
