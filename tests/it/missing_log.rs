//! A ledger's file without the log that belongs to it: it is never taken for a new ledger, nor a
//! part of it for the whole.

use crate::gateway::{EXTERNAL_ACCOUNT, FIFTY, TestGateway, external_refund, finish, program};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn run(folder: &TempDir, args: &[&str]) -> (Option<i32>, String) {
    let output: Output = finish(program(folder.path()).args(args));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn serve<'a>(ledger: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["serve", "--listen", "127.0.0.1:0", "--test", "--seed", "s.toml", "--ledger"];
    [args.as_slice(), &[ledger], more].concat()
}

#[test]
fn a_copy_without_its_log_is_told_from_a_ledger_that_was_closed() {
    let gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "20.00")]);
    assert_eq!(created.successes(), 1, "{created}");
    let copies = TempDir::new().unwrap();
    fs::write(copies.path().join("s.toml"), FIFTY).unwrap();
    fs::copy(gateway.ledger(), copies.path().join("copy.db")).unwrap();
    for args in on("copy.db") {
        let (code, said) = run(&copies, &args);
        assert_eq!(code, Some(6), "{args:?}: {said}");
        assert!(said.contains("its log (copy.db-wal) is missing"), "{args:?}: {said}");
        assert!(said.contains("refund-gateway backup"), "{args:?}: {said}");
    }
    assert!(!gateway.stderr().contains("is missing"), "{}", gateway.stderr());
}

/// Regression: the log was looked for beside the link and not beside the file, so that a ledger
/// that is named by a link was refused after a kill.
#[test]
fn the_log_of_a_ledger_that_is_named_by_a_link_is_beside_its_file() {
    let folder = TempDir::new().unwrap();
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    symlink(gateway.ledger(), folder.path().join("link.db")).unwrap();
    let session = gateway.login();
    let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "20.00")]);
    assert_eq!(created.successes(), 1, "{created}");
    let check = ["check", "--ledger", "link.db"];
    assert_eq!(run(&folder, &check).0, Some(0), "while it is served");
    gateway.kill9();
    let (code, said) = run(&folder, &check);
    assert_eq!(code, Some(0), "{said}");
}

/// What opens a ledger, to write to it and to read it.
fn on(ledger: &str) -> [Vec<&str>; 5] {
    [
        serve(ledger, &[]),
        vec!["seed", "s.toml", "--ledger", ledger],
        vec!["check", "--ledger", ledger],
        vec!["user", "set-password", "demo@example.com", "--ledger", ledger],
        vec!["events", "--ledger", ledger],
    ]
}

/// Regression: a copy beside a running gateway served the opening balance again, whether it was
/// made before or after the log was written back.
#[test]
fn a_plain_copy_beside_a_running_gateway_never_has_its_opening_balance_again() {
    let gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "50.00")]);
    assert_eq!(created.successes(), 1, "{created}");
    let copies = TempDir::new().unwrap();
    fs::write(copies.path().join("s.toml"), FIFTY).unwrap();
    fs::copy(gateway.ledger(), copies.path().join("before.db")).unwrap();
    let started = Instant::now();
    while Connection::open(copy_of(&gateway, &copies, "after.db"))
        .unwrap()
        .query_row("select units from balance", [], |row| row.get::<_, i64>(0))
        .unwrap()
        != 0
    {
        assert!(started.elapsed() < Duration::from_secs(60), "the log is not written back");
        thread::sleep(Duration::from_millis(50));
    }
    for (name, is_whole) in [("before.db", false), ("after.db", true)] {
        let (code, said) = run(&copies, &serve(name, &[]));
        assert_eq!(code, Some(6), "{name}: {said}");
        let accepted = ["restore", name, "taken.db", "--accept-missing-log"];
        let (code, said) = run(&copies, &accepted);
        assert_eq!(code, Some(0), "{name}: {said}");
        let table = finish(program(copies.path()).args(["check", "--ledger", "taken.db"]));
        let table = String::from_utf8_lossy(&table.stdout).into_owned();
        assert_eq!(table.contains(", 1 refunds,"), is_whole, "{name}: {table}");
        fs::remove_file(copies.path().join("taken.db")).unwrap();
    }
}

fn copy_of(gateway: &TestGateway, copies: &TempDir, name: &str) -> PathBuf {
    let copy = copies.path().join(name);
    fs::copy(gateway.ledger(), &copy).unwrap();
    copy
}

/// Regression: SQLite reads a log up to its first damaged frame, so one flipped bit made every
/// refund after it vanish, and their money was there again.
#[test]
fn a_flipped_bit_early_in_the_log_is_exit_6() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    for _ in 0..10 {
        let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
        assert_eq!(created.successes(), 1, "{created}");
    }
    gateway.kill9();
    let copies = TempDir::new().unwrap();
    fs::write(copies.path().join("s.toml"), FIFTY).unwrap();
    let log = fs::read(gateway.folder().join("ledger.db-wal")).unwrap();
    // The header, the head of the first frame, its page; the last frame may be a torn write.
    for (at, is_told) in [(3, true), (20, true), (40, true), (500, true), (log.len() - 9, false)] {
        fs::copy(gateway.ledger(), copies.path().join("l.db")).unwrap();
        let mut log = log.clone();
        log[at] ^= 4;
        fs::write(copies.path().join("l.db-wal"), log).unwrap();
        for args in on("l.db").into_iter().filter(|args| is_told || args[0] == "check") {
            let (code, said) = run(&copies, &args);
            assert_eq!(code, Some(if is_told { 6 } else { 0 }), "{at} {args:?}: {said}");
            assert!(!is_told || said.contains("of its log is damaged"), "{at}: {said}");
        }
    }
    gateway.restart();
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "40.00");
}

#[test]
fn what_is_no_ledger_is_told_as_that() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("s.toml"), FIFTY).unwrap();
    fs::write(place.path().join("text.db"), "account,balance\nA1,50.00\n").unwrap();
    let other = Connection::open(place.path().join("other.db")).unwrap();
    other.execute_batch("create table account (id text); pragma user_version = 3").unwrap();
    other.close().unwrap();
    let others = [("text.db", "SQLite file"), ("other.db", "no ledger of this program")];
    for (name, sentence) in others {
        let before = fs::read(place.path().join(name)).unwrap();
        for args in on(name) {
            let (code, said) = run(&place, &args);
            assert_eq!(code, Some(6), "{args:?}: {said}");
            assert!(said.contains(sentence) && said.contains("hint: "), "{args:?}: {said}");
        }
        assert_eq!(fs::read(place.path().join(name)).unwrap(), before, "{name} is as it was");
    }
    fs::write(place.path().join("empty.db"), "").unwrap();
    let (code, said) = run(&place, &["user", "set-password", "x", "--ledger", "empty.db"]);
    assert_eq!(code, Some(3), "{said}");
    let (code, said) = run(&place, &["backup", "copy.db", "--ledger", "empty.db"]);
    assert_eq!(code, Some(3), "{said}");
    for device in ["/dev/null", "."] {
        let (code, said) = run(&place, &serve(device, &[]));
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("is no regular file"), "{said}");
    }
}

#[test]
fn the_main_file_has_schema_mark_and_seed_before_the_first_answer() {
    let gateway = TestGateway::seeded(FIFTY, &[]);
    let copies = TempDir::new().unwrap();
    let copy = copies.path().join("copy.db");
    fs::copy(gateway.ledger(), &copy).unwrap();
    let copy = Connection::open(copy).unwrap();
    let number = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("select count(*) from account"), 1);
    assert_eq!(number("select count(*) from meta where key in ('kind', 'open_since')"), 2);
}

#[test]
fn a_kill_leaves_a_log_and_a_clean_end_leaves_none() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    for round in 0..10 {
        if round % 2 == 0 {
            gateway.kill9();
        } else {
            assert!(gateway.terminate().success());
            let log = fs::metadata(gateway.folder().join("ledger.db-wal"));
            assert!(log.map_or(0, |log| log.len()) == 0, "round {round}");
        }
        gateway.balances();
        gateway.restart();
        let session = gateway.login();
        let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
        assert_eq!(created.successes(), 1, "{created}");
    }
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "40.00");
}

#[test]
fn a_file_without_schema_and_mark_is_exit_6() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("s.toml"), FIFTY).unwrap();
    let bare = Connection::open(place.path().join("bare.db")).unwrap();
    bare.query_row("pragma journal_mode = wal", [], |_| Ok(())).unwrap();
    bare.close().unwrap();
    for args in [
        serve("bare.db", &[]),
        vec!["seed", "s.toml", "--ledger", "bare.db"],
        vec!["check", "--ledger", "bare.db"],
        vec!["user", "set-password", "demo@example.com", "--ledger", "bare.db"],
        vec!["events", "--ledger", "bare.db"],
    ] {
        let (code, said) = run(&place, &args);
        assert_eq!(code, Some(6), "{args:?}: {said}");
        assert!(said.contains("bare.db is no whole ledger") && said.contains("hint: "), "{said}");
    }
}

#[test]
fn check_sees_a_value_that_no_row_may_have() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("s.toml"), FIFTY).unwrap();
    assert_eq!(run(&place, &["seed", "s.toml", "--ledger", "l.db"]).0, Some(0));
    assert_eq!(run(&place, &["check", "--ledger", "l.db"]).0, Some(0));
    let ledger = Connection::open(place.path().join("l.db")).unwrap();
    ledger.execute_batch("pragma ignore_check_constraints = on").unwrap();
    ledger
        .execute_batch("update balance set units = -1; update account_row set opening = -1")
        .unwrap();
    ledger.close().unwrap();
    let output = finish(program(place.path()).args(["check", "--ledger", "l.db"]));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(6), "{table}");
    for failed in ["balance", "account_row"] {
        assert!(table.contains(&format!("CHECK constraint failed in {failed}")), "{table}");
    }
}
