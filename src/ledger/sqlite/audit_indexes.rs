//! Whether the indexes of a file hold what their tables hold.
//!
//! SQLite's own `integrity_check` looks up each row in each index, which takes longer than all
//! other checks together. Here a table and its indexes are each read once, in the order in which
//! they lie there, and what they hold is compared by count and by a sum of hashes. Where that
//! differs, the caller lets SQLite look for what it is.
//!
//! What must stay true: true is returned only where `integrity_check` finds all rows in all
//! indexes, nothing else in them, and nothing twice in one that is unique; what cannot be compared
//! so is left to `integrity_check`.

use crate::ledger::audit::Meter;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

/// After how many rows progress is noted.
const ROWS_BETWEEN_NOTES: u64 = 8_192;

/// An index whose values are columns of its table, compared byte by byte.
struct Index {
    name: String,
    is_unique: bool,
    columns: Vec<String>,
    /// Which rows it has: an expression.
    condition: Option<String>,
}

/// How many rows there are and what is in them, in whatever order.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Content {
    rows: u64,
    hashes: u64,
}

impl Content {
    fn add(&mut self, rowid: i64, values: &[Key]) {
        let mut hash = DefaultHasher::new();
        rowid.hash(&mut hash);
        values.hash(&mut hash);
        self.rows += 1;
        self.hashes = self.hashes.wrapping_add(hash.finish());
    }
}

/// Whether all indexes hold what they should.
pub(super) fn are_whole(connection: &Connection, meter: &Meter) -> rusqlite::Result<bool> {
    for (table, has_rowid) in tables(connection)? {
        let indexes = if has_rowid { indexes(connection, &table)? } else { None };
        let is_whole = match indexes {
            Some(indexes) if indexes.is_empty() => true,
            Some(indexes) => are_alike(connection, &table, &indexes, meter)?,
            None => {
                let check = format!("pragma integrity_check({})", quoted(&table));
                let verdict: String = connection.query_row(&check, [], |row| row.get(0))?;
                verdict == "ok"
            }
        };
        if !is_whole {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tables of the ledger, and whether each has row numbers.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, bool)>> {
    let select = "select name, not wr from pragma_table_list \
                  where schema = 'main' and type = 'table' and name not like 'sqlite%'";
    let mut statement = connection.prepare(select)?;
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    tables.collect()
}

/// The indexes of a table; none where one of them cannot be compared here.
fn indexes(connection: &Connection, table: &str) -> rusqlite::Result<Option<Vec<Index>>> {
    let select = "select list.name, list.\"unique\", list.partial, made.sql \
                  from pragma_index_list(?1) as list \
                  left join sqlite_schema as made on made.type = 'index' and made.name = list.name";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([table])?;
    let mut indexes = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let (is_unique, is_partial): (bool, bool) = (row.get(1)?, row.get(2)?);
        let sql: Option<String> = row.get(3)?;
        let condition = sql.as_deref().and_then(condition_of);
        let columns = columns(connection, &name)?;
        let (Some(columns), true) = (columns, is_partial == condition.is_some()) else {
            return Ok(None);
        };
        let condition = condition.map(str::to_owned);
        indexes.push(Index { name, is_unique, columns, condition });
    }
    Ok(Some(indexes))
}

/// The columns of an index; none where one is an expression or is not compared byte by byte.
fn columns(connection: &Connection, index: &str) -> rusqlite::Result<Option<Vec<String>>> {
    let select = "select name, \"desc\", coll from pragma_index_xinfo(?1) where key order by seqno";
    let mut statement = connection.prepare(select)?;
    let columns = statement.query_map([index], |row| {
        let (name, is_descending): (Option<String>, bool) = (row.get(0)?, row.get(1)?);
        let collation: String = row.get(2)?;
        Ok(name.filter(|_| !is_descending && collation == "BINARY").map(|name| quoted(&name)))
    })?;
    columns.collect()
}

/// What follows the columns in the statement that made an index.
fn condition_of(sql: &str) -> Option<&str> {
    let (_, rest) = sql.split_once(')')?;
    rest.trim_start().strip_prefix("where ")
}

/// Reads the table once for all of its indexes, and each index once.
fn are_alike(
    connection: &Connection,
    table: &str,
    indexes: &[Index],
    meter: &Meter,
) -> rusqlite::Result<bool> {
    let should_hold = in_table(connection, table, indexes, meter)?;
    for (index, should_hold) in indexes.iter().zip(should_hold) {
        if in_index(connection, table, index)? != Some(should_hold) {
            return Ok(false);
        }
        // What the condition left out of the reading is in the index all the same.
        let entries = "select coalesce(sum(ncell), 0) from dbstat where name = ?1";
        let entries: i64 = connection.query_row(entries, params![index.name], |row| row.get(0))?;
        if entries.unsigned_abs() != should_hold.rows {
            return Ok(false);
        }
    }
    Ok(true)
}

fn in_table(
    connection: &Connection,
    table: &str,
    indexes: &[Index],
    meter: &Meter,
) -> rusqlite::Result<Vec<Content>> {
    let mut selected = vec!["rowid".to_owned()];
    let mut place = |expression: &str| {
        let known = selected.iter().position(|one| one == expression);
        known.unwrap_or_else(|| {
            selected.push(expression.to_owned());
            selected.len() - 1
        })
    };
    let plans: Vec<(Option<usize>, Vec<usize>)> = indexes
        .iter()
        .map(|index| {
            let condition = index.condition.as_deref().map(|one| place(&format!("({one})")));
            (condition, index.columns.iter().map(|column| place(column)).collect())
        })
        .collect();
    let (selected, table) = (selected.join(", "), quoted(table));
    let select = format!("select {selected} from {table} not indexed");
    let mut statement = connection.prepare(&select)?;
    let mut rows = statement.query([])?;
    let mut contents = vec![Content::default(); indexes.len()];
    let mut key = Vec::new();
    let mut read = 0_u64;
    while let Some(row) = rows.next()? {
        let rowid = row.get(0)?;
        for ((condition, columns), content) in plans.iter().zip(&mut contents) {
            let is_in = match condition {
                None => true,
                Some(place) => row.get::<_, Option<bool>>(*place)?.unwrap_or(false),
            };
            if is_in {
                key.clear();
                for place in columns {
                    key.push(Key::of(row.get_ref(*place)?));
                }
                content.add(rowid, &key);
            }
        }
        read += 1;
        if read.is_multiple_of(ROWS_BETWEEN_NOTES) {
            meter.add(ROWS_BETWEEN_NOTES);
        }
    }
    Ok(contents)
}

/// What an index holds; none where it is not in its order, or holds twice what it may hold once.
fn in_index(
    connection: &Connection,
    table: &str,
    index: &Index,
) -> rusqlite::Result<Option<Content>> {
    let (table, name, columns) = (quoted(table), quoted(&index.name), index.columns.join(", "));
    let condition = index.condition.as_deref().unwrap_or("true");
    let select = format!(
        "select rowid, {columns} from {table} indexed by {name} where {condition} \
         order by {columns}, rowid"
    );
    let mut statement = connection.prepare(&select)?;
    let mut rows = statement.query([])?;
    let mut content = Content::default();
    let (mut before, mut key): (Vec<Key>, Vec<Key>) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        key.clear();
        for place in 1..=index.columns.len() {
            key.push(Key::of(row.get_ref(place)?));
        }
        let order = if content.rows == 0 { Ordering::Less } else { before.cmp(&key) };
        let is_twice = index.is_unique && order == Ordering::Equal && !key.contains(&Key::Null);
        if order == Ordering::Greater || is_twice {
            return Ok(None);
        }
        content.add(row.get(0)?, &key);
        std::mem::swap(&mut before, &mut key);
    }
    Ok(Some(content))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value as an index orders it. There is no floating point in a ledger; what is some all the same
/// is equal to all of its kind, which two rows of a unique index then are.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Null,
    Integer(i64),
    Real,
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Key {
    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Real(_) => Self::Real,
            ValueRef::Text(bytes) => Self::Text(bytes.to_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::empty_test_ledger;
    use super::*;

    /// Does something that an index does not notice.
    fn behind_the_back_of(ledger: &Connection, index: &str, change: &str) {
        let forget = format!(
            "pragma writable_schema = on;
             create temp table made as select * from sqlite_schema where name = '{index}';
             delete from sqlite_schema where name = '{index}';
             pragma writable_schema = reset;
             {change};
             pragma writable_schema = on;
             insert into sqlite_schema select * from made;
             drop table made;
             pragma writable_schema = reset"
        );
        ledger.execute_batch(&forget).unwrap();
    }

    /// The condition of the index does not hold any more, and the entry is still there, as that of
    /// a row that was deleted. SQLite does not mind.
    const STALE: &str = "update refund_row set payment_method = null where number = 3";

    fn ledger() -> Connection {
        let ledger = empty_test_ledger().unwrap();
        let rows = "
            pragma foreign_keys = off;
            insert into account_row (key, id, number, name, currency, opening)
                values (1, printf('%032d', 1), 'A1', 'x', 'USD', 9);
            insert into payment_method (id, account, type, status)
                values (printf('%032d', 2), 1, 'ACH', 'Active');
            insert into refund_row (number, created_ms, salt, account, amount, type, source_type,
                method_type, payment_method, gateway, status, refund_day, created_by)
                select value, 1, 1, 1, 1, 1, 1, 0, iif(value % 2, 5, null), 'sandbox', 1, 20000, 1
                from json_each('[1,2,3,4,5]');
            insert into entry_row (account, kind, delta, balance, refund, at_ms)
                select 1, 2, 1, 1, value, 1 from json_each('[1,2,3]')";
        ledger.execute_batch(rows).unwrap();
        ledger
    }

    #[test]
    fn a_sound_ledger_has_whole_indexes() {
        assert!(are_whole(&empty_test_ledger().unwrap(), &Meter::unseen()).unwrap());
        assert!(are_whole(&ledger(), &Meter::unseen()).unwrap());
    }

    #[test]
    fn an_index_that_differs_from_its_table_is_found_as_sqlite_finds_it() {
        for (index, change) in [
            (
                "refund_by_payment_method",
                "update refund_row set payment_method = 2 where number = 3",
            ),
            ("refund_by_payment_method", "delete from refund_row where number = 3"),
            ("refund_by_payment_method", "update refund_row set number = 9 where number = 3"),
            (
                "refund_by_payment_method",
                "update refund_row set payment_method = 6 where number = 2",
            ),
            ("refund_by_payment_method", STALE),
            ("entry_giving_back", "insert into entry_row values (9, 1, 2, 1, 1, 3, null, 1, 0)"),
            ("payment_method_by_account", "update payment_method set account = 3"),
            ("session_by_last_use", "insert into session values (zeroblob(32), 1, 1, 0)"),
        ] {
            let is_stale = change == STALE || change.starts_with("delete");
            let ledger = ledger();
            behind_the_back_of(&ledger, index, change);
            let check = "pragma integrity_check";
            let verdict: String = ledger.query_row(check, [], |row| row.get(0)).unwrap();
            assert!(verdict != "ok" || is_stale, "{change}");
            assert!(!are_whole(&ledger, &Meter::unseen()).unwrap(), "{change}: {verdict}");
        }
    }

    /// What cannot be compared here is left to SQLite, and not taken for whole.
    #[test]
    fn every_index_of_the_schema_of_a_table_with_row_numbers_is_compared() {
        let ledger = empty_test_ledger().unwrap();
        for (table, has_rowid) in tables(&ledger).unwrap() {
            assert!(!has_rowid || indexes(&ledger, &table).unwrap().is_some(), "{table}");
        }
    }
}
