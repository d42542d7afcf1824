//! What only a test ledger lets be done with it.

use super::tests::{ACCOUNT, draft, options, plan, plan_of, rows};
use super::*;
use crate::domain::id::ObjectId;
use crate::ledger::file::snapshots;
use crate::ledger::test_bench::{SnapshotError, TestBench};
use crate::ledger::{Bookkeeping, Sessions};
use std::fs;

#[tokio::test]
async fn only_a_test_ledger_of_this_schema_is_put_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let other = snapshots::file_of(&path, "other");
    fs::create_dir(other.parent().unwrap()).unwrap();
    drop(SqliteLedger::open(&other, &options(false)).unwrap());
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let put_back = async || ledger.put_back("other".to_owned()).await.unwrap();
    let refused = put_back().await.unwrap_err().to_string();
    assert!(refused.contains("not a test ledger"), "{refused}");
    fs::remove_file(&other).unwrap();
    assert!(matches!(put_back().await, Err(SnapshotError::Missing(_))));
    ledger.save("other".to_owned()).await.unwrap().unwrap();
    put_back().await.unwrap();
    let saved = Connection::open(&other).unwrap();
    saved.pragma_update(None, "user_version", schema::SCHEMA_VERSION + 1).unwrap();
    drop(saved);
    let refused = put_back().await.unwrap_err().to_string();
    assert!(refused.contains("this program knows"), "{refused}");
    assert!(ledger.find_user("demo").await.unwrap().is_some());
}

#[tokio::test]
async fn what_an_older_version_saved_is_brought_up_to_date() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let old = snapshots::file_of(&path, "old");
    fs::create_dir(old.parent().unwrap()).unwrap();
    let saved = Connection::open(&old).unwrap();
    saved.execute_batch(&schema::SCHEMA[..2].concat()).unwrap();
    saved.pragma_update(None, "user_version", 2).unwrap();
    saved.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    let kind = "insert into meta (key, value) values ('kind', 'test')";
    saved.execute(kind, []).unwrap();
    let user = "insert into user (id, username, password_hash, permissions) \
                values ('00000000000000000000000000000001', 'old', 'hash', 63)";
    saved.execute(user, []).unwrap();
    drop(saved);
    let before = fs::read(&old).unwrap();
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    ledger.put_back("old".to_owned()).await.unwrap().unwrap();
    assert!(ledger.find_user("old").await.unwrap().is_some());
    ledger.load_seed(plan()).await.unwrap().unwrap();
    rows(&ledger, vec![draft("External", "5")]).await;
    assert_eq!(fs::read(&old).unwrap(), before);
}

#[tokio::test]
async fn a_ledger_begins_anew_with_all_of_its_seeds_or_stays_as_it_was() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    rows(&ledger, vec![draft("External", "5")]).await;
    let other = plan_of(|account| account.name = "Two".to_owned());
    ledger.begin_anew(vec![plan(), other.clone()], false).await.unwrap().unwrap_err();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().refunds, 1);
    let id = ObjectId::parse(ACCOUNT).unwrap();
    let both = vec![plan(), other];
    ledger.renew_account(id.clone(), both).await.unwrap().unwrap_err();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().refunds, 1);
    ledger.begin_anew(vec![plan()], false).await.unwrap().unwrap();
    let audit = SqliteLedger::audit_file(&path).unwrap();
    assert_eq!((audit.refunds, audit.accounts.len(), audit.findings.problems.len()), (0, 1, 0));
    rows(&ledger, vec![draft("External", "5")]).await;
    let events = EventFile::open(&path).unwrap();
    assert!(events.are_kept().unwrap());
    assert_eq!(events.after(0, 9).unwrap().len(), 1);
    assert!(ledger.renew_account(id.clone(), vec![plan()]).await.unwrap().unwrap());
    let unknown = ObjectId::parse(&"0".repeat(32)).unwrap();
    assert!(!ledger.renew_account(unknown, vec![plan()]).await.unwrap().unwrap());
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().refunds, 0);
    ledger.renew_account(id, Vec::new()).await.unwrap().unwrap();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().accounts.len(), 0);
}

/// A ledger's pages keep the length that its version gave them; a snapshot may have another.
#[tokio::test]
async fn ledgers_and_snapshots_with_longer_pages_are_reset_and_put_back() {
    let folder = TempDir::new().unwrap();
    let [old, new] = ["old.db", "new.db"].map(|name| folder.path().join(name));
    drop(SqliteLedger::open(&old, &options(true)).unwrap());
    let file = Connection::open(&old).unwrap();
    file.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).unwrap();
    file.execute_batch("pragma page_size = 4096; vacuum").unwrap();
    drop(file);
    let length = |path: &Path| pages::length(&Connection::open(path).unwrap()).unwrap();
    for (path, bytes) in [(&old, 4_096), (&new, pages::PAGE_BYTES)] {
        let ledger = SqliteLedger::open(path, &options(true)).unwrap();
        ledger.load_seed(plan()).await.unwrap().unwrap();
        rows(&ledger, vec![draft("External", "5")]).await.remove(0).unwrap();
        ledger.begin_anew(vec![plan()], false).await.unwrap().unwrap();
        ledger.save("own".to_owned()).await.unwrap().unwrap();
        drop(ledger);
        assert_eq!([length(path), length(&snapshots::file_of(path, "own"))], [bytes; 2]);
    }
    for (path, other) in [(&old, &new), (&new, &old)] {
        let saved = snapshots::file_of(other, "own");
        fs::copy(saved, snapshots::file_of(path, "theirs")).unwrap();
        let ledger = SqliteLedger::open(path, &options(true)).unwrap();
        rows(&ledger, vec![draft("External", "5")]).await.remove(0).unwrap();
        let before = length(path);
        ledger.put_back("theirs".to_owned()).await.unwrap().unwrap();
        // All of the balance is there again.
        rows(&ledger, vec![draft("External", "50")]).await.remove(0).unwrap();
        drop(ledger);
        assert_eq!(length(path), before);
        let folder = snapshots::file_of(path, "own").parent().unwrap().to_owned();
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
        let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, ["own.db", "theirs.db"]);
        assert!(SqliteLedger::audit_file(path).unwrap().findings.problems.is_empty());
    }
}
