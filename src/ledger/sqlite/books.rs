//! What an open transaction of SQLite finds and takes: the statements of each table, made from its
//! columns once and kept prepared.

use super::fault::engine;
use super::sums::{self, SUM};
use crate::ledger::books::{Books, BooksError, TakeRow, WriteRow};
use crate::ledger::record::{Columns, Lookup, Record, Sum, Table, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Row, Statement, ToSql};
use std::borrow::Cow;
use std::collections::HashMap;

/// The texts of statements, by what they are for.
#[derive(Default)]
pub(super) struct Texts(HashMap<(Verb, usize), String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Verb {
    Find,
    FindAfter,
    Newest,
    Insert,
    Update,
    Remove,
    RemoveOlder,
}

/// The open transaction of a connection.
pub(super) struct SqliteBooks<'c> {
    connection: &'c Connection,
    texts: &'c mut Texts,
}

impl<'c> SqliteBooks<'c> {
    pub(super) const fn new(connection: &'c Connection, texts: &'c mut Texts) -> Self {
        Self { connection, texts }
    }

    fn prepared<T>(
        &mut self,
        verb: Verb,
        of: &'static T,
        make: impl FnOnce() -> String,
    ) -> Result<CachedStatement<'c>, BooksError> {
        let place = (verb, std::ptr::from_ref(of).addr());
        let text = self.texts.0.entry(place).or_insert_with(make);
        self.connection.prepare_cached(text).map_err(engine)
    }

    /// The statement that finds rows by a lookup.
    fn finding(&mut self, lookup: &'static Lookup) -> Result<CachedStatement<'c>, BooksError> {
        self.prepared(Verb::Find, lookup, || {
            let table = lookup.table;
            let only = lookup.only.map(|(column, value)| format!(" and {column} = {value}"));
            let conditions = conditions(lookup.by) + &only.unwrap_or_default();
            let columns = sums::columns(table);
            let order = table.key().join(", ");
            format!("select {columns} from {} where {conditions} order by {order}", table.name)
        })
    }
}

impl Books for SqliteBooks<'_> {
    /// A look-up is a call of a function: gathering those of a batch costs 4,000 instructions a
    /// refund, and saves none.
    fn is_far(&self) -> bool {
        false
    }

    fn find(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let mut statement = self.finding(lookup)?;
        find_each(&mut statement, lookup.table, values, most, take)
    }

    /// The statement of one value, for each of them in turn: nothing is read over a network here.
    fn find_many(
        &mut self,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let (mut statement, table) = (self.finding(lookup)?, lookup.table);
        wanted.iter().try_for_each(|values| find_each(&mut statement, table, values, most, take))
    }

    fn find_after(
        &mut self,
        lookup: &'static Lookup,
        after: i64,
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let table = lookup.table;
        let mut statement = self.prepared(Verb::FindAfter, lookup, || {
            let (name, columns) = (table.name, sums::columns(table));
            let by = lookup.by.join(", ");
            format!("select {columns} from {name} where {by} > ?1 order by {by} limit ?2")
        })?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query([after, most]).map_err(engine)?;
        while let Some(row) = rows.next().map_err(engine)? {
            sums::verify(row, 0, table)?;
            take(&RowColumns { row, table })?;
        }
        Ok(())
    }

    fn newest(&mut self, lookup: &'static Lookup) -> Result<Option<i64>, BooksError> {
        let mut statement = self.prepared(Verb::Newest, lookup, || {
            format!("select max({}) from {}", lookup.by.join(", "), lookup.table.name)
        })?;
        statement.query_row([], |row| row.get(0)).map_err(engine)
    }

    fn insert(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError> {
        let mut statement = self.prepared(Verb::Insert, table, || {
            let places = vec!["?"; table.columns.len() + 1].join(", ");
            format!("insert into {} ({}) values ({places})", table.name, sums::columns(table))
        })?;
        let mut bound = vec![false; table.columns.len()];
        for row in rows {
            write(&mut statement, row, &mut bound)?;
        }
        Ok(())
    }

    fn update(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError> {
        let mut statement = self.prepared(Verb::Update, table, || {
            let numbered = |(place, column): (usize, &&str)| format!("{column} = ?{}", place + 1);
            let mut all = table.columns.iter().enumerate().map(numbered);
            let keys: Vec<_> = all.by_ref().take(table.key_columns).collect();
            let sum = format!("{SUM} = ?{}", table.columns.len() + 1);
            let others: Vec<_> = all.chain([sum]).collect();
            let (others, keys) = (others.join(", "), keys.join(" and "));
            format!("update {} set {others} where {keys}", table.name)
        })?;
        let mut bound = vec![false; table.columns.len()];
        for row in rows {
            if write(&mut statement, row, &mut bound)? != 1 {
                return Err(BooksError::Missing(table.name));
            }
        }
        Ok(())
    }

    fn remove(
        &mut self,
        table: &'static Table,
        keys: &mut dyn Iterator<Item = Vec<Value<'static>>>,
    ) -> Result<(), BooksError> {
        let mut statement = self.prepared(Verb::Remove, table, || {
            format!("delete from {} where {}", table.name, conditions(table.key()))
        })?;
        for values in keys {
            bind(&mut statement, &values)?;
            statement.raw_execute().map_err(engine)?;
        }
        Ok(())
    }

    fn remove_older(
        &mut self,
        lookup: &'static Lookup,
        before: i64,
        most: u32,
    ) -> Result<(), BooksError> {
        let table = lookup.table;
        let mut statement = self.prepared(Verb::RemoveOlder, lookup, || {
            let (name, key, moment) = (table.name, table.key().join(", "), lookup.by.join(", "));
            format!(
                "delete from {name} where ({key}) in \
                 (select {key} from {name} where {moment} < ?1 limit ?2)"
            )
        })?;
        statement.execute(rusqlite::params![before, most]).map(|_| ()).map_err(engine)
    }
}

/// Passes on the rows of a table that a statement finds by these values, each with a right sum.
fn find_each(
    statement: &mut Statement<'_>,
    table: &'static Table,
    values: &[Value<'_>],
    most: usize,
    take: TakeRow<'_>,
) -> Result<(), BooksError> {
    each_row(statement, values, most, |row| {
        sums::verify(row, 0, table)?;
        take(&RowColumns { row, table })
    })
}

/// Passes on the rows that a statement selects, `most` of them at most.
pub(super) fn select(
    statement: &mut Statement<'_>,
    values: &[Value<'_>],
    most: usize,
    take: TakeRow<'_>,
) -> Result<(), BooksError> {
    each_row(statement, values, most, |row| take(&Selected(row)))
}

/// Passes on the rows that a statement comes to with these values, `most` of them at most.
fn each_row(
    statement: &mut Statement<'_>,
    values: &[Value<'_>],
    most: usize,
    mut visit: impl FnMut(&Row<'_>) -> Result<(), BooksError>,
) -> Result<(), BooksError> {
    bind(statement, values)?;
    let mut rows = statement.raw_query();
    for _ in 0..most {
        let Some(row) = rows.next().map_err(engine)? else { break };
        visit(row)?;
    }
    Ok(())
}

fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), BooksError> {
    (1..).zip(values).try_for_each(|(place, value)| {
        statement.raw_bind_parameter(place, Bound(value)).map_err(engine)
    })
}

/// Every row of a table, in the order of the keys, beside any transaction.
pub(super) fn all<R: Record>(connection: &Connection) -> rusqlite::Result<Vec<R>> {
    let (table, order) = (R::TABLE, R::TABLE.key().join(", "));
    let select = format!("select {} from {} order by {order}", sums::columns(table), table.name);
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        sums::verify(row, 0, table)?;
        let row = RowColumns { row, table };
        let row = R::read(&row).map_err(|place| BooksError::unknown::<R>(place))?;
        all.push(row);
    }
    Ok(all)
}

fn conditions(columns: &[&str]) -> String {
    let numbered = columns.iter().zip(1..).map(|(column, place)| format!("{column} = ?{place}"));
    let all = numbered.collect::<Vec<_>>().join(" and ");
    if all.is_empty() { "true".to_owned() } else { all }
}

/// Binds the values of a row and their sum, and runs the statement; gives how many rows it changed.
/// `bound` says at which places the row before had a value: half of the columns of a refund have
/// none, and what is not bound is null.
fn write(
    statement: &mut Statement<'_>,
    row: WriteRow<'_>,
    bound: &mut [bool],
) -> Result<usize, BooksError> {
    let (mut sum, mut done, sum_place) = (Sum::default(), Ok(()), bound.len() + 1);
    let mut places = bound.iter_mut().zip(1..);
    row(&mut |value| {
        sum.add(&value);
        let Some((is_bound, place)) = places.next() else { return };
        let is_null = matches!(value, Value::Null);
        if done.is_ok() && (*is_bound || !is_null) {
            done = statement.raw_bind_parameter(place, Bound(&value));
        }
        *is_bound = !is_null;
    });
    done.map_err(engine)?;
    statement.raw_bind_parameter(sum_place, sum.kept()).map_err(engine)?;
    statement.raw_execute().map_err(engine)
}

struct Bound<'v>(&'v Value<'v>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A row whose columns are those of the whole record of a table.
pub(super) struct RowColumns<'r> {
    pub(super) row: &'r Row<'r>,
    /// The table as the record that is read has it.
    pub(super) table: &'static Table,
}

impl Columns for RowColumns<'_> {
    fn value(&self, place: usize) -> Value<'_> {
        value_at(self.row, self.table.place_in_whole(place))
    }
}

/// A row of whatever a statement selects.
struct Selected<'r>(&'r Row<'r>);

impl Columns for Selected<'_> {
    fn value(&self, place: usize) -> Value<'_> {
        value_at(self.0, place)
    }
}

/// The value of a column. A text that is not UTF-8 is passed on as bytes, which no text field
/// takes.
fn value_at<'r>(row: &'r Row<'_>, place: usize) -> Value<'r> {
    match row.get_ref(place) {
        Ok(ValueRef::Integer(value)) => Value::Integer(value),
        Ok(ValueRef::Text(text)) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(Cow::Borrowed(text)),
            Err(_) => Value::Bytes(Cow::Borrowed(text)),
        },
        Ok(ValueRef::Blob(bytes)) => Value::Bytes(Cow::Borrowed(bytes)),
        Ok(ValueRef::Null | ValueRef::Real(_)) | Err(_) => Value::Null,
    }
}
