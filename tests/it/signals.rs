//! Signals that are not meant to end a gateway.

use crate::gateway::TestGateway;
use rustix::process::Signal;

/// Regression: a closed terminal or a rotated log ended the gateway at once.
#[test]
fn only_a_stop_stops_it() {
    let mut gateway = TestGateway::demo();
    for signal in [Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::HUP] {
        gateway.signal(signal);
        gateway.login();
    }
    gateway.until_it_says("SIGUSR1");
    assert!(gateway.terminate().success());
}

/// Regression: what a signal asked to read again was read at a start alone.
#[test]
fn a_hangup_reads_secrets_and_the_log_again() {
    let stub = crate::processor_stub::ProcessorStub::start();
    let table = stub.table("cards", "");
    let config = |secret: &str, log: &str| {
        let gateway = table.replace(crate::processor_stub::SECRET, secret);
        format!("demo = true\nlog = '{log}'\n{gateway}")
    };
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("c.toml");
    std::fs::write(&file, config("another-secret-0123", "warn")).unwrap();
    let gateway = TestGateway::start_in(folder, &["--config", "c.toml"]);
    gateway.login();
    assert!(!gateway.stderr().contains("\"request\""), "{}", gateway.stderr());
    std::fs::write(&file, config("short", "info")).unwrap();
    gateway.signal(Signal::HUP);
    gateway.until_it_says("the configuration was not taken");
    std::fs::write(&file, config(crate::processor_stub::SECRET, "info")).unwrap();
    gateway.signal(Signal::HUP);
    gateway.until_it_says("\"secrets_replaced\":1");
    gateway.login();
    gateway.until_it_says("\"operation\":\"login\"");
}
