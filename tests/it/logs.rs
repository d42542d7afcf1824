//! The log is not the ledger: a reader that does not read it costs lines and nothing else.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, Engine, TestGateway, create_envelope, engine, external_refund,
    login_envelope, program,
};
use crate::stage::Stage;
use crate::wire::Connection;
use refund_gateway::domain::id::{RefundId, RefundNumber};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// A gateway whose stderr is what the test says. It is ended when this is dropped.
struct Logging {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Logging {
    fn to(stderr: Stdio) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = program(folder.path())
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--ledger", "ledger.db"])
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("it starts");
        Self { address: address.parse().unwrap(), child, _folder: folder }
    }

    /// Requests that fail, and so are logged.
    fn send_failing_requests(&self, count: usize) {
        let mut connection = Connection::open(self.address);
        for _ in 0..count {
            assert_eq!(connection.post(ENDPOINT, "<a/>").status, 500);
        }
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Regression: a log that could not be written made the process abort.
#[test]
fn a_full_disk_under_the_log_does_not_stop_the_ledger() {
    let gateway = Logging::to(File::options().write(true).open("/dev/full").unwrap().into());
    gateway.send_failing_requests(100);
}

/// Regression: a pipe that was not read filled up, and then every request hung.
#[test]
fn a_log_that_nobody_reads_does_not_stop_the_ledger() {
    let gateway = Logging::to(Stdio::piped());
    gateway.send_failing_requests(2_000);
}

/// Regression: a reader that went away made the process abort.
#[test]
fn a_log_whose_reader_is_gone_does_not_stop_the_ledger() {
    let mut gateway = Logging::to(Stdio::piped());
    drop(gateway.child.stderr.take());
    gateway.send_failing_requests(100);
}

/// The lines of requests in a log, each with every field that it always has.
fn requests(gateway: &TestGateway) -> Vec<Value> {
    let lines = gateway.stderr();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap_or(Value::Null));
    let requests: Vec<Value> = lines.filter(|line: &Value| line["message"] == "request").collect();
    for line in &requests {
        for field in [
            "time",
            "request_id",
            "user",
            "version",
            "operation",
            "rows_ok",
            "rows_failed",
            "codes",
            "accounts",
            "refunds",
            "duration_ms",
            "bytes_in",
            "bytes_out",
            "status",
        ] {
            assert!(!line[field].is_null(), "{field}: {line}");
        }
    }
    requests
}

#[test]
fn each_request_is_one_line_that_says_who_did_what_and_never_a_secret() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let rows: Vec<String> = (0..7)
        .map(|_| external_refund(EXTERNAL_ACCOUNT, "1.00"))
        .chain([external_refund(EXTERNAL_ACCOUNT, "x"), external_refund("", "1")])
        .collect();
    let call = create_envelope(&session, &rows);
    let headers = [("Content-Type", "text/xml"), ("X-Request-Id", "batch-7")];
    let answer = gateway.connect().send("POST", ENDPOINT, &headers, call.as_bytes());
    assert_eq!(answer.successes(), 7, "{answer}");
    let hostile = "x\n{\"message\":\"request\",\"user\":\"root\"}\u{202e}";
    assert_eq!(gateway.post(ENDPOINT, &login_envelope(hostile, "s3cret-word")).status, 500);
    gateway.connect().send("GET", &format!("{ENDPOINT}?wsdl"), &[], b"");
    gateway.connect().send("GET", "/nowhere", &[], b"");
    let mut broken = gateway.connect();
    broken.write(b"no http at all\r\n\r\n");
    broken.read_to_end();
    // The log has a thread of its own, which may be behind.
    let mut lines = requests(&gateway);
    while lines.len() < 6 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        lines = requests(&gateway);
    }
    let reported = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        (text("operation"), text("codes"), line["status"].as_u64().unwrap())
    };
    let reported: Vec<_> = lines.iter().map(reported).collect();
    let expected = [
        ("login", "", 200),
        ("create", "INVALID_VALUE:1,MISSING_REQUIRED_VALUE:1", 200),
        ("login", "INVALID_VALUE", 500),
        ("wsdl", "", 200),
        ("none", "not_found", 404),
        ("none", "malformed", 400),
    ];
    let expected =
        expected.map(|(operation, codes, status)| (operation.to_owned(), codes.to_owned(), status));
    assert_eq!(reported.len(), expected.len(), "{reported:?}");
    for (line, (one, other)) in lines.iter().zip(reported.iter().zip(&expected)) {
        assert_eq!((&one.0, one.2), (&other.0, other.2), "{line}");
    }
    let create = &lines[1];
    assert_eq!(reported[1].1, expected[1].1);
    for (field, value) in [
        ("request_id", "batch-7"),
        ("user", "demo@example.com"),
        ("version", "91.0"),
        ("accounts", EXTERNAL_ACCOUNT),
        ("refunds", "R-00000001,R-00000002,R-00000003,R-00000004,R-00000005,+2"),
    ] {
        assert_eq!(create[field], value, "{create}");
    }
    assert_eq!((&create["rows_ok"], &create["rows_failed"]), (&Value::from(7), &Value::from(2)));
    assert_eq!(create["bytes_in"], call.len());
    assert_eq!(create["bytes_out"], answer.body.len());
    assert_eq!(lines[2]["user"], hostile);
    let log = gateway.stderr();
    assert!(!log.contains("s3cret-word") && !log.contains(&session), "{log}");
    assert!(!log.contains(env!("CARGO_MANIFEST_DIR")) && !log.contains("/.cargo/"), "{log}");
}

/// The line of a request with this value, once it has been written.
fn line_with(gateway: &TestGateway, field: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    loop {
        let mut lines = requests(gateway).into_iter();
        if let Some(line) = lines.find(|line| line[field] == value) {
            return line;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Regression: the line of a request that is given no answer said neither who called nor what was
/// done.
#[test]
fn an_unanswered_request_is_logged_with_its_caller_and_its_rows() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let fault = serde_json::json!({ "operation": "create", "reset": "after" });
    crate::admin_api::api(&gateway, "POST", "faults", &fault);
    let call = create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    let mut connection = gateway.connect();
    let head = format!(
        "POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n\
         Content-Length: {}\r\n\r\n{call}",
        call.len()
    );
    connection.write(head.as_bytes());
    assert_eq!(connection.read_to_end(), b"");
    let line = line_with(&gateway, "status", 0);
    for (field, value) in [
        ("user", Value::from("demo@example.com")),
        ("version", "91.0".into()),
        ("operation", "create".into()),
        ("rows_ok", 1.into()),
        ("accounts", EXTERNAL_ACCOUNT.into()),
        ("refunds", "R-00000001".into()),
        ("bytes_in", call.len().into()),
        ("bytes_out", 0.into()),
    ] {
        assert_eq!(line[field], value, "{field}: {line}");
    }
}

/// Regression: an account whose id looks like a refund's was logged as a refund.
#[test]
fn only_refunds_are_logged_as_refunds() {
    let number = RefundNumber::new(7).unwrap();
    let id = RefundId::new(1_700_000_000_000, 7, number).to_string();
    let seed = format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n[[account]]\nid = '{id}'\n\
         number = 'A1'\nname = 'One'\ncurrency = 'USD'\ncredit_balance = '1.00'\n"
    );
    let stage = Stage::of(TestGateway::seeded(&seed, &[]));
    stage.updated("Account", &[("Id", &id), ("Name", "Two")]);
    let line = line_with(&stage.gateway, "operation", "update");
    assert_eq!((&line["rows_ok"], &line["refunds"]), (&Value::from(1), &Value::from("")), "{line}");
}

/// Regression: at debug, a new ledger logged the whole SQL of its schema; in PostgreSQL it logged
/// the values of all statements as well, and does so at no level now.
#[test]
fn the_schema_is_logged_at_trace_alone() {
    for (level, shows) in [("debug", false), ("trace", engine() == Engine::File)] {
        let folder = TempDir::new().unwrap();
        let env = [("REFUND_GATEWAY_LOG", level)];
        let gateway = TestGateway::start_with_env(folder, &["--demo"], &env);
        gateway.until_it_says("demo@example.com");
        assert_eq!(gateway.stderr().contains("create table"), shows, "{level}");
        assert!(!gateway.stderr().contains("with parameters"), "{level}");
    }
}
