//! What an open transaction of PostgreSQL finds and takes.
//!
//! Rows of one table are written by one statement, however many they are (`forms.rs`). What is
//! written waits for the next question or for the end of the batch, so that statements share a
//! round trip; what is asked for may be answered already (`foreseen.rs`).

use super::fault::PostgresError;
use super::foreseen::Part;
use super::link::{Bindable, Link};
use super::pending::Pending;
use super::purpose::Verb;
use super::rights;
use super::room;
use super::schema::Catalogue;
use super::sums::{self, Whole};
use super::values::{Bound, Column, Kind, can_be_kept};
use crate::ledger::books::{Books, BooksError, TakeRow, WriteRow};
use crate::ledger::record::{Lookup, Record, Sum, Table, Value};
use crate::ledger::records::{ClientRow, CustomFieldRow, GatewayRow, TenantSetting, UserRow};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

/// The tables of which nodes keep rows in memory: what holds for every request, and who may make
/// them.
const WORLD: [&str; 5] = [
    TenantSetting::TABLE.name,
    GatewayRow::TABLE.name,
    CustomFieldRow::TABLE.name,
    UserRow::TABLE.name,
    ClientRow::TABLE.name,
];

impl Books for Link {
    fn find(
        &mut self,
        lookup: &'static Lookup,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        if !values.iter().all(can_be_kept) {
            return Ok(());
        }
        let foreseen =
            self.take_foreseen(lookup, values, most).map_err(|error| self.note(error))?;
        if let Some(parts) = foreseen {
            return take_parts(&parts, lookup.table, take);
        }
        let is_bounded = most != usize::MAX;
        let verb = if is_bounded { Verb::FindSome } else { Verb::Find };
        let statement = self.of(verb, lookup, |_| Ok(find_text(lookup, is_bounded)))?;
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut values: Vec<Bindable<'_>> =
            bound.iter().map(|one| -> Bindable<'_> { one }).collect();
        values.extend(is_bounded.then_some(&most as Bindable<'_>));
        self.take_rows(&statement, &values, lookup.table, take)
    }

    fn find_many(
        &mut self,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        self.foresee(lookup, wanted, most)?;
        for values in wanted.iter().filter(|values| values.iter().all(can_be_kept)) {
            let foreseen = self.take_foreseen(lookup, values, most);
            let parts = foreseen.map_err(|error| self.note(error))?.unwrap_or_default();
            take_parts(&parts, lookup.table, take)?;
        }
        self.forget_foreseen();
        Ok(())
    }

    fn foresee(
        &mut self,
        lookup: &'static Lookup,
        wanted: &[Vec<Value<'static>>],
        most: usize,
    ) -> Result<(), BooksError> {
        self.look_forward(lookup, wanted, most).map_err(|error| self.note(error))
    }

    fn foresee_newest(&mut self, lookup: &'static Lookup) -> Result<(), BooksError> {
        self.look_forward_to_newest(lookup).map_err(|error| self.note(error))
    }

    fn find_after(
        &mut self,
        lookup: &'static Lookup,
        after: i64,
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let statement = self.of(Verb::FindAfter, lookup, |_| {
            let (columns, by) = (sums::columns(lookup.table, "t"), listed(lookup.by));
            let table = quoted(lookup.table.name);
            let rows = format!("{table} as t where {by} > $1 order by {by} limit $2");
            Ok(format!("select {columns} from {rows}"))
        })?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.take_rows(&statement, &[&after, &most], lookup.table, take)
    }

    fn newest(&mut self, lookup: &'static Lookup) -> Result<Option<i64>, BooksError> {
        let foreseen = self.take_foreseen_newest(lookup).map_err(|error| self.note(error))?;
        if let Some(newest) = foreseen {
            return Ok(newest);
        }
        let statement = self.newest_statement(lookup);
        let rows = statement.and_then(|statement| self.ask(&statement, &[]));
        let newest = rows.and_then(|rows| match rows.first() {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(None),
        });
        newest.map_err(|error| self.note(error))
    }

    fn insert(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError> {
        self.write(Verb::Insert, table, rows)
    }

    fn update(
        &mut self,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError> {
        self.write(Verb::Update, table, rows)
    }

    fn remove(
        &mut self,
        table: &'static Table,
        keys: &mut dyn Iterator<Item = Vec<Value<'static>>>,
    ) -> Result<(), BooksError> {
        let statement = self.of(Verb::Remove, table, |catalogue| {
            let (name, same) = (quoted(table.name), same_keys(table));
            let arrays = arrays(catalogue, table, table.key())?;
            let names = listed(table.key());
            Ok(format!(
                "delete from {name} as t using unnest({arrays}) as w ({names}) where {same}"
            ))
        })?;
        let mut gathered = self.gather_keys(table, table.key())?;
        for values in keys {
            gathered.add(&|put| values.iter().cloned().for_each(put))?;
        }
        self.leave_written(statement, table, gathered.columns, gathered.rows)
    }

    fn remove_older(
        &mut self,
        lookup: &'static Lookup,
        before: i64,
        most: u32,
    ) -> Result<(), BooksError> {
        let table = lookup.table;
        let statement = self.of(Verb::RemoveOlder, lookup, |_| {
            let (name, key) = (quoted(table.name), listed(table.key()));
            let moment = listed(lookup.by);
            Ok(format!(
                "delete from {name} where ({key}) in \
                 (select {key} from {name} where {moment} < $1 limit $2)"
            ))
        })?;
        self.foreseen.clear();
        let removed = self.ask(&statement, &[&before, &i64::from(most)]);
        removed.map(|_| ()).map_err(|error| self.note(error))
    }

    /// The room is needed with what the batch writes.
    fn need_room_and_rights(&mut self) -> Result<(), BooksError> {
        rights::need(self).and_then(|()| room::need(self)).map_err(|error| self.note(error))
    }
}

impl Link {
    /// The statement for a table or a lookup.
    fn of<T>(
        &mut self,
        verb: Verb,
        of: &'static T,
        make: impl FnOnce(&Catalogue) -> Result<String, PostgresError>,
    ) -> Result<Statement, BooksError> {
        let prepared = self.prepare((verb, std::ptr::from_ref(of).addr()), make);
        prepared.map_err(|error| self.note(error))
    }

    fn take_rows(
        &mut self,
        statement: &Statement,
        values: &[Bindable<'_>],
        table: &'static Table,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let rows: Vec<Row> = self.ask(statement, values).map_err(|error| self.note(error))?;
        rows.iter().try_for_each(|row| {
            let whole = Whole { row, table, first: 0 };
            sums::verify(&whole)?;
            take(&whole)
        })
    }

    /// Nothing yet of rows of a table, of which values are gathered by which rows are found.
    fn gather_keys(
        &mut self,
        table: &'static Table,
        columns: &'static [&'static str],
    ) -> Result<Gathered, BooksError> {
        let columns = self.columns_of(table, columns).map_err(|error| self.note(error))?;
        Ok(Gathered { table: table.name, columns, rows: 0, sums: None })
    }

    /// Columns of a table, without a value yet.
    pub(super) fn columns_of(
        &self,
        table: &Table,
        columns: &[&str],
    ) -> Result<Vec<Column>, PostgresError> {
        let of = |column: &&str| self.catalogue.kind(table.name, column).map(Column::of);
        columns.iter().map(of).collect()
    }

    fn write(
        &mut self,
        verb: Verb,
        table: &'static Table,
        rows: &mut dyn Iterator<Item = WriteRow<'_>>,
    ) -> Result<(), BooksError> {
        let mut gathered = self.gather_keys(table, table.columns)?;
        gathered.sums = Some(Column::of(Kind::Integer));
        for row in rows {
            gathered.add(row)?;
        }
        let Gathered { mut columns, rows, sums, .. } = gathered;
        columns.extend(sums);
        let formed = self.formed(verb, table, columns, rows);
        let (statement, columns) = formed.map_err(|error| self.note(error))?;
        self.leave_written(statement, table, columns, rows)
    }

    fn leave_written(
        &mut self,
        statement: Statement,
        table: &'static Table,
        columns: Vec<Column>,
        rows: u64,
    ) -> Result<(), BooksError> {
        self.wrote_world |= WORLD.contains(&table.name);
        let of = |column| -> Box<dyn ToSql + Sync + Send> { Box::new(column) };
        let values = columns.into_iter().map(of).collect();
        let pending = Pending { statement, values, table: table.name, rows };
        self.leave(pending).map_err(|error| self.note(error))
    }
}

/// Passes on rows that were found, each compared with its sum.
fn take_parts(parts: &[Part], table: &'static Table, take: TakeRow<'_>) -> Result<(), BooksError> {
    parts.iter().try_for_each(|part| {
        let whole = Whole { row: &part.row, table, first: part.first };
        sums::verify(&whole)?;
        take(&whole)
    })
}

const MISFIT: &str = "a value is not of its column's type";

/// A row cannot be looked for by a value of another type.
pub(super) const fn misfit(table: &Table) -> BooksError {
    BooksError::Fault { table: table.name, fault: MISFIT }
}

/// The values of rows, column by column.
struct Gathered {
    table: &'static str,
    columns: Vec<Column>,
    rows: u64,
    /// Their sums, where they are written.
    sums: Option<Column>,
}

impl Gathered {
    fn add(&mut self, row: WriteRow<'_>) -> Result<(), BooksError> {
        let (mut fault, mut sum) = (None, Sum::default());
        let mut columns = self.columns.iter_mut();
        row(&mut |value| {
            sum.add(&value);
            if !can_be_kept(&value) {
                fault = Some("a text has U+0000, which PostgreSQL does not keep");
            } else if !columns.next().is_some_and(|column| column.push(&value)) {
                fault = Some(MISFIT);
            }
        });
        self.rows += 1;
        if let Some(sums) = &mut self.sums {
            sums.push(&Value::Integer(sum.kept()));
        }
        fault.map_or(Ok(()), |fault| Err(BooksError::Fault { table: self.table, fault }))
    }
}

/// A name in a statement. Some columns have the names of key words.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The names of columns, one after the other.
pub(super) fn listed(columns: &[&str]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}

pub(super) fn same_keys(table: &Table) -> String {
    let same = table.key().iter().map(|column| format!("t.{0} = w.{0}", quoted(column)));
    same.collect::<Vec<_>>().join(" and ")
}

/// The places of arrays, each of the type of its column.
pub(super) fn arrays(
    catalogue: &Catalogue,
    table: &Table,
    columns: &[&str],
) -> Result<String, PostgresError> {
    let mut arrays = Vec::with_capacity(columns.len());
    for (column, place) in columns.iter().zip(1..) {
        let kind = catalogue.kind(table.name, column)?;
        arrays.push(format!("${place}::{}[]", kind.name()));
    }
    Ok(arrays.join(", "))
}

/// The same and behind them that of the sums.
pub(super) fn arrays_and_sums(
    catalogue: &Catalogue,
    table: &Table,
    columns: &[&str],
) -> Result<String, PostgresError> {
    let arrays = arrays(catalogue, table, columns)?;
    Ok(format!("{arrays}, ${}::bigint[]", columns.len() + 1))
}

fn find_text(lookup: &Lookup, is_bounded: bool) -> String {
    let table = lookup.table;
    let by = lookup.by.iter().zip(1..);
    let mut conditions: Vec<_> =
        by.map(|(column, place)| format!("{} = ${place}", quoted(column))).collect();
    conditions.extend(lookup.only.map(|(column, value)| format!("{} = {value}", quoted(column))));
    let conditions =
        if conditions.is_empty() { "true".to_owned() } else { conditions.join(" and ") };
    let limit = if is_bounded { format!(" limit ${}", lookup.by.len() + 1) } else { String::new() };
    let (columns, order) = (sums::columns(table, "t"), listed(table.key()));
    let name = quoted(table.name);
    format!("select {columns} from {name} as t where {conditions} order by {order}{limit}")
}
