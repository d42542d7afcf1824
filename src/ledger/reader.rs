//! What an engine does for those who only read, beside its writer.
//!
//! Statements are SQL that every engine of the ledger understands: values are bound as `?1`, `?2`,
//! …; tables and views have the names of the schema, and an engine whose language reserves one of
//! them (`user`) quotes it; amounts, moments and flags are integers, days and closed sets are
//! texts. What no common SQL can say goes through the [`Dialect`].
//! What must stay true: nothing that a caller wrote is part of a statement.

use super::books::{Books, BooksError, TakeRow};
use super::query::dialect::Dialect;
use super::record::{Columns, Field, Lookup, Record, Table, Value};
use serde::de::DeserializeOwned;

/// One reading of a ledger.
pub trait Reader {
    /// Has everything from now on to the end of the reading read as of one moment.
    fn begin_snapshot(&mut self) -> Result<(), BooksError>;

    /// Passes on the rows that a statement selects, `most` of them at most.
    fn select(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError>;

    /// Visits every row of a table, whole: its columns, or why they are not what was written there.
    fn scan(
        &mut self,
        table: &'static Table,
        visit: &mut dyn FnMut(Result<&dyn Columns, BooksError>),
    ) -> Result<(), BooksError>;

    /// The rows as the writer's use cases see them; nothing can be written through them.
    fn books(&mut self) -> &mut dyn Books;

    /// What the engine says in words of its own.
    fn dialect(&self) -> &'static dyn Dialect;
}

impl dyn Reader + '_ {
    /// Takes each row that a statement selects, one after the other.
    pub fn each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<(), BooksError>,
    ) -> Result<(), BooksError> {
        self.select(sql, values, usize::MAX, &mut |columns| take(&Row(columns)))
    }

    /// Everything that a statement selects.
    pub fn list<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, BooksError>,
    ) -> Result<Vec<T>, BooksError> {
        let mut all = Vec::new();
        self.select(sql, values, usize::MAX, &mut |columns| {
            all.push(read(&Row(columns))?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row that a statement selects.
    pub fn first<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, BooksError>,
    ) -> Result<Option<T>, BooksError> {
        let mut first = None;
        self.select(sql, values, 1, &mut |columns| {
            first = Some(read(&Row(columns))?);
            Ok(())
        })?;
        Ok(first)
    }

    /// The records that have these values.
    pub fn records<R: Record>(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
    ) -> Result<Vec<R>, BooksError> {
        let mut records = Vec::new();
        self.books().find(lookup, values, usize::MAX, &mut |columns| {
            records.push(R::read(columns).map_err(BooksError::unknown::<R>)?);
            Ok(())
        })?;
        Ok(records)
    }

    /// The record of a key.
    pub fn record<R: Record>(&mut self, key: &R::Key) -> Result<Option<R>, BooksError> {
        Ok(self.records(R::BY_KEY, &R::key_values(key))?.pop())
    }
}

/// A row that a statement selected.
pub struct Row<'r>(&'r dyn Columns);

impl Row<'_> {
    /// The value of a column, by its place from 0. A value that its type does not know is damage,
    /// because nothing writes it.
    pub fn get<F: Field>(&self, place: usize) -> Result<F, BooksError> {
        F::from_stored(self.0.value(place)).ok_or_else(|| unknown(&self.0.value(place)))
    }

    /// The value of a column that holds JSON.
    pub fn json<T: DeserializeOwned>(&self, place: usize) -> Result<T, BooksError> {
        let text = self.0.value(place);
        let Value::Text(json) = &text else { return Err(unknown(&text)) };
        serde_json::from_str(json).map_err(|_| unknown(&text))
    }

    /// The same of a column that may have no value.
    pub fn json_if_any<T: DeserializeOwned>(&self, place: usize) -> Result<Option<T>, BooksError> {
        match self.0.value(place) {
            Value::Null => Ok(None),
            _ => self.json(place).map(Some),
        }
    }

    /// The columns, as records are read from them.
    pub fn columns(&self) -> &dyn Columns {
        self.0
    }
}

fn unknown(value: &Value<'_>) -> BooksError {
    let shown = match value {
        Value::Null => "nothing".to_owned(),
        Value::Integer(value) => format!("`{value}`"),
        Value::Text(text) => format!("`{text}`"),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
    };
    BooksError::Damaged(format!("the ledger holds {shown}, which this program does not know"))
}
