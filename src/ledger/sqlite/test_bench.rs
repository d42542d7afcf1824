//! The test bench on SQLite: the whole file is replaced page by page, through the writer's own
//! connection and outside any transaction, so that readers see either what was or what is.
//!
//! What must stay true: nothing here runs on a ledger that is not marked as test; what is put in
//! its place was made or checked as a whole before; and a copy of which it is unknown whether
//! it came to its end is reported as that.

use super::fault::failure;
use super::open::{check_gateways, check_ownership};
use super::soundness::check_soundness;
use super::store::Store;
use super::{pages, schema, sums};
use crate::domain::facts::{AccountKey, Gateway, Tenant};
use crate::domain::id::ObjectId;
use crate::ledger::LedgerError;
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::file::{OpenError, snapshots};
use crate::ledger::record::Record;
use crate::ledger::records::AccountRow;
use crate::ledger::seed::{SeedConflict, SeedPlan};
use crate::ledger::seeding;
use crate::ledger::test_bench::{OF_AN_ACCOUNT, SnapshotError, TestEngine};
use crate::ledger::work::forgetting;
use crate::ledger::work::keeping::{self, Kept};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;

/// The triggers that have to go before a table can be emptied: only a test ledger ever loses an
/// entry or an exchange.
const KEEPERS: [&str; 4] = [
    "entry_is_never_deleted",
    "exchange_is_never_deleted",
    "sending_is_never_deleted",
    "collected_is_never_deleted",
];

impl TestEngine for Store {
    fn tenant(&self) -> &Tenant {
        &self.world().tenant
    }

    fn begin_anew(
        &mut self,
        seeds: Vec<SeedPlan>,
        keep_sessions: bool,
    ) -> Result<Result<(), SeedConflict>, LedgerError> {
        let unavailable = |error: rusqlite::Error| LedgerError::Unavailable(error.to_string());
        let kept = match keep_sessions {
            true => Some(self.work(keeping::read).map_err(unavailable)?),
            false => None,
        };
        match seeded(self, seeds, kept).map_err(unavailable)? {
            Ok(fresh) => overwrite(self, fresh.connection()).map(Ok),
            Err(conflict) => Ok(Err(conflict)),
        }
    }

    fn put_back(&mut self, name: &str) -> Result<Result<(), SnapshotError>, LedgerError> {
        let file = snapshots::file_of(self.path(), name);
        if !file.is_file() {
            return Ok(Err(SnapshotError::Missing(name.to_owned())));
        }
        let unavailable = |error: rusqlite::Error| LedgerError::Unavailable(error.to_string());
        let length = pages::length(self.connection()).map_err(unavailable)?;
        match open_saved(&file, &self.world().configured, length) {
            Ok(saved) => overwrite(self, &saved).map(Ok),
            Err(error) => Ok(Err(SnapshotError::Unfit(error.to_string()))),
        }
    }

    fn forget_account(&mut self, id: &ObjectId) -> rusqlite::Result<bool> {
        let Some(account) = self.work(|unit| forgetting::begin(unit, id))? else {
            return Ok(false);
        };
        self.flush()?;
        forget_rows(self.connection(), account)?;
        Ok(true)
    }
}

/// A ledger in memory as `store`, that holds nothing but seeds and what is kept.
fn seeded(
    store: &Store,
    seeds: Vec<SeedPlan>,
    kept: Option<Kept>,
) -> rusqlite::Result<Result<Store, SeedConflict>> {
    let mut fresh =
        store.like(schema::empty_test_ledger_of(pages::length(store.connection())?)?)?;
    fresh.begin()?;
    for seed in seeds {
        if let Err(conflict) = fresh.work(|unit| seeding::load(unit, seed))? {
            return Ok(Err(conflict));
        }
    }
    if let Some(kept) = kept {
        fresh.work(|unit| keeping::write(unit, kept))?;
    }
    fresh.flush()?;
    let committed = fresh.commit();
    committed
        .map_err(|(CommitError::RolledBack(why) | CommitError::Unknown(why))| failure(&why))?;
    Ok(Ok(fresh))
}

/// A saved ledger that can be put back: whole, for testing, of this schema or brought to it, and
/// with pages of this length.
fn open_saved(
    from: &Path,
    configured: &[Gateway],
    page_bytes: u32,
) -> Result<Connection, OpenError> {
    let sql = |error: rusqlite::Error| OpenError::sql(from, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let saved = Connection::open_with_flags(from, flags).map_err(sql)?;
    check_ownership(&saved, from)?;
    check_soundness(&saved, from)?;
    if !schema::is_test(&saved).map_err(sql)? {
        return Err(OpenError::Mark { path: from.to_owned(), is_test: false });
    }
    let spare = from.with_extension("unfinished");
    let saved = pages::of_length(saved, page_bytes, &spare).map_err(sql)?;
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
    pages::copy(saved, &mut current)?;
    schema::bring_up_to_date(&mut current)?;
    Ok(current)
}

/// Puts the pages of a ledger in the place of those of `store`, in one transaction.
fn overwrite(store: &mut Store, from: &Connection) -> Result<(), LedgerError> {
    pages::copy(from, store.connection_mut()).map_err(|error| match error.sqlite_error_code() {
        // They end a copy before its commit, and it is rolled back.
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            LedgerError::Unavailable(error.to_string())
        }
        _ => LedgerError::Unknown(error.to_string()),
    })?;
    store.begin_again().map_err(|error| LedgerError::Unknown(error.to_string()))
}

/// Takes out the account of a key and all that is its own, inside the open transaction.
fn forget_rows(connection: &Connection, account: AccountKey) -> rusqlite::Result<()> {
    let mut keepers = Vec::with_capacity(KEEPERS.len());
    for name in KEEPERS {
        let sql = "select sql from sqlite_schema where type = 'trigger' and name = ?1";
        keepers.push(connection.query_row(sql, [name], |row| row.get::<_, String>(0))?);
        connection.execute_batch(&format!("drop trigger {name}"))?;
    }
    for statement in OF_AN_ACCOUNT {
        // What is changed gets its sum below.
        let statement = statement.replace(" = null where", " = null, sum = null where");
        connection.execute(&statement, [account.0])?;
    }
    sums::renew(connection, AccountRow::TABLE, "sum is null", [])?;
    keepers.iter().try_for_each(|sql| connection.execute_batch(sql))
}
