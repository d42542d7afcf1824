//! A small engine in memory, against which the use cases are tested as well: what holds on it and
//! on a database holds because of the use cases, and not because of either.
//!
//! It does one thing at a time and knows no index; a transaction is a copy of all its tables. It
//! notes what it is asked for, so that tests can count.

use super::books::{Books, BooksError, TakeRow, WriteRow};
use super::engine::{CloseError, CommitError, Engine};
use super::record::{Columns, Lookup, Table, Value};
use super::unit::{self, Unit, World};
use super::working_set::Shelves;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

type Row = BTreeMap<&'static str, Value<'static>>;
type Tables = BTreeMap<&'static str, BTreeMap<Vec<Value<'static>>, Row>>;

/// What an engine was asked for: the table, by which columns, and how many values at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn note(&self, what: &str, lookup: &'static Lookup, values: usize) {
        let (table, by) = (lookup.table.name, lookup.by.join(", "));
        self.0.lock().unwrap().push(format!("{what} {table} by {by}: {values}"));
    }

    /// What was asked for since this was called last.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// The engine.
#[derive(Default)]
pub(super) struct Memory {
    committed: Tables,
    open: MemoryBooks,
    shelves: Shelves,
    world: World,
    /// What the world says may differ from the rows, after a transaction that was rolled back.
    is_stale: bool,
}

impl Memory {
    pub(super) fn new(world: World) -> Self {
        Self { world, ..Self::default() }
    }

    /// What it is asked for.
    pub(super) fn asked(&self) -> Asked {
        self.open.asked.clone()
    }

    /// What it is said to be asked for soon.
    pub(super) fn foreseen(&self) -> Asked {
        self.open.foreseen.clone()
    }
}

impl Engine for Memory {
    type Error = BooksError;

    fn begin(&mut self) -> Result<(), BooksError> {
        self.open.tables.clone_from(&self.committed);
        self.shelves.clear();
        if std::mem::take(&mut self.is_stale) {
            self.world.reload(&mut self.shelves, &mut self.open)?;
        }
        Ok(())
    }

    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
    ) -> Result<T, BooksError> {
        unit::work(&mut self.shelves, &mut self.open, &mut self.world, work)
    }

    fn flush(&mut self) -> Result<(), BooksError> {
        self.shelves.flush(&mut self.open)
    }

    fn commit(&mut self) -> Result<(), CommitError> {
        self.committed.clone_from(&self.open.tables);
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), BooksError> {
        self.is_stale = true;
        self.shelves.clear();
        Ok(())
    }

    fn rest(&mut self) {}

    fn close(self, _is_lost: bool) -> Result<(), CloseError> {
        Ok(())
    }
}

#[derive(Default)]
struct MemoryBooks {
    tables: Tables,
    asked: Asked,
    foreseen: Asked,
}

impl MemoryBooks {
    fn matching(
        &self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let rows = self.tables.get(lookup.table.name).into_iter().flat_map(BTreeMap::values);
        let mut found = rows.filter(|row| matches(row, lookup, values)).take(most);
        found.try_for_each(|row| take(&MemoryColumns(row, lookup.table)))
    }
}

fn columns_of(table: &'static Table, write: WriteRow<'_>) -> (Vec<Value<'static>>, Row) {
    let mut values = Vec::new();
    write(&mut |value| values.push(value.into_owned()));
    let key = values.iter().take(table.key_columns).cloned().collect();
    (key, table.columns.iter().copied().zip(values).collect())
}

fn matches(row: &Row, lookup: &Lookup, values: &[Value<'_>]) -> bool {
    let only = |(column, value)| row.get(column) == Some(&Value::Integer(value));
    lookup.by.iter().zip(values).all(|(column, value)| row.get(column) == Some(value))
        && lookup.only.is_none_or(only)
}

struct MemoryColumns<'r>(&'r Row, &'static Table);

impl Columns for MemoryColumns<'_> {
    fn value(&self, place: usize) -> Value<'_> {
        let column = self.1.columns.get(place).and_then(|column| self.0.get(column));
        column.cloned().unwrap_or(Value::Null)
    }
}

impl Books for MemoryBooks {
    fn find(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        self.asked.note("find", lookup, 1);
        self.matching(lookup, values, most, take)
    }

    fn find_many(
        &mut self,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        assert!(wanted.is_sorted() && wanted.windows(2).all(|pair| pair[0] != pair[1]));
        self.asked.note("find", lookup, wanted.len());
        wanted.iter().try_for_each(|values| self.matching(lookup, values, most, take))
    }

    fn foresee(
        &mut self,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
        _most: usize,
    ) -> Result<(), BooksError> {
        self.foreseen.note("find", lookup, wanted.len());
        Ok(())
    }

    fn find_after(
        &mut self,
        lookup: &'static Lookup,
        after: i64,
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        self.asked.note("after", lookup, 1);
        let rows = self.tables.get(lookup.table.name).into_iter().flat_map(BTreeMap::values);
        let place = |row: &&Row| match lookup.by.first().and_then(|column| row.get(column)) {
            Some(Value::Integer(value)) => *value,
            _ => i64::MIN,
        };
        let mut later: Vec<_> = rows.filter(|row| place(row) > after).collect();
        later.sort_by_key(place);
        later.into_iter().take(most).try_for_each(|row| take(&MemoryColumns(row, lookup.table)))
    }

    fn newest(&mut self, lookup: &'static Lookup) -> Result<Option<i64>, BooksError> {
        self.asked.note("newest", lookup, 0);
        let rows = self.tables.get(lookup.table.name).into_iter().flat_map(BTreeMap::values);
        let columns = rows.filter_map(|row| lookup.by.first().and_then(|column| row.get(column)));
        let integers = columns.filter_map(|value| match value {
            Value::Integer(value) => Some(*value),
            _ => None,
        });
        Ok(integers.max())
    }

    fn insert(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError> {
        for row in rows {
            let (key, row) = columns_of(table, row);
            if self.tables.entry(table.name).or_default().insert(key, row).is_some() {
                return Err(BooksError::Engine(format!("{} has a key twice", table.name)));
            }
        }
        Ok(())
    }

    fn update(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError> {
        for row in rows {
            let (key, row) = columns_of(table, row);
            let there = self.tables.get_mut(table.name).and_then(|rows| rows.get_mut(&key));
            there.ok_or(BooksError::Missing(table.name))?.extend(row);
        }
        Ok(())
    }

    fn remove(
        &mut self,
        table: &'static Table,
        keys: &mut dyn Iterator<Item = Vec<Value<'static>>>,
    ) -> Result<(), BooksError> {
        for key in keys {
            self.tables.entry(table.name).or_default().remove(&key);
        }
        Ok(())
    }

    fn remove_older(
        &mut self,
        lookup: &'static Lookup,
        before: i64,
        most: u32,
    ) -> Result<(), BooksError> {
        let rows = self.tables.entry(lookup.table.name).or_default();
        let is_older = |row: &Row| {
            let moment = lookup.by.first().and_then(|column| row.get(column));
            matches!(moment, Some(Value::Integer(moment)) if *moment < before)
        };
        let old = rows.iter().filter(|(_, row)| is_older(row)).map(|(key, _)| key.clone());
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        for key in old.take(most).collect::<Vec<_>>() {
            rows.remove(&key);
        }
        Ok(())
    }
}
