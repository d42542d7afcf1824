//! Signals that are not meant to end a gateway.

use crate::gateway::{TestGateway, program};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

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

/// Regression: until it listened, which is when its settings were read, any of them ended it.
#[test]
fn nor_does_anything_else_while_it_starts() {
    let folder = tempfile::TempDir::new().unwrap();
    // Settings that take their time: they are read from a pipe.
    let pipe = folder.path().join("c.toml");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let mut starting = program(folder.path());
    starting.args(["serve", "--config", "c.toml", "--listen", "127.0.0.1:0"]);
    starting.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = starting.spawn().unwrap();
    // It has the pipe open, and so began.
    let mut settings = std::fs::File::options().write(true).open(&pipe).unwrap();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    // One more would have it read the pipe again.
    for signal in [Signal::QUIT, Signal::USR1, Signal::USR2] {
        kill_process(pid, signal).unwrap();
    }
    settings.write_all(b"demo = true\n").unwrap();
    drop(settings);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on "), "{line}");
    kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
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
