//! A process that has no file descriptors left: it accepts again as soon as it has some.

use super::{HttpSettings, Rig, login, post};
use crate::gateway::{login_envelope, program};
use crate::wire::Connection;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::net::TcpSocket;

const CHILD: &str = "http::descriptors::accepts_again_once_there_are_descriptors";

/// Runs [`accepts_again_once_there_are_descriptors`] where there are few of them.
#[test]
fn running_out_of_descriptors_ends_nothing() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --exact --ignored \"$1\""])
        .arg(this)
        .arg(CHILD)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "it needs a process of its own, with few file descriptors"]
async fn accepts_again_once_there_are_descriptors() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut sockets = Vec::new();
    while let Ok(socket) = TcpSocket::new_v4() {
        sockets.push(socket);
    }
    let client = sockets.pop().unwrap().connect(rig.gateway.public_addr()).await.unwrap();
    // Let the gateway find out that it cannot accept.
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop((sockets, client));
    assert_eq!(rig.ask(post("", login("nobody"))).await.status, 500);
    assert_ne!(rig.metric("refund_gateway_accept_errors_total").await, 0);
}

/// Regression: with fewer descriptors than connections, idle clients kept the others out, and the
/// log had ten lines a second about it.
#[test]
fn with_few_descriptors_fewer_connections_are_served_and_idle_ones_give_way() {
    let folder = tempfile::TempDir::new().unwrap();
    let direct = program(folder.path());
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 100 && exec \"$0\" \"$@\""]).arg(direct.get_program());
    let args = ["serve", "--demo", "--listen", "127.0.0.1:0", "--admin-listen", "none"];
    let errors = File::create(folder.path().join("stderr.log")).unwrap();
    let mut child = shell
        .args(args)
        .args(["--ledger", "ledger.db"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
    let idle: Vec<_> = (0..200).map(|_| Connection::open(address)).collect();
    let login = login_envelope("demo@example.com", "demo");
    for _ in 0..5 {
        assert_eq!(Connection::open(address).post(crate::gateway::ENDPOINT, &login).status, 200);
    }
    drop(idle);
    child.kill().unwrap();
    child.wait().unwrap();
    let said = std::fs::read_to_string(folder.path().join("stderr.log")).unwrap();
    assert!(said.contains("the limit of open files is too low"), "{said}");
    assert!(said.matches("could not be accepted").count() <= 1, "{said}");
}
