//! A ledger's file without the log that belongs to it: it is never taken for a new ledger, nor a
//! part of it for the whole.

use crate::gateway::{EXTERNAL_ACCOUNT, FIFTY, TestGateway, external_refund, finish, program};
use rusqlite::Connection;
use std::fs;
use std::process::Output;
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
    let copied = TestGateway::start_in(copies, &["--test", "--ledger", "copy.db"]);
    copied.until_it_says("was not closed");
    assert!(!gateway.stderr().contains("was not closed"), "{}", gateway.stderr());
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
