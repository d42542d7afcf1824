//! Opening a ledger file: create or recognise it, refuse what is damaged, newer or another's.

use super::books::{self, Texts};
use super::readers::SqliteReader;
use super::schema::{APPLICATION_ID, SCHEMA_VERSION, bring_up_to_date, kind, mark};
use super::soundness::check_soundness;
use super::store::Store;
use super::{pages, sums, whole};
use crate::domain::facts::Gateway;
use crate::ledger::file::{Identity, OpenError, has_log, is_new, log, making};
use crate::ledger::opening::{OpenMode, OpenOptions};
use crate::ledger::test_bench::TEST_KIND;
use crate::ledger::{checks, world};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Below it SQLite can corrupt a log that two connections write back at the same moment.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// The first bytes of every SQLite file.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How much of the file the writer keeps in memory, so that a debit does not read pages again.
const WRITER_CACHE_KIB: i64 = 64 << 10;
/// How many pages the log has when what it holds is put into the main file: 16 MiB of new ledgers,
/// and within the limit to which the log is cut then.
const CHECKPOINT_PAGES: u32 = 8_000;
/// How long another program's lock is waited for.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the file for the writer and loads what it keeps in memory.
pub(super) fn open_store(path: &Path, options: &OpenOptions) -> Result<Store, OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::OldSqlite { found: rusqlite::version() });
    }
    let is_new = is_new(path, options.mode)?;
    if !is_new {
        check_magic(path)?;
    }
    let had_log = has_log(path);
    log::check_log(path)?;
    let sql = |error: &rusqlite::Error| OpenError::sql(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|e| sql(&e))?;
    if !is_new {
        // First of all, because configuring would already change a file that is another's.
        check_existing(&connection, path, options, had_log)?;
    }
    configure(&connection).map_err(|e| sql(&e))?;
    if !is_new {
        check_before_writing(&connection, path, options.mode)?;
    }
    migrate(&mut connection, path)?;
    check_mark(&connection, path, options.mode)?;
    keep_a_log(&connection).map_err(|e| sql(&e))?;
    let configured = options.settings.gateways.clone();
    check_gateways(&connection, path, &configured)?;
    let events = options.settings.events;
    let io = |error: &std::io::Error| OpenError::io(path, error);
    let identity = Identity::of(path).map_err(|e| io(&e))?;
    let store = Store::load(connection, identity, options.id_seed, configured, events);
    let mut store = store.map_err(|e| sql(&e))?;
    store.say_open().map_err(|e| sql(&e))?;
    store.know_its_log().map_err(|e| io(&e))?;
    Ok(store)
}

/// Refuses what is another's, what is not whole, and what lost its log.
fn check_existing(
    connection: &Connection,
    path: &Path,
    options: &OpenOptions,
    had_log: bool,
) -> Result<(), OpenError> {
    whole::keep_log_on_close(connection).map_err(|error| OpenError::sql(path, &error))?;
    check_ownership(connection, path)?;
    if !whole::is_whole(connection, path)? {
        return match options.mode {
            OpenMode::Existing => Err(OpenError::NotWhole { path: path.to_owned() }),
            OpenMode::CreateOrOpen { .. } | OpenMode::CreateOrOpenAny => Ok(()),
        };
    }
    whole::check_not_parted(connection, path, had_log)
}

/// Refuses a configured gateway whose name a seeded one has: an order of one must never be paid, or
/// asked about, by the other.
pub(super) fn check_gateways(
    connection: &Connection,
    path: &Path,
    configured: &[Gateway],
) -> Result<(), OpenError> {
    let seeded = books::all(connection).and_then(|rows| Ok(world::gateways_of(rows)?));
    let seeded = seeded.map_err(|error| OpenError::sql(path, &error))?;
    let is_seeded = |name: &str| seeded.iter().any(|(gateway, _)| gateway.name == name);
    match configured.iter().find(|gateway| is_seeded(&gateway.name)) {
        None => Ok(()),
        Some(twice) => {
            Err(OpenError::GatewayTwice { path: path.to_owned(), name: twice.name.clone() })
        }
    }
}

/// A file that is no SQLite file at all is damaged or another's; SQLite would say so much later.
pub(super) fn check_magic(path: &Path) -> Result<(), OpenError> {
    let mut head = Vec::with_capacity(SQLITE_MAGIC.len());
    let length = u64::try_from(SQLITE_MAGIC.len()).unwrap_or(u64::MAX);
    fs::File::open(path)
        .and_then(|file| file.take(length).read_to_end(&mut head))
        .map_err(|error| OpenError::io(path, &error))?;
    if head == SQLITE_MAGIC {
        return Ok(());
    }
    if making::is_unfinished(path).is_ok_and(|is_unfinished| is_unfinished) {
        return Err(OpenError::Unfinished { path: path.to_owned() });
    }
    let detail = "its first bytes are not those of an SQLite file".to_owned();
    Err(OpenError::Damaged { path: path.to_owned(), detail })
}

pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    pages::choose(connection, pages::PAGE_BYTES)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(64);
    sums::add_function(connection)?;
    keep_plans(connection)
}

/// Has a statement keep the plan that it was prepared with. Otherwise SQLite looks at the value of
/// a bound `limit` and prepares the statement anew whenever one is bound, which costs many times
/// what finding a row does.
pub(super) fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// Turns the journal into a write-ahead log, once schema and mark are in the main file.
fn keep_a_log(connection: &Connection) -> rusqlite::Result<()> {
    let wal = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", wal)?;
    if mode != "wal" {
        // What the writer knows of failed commits holds for a write-ahead log alone.
        return Err(rusqlite::Error::InvalidParameterName(format!(
            "its journal cannot be a write-ahead log here, but stays `{mode}`"
        )));
    }
    Ok(())
}

pub(super) fn check_ownership(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let sql = |error: &rusqlite::Error| OpenError::sql(path, error);
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let found = number("user_version").map_err(|e| sql(&e))?;
    let application = number("application_id").map_err(|e| sql(&e))?;
    if application != i64::from(APPLICATION_ID) {
        // A ledger whose creation was cut short has no tables yet, and no mark.
        let tables = "select count(*) from sqlite_schema";
        let tables: i64 =
            connection.query_row(tables, [], |row| row.get(0)).map_err(|e| sql(&e))?;
        if tables > 0 || found > 0 {
            return Err(OpenError::NotALedger { path: path.to_owned() });
        }
    }
    if found > SCHEMA_VERSION {
        let path = path.to_owned();
        return Err(OpenError::NewerSchema { path, found, known: SCHEMA_VERSION });
    }
    Ok(())
}

/// Refuses a damaged ledger before anything is written to it: the newest rows are always looked at,
/// and all of the file where nothing is served meanwhile, or where a migration reads all of it
/// anyway.
fn check_before_writing(
    connection: &Connection,
    path: &Path,
    mode: OpenMode,
) -> Result<(), OpenError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let version: i64 = version.map_err(|error| OpenError::sql(path, &error))?;
    let is_current = version == SCHEMA_VERSION;
    if !is_current || !matches!(mode, OpenMode::CreateOrOpen { .. }) {
        check_soundness(connection, path)?;
    }
    if is_current { check_newest(connection, path) } else { Ok(()) }
}

/// Refuses a ledger of the current schema whose last rows and counters contradict each other, or
/// whose knowledge of itself is not what was written.
fn check_newest(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let mut texts = Texts::default();
    let found = checks::contradiction(&mut SqliteReader::new(connection, &mut texts));
    match found.map_err(|error| OpenError::sql(path, &error.into()))? {
        None => Ok(()),
        Some(detail) => Err(OpenError::Damaged { path: path.to_owned(), detail }),
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    bring_up_to_date(connection).map_err(|error| OpenError::sql(path, &error))
}

/// Marks a new ledger, once and for all, and checks the mark of an old one.
fn check_mark(connection: &Connection, path: &Path, mode: OpenMode) -> Result<(), OpenError> {
    let sql = |error: &rusqlite::Error| OpenError::sql(path, error);
    let wanted = matches!(mode, OpenMode::CreateOrOpen { test: true });
    let Some(stored) = kind(connection).map_err(|e| sql(&e))? else {
        return mark(connection, wanted).map_err(|e| sql(&e));
    };
    let is_test = stored == TEST_KIND;
    match mode {
        OpenMode::CreateOrOpen { test } if test != is_test => {
            Err(OpenError::Mark { path: path.to_owned(), is_test })
        }
        _ => Ok(()),
    }
}
