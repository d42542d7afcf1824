//! A disk that fails once: the n-th open, read, write or sync on a ledger's files, for one n after
//! the other, while the gateway starts and while it works. What was acknowledged is there after the
//! next start, each key is one refund, and `check` finds nothing.
//!
//! And a disk that is full for a while: nothing is lost, and readiness says so as long as it lasts.
//!
//! `FAULTY_DISK=all` tries every n; without it they lie further and further apart.
#![allow(clippy::print_stdout, reason = "it says how much it tried")]

use crate::durability::exchange;
use crate::gateway::{
    EXTERNAL_ACCOUNT, TestGateway, create_envelope, electronic_refund, external_refund, finish,
    program,
};
use crate::shims::compiled;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const KINDS: [&str; 4] = ["open", "read", "write", "sync"];
/// EIO and ENOSPC, one after the other.
const ERRORS: [u32; 2] = [5, 28];
/// How many refunds a workload makes.
const REFUNDS: usize = 5;

/// Which calls fail: every one, or a few that lie further and further apart.
fn places() -> Box<dyn Iterator<Item = u32>> {
    match std::env::var("FAULTY_DISK").as_deref() {
        Ok("all") => Box::new(1..),
        Ok(other) => panic!("FAULTY_DISK is `{other}`; it can be `all`"),
        Err(_) => Box::new((0..).map(|step: u32| 1 + step * (step + 1) * (step + 2) / 3)),
    }
}

/// The n-th call of a kind fails, with an error.
struct Fault {
    folder: TempDir,
    kind: &'static str,
    nth: u32,
}

impl Fault {
    fn new(kind: &'static str, nth: u32) -> Self {
        Self { folder: TempDir::new().unwrap(), kind, nth }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Calls are counted from now on.
    fn begin(&self) {
        fs::write(self.file("from"), "").unwrap();
    }

    fn has_come(&self) -> bool {
        Path::new(&self.file("mark")).exists()
    }

    fn env(&self, shim: &Path) -> Vec<(&'static str, String)> {
        let error = ERRORS[usize::try_from(self.nth).unwrap() % ERRORS.len()];
        vec![
            ("LD_PRELOAD", shim.to_str().unwrap().to_owned()),
            ("FAULT_KIND", self.kind.to_owned()),
            ("FAULT_NTH", self.nth.to_string()),
            ("FAULT_ERRNO", error.to_string()),
            ("FAULT_FROM", self.file("from")),
            ("FAULT_MARK", self.file("mark")),
        ]
    }
}

fn body(session: &str, place: usize) -> String {
    let object = match place % 2 {
        0 => external_refund(EXTERNAL_ACCOUNT, "1.00"),
        _ => electronic_refund("1.00"),
    };
    create_envelope(session, &[object])
}

/// The id of the refund in an answer, if it has one.
fn id(answer: &str) -> Option<String> {
    let (_, rest) = answer.split_once("<ns1:Id>")?;
    Some(rest.chars().take(32).collect())
}

/// Sends every refund once, each under a key of its own, and returns those that were acknowledged.
fn send_all(gateway: &TestGateway, session: &str) -> BTreeMap<usize, String> {
    let mut acknowledged = BTreeMap::new();
    for place in 0..REFUNDS {
        let mut stream = TcpStream::connect(gateway.public()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let answer = exchange(&mut stream, &format!("key-{place}"), &body(session, place));
        acknowledged.extend(answer.ok().and_then(|answer| id(&answer)).map(|id| (place, id)));
    }
    acknowledged
}

/// After the next start on a good disk each key is one refund, and the acknowledged ones are there.
fn check(gateway: &TestGateway, acknowledged: &BTreeMap<usize, String>, reported: &str) {
    let again = send_all(gateway, &gateway.login());
    assert_eq!(again.len(), REFUNDS, "{reported}");
    for (place, id) in acknowledged {
        assert_eq!(again.get(place), Some(id), "{reported}: what was acknowledged is not there");
    }
    let connection = rusqlite::Connection::open(gateway.ledger()).unwrap();
    let count = connection.query_row("select count(*) from refund", [], |row| row.get(0));
    let count: i64 = count.unwrap();
    assert_eq!(count, i64::try_from(REFUNDS).unwrap(), "{reported}: each key is one refund");
    gateway.balances();
}

#[test]
fn whichever_call_fails_at_work_nothing_is_lost_or_made_twice() {
    let Some(shim) = compiled("faulty_disk") else { return };
    for kind in KINDS {
        let mut tried = 0;
        for nth in places() {
            let fault = Fault::new(kind, nth);
            let env = fault.env(&shim);
            let env: Vec<(&str, &str)> =
                env.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut gateway =
                TestGateway::start_with_env(TempDir::new().unwrap(), &["--demo"], &env);
            let session = gateway.login();
            fault.begin();
            let acknowledged = send_all(&gateway, &session);
            gateway.kill9();
            let has_come = fault.has_come();
            gateway.forget_env();
            gateway.restart();
            check(&gateway, &acknowledged, &format!("{kind} {nth} at work"));
            if !has_come {
                break;
            }
            tried += 1;
        }
        println!("{tried} failing calls to {kind} at work");
        assert!(tried > 0 || kind == "open", "no {kind} was made to fail");
    }
}

#[test]
fn whichever_call_fails_at_a_start_it_starts_or_says_why_and_loses_nothing() {
    let Some(shim) = compiled("faulty_disk") else { return };
    let mut gateway = TestGateway::demo();
    let acknowledged = send_all(&gateway, &gateway.login());
    assert_eq!(acknowledged.len(), REFUNDS);
    gateway.kill9();
    for kind in KINDS {
        let mut tried = 0;
        for nth in places() {
            let fault = Fault::new(kind, nth);
            fault.begin();
            start_once(gateway.folder(), &fault, &shim);
            if !fault.has_come() {
                break;
            }
            tried += 1;
        }
        println!("{tried} failing calls to {kind} at a start");
        assert!(tried > 0, "no {kind} was made to fail");
    }
    gateway.restart();
    check(&gateway, &acknowledged, "after all starts");
}

/// Starts a gateway in `folder` and kills it once it serves. One that does not has an exit code of
/// its own and says why.
fn start_once(folder: &Path, fault: &Fault, shim: &Path) {
    let mut command = program(folder);
    command.args(["serve", "--listen", "127.0.0.1:0", "--demo", "--ledger", "ledger.db"]);
    command.args(["--admin-listen", "none"]).envs(fault.env(shim));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    if line.starts_with("listening on ") {
        child.kill().unwrap();
        child.wait().unwrap();
        return;
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let reported = format!("{} {} at a start", fault.kind, fault.nth);
    assert!(output.status.code().is_some_and(|code| code != 0), "{reported}: {output:?}");
    assert!(!said.is_empty() && !said.contains("panicked"), "{reported}: {said}");
}

#[test]
fn a_check_on_a_disk_that_fails_is_never_green() {
    let Some(shim) = compiled("faulty_disk") else { return };
    let mut gateway = TestGateway::demo();
    send_all(&gateway, &gateway.login());
    assert!(gateway.terminate().success());
    for nth in [1, 2, 3, 5, 9] {
        let fault = Fault::new("read", nth);
        fault.begin();
        let mut command = program(gateway.folder());
        command.args(["check", "--ledger", "ledger.db"]).envs(fault.env(&shim));
        let output = finish(&mut command);
        assert!(!(fault.has_come() && output.status.success()), "read {nth}: {output:?}");
    }
}

/// Waits until the gateway is ready, or is not.
fn until_ready_is(gateway: &TestGateway, status: u16) -> String {
    let started = Instant::now();
    loop {
        let ready = gateway.get_admin("/readyz");
        if ready.status == status {
            return ready.text();
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{ready}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Regression: readiness was green while refunds failed, because what a probe writes found room in
/// the log that was there already.
#[test]
fn a_disk_with_room_for_a_probe_alone_is_not_ready() {
    let Some(shim) = compiled("faulty_disk") else { return };
    let folder = TempDir::new().unwrap();
    let full = folder.path().join("full");
    // As long as the log can be.
    let env = [("FAULT_KIND", "write"), ("FAULT_ERRNO", "28"), ("FAULT_BEYOND", "65536")];
    let env = [
        env.as_slice(),
        &[("LD_PRELOAD", shim.to_str().unwrap()), ("FAULT_WHILE", full.to_str().unwrap())],
    ];
    let gateway = TestGateway::start_with_env(TempDir::new().unwrap(), &["--demo"], &env.concat());
    let session = gateway.login();
    fs::write(&full, "").unwrap();
    until_ready_is(&gateway, 200);
    let refunds = vec![external_refund(EXTERNAL_ACCOUNT, "1.00"); 50];
    let made = (0..).find(|_| {
        let created = gateway.create(&session, &refunds);
        assert!(created.successes() == 50 || created.status == 500, "{created}");
        created.status == 500
    });
    // An earlier probe counts for a second.
    thread::sleep(Duration::from_millis(1_100));
    let ready = gateway.get_admin("/readyz");
    assert!(ready.status == 503 && ready.text().contains("full"), "{ready}");
    fs::remove_file(&full).unwrap();
    until_ready_is(&gateway, 200);
    assert_eq!(gateway.create(&session, &refunds[..1]).successes(), 1);
    let left = 1_000 - made.unwrap() * 50 - 1;
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), format!("{left}.00"));
}

#[test]
fn a_full_disk_is_not_ready_while_it_lasts_and_loses_nothing() {
    let Some(shim) = compiled("faulty_disk") else { return };
    let folder = TempDir::new().unwrap();
    let full = folder.path().join("full");
    // ENOSPC
    let env = [("FAULT_KIND", "write"), ("FAULT_ERRNO", "28")];
    let env = [
        env.as_slice(),
        &[("LD_PRELOAD", shim.to_str().unwrap()), ("FAULT_WHILE", full.to_str().unwrap())],
    ];
    let mut gateway =
        TestGateway::start_with_env(TempDir::new().unwrap(), &["--demo"], &env.concat());
    let session = gateway.login();
    let create = || gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    assert_eq!(create().successes(), 1);
    until_ready_is(&gateway, 200);
    fs::write(&full, "").unwrap();
    let why = until_ready_is(&gateway, 503);
    assert!(why.contains("full"), "{why}");
    for _ in 0..3 {
        let refused = create();
        assert_eq!((refused.status, refused.successes()), (500, 0), "{refused}");
        assert!(refused.texts("FaultMessage").concat().contains("Nothing was done"), "{refused}");
    }
    assert_eq!(gateway.get_admin("/readyz").status, 503, "as long as it lasts");
    assert_eq!(gateway.get_admin("/healthz").status, 200);
    fs::remove_file(&full).unwrap();
    until_ready_is(&gateway, 200);
    assert_eq!(create().successes(), 1);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "998.00");
    assert_eq!(gateway.terminate().code(), Some(0), "it was full, and nothing else");
}
