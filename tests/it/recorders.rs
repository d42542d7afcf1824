//! Captures that the tools of others wrote while a client spoke with a gateway, replayed against
//! fresh ones: without a difference, and with the difference named when a value was changed.

use crate::gateway::{EXTERNAL_ACCOUNT, TestGateway, finish, program};
use crate::skipped::runs;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The user that the Ruby client knows; the password is filtered from its cassette.
const SEED: &str = "[[user]]\nusername = 'ruby@example.com'\npassword = 's3cret'\n\
    [[account]]\nid = '402892c72b9e3319012b9e34b88e0001'\nnumber = 'A1'\nname = 'One'\n\
    currency = 'USD'\ncredit_balance = '1000.00'\n";

fn recorder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorders").join(name)
}

/// The Python that has vcrpy, which need not be the one on the path.
fn python() -> String {
    std::env::var("RECORDERS_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn speaks(command: &mut Command) {
    let output = finish(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn url(gateway: &TestGateway) -> String {
    format!("http://{}/apps/services/a/91.0", gateway.public())
}

/// Replays a capture of the conversation, then a copy of it in which a value was changed, which is
/// in the answer of this number.
fn replayed(folder: &Path, file: &str, changed: usize) {
    let replay = |file: &str| {
        let output = finish(program(folder).args(["replay", file]));
        let reported = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), reported + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, reported) = replay(file);
    assert_eq!(code, Some(0), "{reported}");
    assert!(reported.starts_with("6 passed, 0 failed\n"), "{reported}");
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let text = text.replacen("<ns2:Amount>12.50</", "<ns2:Amount>12.51</", 1);
    let name = format!("changed-{file}");
    fs::write(folder.join(&name), text).unwrap();
    let (code, reported) = replay(&name);
    assert_eq!(code, Some(1), "{reported}");
    for said in [
        &format!("FAILED {name}/{changed} query"),
        "body at /Envelope/Body/queryResponse/result/records/Amount",
        "-          <ns2:Amount>12.51</ns2:Amount>",
        "+          <ns2:Amount>12.50</ns2:Amount>",
        "5 passed, 1 failed",
    ] {
        assert!(reported.contains(said), "{said} in {reported}");
    }
}

/// mitmdump, which writes its HAR when it is asked to end.
struct Mitmdump(Child);

impl Mitmdump {
    fn start(folder: &Path) -> (Self, String) {
        let mut child = Command::new("mitmdump")
            .current_dir(folder)
            .args(["--mode", "regular@127.0.0.1:0", "--set", "hardump=traffic.har"])
            .args(["--set", "confdir=conf"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let (_, address) = line.trim().split_once("listening at ").expect(&line);
        let address = format!("http://{}", address.trim_end_matches('.'));
        // It goes on writing, to a server that is there.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        (Self(child), address)
    }

    fn end(mut self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Mitmdump {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_mitmproxy_wrote_is_replayed() {
    if !runs("mitmdump", &["--version"], "mitmproxy") || !runs(&python(), &["--version"], "python3")
    {
        return;
    }
    let folder = TempDir::new().unwrap();
    let gateway = TestGateway::demo();
    let (proxy, address) = Mitmdump::start(folder.path());
    let script = recorder("conversation.py");
    speaks(Command::new(python()).arg(script).args([&url(&gateway), &address]));
    proxy.end();
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "987.50");
    replayed(folder.path(), "traffic.har", 3);
}

#[test]
fn what_vcrpy_wrote_is_replayed() {
    if !runs(&python(), &["-c", "import vcr"], "vcrpy") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let gateway = TestGateway::demo();
    let mut client = Command::new(python());
    client.arg("-B").arg(recorder("cassette.py")).arg(url(&gateway));
    speaks(client.arg(folder.path().join("refunds.yaml")));
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "987.50");
    replayed(folder.path(), "refunds.yaml", 3);
}

#[test]
fn what_ruby_wrote_is_replayed() {
    if !runs("ruby", &["-e", "require 'vcr'; require 'webmock'"], "ruby-vcr, ruby-webmock") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let gateway = TestGateway::seeded(SEED, &[]);
    fs::write(folder.path().join("seed.toml"), SEED).unwrap();
    let mut client = Command::new("ruby");
    client.arg(recorder("cassette.rb")).arg(url(&gateway));
    speaks(client.arg(folder.path()));
    let cassette = fs::read_to_string(folder.path().join("refunds.yml")).unwrap();
    assert!(cassette.contains("<ZUORA_SESSION>") && !cassette.contains("s3cret"), "{cassette}");
    // The third answer is not ASCII and so written as bytes; the fourth is written as text.
    replayed(folder.path(), "refunds.yml", 4);
}
