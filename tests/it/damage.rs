//! A ledger with a damaged page that no start reads: the gateway serves, finds it beside serving,
//! and then writes nothing more. The same where the file is none of SQLite any more while it is
//! served.

use crate::gateway::{ENDPOINT, EXTERNAL_ACCOUNT, FIFTY, TestGateway, envelope, external_refund};
use crate::gateway::{finish, program, session_header};
use crate::wire::Answer;
use rusqlite::Connection;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const QUERY: &str = "<api:query><api:queryString>select Id, Amount from Refund</api:queryString>\
                     </api:query>";

/// Overwrites the first page of a table.
fn damage(ledger: &Path, table: &str) {
    let connection = Connection::open(ledger).unwrap();
    let root = "select rootpage from sqlite_schema where name = ?1";
    let root: u32 = connection.query_row(root, [table], |row| row.get(0)).unwrap();
    let root = usize::try_from(root).unwrap();
    let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    let page = usize::try_from(page).unwrap();
    drop(connection);
    let mut bytes = fs::read(ledger).unwrap();
    bytes[(root - 1) * page..root * page].fill(0xA5);
    fs::write(ledger, bytes).unwrap();
}

#[test]
fn a_damaged_page_is_found_beside_serving_and_ends_writing() {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let refund = [external_refund(EXTERNAL_ACCOUNT, "1.00")];
    assert_eq!(gateway.create(&session, &refund).successes(), 1);
    assert!(gateway.terminate().success());
    // Only a settlement reads it.
    damage(&gateway.ledger(), "settlement_event");

    // It starts, which is what this asserts, and serves.
    gateway.restart();
    let started = Instant::now();
    let ready = loop {
        let ready = gateway.get_admin("/readyz");
        if ready.status == 503 {
            break ready.text();
        }
        assert!(started.elapsed() < Duration::from_secs(60), "the damage was not found");
        thread::sleep(Duration::from_millis(20));
    };
    assert!(ready.contains("damaged") && ready.contains("Tree"), "{ready}");
    let refused = gateway.create(&session, &refund);
    let text = refused.texts("FaultMessage").concat();
    assert!(text.contains("The ledger is damaged"), "{refused}");
    let code = refused.texts("FaultCode");
    assert_eq!((refused.status, code), (500, vec!["SERVER_UNAVAILABLE".into()]));
    let header = session_header(&session);
    let found = gateway.post(ENDPOINT, &envelope(&header, QUERY));
    assert_eq!((found.status, found.texts("Amount")), (200, vec!["1.00".into()]), "{found}");
    assert_eq!(gateway.get_admin("/readyz").status, 503, "for good");
    assert_eq!(gateway.get_admin("/healthz").status, 200);
    gateway.until_it_says("the ledger is damaged; nothing more is written to it");

    assert_eq!(gateway.terminate().code(), Some(6));
    let said = gateway.stderr();
    assert!(said.contains("ledger.db is damaged") && said.contains("restore a backup"), "{said}");
    let check = finish(program(gateway.folder()).args(["check", "--ledger", "ledger.db"]));
    assert_eq!(check.status.code(), Some(6));
    let seeded = ["seed", "seed.toml", "--ledger", "ledger.db"];
    let seeded = finish(program(gateway.folder()).args(seeded));
    assert_eq!(seeded.status.code(), Some(6), "a command checks the whole file first");
}

/// Puts all of the log into the file, so that nothing is read from the log, and overwrites the
/// first bytes of the file, which say that it is one of SQLite.
fn overwrite_header(ledger: &Path) {
    let connection = Connection::open(ledger).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    let empty = "pragma wal_checkpoint(truncate)";
    let is_busy: bool = connection.query_row(empty, [], |row| row.get(0)).unwrap();
    assert!(!is_busy);
    drop(connection);
    let mut file = fs::File::options().write(true).open(ledger).unwrap();
    file.write_all(&[0xA5; 16]).unwrap();
}

/// A gateway that serves meets a file that is none of SQLite any more, in what a client asks first.
fn meets_no_database(ask: impl Fn(&TestGateway, &str) -> Answer) {
    let mut gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let refund = [external_refund(EXTERNAL_ACCOUNT, "1.00")];
    assert_eq!(gateway.create(&session, &refund).successes(), 1);
    overwrite_header(&gateway.ledger());

    let refused = ask(&gateway, &session);
    let text = refused.texts("FaultMessage").concat();
    assert_eq!(refused.status, 500, "{refused}");
    assert!(text.contains("The ledger is damaged"), "{refused}");
    let ready = gateway.get_admin("/readyz");
    assert_eq!(ready.status, 503, "{ready}");
    assert!(ready.text().contains("not a database"), "{ready}");
    let refused = gateway.create(&session, &refund);
    assert_eq!((refused.status, refused.successes()), (500, 0), "{refused}");
    // What was there again would be taken for a sound file, but the gateway cannot know for how
    // long it was not.
    let mut file = fs::File::options().write(true).open(gateway.ledger()).unwrap();
    file.write_all(b"SQLite format 3\0").unwrap();
    assert_eq!(gateway.get_admin("/readyz").status, 503, "for good");
    assert_eq!(gateway.create(&session, &refund).successes(), 0);
    assert_eq!(gateway.get_admin("/healthz").status, 200);
    assert_eq!(gateway.terminate().code(), Some(6));
    let stored = gateway.stored().select("select amount from refund");
    assert_eq!(stored, [["100"]], "what was acknowledged, and no more");
}

#[test]
fn a_file_that_is_no_database_any_more_ends_writing_when_it_is_read() {
    meets_no_database(|gateway, session| {
        gateway.post(ENDPOINT, &envelope(&session_header(session), QUERY))
    });
}

#[test]
fn a_file_that_is_no_database_any_more_ends_writing_when_it_is_written() {
    let refund = [external_refund(EXTERNAL_ACCOUNT, "1.00")];
    meets_no_database(|gateway, session| gateway.create(session, &refund));
}
