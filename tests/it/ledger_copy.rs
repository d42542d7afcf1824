//! `ledger copy` of the built program: a gateway goes on in PostgreSQL where it was in a file, and
//! back, and its clients do not notice.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, electronic_refund, envelope,
    external_refund, finish, program, session_header,
};
use crate::postgres_server::Server;
use std::path::Path;
use tempfile::TempDir;

/// Copies a ledger; gives the exit code and what was said.
fn copy(folder: &Path, from: &str, to: &str) -> (Option<i32>, String) {
    let copied = finish(program(folder).args(["ledger", "copy", from, to]));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (copied.status.code(), text(&copied.stdout) + &text(&copied.stderr))
}

fn query(gateway: &TestGateway, session: &str, zoql: &str) -> String {
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    gateway.post(ENDPOINT, &envelope(&session_header(session), &body)).text()
}

/// The answer to a keyed create, which is the first one's for ever.
fn keyed(gateway: &TestGateway, session: &str) -> String {
    let body = create_envelope(session, &[external_refund(EXTERNAL_ACCOUNT, "1.25")]);
    let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", "once")];
    gateway.connect().send("POST", ENDPOINT, &headers, body.as_bytes()).text()
}

const REFUNDS: &str = "select Id, RefundNumber, Amount, Status, CreatedDate from Refund";

/// What a client with an old session sees; the gateway is ended afterwards.
fn seen(ledger: &str, session: &str, folder: TempDir) -> (TempDir, Vec<String>) {
    let mut gateway = TestGateway::start_in(folder, &["--test", "--ledger", ledger]);
    let seen = vec![
        keyed(&gateway, session),
        query(&gateway, session, REFUNDS),
        query(&gateway, session, "select Id, Name, CreditBalance from Account"),
    ];
    assert!(gateway.terminate().success());
    (gateway.into_folder(), seen)
}

#[test]
fn a_gateway_moves_to_postgresql_and_back_and_its_clients_do_not_notice() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let mut gateway = TestGateway::start(&["--demo", "--ledger", "first.db"]);
    let session = gateway.login();
    let rows = [external_refund(EXTERNAL_ACCOUNT, "1.00"), electronic_refund("2.00")];
    assert_eq!(gateway.create(&session, &rows).successes(), 2);
    let first = keyed(&gateway, &session);
    let folder = gateway.folder().to_owned();
    // As long as it is served it cannot be copied, and a file is backed up and not copied.
    let (code, said) = copy(&folder, "first.db", &url);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("in use by another process"), "{said}");
    let (code, said) = copy(&folder, "first.db", "second.db");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("refund-gateway backup"), "{said}");
    assert!(gateway.terminate().success());
    let (code, said) = copy(&folder, "first.db", &url);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 accounts, 3 refunds, 3 entries"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    let (kept, before) = seen("first.db", &session, gateway.into_folder());
    assert_eq!(before[0], first);
    let (kept, on_server) = seen(&url, &session, kept);
    assert_eq!(on_server, before);
    let (code, said) = copy(&folder, "first.db", &url);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("is not empty"), "{said}");
    let gateway = TestGateway::start_in(kept, &["--test", "--ledger", &url]);
    let (code, said) = copy(&folder, &url, "back.db");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("in use"), "{said}");
    // The file that was to become the copy is none yet: nothing was begun.
    assert!(!folder.join("back.db").exists());
    let mut gateway = gateway;
    assert!(gateway.terminate().success());
    let (code, said) = copy(&folder, &url, "back.db");
    assert_eq!(code, Some(0), "{said}");
    let (_kept, returned) = seen("back.db", &session, gateway.into_folder());
    assert_eq!(returned, before);
}

/// Regression: the schema's owner had made the schema first, and the copy found it "not empty";
/// back again, the copy of what was never served was no ledger.
#[test]
fn a_ledger_is_copied_into_a_schema_that_its_owner_made() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let mut gateway = TestGateway::start(&["--demo", "--ledger", "first.db"]);
    let session = gateway.login();
    let made = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    assert_eq!(made.successes(), 1, "{made}");
    assert!(gateway.terminate().success());
    let folder = gateway.folder().to_owned();
    for _ in 0..2 {
        let migrated = finish(program(&folder).args(["ledger", "migrate", &url]));
        assert!(migrated.status.success(), "{migrated:?}");
    }
    let (code, said) = copy(&folder, &url, "back.db");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("nothing was ever served there"), "{said}");
    assert!(!folder.join("back.db").exists());
    let (code, said) = copy(&folder, "first.db", &url);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = copy(&folder, &url, "back.db");
    assert_eq!(code, Some(0), "{said}");
}

/// Regression: a node whose connections were broken at that moment did not count.
#[test]
fn a_node_that_is_alive_keeps_a_copy_out_whatever_its_connections_are() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "");
    let gateway = TestGateway::start(&["--ledger", &url]);
    gateway.signal(rustix::process::Signal::STOP);
    let end = "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity \
               where backend_type = 'client backend' and pid <> pg_backend_pid()";
    assert_ne!(server.sql("postgres", end), "0");
    let (code, said) = copy(gateway.folder(), &url, "copy.db");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("in use"), "{said}");
    gateway.signal(rustix::process::Signal::CONT);
}

#[test]
fn what_cannot_be_copied_is_refused_in_a_sentence() {
    let Some(server) = Server::shared() else { return };
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("text.db"), "no ledger").unwrap();
    let unknown = server.url("no_such_database", "");
    for (from, to, code, sentence) in [
        ("none.db", unknown.as_str(), 3, "there is no ledger at none.db"),
        ("text.db", unknown.as_str(), 6, "is damaged"),
        (unknown.as_str(), "new.db", 5, "create the database"),
        (":memory:", "new.db", 3, "is gone when its gateway ends"),
        ("postgres://u@db.example.com/l", "new.db", 3, "sslmode=verify-full"),
    ] {
        let (found, said) = copy(folder.path(), from, to);
        assert_eq!(found, Some(code), "{from}: {said}");
        assert!(said.contains(sentence) && !said.contains("secret"), "{from}: {said}");
    }
    assert!(!folder.path().join("new.db").exists());
}
