//! What `serve --record` and `record` write down: replayed without a difference, and without a
//! secret.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, envelope, external_refund, finish,
    login_envelope, program, session_header,
};
use crate::wire::Connection;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};
use std::thread;
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The texts of all files below a folder, as far as they are texts.
fn everything_in(folder: &Path) -> String {
    let mut all = String::new();
    for found in fs::read_dir(folder).unwrap() {
        let found = found.unwrap();
        if found.path().is_dir() {
            all.push_str(&everything_in(&found.path()));
        } else {
            let bytes = fs::read(found.path()).unwrap();
            let bytes: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 0).collect();
            all.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    all
}

fn folders(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Replays a folder, and returns what was told and with which code.
fn replay(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = finish(program(folder).args(["replay", "recording"]).args(args));
    let told = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), told + &String::from_utf8_lossy(&output.stderr))
}

fn holds_no_secret(recording: &Path) {
    let all = everything_in(recording);
    assert!(!all.contains("assword>demo<"), "the password was written down");
    let is_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let longest = all.split(|character| !is_word(character)).filter(|word| word.len() == 256);
    let live: Vec<_> = longest.filter(|word| !word.starts_with("example-session-")).collect();
    // The catalogue has keys and names of one letter that are as long.
    let is_random = |word: &&str| word.chars().any(|character| !word.starts_with(character));
    assert!(!live.iter().any(is_random), "{live:?}");
}

#[test]
fn the_catalogue_is_recorded_and_replays_without_a_difference() {
    let seed = fs::read_to_string(fixtures().join("seed.toml")).unwrap();
    let mut gateway = TestGateway::seeded(&seed, &["--record", "recording"]);
    let endpoint = format!("http://{}", gateway.public());
    let first = finish(
        program(gateway.folder()).arg("replay").arg(fixtures()).args(["--endpoint", &endpoint]),
    );
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stdout));
    assert!(gateway.terminate().success());
    let recording = gateway.folder().join("recording");
    let recorded = folders(&recording);
    let said = format!("recorded {} exchanges, left out 0", recorded.len());
    assert!(gateway.stderr().contains(&said), "{said} in {}", gateway.stderr());
    assert!(recorded.len() > 250, "{}", recorded.len());
    holds_no_secret(&recording);
    let (code, told) = replay(gateway.folder(), &["--seed", "seed.toml"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with(&format!("{} passed, 0 failed\n", recorded.len())), "{told}");
}

#[test]
fn a_folder_with_other_things_is_not_recorded_into() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/diary.txt"), "").unwrap();
    let args = ["serve", "--demo", "--listen", "127.0.0.1:0", "--record", "mine"];
    let output = finish(program(folder.path()).args(args));
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("mine holds something that is no"));
}

/// A running `record`.
struct Proxy {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
    stderr: ChildStderr,
}

impl Proxy {
    fn start(upstream: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = program(folder.path())
            .args(["record", "--listen", "127.0.0.1:0", "--out", "recording"])
            .args(["--upstream", upstream])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect(&line);
        Self { child, address: address.parse().unwrap(), folder, stderr }
    }

    fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Ends it, and returns what it said and where it recorded.
    fn ended(&mut self) -> (String, PathBuf) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (said, self.folder.path().join("recording"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_a_proxy_records_replays_without_a_difference() {
    let gateway = TestGateway::demo();
    let mut proxy = Proxy::start(&format!("http://{}", gateway.public()));
    let mut client = proxy.connect();
    let here = format!("http://{}{ENDPOINT}", proxy.address);
    let wsdl = client.send("GET", &format!("{ENDPOINT}?wsdl"), &[], b"");
    assert!(wsdl.to_string().contains(&format!("location=\"{here}\"")), "{wsdl}");
    let login = client.post(ENDPOINT, &login_envelope("demo@example.com", "demo"));
    assert_eq!(login.texts("ServerUrl"), [here], "{login}");
    let session = login.texts("Session").remove(0);
    let refund = [external_refund(EXTERNAL_ACCOUNT, "12.50")];
    let created = client.post(ENDPOINT, &create_envelope(&session, &refund)).texts("Id").remove(0);
    let query = |session: &str| {
        let zoql = format!("select Amount, RefundNumber from Refund where Id = '{created}'");
        let query = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
        envelope(&session_header(session), &query)
    };
    assert_eq!(client.post(ENDPOINT, &query(&session)).texts("Amount"), ["12.50"]);
    assert_eq!(client.post("/apps/services/a/38.0", &query("expired")).status, 500);
    assert_eq!(client.post(ENDPOINT, &login_envelope("demo@example.com", "wrong")).status, 500);
    let (said, recording) = proxy.ended();
    assert!(said.contains("recorded 5 exchanges, left out 0"), "{said}");
    let operations = ["login", "create", "query", "query", "login"];
    let expected: Vec<String> =
        (1..).zip(operations).map(|(number, name)| format!("{number:08}-{name}")).collect();
    assert_eq!(folders(&recording), expected);
    let mode = fs::metadata(&recording).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    holds_no_secret(&recording);
    assert!(!everything_in(&recording).contains("wrong"), "a wrong password was written down");
    let (code, told) = replay(proxy.folder.path(), &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("5 passed, 0 failed\n"), "{told}");
    // Somebody else's gateway, where the user is another: who is given stands for the one who was.
    let other = TestGateway::seeded(
        &format!(
            "[[user]]\nusername = 'other'\npassword = 'pass'\n[[account]]\nid = \
             '{EXTERNAL_ACCOUNT}'\nnumber = 'A'\nname = 'A'\ncurrency = 'USD'\n\
             credit_balance = '100.00'\n"
        ),
        &[],
    );
    let endpoint = format!("http://{}", other.public());
    let given = ["--endpoint", &endpoint, "--username", "other", "--password", "pass"];
    let (code, told) = replay(proxy.folder.path(), &given);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(other.balance(EXTERNAL_ACCOUNT), "87.50");
}

/// Answers every request with these bytes, and returns what it was sent.
fn upstream(answer: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        stream.write_all(answer.as_bytes()).unwrap();
        head
    });
    (address, serving)
}

#[test]
fn a_redirect_is_passed_on_and_not_followed() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nKeep-Alive: x\r\n\
                    Content-Length: 0\r\n\r\n";
    let (address, serving) = upstream(redirect);
    let proxy = Proxy::start(&format!("http://{address}"));
    let headers = [("Connection", "X-Mine"), ("X-Mine", "1"), ("SOAPAction", "\"\"")];
    let answer = proxy.connect().send("POST", "/a?b", &headers, b"<a/>");
    assert_eq!((answer.status, answer.header("keep-alive")), (302, None));
    let head = serving.join().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /a?b http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {address}\r\n")), "{head}");
    assert!(head.contains("soapaction: \"\"\r\n") && !head.contains("x-mine"), "{head}");
}

#[test]
fn an_upstream_that_is_down_or_proves_nothing_is_a_bad_gateway() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(&format!("http://{closed}"));
    let answer = proxy.connect().send("POST", ENDPOINT, &[], b"<a/>");
    assert_eq!(answer.status, 502, "{answer}");
    assert!(answer.to_string().contains("cannot connect to"), "{answer}");
    let gateway = TestGateway::demo();
    let mut proxy = Proxy::start(&format!("https://{}", gateway.public()));
    let answer = proxy.connect().send("POST", ENDPOINT, &[], b"<a/>");
    assert_eq!(answer.status, 502, "{answer}");
    let (said, recording) = proxy.ended();
    assert!(said.contains("recorded 0 exchanges"), "{said}");
    assert_eq!(folders(&recording), [""; 0]);
}
