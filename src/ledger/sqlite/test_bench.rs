//! The test bench on SQLite: the whole file is replaced page by page, through the writer's own
//! connection and outside any transaction, so that readers see either what was or what is.
//!
//! What must stay true: nothing here runs on a ledger that is not marked as test, and what is put
//! back is a ledger of this very schema.

use super::schema;
use super::store::Store;
use crate::domain::id::ObjectId;
use crate::ledger::test_bench::{KNOWN_IDS_MAX, KnownId};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// All pages in one step: the writer does nothing else meanwhile.
const ALL_PAGES: i32 = -1;

/// The triggers that have to go before a table can be emptied: only a test ledger ever loses an
/// entry or an exchange.
const KEEPERS: [&str; 2] = ["entry_is_never_deleted", "exchange_is_never_deleted"];

/// What belongs to the account of the key `?1`, each after all that refers to it.
const OF_AN_ACCOUNT: &[&str] = &[
    "delete from delivery where account = ?1",
    "delete from event where account = ?1",
    "delete from entry where account = ?1",
    "delete from exchange where refund in (select number from refund where account = ?1)",
    "delete from settlement_event where refund in (select number from refund where account = ?1)",
    "delete from inquiry where refund in (select number from refund where account = ?1)",
    "delete from refund_invoice_payment where refund in \
     (select number from refund where account = ?1)",
    "delete from adjustment where account = ?1",
    "delete from refund where account = ?1",
    "delete from invoice_payment where payment in (select key from payment where account = ?1)",
    "delete from invoice_payment where invoice in (select key from invoice where account = ?1)",
    "delete from payment where account = ?1",
    "delete from invoice where account = ?1",
    "update account set default_payment_method = null where default_payment_method in \
     (select key from payment_method where account = ?1)",
    "delete from payment_method where account = ?1",
    "delete from account where key = ?1",
];

/// Makes the ledger as new.
pub(super) fn forget_everything(store: &mut Store) -> rusqlite::Result<()> {
    overwrite(store, &schema::empty_test_ledger()?)
}

/// Puts the pages of a saved ledger in the place of those of `store`.
pub(super) fn put_back(store: &mut Store, from: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let saved = Connection::open_with_flags(from, flags)?;
    let version: i64 = saved.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != schema::SCHEMA_VERSION || !schema::is_test(&saved)? {
        let why = "the snapshot is of another version of this program, or of no test ledger";
        return Err(rusqlite::Error::ToSqlConversionFailure(why.into()));
    }
    overwrite(store, &saved)
}

fn overwrite(store: &mut Store, from: &Connection) -> rusqlite::Result<()> {
    copy(from, store.connection_mut())?;
    store.begin_anew()
}

/// Copies every page, or none: a copy that cannot be finished is rolled back.
fn copy(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    match Backup::new(from, to)?.step(ALL_PAGES)? {
        StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::ToSqlConversionFailure("the file is in use".into())),
    }
}

/// Saves what is committed, as `connection` sees it, into a new file.
pub(super) fn save(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    let made = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(to);
    made.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mut file = Connection::open(to)?;
    copy(connection, &mut file)
}

/// Takes out an account and all that is its own, inside the open transaction.
pub(super) fn forget_account(store: &mut Store, id: &ObjectId) -> rusqlite::Result<bool> {
    let connection = store.connection();
    let find = "select key from account where id = ?1";
    let key: Option<i64> =
        connection.query_row(find, params![id.as_str()], |row| row.get(0)).optional()?;
    let Some(key) = key else {
        return Ok(false);
    };
    let mut keepers = Vec::with_capacity(KEEPERS.len());
    for name in KEEPERS {
        let sql = "select sql from sqlite_schema where type = 'trigger' and name = ?1";
        keepers.push(connection.query_row(sql, [name], |row| row.get::<_, String>(0))?);
        connection.execute_batch(&format!("drop trigger {name}"))?;
    }
    for statement in OF_AN_ACCOUNT {
        connection.execute(statement, params![key])?;
    }
    for sql in keepers {
        connection.execute_batch(&sql)?;
    }
    Ok(true)
}

/// Ids that a caller may have meant.
pub(super) fn known_ids(connection: &Connection) -> rusqlite::Result<Vec<KnownId>> {
    let limit = i64::try_from(KNOWN_IDS_MAX).unwrap_or(i64::MAX);
    let mut known = Vec::new();
    for (object, select) in [
        ("Account", "select id, number from account order by key limit ?1"),
        ("PaymentMethod", "select id, type from payment_method order by key limit ?1"),
        ("Invoice", "select id, number from invoice order by key limit ?1"),
        ("Payment", "select id, number from payment order by key limit ?1"),
    ] {
        let mut statement = connection.prepare(select)?;
        let rows = statement.query_map(params![limit], |row| {
            Ok(KnownId { object, id: row.get(0)?, also: row.get(1)? })
        })?;
        for row in rows {
            known.push(row?);
        }
    }
    Ok(known)
}
