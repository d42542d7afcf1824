//! The rows of a table in the order of their keys, some thousands at a time, so that two tables can
//! be read side by side and no engine has to hold all rows of one.

use crate::ledger::audit::Meter;
use crate::ledger::books::BooksError;
use crate::ledger::reader::{Reader, Row};
use std::vec;

/// How many rows are read at once, after which progress is noted; so few in tests that pieces end
/// inside of what they read.
const ROWS_AT_ONCE: u16 = if cfg!(test) { 3 } else { 8_192 };

/// The rows of a table, one after the other.
pub(super) struct Rows<'m, T> {
    select: String,
    read: fn(&Row<'_>) -> Result<T, BooksError>,
    key: fn(&T) -> i64,
    meter: &'m Meter,
    /// The last key that was read.
    last: i64,
    read_ahead: vec::IntoIter<T>,
    /// Nothing is behind what was read ahead.
    is_last: bool,
}

impl<'m, T> Rows<'m, T> {
    /// Those that `select` gives behind a key (`?1`), so many of them at most (`?2`); `key` is the
    /// key of each.
    pub(super) fn new(
        select: String,
        read: fn(&Row<'_>) -> Result<T, BooksError>,
        key: fn(&T) -> i64,
        meter: &'m Meter,
    ) -> Self {
        let read_ahead = Vec::new().into_iter();
        Self { select, read, key, meter, last: i64::MIN, read_ahead, is_last: false }
    }

    /// The next of them.
    pub(super) fn next(&mut self, reader: &mut dyn Reader) -> Result<Option<T>, BooksError> {
        if self.read_ahead.as_slice().is_empty() && !self.is_last {
            let values = [self.last.into(), i64::from(ROWS_AT_ONCE).into()];
            let rows = reader.list(&self.select, &values, self.read)?;
            self.is_last = rows.len() < usize::from(ROWS_AT_ONCE);
            self.last = rows.last().map_or(self.last, self.key);
            if !self.is_last {
                self.meter.add(u64::from(ROWS_AT_ONCE));
            }
            self.read_ahead = rows.into_iter();
        }
        Ok(self.read_ahead.next())
    }
}
