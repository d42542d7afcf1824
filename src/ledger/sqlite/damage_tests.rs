//! What an audit finds, and what damage does to a ledger that is served.

use super::tests::{at, draft, options, plan, request, rows, seeded};
use super::*;
use crate::domain::query::{Condition, QueryObject, Test, TypedQuery};
use crate::domain::zoql::Comparator;
use crate::ledger::query::{Find, Queries, Start};
use crate::ledger::{Bookkeeping, Health, LedgerError, Sessions, UserKey};
use std::fs;

/// What the tables of refunds and entries do not check themselves is found by an audit.
#[tokio::test]
async fn an_audit_finds_rows_that_none_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    rows(&ledger, vec![draft("External", "1"), draft("External", "2")]).await;
    drop(ledger);
    let sound = fs::read(&path).unwrap();
    for (change, found) in [
        (
            "update refund_row set method_type = 10, sum = null where number = 2",
            "refund_row.method_type holds a value that this program does not know",
        ),
        (
            "update refund_row set status = 1, sum = null where number = 1",
            "the row 1 of refund_row: it is in Processing and not electronic",
        ),
        (
            "update refund_row set salt = 1 << 24, sum = null where number = 1",
            "the row 1 of refund_row: its salt has more than 24 bits",
        ),
        (
            "insert into entry_row (account, kind, delta, balance, refund, at_ms) \
          values (1, 0, 1, 1, 1, 1)",
            "of entry_row: its kind does not move a balance this way",
        ),
        (
            "insert into entry_row (account, kind, delta, balance, adjustment, at_ms) \
          values (1, 2, 1, 1, 1, 1)",
            "of entry_row: its refund does not fit its kind",
        ),
        (
            "update refund_row set created_by = 9 where number = 1",
            "a row of refund refers to nothing",
        ),
        ("update refund_row set previous = null where number = 2", "does not lead to its account"),
        ("update balance set newest_refund = 1", "account A1: its balance does not lead"),
        ("update balance set newest_entry = 1", "its balance does not lead to its newest entry"),
        ("update refund_row set entry = 1 where number = 2", "is not one of its own"),
        ("update refund_row set audit = 9 where number = 2", "the record of the call that made it"),
        ("delete from balance", "an account and a balance do not belong together"),
        (
            "insert into entry_row (account, kind, delta, balance, refund, at_ms) \
          values (7, 0, -1, 1, 1, 1)",
            "a row of entry refers to nothing",
        ),
        ("insert into audit_row (at_ms, source) values (1, 99)", "who acted is not there"),
    ] {
        fs::write(&path, &sound).unwrap();
        let changed = rusqlite::Connection::open(&path).unwrap();
        changed.execute_batch(change).unwrap();
        sums::renew_all(&changed);
        drop(changed);
        let problems = SqliteLedger::audit_file(&path).unwrap().findings.problems;
        assert!(problems.iter().any(|problem| problem.contains(found)), "{change}: {problems:?}");
    }
}

/// Overwrites the first page of a table or an index.
fn damage(path: &Path, name: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let root = "select rootpage from sqlite_schema where name = ?1";
    let root: u32 = connection.query_row(root, [name], |row| row.get(0)).unwrap();
    let root = usize::try_from(root).unwrap();
    let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    let page = usize::try_from(page).unwrap();
    drop(connection);
    let mut bytes = fs::read(path).unwrap();
    bytes[(root - 1) * page..root * page].fill(0xA5);
    fs::write(path, bytes).unwrap();
}

/// Nothing reads this table but a settlement.
#[tokio::test]
async fn damage_that_is_found_beside_serving_ends_writing_and_not_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    damage(&path, "settlement_event");
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    assert_eq!(ledger.damage(), None);
    ledger.begin_check();
    while ledger.damage().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let refused = ledger.create(request(vec![draft("External", "10")], None)).await;
    assert!(matches!(&refused, Err(LedgerError::Damaged(why)) if why.contains("restore")));
    assert!(matches!(ledger.load_seed(plan()).await, Err(LedgerError::Damaged(_))));
    assert!(matches!(ledger.probe().await, Err(LedgerError::Damaged(_))));
    assert!(ledger.find_user("demo").await.unwrap().is_some());
    drop(ledger);
    let existing = OpenOptions { mode: OpenMode::Existing, ..options(true) };
    let opened = SqliteLedger::open(&path, &existing).err();
    assert!(matches!(opened, Some(OpenError::Damaged { .. })), "{opened:?}");
}

#[tokio::test]
async fn damage_that_a_request_meets_ends_writing_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    damage(&path, "sqlite_autoindex_account_row_1");
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    let failed = ledger.create(request(vec![draft("External", "10")], None)).await;
    assert!(matches!(failed, Err(LedgerError::Damaged(_))));
    assert!(ledger.damage().is_some());
    assert!(matches!(ledger.probe().await, Err(LedgerError::Damaged(_))));
}

#[tokio::test]
async fn a_sound_ledger_stays_so_and_a_check_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    ledger.begin_check();
    ledger.begin_check();
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    assert_eq!(ledger.damage(), None);
    drop(ledger);
    let log = folder.path().join("ledger.db-wal");
    assert!(!log.exists(), "a clean end leaves no log");
}

#[tokio::test]
async fn newest_rows_that_contradict_each_other_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    drop(ledger);
    for (wrong, detail) in [
        ("update balance set units = 4001", "entry 1 left a balance of 4000"),
        ("update refund_row set amount = 999", "refund R-00000001 has no entry of its amount"),
        ("update refund_row set entry = 2", "refund R-00000001 has no entry of its amount"),
        ("update refund_row set number = 2", "entry 1 is of the refund R-00000001"),
        (
            "insert into meta (key, value) values ('last_deleted_refund', '1')",
            "refund R-00000001 was deleted",
        ),
        (
            "insert into meta (key, value) values ('last_key_account', '1x')",
            "the counter last_key_account",
        ),
        (
            "insert into meta (key, value) values ('session_counter', '-1')",
            "the counter session_counter",
        ),
    ] {
        let copy = folder.path().join("copy.db");
        fs::copy(&path, &copy).unwrap();
        let connection = rusqlite::Connection::open(&copy).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute(wrong, []).unwrap();
        drop(connection);
        let before = fs::read(&copy).unwrap();
        let Some(OpenError::Damaged { detail: found, .. }) =
            SqliteLedger::open(&copy, &options(true)).err()
        else {
            panic!("{wrong}");
        };
        assert!(found.contains(detail), "{wrong}: {found}");
        assert!(fs::read(&copy).unwrap() == before, "it is left as it was");
    }
    assert!(SqliteLedger::open(&path, &options(true)).is_ok());
}

/// What the writer and the readers meet is compared with its sum, without any check of the whole
/// file beside.
#[tokio::test]
async fn a_row_that_is_not_what_was_written_is_damage_when_it_is_read() {
    let number = Test::Text(Comparator::Equal, "R-00000001".to_owned());
    let find = |object, field: &str| Find {
        user: UserKey(1),
        start: Start::Query(TypedQuery {
            object,
            fields: vec!["Id".to_owned(), field.to_owned()],
            conditions: match object {
                QueryObject::Refund => {
                    let field = "RefundNumber".to_owned();
                    vec![vec![Condition { field, test: number.clone() }]]
                }
                _ => Vec::new(),
            },
            case_sensitive: false,
        }),
        rows_max: 10,
        at: at(0),
        deadline: std::time::Instant::now() + std::time::Duration::from_secs(600),
    };
    let session = "insert into session (token_hash, user, last_used_ms, sum) \
                   values (zeroblob(32), 1, 1, 0)";
    for (table, change) in [
        ("balance", "update balance set units = 3999"),
        ("account_row", "update account_row set opening = 5001"),
        ("payment_method", "update payment_method set gateway = 'x'"),
        ("user", "update user set permissions = permissions + 1"),
        ("session", session),
        ("idempotency", "update idempotency set answer = cast(answer || x'00' as blob)"),
        ("refund_row", "update refund_row set amount = 1001"),
        ("entry_row", "drop trigger entry_is_never_updated; update entry_row set delta = -1001"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = seeded(&path).await;
        let ask = || request(vec![draft("External", "10")], Some(("key", 1)));
        ledger.create(ask()).await.unwrap();
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "foreign_keys", false).unwrap();
        other.execute_batch(change).unwrap();
        let failed = match table {
            "user" => ledger.find_user("demo").await.map(|_| ()),
            "session" => ledger.find_session([0; 32]).await.map(|_| ()),
            "idempotency" => ledger.create(ask()).await.map(|_| ()),
            "refund_row" => ledger.find(find(QueryObject::Refund, "Amount")).await.map(|_| ()),
            "entry_row" => {
                let object = QueryObject::CreditBalanceAdjustment;
                ledger.find(find(object, "Amount")).await.map(|_| ())
            }
            _ => ledger.create(request(vec![draft("External", "1")], None)).await.map(|_| ()),
        };
        let said = match failed {
            Err(LedgerError::Damaged(said)) => said,
            other => panic!("{change}: {other:?}"),
        };
        assert!(said.contains("is not what was written there"), "{change}: {said}");
        assert!(ledger.damage().is_some(), "{change}");
    }
}
