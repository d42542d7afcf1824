//! `backup` and `restore` of the built program: a copy beside serving has all that was acknowledged
//! before it began, and nothing that is there is lost or overwritten.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, FIFTY, TestGateway, create_envelope, external_refund, finish,
    program,
};
use rusqlite::Connection;
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How a command ended, and what it said: data, then all else.
fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = finish(program(folder).args(args));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The numbers of the refunds in a file.
fn refunds(file: &Path) -> HashSet<i64> {
    let ledger = Connection::open(file).unwrap();
    let mut select = ledger.prepare("select number from refund").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The folder has no file but these, apart from locks and the empty logs of what was read.
fn assert_only(folder: &Path, names: &[&str]) {
    let mut found: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| ![".lock", "-wal", "-shm"].iter().any(|suffix| name.ends_with(suffix)))
        .collect();
    found.sort();
    assert_eq!(found, names);
}

#[test]
fn a_backup_beside_a_gateway_under_load_has_all_that_was_acknowledged_before() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let body = create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "0.01")]);
    let acknowledged = Mutex::new(Vec::new());
    let is_over = AtomicBool::new(false);
    let place = gateway.folder().join("backups");
    fs::create_dir(&place).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut connection = gateway.connect();
                while !is_over.load(Ordering::Relaxed) {
                    let ids = connection.post(ENDPOINT, &body).texts("Id");
                    acknowledged.lock().unwrap().extend(ids);
                }
            });
        }
        for round in 0_usize..5 {
            let started = Instant::now();
            while acknowledged.lock().unwrap().len() < (round + 1) * 10 {
                assert!(started.elapsed() < Duration::from_secs(60), "no load");
                thread::sleep(Duration::from_millis(1));
            }
            let before = acknowledged.lock().unwrap().len();
            let name = format!("{round}.db");
            let to = place.join(&name);
            let args = ["backup", to.to_str().unwrap(), "--ledger", "ledger.db"];
            let (code, said, error) = run(gateway.folder(), &args);
            is_over.fetch_or(code != Some(0) || round == 4, Ordering::Relaxed);
            assert_eq!(code, Some(0), "{said}{error}");
            let found = refunds(&to).len();
            assert!(found >= before, "round {round}: {found} of {before}");
            assert!(said.contains(&format!(" {found} refunds")), "{said}");
            assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        }
    });
    assert_only(&place, &["0.db", "1.db", "2.db", "3.db", "4.db"]);

    // What it says of itself holds: it is closed, can be checked and served, and has its marks.
    let to = place.join("4.db");
    let found = refunds(&to).len();
    assert_eq!(run(&place, &["check", "--ledger", "4.db"]).0, Some(0));
    let (code, said, error) = run(&place, &["restore", "4.db", "again.db"]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{said}");
    assert_eq!(refunds(&place.join("again.db")).len(), found);
    assert_only(&place, &["0.db", "1.db", "2.db", "3.db", "4.db", "again.db"]);
}

#[test]
fn a_restored_ledger_goes_on_from_the_backup_and_the_old_one_is_kept() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let refund = |gateway: &TestGateway, amount| {
        let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, amount)]);
        assert_eq!(created.successes(), 1, "{created}");
    };
    refund(&gateway, "20.00");
    let on = |gateway: &TestGateway, args: &[&str]| run(gateway.folder(), args);
    let backup = ["backup", "b.db", "--ledger", "ledger.db"];
    assert_eq!(on(&gateway, &backup).0, Some(0));
    refund(&gateway, "5.00");

    let (code, _, said) = on(&gateway, &backup);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("b.db is there already"), "{said}");
    let restore = ["restore", "b.db", "ledger.db"];
    let (code, _, said) = on(&gateway, &restore);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("ledger.db is there already"), "{said}");
    let replace = ["restore", "b.db", "ledger.db", "--replace"];
    let (code, _, said) = on(&gateway, &replace);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("in use by another process"), "{said}");

    // Its log stays with it, and is never read as a part of what comes in its place.
    gateway.kill9();
    let (code, _, said) = on(&gateway, &replace);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ledger.db.before-restore"), "{said}");
    gateway.restart();
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "30.00");
    let kept = ["check", "--ledger", "ledger.db.before-restore"];
    let (code, said, _) = on(&gateway, &kept);
    assert!(code == Some(0) && said.contains(", 2 refunds, "), "{said}");
    assert!(gateway.terminate().success());
    let (code, _, said) = on(&gateway, &replace);
    assert_eq!(code, Some(3), "what was kept is not overwritten: {said}");
    assert_eq!(refunds(&gateway.ledger()).len(), 1);
}

#[test]
fn what_is_damaged_or_parted_from_its_log_is_not_copied() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    assert_eq!(created.successes(), 1, "{created}");
    let folder = gateway.folder().to_owned();
    let beside = folder.join("x");
    fs::create_dir(&beside).unwrap();
    fs::copy(gateway.ledger(), beside.join("parted.db")).unwrap();
    assert!(gateway.terminate().success());

    fs::copy(gateway.ledger(), beside.join("wrong.db")).unwrap();
    let wrong = Connection::open(beside.join("wrong.db")).unwrap();
    wrong.execute_batch("update balance set units = units + 1").unwrap();
    wrong.close().unwrap();
    for name in ["parted.db", "wrong.db"] {
        let (code, _, said) = run(&beside, &["backup", "b.db", "--ledger", name]);
        assert_eq!(code, Some(6), "{said}");
        let (code, _, said) = run(&beside, &["restore", name, "b.db"]);
        assert_eq!(code, Some(6), "{said}");
    }
    assert_only(&beside, &["parted.db", "wrong.db"]);

    // A log without its file would become a part of what is put beside it.
    fs::copy(gateway.ledger(), beside.join("good.db")).unwrap();
    fs::write(beside.join("b.db-wal"), "the log of another ledger").unwrap();
    for args in [["restore", "good.db", "b.db"], ["backup", "b.db", "--ledger=good.db"]] {
        let (code, _, said) = run(&beside, &args);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("b.db-wal"), "{said}");
    }
    let (code, _, said) = run(&beside, &["restore", "good.db", "b.db", "--replace"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(refunds(&beside.join("b.db")).len(), 1);
    assert!(beside.join("b.db.before-restore-wal").exists());
}
