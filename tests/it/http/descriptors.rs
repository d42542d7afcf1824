//! A process that has no file descriptors left: it accepts again as soon as it has some.

use super::{HttpSettings, Rig, login, post};
use std::process::Command;
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
