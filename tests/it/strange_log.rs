//! A ledger's file and a log that do not belong together, and a file or a log that is taken away
//! from under a running gateway: what was acknowledged is there, or the start is refused.

use crate::gateway::{EXTERNAL_ACCOUNT, FIFTY, TestGateway, external_refund, finish, program};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a command on `l.db` in this folder ends with, and says.
fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = finish(program(folder).args(args).args(["--ledger", "l.db"]));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn serve(folder: &Path) -> (Option<i32>, String) {
    run(folder, &["serve", "--listen", "127.0.0.1:0", "--test", "--seed", "s.toml"])
}

fn refund(gateway: &TestGateway, times: usize) {
    let session = gateway.login();
    for _ in 0..times {
        let created = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
        assert_eq!(created.successes(), 1, "{created}");
    }
}

/// Copies the files of a gateway's ledger with these suffixes to `l.db` in the folder.
fn copy(gateway: &TestGateway, suffixes: &[&str], to: &Path) {
    for suffix in suffixes {
        let from = gateway.folder().join(format!("ledger.db{suffix}"));
        fs::copy(from, to.join(format!("l.db{suffix}"))).unwrap();
    }
}

/// Regression: the older log put its pages over the newer file, and the refunds since then could be
/// made again.
#[test]
fn an_older_log_beside_a_newer_file_is_refused() {
    // Of a log that holds a login since the start, of one that holds more, and of one that was
    // written back and began anew.
    for (refunds, is_idle) in [(0, false), (3, false), (3, true)] {
        let mut gateway = TestGateway::seeded(FIFTY, &[]);
        let copies = TempDir::new().unwrap();
        fs::write(copies.path().join("s.toml"), FIFTY).unwrap();
        assert!(gateway.terminate().success());
        gateway.restart();
        refund(&gateway, refunds);
        if is_idle {
            until_written_back(&gateway);
            refund(&gateway, 1);
        }
        copy(&gateway, &["", "-wal"], copies.path());
        assert_eq!(run(copies.path(), &["check"]).0, Some(0), "together they are a ledger");
        refund(&gateway, 20);
        assert!(gateway.terminate().success());
        copy(&gateway, &[""], copies.path());
        for (code, said) in [
            run(copies.path(), &["check"]),
            run(copies.path(), &["seed", "s.toml"]),
            serve(copies.path()),
        ] {
            assert_eq!(code, Some(6), "{said}");
            assert!(said.contains("the log l.db-wal does not belong to"), "{said}");
            assert!(said.contains("hint: ") && said.contains("move the log away"), "{said}");
        }
        fs::remove_file(copies.path().join("l.db-wal")).unwrap();
        assert_eq!(run(copies.path(), &["check"]).0, Some(0), "what the sentence advises");
    }
}

/// Waits until all that is in the log is in the file too.
fn until_written_back(gateway: &TestGateway) {
    let begun = Instant::now();
    let newest = || fs::metadata(gateway.ledger()).unwrap().modified().unwrap();
    let log = fs::metadata(gateway.folder().join("ledger.db-wal")).unwrap().modified().unwrap();
    while newest() <= log {
        assert!(begun.elapsed() < Duration::from_secs(60), "the log is not written back");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A newer log, or that of another ledger, beside an older file.
#[test]
fn a_log_that_skips_what_the_file_lacks_is_refused() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let copies = TempDir::new().unwrap();
    fs::write(copies.path().join("s.toml"), FIFTY).unwrap();
    assert!(gateway.terminate().success());
    copy(&gateway, &[""], copies.path());
    for _ in 0..2 {
        gateway.restart();
        refund(&gateway, 1);
        assert!(gateway.terminate().success());
    }
    gateway.restart();
    refund(&gateway, 1);
    copy(&gateway, &["-wal"], copies.path());
    let (code, said) = serve(copies.path());
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("does not belong to"), "{said}");
}

/// What a tester sees while the log of a running gateway is gone or another one: no Success that a
/// kill takes back, readiness that is red, and an end that is no clean one.
#[test]
fn a_log_that_is_taken_away_under_a_gateway_ends_writing_and_loses_nothing() {
    for is_replaced in [false, true] {
        for kills in [true, false] {
            let mut gateway = TestGateway::seeded(FIFTY, &[]);
            refund(&gateway, 3);
            let session = gateway.login();
            let log = gateway.folder().join("ledger.db-wal");
            if is_replaced {
                fs::copy(&log, gateway.folder().join("other")).unwrap();
                fs::rename(gateway.folder().join("other"), &log).unwrap();
            } else {
                fs::remove_file(&log).unwrap();
            }
            let refused = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
            assert_eq!((refused.status, refused.successes()), (500, 0), "{refused}");
            let ready = gateway.get_admin("/readyz");
            assert!(ready.status == 503 && ready.text().contains("its log was"), "{ready}");
            if kills {
                gateway.kill9();
            } else {
                assert_eq!(gateway.terminate().code(), Some(5));
                assert!(gateway.stderr().contains("hint: bring back"), "{}", gateway.stderr());
            }
            if is_replaced {
                let check = ["check", "--ledger", "ledger.db"];
                let output = finish(program(gateway.folder()).args(check));
                assert_eq!(output.status.code(), Some(6), "the log that lies there is older");
                fs::remove_file(&log).unwrap();
            }
            gateway.restart();
            assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "47.00");
        }
    }
}

/// Regression: the gateway ended with 0 although its ledger was not where it had been, and wrote
/// back a log that something else had written to.
#[test]
fn what_was_moved_or_written_to_under_a_gateway_is_no_clean_end() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    refund(&gateway, 3);
    fs::rename(gateway.ledger(), gateway.folder().join("moved.db")).unwrap();
    assert_eq!(gateway.terminate().code(), Some(5));
    let said = gateway.stderr();
    assert!(said.contains("its file was removed or replaced") && said.contains("hint"), "{said}");
    // What was acknowledged is in the file by its new name.
    fs::remove_file(gateway.folder().join("ledger.db-wal")).unwrap();
    fs::rename(gateway.folder().join("moved.db"), gateway.ledger()).unwrap();
    gateway.restart();
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "47.00");

    refund(&gateway, 3);
    // At once, before the log is written back.
    let log = gateway.folder().join("ledger.db-wal");
    let length = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
    gateway.signal(Signal::STOP);
    fs::write(&log, vec![0xA5; length]).unwrap();
    gateway.signal(Signal::CONT);
    assert_eq!(gateway.terminate().code(), Some(6), "{}", gateway.stderr());
}
