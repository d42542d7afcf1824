//! The test bench on SQLite: the whole file is replaced page by page, through the writer's own
//! connection and outside any transaction, so that readers see either what was or what is.
//!
//! What must stay true: nothing here runs on a ledger that is not marked as test; what is put in
//! its place was made or checked as a whole before; and a copy of which nobody knows whether it
//! came to its end is told as that.

use super::open::{check_gateways, check_ownership};
use super::open_error::OpenError;
use super::soundness::check_soundness;
use super::store::Store;
use super::{keeping, knowledge, schema, sums, whole};
use crate::domain::facts::Gateway;
use crate::domain::id::{ObjectId, RefundId};
use crate::ledger::LedgerError;
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::record::Record;
use crate::ledger::records::AccountRow;
use crate::ledger::seed::{SeedConflict, SeedPlan};
use crate::ledger::seeding;
use crate::ledger::test_bench::{KNOWN_IDS_MAX, KnownId, UnfitSnapshot};
use crate::ledger::unit::LAST_DELETED_REFUND;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// All pages in one step: the writer does nothing else meanwhile.
const ALL_PAGES: i32 = -1;

/// The triggers that have to go before a table can be emptied: only a test ledger ever loses an
/// entry or an exchange.
const KEEPERS: [&str; 4] = [
    "entry_is_never_deleted",
    "exchange_is_never_deleted",
    "sending_is_never_deleted",
    "collected_is_never_deleted",
];

/// What belongs to the account of the key `?1`, each after all that refers to it.
const OF_AN_ACCOUNT: &[&str] = &[
    "delete from delivery where account = ?1",
    "delete from event where account = ?1",
    "delete from entry_row where account = ?1",
    "delete from exchange where refund in (select number from refund_row where account = ?1)",
    "delete from settlement_event where refund in \
     (select number from refund_row where account = ?1)",
    "delete from inquiry where refund in (select number from refund_row where account = ?1)",
    "delete from refund_invoice_payment where refund in \
     (select number from refund_row where account = ?1)",
    "delete from adjustment where account = ?1",
    "delete from invoice_adjustment where invoice in \
     (select key from invoice where account = ?1)",
    "delete from invoice_line where invoice in (select key from invoice where account = ?1)",
    "delete from refund_row where account = ?1",
    "delete from sending where exists (select 1 from collected \
     join payment on payment.key = collected.payment where payment.account = ?1 \
     and collected.reference = sending.reference and collected.gateway = sending.gateway)",
    "delete from collected where payment in (select key from payment where account = ?1)",
    "delete from invoice_payment where payment in (select key from payment where account = ?1)",
    "delete from invoice_payment where invoice in (select key from invoice where account = ?1)",
    "delete from payment where account = ?1",
    "delete from invoice where account = ?1",
    "update account_row set default_payment_method = null, sum = null \
     where default_payment_method in (select key from payment_method where account = ?1)",
    "delete from payment_method where account = ?1",
    "update account_row set parent = null, sum = null where parent = ?1",
    "delete from balance where account = ?1",
    "delete from account_row where key = ?1",
];

/// Makes the ledger as new, with these seeds in it, and perhaps with its users and sessions.
pub(super) fn begin_anew(
    store: &mut Store,
    seeds: Vec<SeedPlan>,
    keep_sessions: bool,
) -> Result<Result<(), SeedConflict>, LedgerError> {
    let unavailable = |error: rusqlite::Error| LedgerError::Unavailable(error.to_string());
    match seeded(store, seeds, keep_sessions).map_err(unavailable)? {
        Ok(fresh) => overwrite(store, fresh.connection()).map(Ok),
        Err(conflict) => Ok(Err(conflict)),
    }
}

/// A ledger in memory that holds nothing but seeds, and perhaps the users and sessions of `store`.
fn seeded(
    store: &Store,
    seeds: Vec<SeedPlan>,
    keep_sessions: bool,
) -> rusqlite::Result<Result<Store, SeedConflict>> {
    let mut fresh = store.like(schema::empty_test_ledger()?)?;
    fresh.begin()?;
    for seed in seeds {
        if let Err(conflict) = fresh.work(|unit| seeding::load(unit, seed))? {
            return Ok(Err(conflict));
        }
    }
    fresh.flush()?;
    if keep_sessions {
        keeping::keep_sessions(store.connection(), fresh.connection())?;
    }
    fresh.commit().map_err(|(CommitError::RolledBack(why) | CommitError::Unknown(why))| {
        rusqlite::Error::ToSqlConversionFailure(why.into())
    })?;
    Ok(Ok(fresh))
}

/// Puts the pages of a saved ledger in the place of those of `store`.
pub(super) fn put_back(
    store: &mut Store,
    from: &Path,
) -> Result<Result<(), UnfitSnapshot>, LedgerError> {
    match open_saved(from, store.configured_gateways()) {
        Ok(saved) => overwrite(store, &saved).map(Ok),
        Err(error) => Ok(Err(UnfitSnapshot(error.to_string()))),
    }
}

/// A saved ledger that can be put back: whole, for testing, of this schema or brought to it.
fn open_saved(from: &Path, configured: &[Gateway]) -> Result<Connection, OpenError> {
    let sql = |error: rusqlite::Error| OpenError::sql(from, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let saved = Connection::open_with_flags(from, flags).map_err(sql)?;
    check_ownership(&saved, from)?;
    check_soundness(&saved, from)?;
    if !schema::is_test(&saved).map_err(sql)? {
        return Err(OpenError::Mark { path: from.to_owned(), is_test: false });
    }
    let version: i64 =
        saved.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sql)?;
    let current = match version {
        schema::SCHEMA_VERSION => saved,
        _ => brought_up_to_date(&saved).map_err(sql)?,
    };
    check_gateways(&current, from, configured)?;
    Ok(current)
}

/// A copy in memory; the file stays as it was saved.
fn brought_up_to_date(saved: &Connection) -> rusqlite::Result<Connection> {
    let mut current = Connection::open_in_memory()?;
    copy(saved, &mut current)?;
    schema::bring_up_to_date(&mut current)?;
    Ok(current)
}

/// Puts the pages of a ledger in the place of those of `store`, in one transaction.
fn overwrite(store: &mut Store, from: &Connection) -> Result<(), LedgerError> {
    copy(from, store.connection_mut()).map_err(|error| match error.sqlite_error_code() {
        // They end a copy before its commit, and it is rolled back.
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            LedgerError::Unavailable(error.to_string())
        }
        _ => LedgerError::Unknown(error.to_string()),
    })?;
    store.begin_anew().map_err(|error| LedgerError::Unknown(error.to_string()))
}

/// Copies every page, or none: a copy that cannot be finished is rolled back.
fn copy(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    match Backup::new(from, to)?.step(ALL_PAGES)? {
        StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("the file is in use".to_owned()),
        )),
    }
}

/// Saves what is committed, as `connection` sees it, into a new file.
pub(super) fn save(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    let made = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(to);
    made.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mut file = Connection::open(to)?;
    copy(connection, &mut file)?;
    whole::say_closed(&file)?;
    // A file of its own: one with a log would leave another log behind wherever it is read.
    file.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
}

/// Takes out an account and all that is its own and loads what the seeds have of it, inside the
/// open transaction, which is for nothing else and has to be rolled back on a conflict. False when
/// neither the ledger nor a seed knows the account.
pub(super) fn renew_account(
    store: &mut Store,
    id: &ObjectId,
    seeds: &[SeedPlan],
) -> rusqlite::Result<Result<bool, SeedConflict>> {
    let mut is_known = forget_account(store.connection(), id)?;
    for seed in seeds {
        let of_account = seed.of_account(id);
        is_known |= !of_account.accounts.is_empty();
        if let Err(conflict) = store.work(|unit| seeding::load(unit, of_account))? {
            return Ok(Err(conflict));
        }
    }
    Ok(Ok(is_known))
}

/// Notes that the number of a refund, and those before it, were given.
fn never_give_again(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    let noted = knowledge::said(connection, LAST_DELETED_REFUND)?;
    if noted.and_then(|noted| noted.parse().ok()).is_some_and(|noted: i64| noted >= number) {
        return Ok(());
    }
    knowledge::say(connection, LAST_DELETED_REFUND, &number.to_string())
}

fn forget_account(connection: &Connection, id: &ObjectId) -> rusqlite::Result<bool> {
    let find = "select key from account where id = ?1";
    let key: Option<i64> =
        connection.query_row(find, params![id.as_str()], |row| row.get(0)).optional()?;
    let Some(key) = key else {
        return Ok(false);
    };
    // A gateway may still answer about one of its refunds.
    let newest = "select newest_refund from balance where account = ?1";
    let newest: Option<i64> = connection.query_row(newest, params![key], |row| row.get(0))?;
    if let Some(newest) = newest {
        never_give_again(connection, newest)?;
    }
    let mut keepers = Vec::with_capacity(KEEPERS.len());
    for name in KEEPERS {
        let sql = "select sql from sqlite_schema where type = 'trigger' and name = ?1";
        keepers.push(connection.query_row(sql, [name], |row| row.get::<_, String>(0))?);
        connection.execute_batch(&format!("drop trigger {name}"))?;
    }
    for statement in OF_AN_ACCOUNT {
        connection.execute(statement, params![key])?;
    }
    sums::renew(connection, AccountRow::TABLE, "sum is null", [])?;
    for sql in keepers {
        connection.execute_batch(&sql)?;
    }
    Ok(true)
}

/// The account of each object.
pub(super) fn accounts_of(
    connection: &Connection,
    ids: &[ObjectId],
) -> rusqlite::Result<Vec<Option<ObjectId>>> {
    let select = "select id from account where id = ?1 \
         union all select account.id from payment_method as of \
         join account on account.key = of.account \
         where of.id = ?1 \
         union all select account.id from invoice as of join account on account.key = of.account \
         where of.id = ?1 \
         union all select account.id from invoice_line as of \
         join invoice on invoice.key = of.invoice join account on account.key = invoice.account \
         where of.id = ?1 \
         union all select account.id from invoice_adjustment as of \
         join invoice on invoice.key = of.invoice join account on account.key = invoice.account \
         where of.id = ?1 \
         union all select account.id from payment as of join account on account.key = of.account \
         where of.id = ?1 \
         union all select account.id from refund as of join account on account.key = of.account \
         where of.number = ?2";
    let mut statement = connection.prepare_cached(select)?;
    let mut account_of = |id: &ObjectId| {
        let number = RefundId::parse(id.as_str()).map(|id| id.number().value());
        let found = statement.query_row(params![id.as_str(), number], |row| {
            Ok(ObjectId::parse(&row.get::<_, String>(0)?))
        });
        Ok(found.optional()?.flatten())
    };
    ids.iter().map(&mut account_of).collect()
}

/// Ids that a caller may have meant.
pub(super) fn known_ids(connection: &Connection) -> rusqlite::Result<Vec<KnownId>> {
    let limit = i64::try_from(KNOWN_IDS_MAX).unwrap_or(i64::MAX);
    let mut known = Vec::new();
    for (object, select) in [
        ("Account", "select id, number from account order by key limit ?1"),
        ("PaymentMethod", "select id, type from payment_method order by key limit ?1"),
        ("Invoice", "select id, number from invoice order by key limit ?1"),
        (
            "InvoiceItem",
            "select id, coalesce(name, '') from invoice_line where item is null \
             order by key limit ?1",
        ),
        (
            "TaxationItem",
            "select id, coalesce(name, '') from invoice_line where item is not null \
             order by key limit ?1",
        ),
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
