//! Gives rows without a sum one: those that were there before rows had sums, those that a program
//! of an earlier schema wrote since, and those that the server itself made.
//!
//! What must stay true: a sum is made of a row as it is while no batch of another node is open, so
//! that it is never of what a row was before; a table is taken off the list of `unsummed` only when
//! every row that was without a sum has one.

use super::address::Address;
use super::books::{arrays, arrays_and_sums, listed, quoted, same_keys};
use super::fault::PostgresError;
use super::link::{Bindable, Link};
use super::readers::long_reader;
use super::schema::AS_OWNER;
use super::starting::commit;
use super::store::Store;
use super::sums::{self, SUM, sum_of};
use super::values::{Column, Kind, RowColumns, value_at};
use crate::ledger::engine::Engine;
use crate::ledger::reader::Reader;
use crate::ledger::record::{Table, Value};
use crate::ledger::records::WHOLE;
use std::ops::ControlFlow;
use tokio_postgres::Row;

/// How many rows get their sums in one batch.
const ROWS: usize = 1_000;
/// Up to which size a table is gone through in one batch with others.
const SMALL: i64 = 1 << 20;
/// After how many rows a line of the log says how far it is.
const SAID_EVERY: usize = 100_000;

/// The tables of the list, whether the role may take them off it, and their sizes.
const LIST: &str = "select name, has_table_privilege('unsummed', 'UPDATE') \
                    and has_table_privilege('unsummed', 'DELETE') \
                    and has_column_privilege(quote_ident(name), 'sum', 'UPDATE'), \
                    pg_relation_size(quote_ident(name)::regclass) from unsummed";

/// The key of a row.
type Key = Vec<Value<'static>>;

fn key_of(row: &Row, table: &Table) -> Key {
    (0..table.key_columns).map(|place| value_at(row, place).into_owned()).collect()
}

/// Gives every row a sum that has none, batch by batch, beside the nodes that serve.
pub(super) fn sum_all(store: &mut Store, address: &Address) -> Result<(), PostgresError> {
    let (tables, unreached) = list(store.link()?, i64::MAX)?;
    if !unreached.is_empty() {
        let unreached = unreached.join(", ");
        tracing::warn!(
            unreached,
            "rows have no sums, and this role may give them none: {AS_OWNER}"
        );
    }
    if tables.is_empty() {
        return Ok(());
    }
    in_a_batch(store, |link| sum_here(link, SMALL))?;
    for table in list(store.link()?, i64::MAX)?.0 {
        sum_table(store, address, table)?;
    }
    Ok(())
}

/// The tables of at most so many bytes that are listed and that the role may change, and the names
/// of those it may not.
fn list(link: &mut Link, most: i64) -> Result<(Vec<&'static Table>, Vec<String>), PostgresError> {
    let statement = link.prepare_text(LIST, str::to_owned)?;
    let (mut tables, mut unreached) = (Vec::new(), Vec::new());
    for row in link.ask(&statement, &[])? {
        let (name, may, bytes): (String, bool, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        // Others are a newer program's.
        let known = WHOLE.iter().find(|whole| whole.table.name == name);
        match known.filter(|_| bytes <= most) {
            Some(whole) if may => tables.push(whole.table),
            Some(_) => unreached.push(name),
            None => {}
        }
    }
    Ok((tables, unreached))
}

fn sum_table(
    store: &mut Store,
    address: &Address,
    table: &'static Table,
) -> Result<(), PostgresError> {
    let name = table.name;
    in_a_batch(store, |link| {
        link.run(&format!("update unsummed set is_new = 0 where name = '{name}'"))
    })?;
    let mut reader = long_reader(address)?;
    reader.begin_snapshot().map_err(|error| reader.link.failure(error))?;
    let key = listed(table.key());
    let missing = format!("select {key} from {} where {SUM} is null", quoted(name));
    let statement = reader.link.prepare_text(&missing, str::to_owned)?;
    let (mut keys, mut summed, mut done): (Vec<Key>, usize, Result<(), PostgresError>) =
        (Vec::new(), 0, Ok(()));
    reader.link.each(&statement, &[], &mut |row| {
        keys.push(key_of(row, table));
        if keys.len() < ROWS {
            return ControlFlow::Continue(());
        }
        summed += keys.len();
        if summed.is_multiple_of(SAID_EVERY) {
            tracing::info!(table = name, rows = summed, "rows are given their sums");
        }
        let keys = std::mem::take(&mut keys);
        done = in_a_batch(store, |link| sum_rows(link, table, &keys));
        if done.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    done?;
    summed += keys.len();
    in_a_batch(store, |link| {
        sum_rows(link, table, &keys)?;
        link.run(&format!("delete from unsummed where name = '{name}' and is_new = 0"))
    })?;
    if summed > 0 {
        tracing::info!(table = name, rows = summed, "rows have been given their sums");
    }
    Ok(())
}

/// Does `work` with the turn in hand, and commits it.
fn in_a_batch(
    store: &mut Store,
    work: impl FnOnce(&mut Link) -> Result<(), PostgresError>,
) -> Result<(), PostgresError> {
    store.begin()?;
    match store.link().and_then(work) {
        Ok(()) => commit(store),
        Err(error) => {
            store.roll_back()?;
            Err(error)
        }
    }
}

/// Gives the rows of the listed tables their sums in the open batch, which changed a few of them by
/// statements of its own.
pub(super) fn sum_changed(link: &mut Link) -> Result<(), PostgresError> {
    sum_here(link, i64::MAX)
}

/// The same for tables of at most so many bytes.
fn sum_here(link: &mut Link, most: i64) -> Result<(), PostgresError> {
    let tables = list(link, most)?.0;
    if tables.is_empty() {
        return Ok(());
    }
    for table in lacking(link, &tables)? {
        let (name, key) = (quoted(table.name), listed(table.key()));
        let missing = format!("select {key} from {name} where {SUM} is null limit {ROWS}");
        let statement = link.prepare_text(&missing, str::to_owned)?;
        loop {
            let rows = link.ask(&statement, &[])?;
            let keys: Vec<Key> = rows.iter().map(|row| key_of(row, table)).collect();
            sum_rows(link, table, &keys)?;
            if keys.len() < ROWS {
                break;
            }
        }
    }
    let names = tables.iter().map(|table| format!("'{}'", table.name));
    let names = names.collect::<Vec<_>>().join(", ");
    link.run(&format!("delete from unsummed where name in ({names})"))
}

/// Those of the tables that have a row without a sum.
fn lacking(
    link: &mut Link,
    tables: &[&'static Table],
) -> Result<Vec<&'static Table>, PostgresError> {
    let each = (0_i64..).zip(tables).map(|(place, table)| {
        let name = quoted(table.name);
        format!("select {place}::bigint where exists (select from {name} where {SUM} is null)")
    });
    let text = each.collect::<Vec<_>>().join(" union all ");
    let mut lacking = Vec::new();
    for row in ask(link, &text, &[])? {
        let place: i64 = row.try_get(0)?;
        lacking.extend(usize::try_from(place).ok().and_then(|place| tables.get(place)));
    }
    Ok(lacking)
}

/// Gives the rows of these keys sums, where they have none.
fn sum_rows(link: &mut Link, table: &'static Table, keys: &[Key]) -> Result<(), PostgresError> {
    if keys.is_empty() {
        return Ok(());
    }
    let (name, same, key) = (quoted(table.name), same_keys(table), listed(table.key()));
    let found = format!(
        "select {} from unnest({}) as w ({key}) join {name} as t on {same} \
         where t.{SUM} is null",
        sums::columns(table, "t"),
        arrays(&link.catalogue, table, table.key())?,
    );
    let write = format!(
        "update {name} as t set {SUM} = w.{SUM} from unnest({}) as w ({key}, {SUM}) \
         where {same} and t.{SUM} is null",
        arrays_and_sums(&link.catalogue, table, table.key())?,
    );
    let rows = ask(link, &found, &gathered(link, table, keys)?)?;
    let (mut keys, mut made) = (Vec::new(), Column::of(Kind::Integer));
    for row in &rows {
        keys.push(key_of(row, table));
        made.push(&Value::Integer(sum_of(&RowColumns(row), table)));
    }
    let mut columns = gathered(link, table, &keys)?;
    columns.push(made);
    ask(link, &write, &columns).map(|_| ())
}

fn ask(link: &mut Link, text: &str, columns: &[Column]) -> Result<Vec<Row>, PostgresError> {
    let statement = link.prepare_text(text, str::to_owned)?;
    let bound: Vec<Bindable<'_>> = columns.iter().map(|one| -> Bindable<'_> { one }).collect();
    link.ask(&statement, &bound)
}

/// The columns of keys.
fn gathered(link: &Link, table: &Table, keys: &[Key]) -> Result<Vec<Column>, PostgresError> {
    let of = |column: &&str| link.catalogue.kind(table.name, column).map(Column::of);
    let mut columns = table.key().iter().map(of).collect::<Result<Vec<_>, _>>()?;
    for key in keys {
        for (column, value) in columns.iter_mut().zip(key) {
            column.push(value);
        }
    }
    Ok(columns)
}
