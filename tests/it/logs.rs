//! The log is not the ledger: whoever cannot or does not read it costs lines and nothing else.

use crate::gateway::{ENDPOINT, program};
use crate::wire::Connection;
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

/// Regression: a pipe that nobody read filled up, and then every request hung.
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
