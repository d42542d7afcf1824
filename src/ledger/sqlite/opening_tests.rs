//! The file itself: what is opened and refused, marks, locks, a full disk, a clean end.

use super::tests::{draft, options, request, rows, seeded};
use super::*;
use crate::ledger::books::BooksError;
use crate::ledger::engine::Engine;
use crate::ledger::work::creating;
use crate::ledger::{Bookkeeping, Health, LedgerError, Sessions};
use std::fs;
use std::path::Path;

#[test]
fn what_is_no_sound_ledger_of_this_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| SqliteLedger::open(&folder.path().join(name), &options(false)).err();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("garbage"), b"this is no database, whatever its name says").unwrap();
    assert!(matches!(open("garbage"), Some(OpenError::Damaged { .. })));
    let other = rusqlite::Connection::open(path("other")).unwrap();
    other.execute_batch("create table other (x)").unwrap();
    assert!(matches!(open("other"), Some(OpenError::NotALedger { .. })));
    drop(SqliteLedger::open(&path("newer"), &options(false)).unwrap());
    let newer = rusqlite::Connection::open(path("newer")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    assert!(matches!(open("newer"), Some(OpenError::NewerSchema { found: 99, .. })));
    drop(SqliteLedger::open(&path("torn"), &options(false)).unwrap());
    let mut bytes = fs::read(path("torn")).unwrap();
    bytes[2_100..9_000].fill(0xA5);
    fs::write(path("torn"), bytes).unwrap();
    assert!(matches!(open("torn"), Some(OpenError::Damaged { .. })));
}

#[test]
fn the_mark_and_the_lock_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    let second = SqliteLedger::open(&path, &options(true)).err();
    assert!(matches!(second, Some(OpenError::InUse { .. })));
    drop(ledger);
    let unmarked = SqliteLedger::open(&path, &options(false)).err();
    assert!(matches!(unmarked, Some(OpenError::Mark { is_test: true, .. })));
    let any = OpenOptions { mode: OpenMode::Existing, ..options(false) };
    assert!(SqliteLedger::open(&path, &any).is_ok());
    let missing = SqliteLedger::open(&folder.path().join("none.db"), &any).err();
    assert!(matches!(missing, Some(OpenError::Missing { .. })));
}

#[tokio::test]
async fn an_emptied_file_beside_its_log_is_damage_and_not_a_new_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let copy = folder.path().join("copy.db");
    let ledger = seeded(&path).await;
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    fs::copy(folder.path().join("ledger.db-wal"), folder.path().join("copy.db-wal")).unwrap();
    fs::write(&copy, b"").unwrap();
    let opened = SqliteLedger::open(&copy, &options(true)).err();
    assert!(matches!(opened, Some(OpenError::Damaged { .. })));
    assert!(fs::metadata(folder.path().join("copy.db-wal")).unwrap().len() > 0);
}

#[tokio::test]
async fn a_clean_end_leaves_one_file_and_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    ledger.find_user("demo").await.unwrap().unwrap();
    drop(ledger);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["ledger.db", "ledger.db.lock"]);
}

#[tokio::test]
async fn a_ledger_that_was_removed_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    fs::rename(&path, folder.path().join("elsewhere.db")).unwrap();
    let refused = ledger.create(request(vec![draft("External", "10")], None)).await;
    assert!(matches!(refused, Err(LedgerError::Unavailable(why)) if why.contains("removed")));
    assert!(ledger.probe().await.is_err());
    fs::rename(folder.path().join("elsewhere.db"), &path).unwrap();
    assert!(rows(&ledger, vec![draft("External", "10")]).await[0].is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn neither_another_name_nor_a_removed_lock_file_lets_a_second_process_in() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("ledger.db"), folder.path().join("other.db"));
    let _ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    fs::hard_link(&path, &other).unwrap();
    fs::remove_file(folder.path().join("ledger.db.lock")).unwrap();
    for name in [path, other] {
        let second = SqliteLedger::open(&name, &options(true)).err();
        assert!(matches!(second, Some(OpenError::InUse { .. })));
    }
}

/// Regression: a dangling link by the name of the lock had the file made that it leads to.
#[test]
fn a_link_by_the_name_of_the_lock_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("ledger.db"), folder.path().join("other"));
    std::os::unix::fs::symlink(&other, folder.path().join("ledger.db.lock")).unwrap();
    assert!(matches!(SqliteLedger::open(&path, &options(true)).err(), Some(OpenError::Io { .. })));
    assert!(!other.exists());
}

/// The disk is full: SQLite itself refuses to let the file grow.
#[tokio::test]
async fn a_full_disk_faults_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    let mut store = open::open_store(&path, &options(true)).unwrap();
    let pages: i64 =
        store.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection().pragma_update(None, "max_page_count", pages).unwrap();
    let mut acknowledged = 0;
    let failed = loop {
        store.begin().unwrap();
        let one = request(vec![draft("External", "0.01")], None);
        let created = store.work(|unit| creating::create(unit, &one)).and_then(|_| store.flush());
        let created = created.map_err(|error| error.to_string());
        match created.and_then(|()| store.commit().map_err(|error| format!("{error:?}"))) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(failed.contains("disk is full"), "{failed}");
    store.roll_back().unwrap();
    store.close(false).unwrap();
    let audit = SqliteLedger::audit_file(&path).unwrap();
    assert_eq!((audit.findings.problems.len(), audit.refunds), (0, acknowledged));
    assert!(acknowledged > 0);
}

/// Regression: a flipped bit in the text of a view made `check` end as if the file could not be
/// read, and not as with damage.
#[test]
fn a_column_or_a_table_that_is_missing_is_damage_however_it_is_met() {
    let sorted = |words: &str| {
        let error = rusqlite::Error::from(BooksError::Engine(words.to_owned()));
        OpenError::sql(Path::new("ledger.db"), &error)
    };
    for words in ["no such column: cancelhed_ms", "no such table: balance"] {
        assert!(matches!(sorted(words), OpenError::Damaged { .. }), "{words}");
    }
    assert!(matches!(sorted("disk I/O error"), OpenError::Io { .. }));
}
