//! A hundred thousand captured exchanges, as folders and as one HAR: how much memory a replay takes
//! at its peak, and how much faster it is than curl in a loop.
//!
//! `cargo bench --bench captured` starts the real binary as a gateway, asks it once, writes what it
//! answered down again and again, and replays that against it. curl sends a sample of the same
//! requests, one process each, as people do in a shell. Only the ratio of the two means anything on
//! another machine. BENCH_EXCHANGES (100000) and BENCH_CURLS (300) change the shape of the run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a benchmark is a program of its own: it may fail loudly and it prints"
)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATH: &str = "/apps/services/a/91.0";
const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
/// The bounds that a replay must keep.
const KILOBYTES_MAX: u64 = 100 * 1024;
const TIMES_FASTER_MIN: f64 = 20.0;

fn main() {
    let exchanges = setting("BENCH_EXCHANGES", 100_000);
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path());
    let session = gateway.session(folder.path());
    let request = envelope(&session);
    let answer = gateway.ask(folder.path(), &request);
    assert!(answer.contains("queryResponse"), "{answer}");
    let curl = curls(&gateway.address, folder.path());
    println!("curl in a loop: {curl:.0} a second");
    let folders = folder.path().join("folders");
    write_folders(&folders, exchanges, &envelope("{{session}}"), &answer);
    let har = folder.path().join("traffic.har");
    write_har(&har, exchanges, &request, &answer);
    let mut is_bad = false;
    for (what, path, concurrency) in
        [("HAR", &har, "1"), ("folders", &folders, "1"), ("folders", &folders, "8")]
    {
        let (kilobytes, took) = replay(path, &gateway.address, concurrency, exchanges);
        let per_second = exchanges as f64 / took.as_secs_f64();
        let times = per_second / curl;
        println!(
            "{what}, --concurrency {concurrency}: {exchanges} exchanges in {took:.1?}, \
             {per_second:.0} a second, {times:.0} times curl; at most {kilobytes} kB of memory"
        );
        is_bad |= kilobytes > KILOBYTES_MAX || times < TIMES_FASTER_MIN;
    }
    if is_bad {
        println!("over {KILOBYTES_MAX} kB, or less than {TIMES_FASTER_MIN} times curl");
        std::process::exit(1);
    }
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().expect(name))
}

fn envelope(session: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:api=\"http://api.zuora.com/\"><soapenv:Header><api:SessionHeader><api:session>\
         {session}</api:session></api:SessionHeader></soapenv:Header><soapenv:Body><api:query>\
         <api:queryString>select Id, AccountNumber, Name, Currency, CreditBalance from Account \
         where Id = '{ACCOUNT}'</api:queryString></api:query></soapenv:Body></soapenv:Envelope>"
    )
}

struct Gateway {
    child: Child,
    address: String,
}

impl Gateway {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_refund-gateway"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--admin-listen", "none"])
            .arg("--ledger")
            .arg(folder.join("ledger.db"))
            .env("REFUND_GATEWAY_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        Self { child, address }
    }

    /// The answer to an envelope, by curl.
    fn ask(&self, folder: &Path, envelope: &str) -> String {
        let file = folder.join("request.xml");
        fs::write(&file, envelope).unwrap();
        let output = curl(&self.address, &file).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn session(&self, folder: &Path) -> String {
        let login = include_str!("../examples/login.xml");
        let answer = self.ask(folder, login);
        let (_, rest) = answer.split_once("<ns1:Session>").expect(&answer);
        rest.split_once('<').unwrap().0.to_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn curl(address: &str, file: &Path) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["-s", &format!("{address}{PATH}"), "-H", "Content-Type: text/xml"]);
    curl.arg("--data-binary").arg(format!("@{}", file.display()));
    curl
}

/// How many requests a second curl sends in a loop.
fn curls(address: &str, folder: &Path) -> f64 {
    let sample = setting("BENCH_CURLS", 300);
    let file = folder.join("request.xml");
    let started = Instant::now();
    for _ in 0..sample {
        assert!(curl(address, &file).stdout(Stdio::null()).status().unwrap().success());
    }
    sample as f64 / started.elapsed().as_secs_f64()
}

fn write_folders(folders: &Path, exchanges: usize, request: &str, answer: &str) {
    for number in 0..exchanges {
        let folder = folders.join(format!("{number:08}-query"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("request.xml"), request).unwrap();
        fs::write(folder.join("response.xml"), answer).unwrap();
    }
}

fn write_har(file: &PathBuf, exchanges: usize, request: &str, answer: &str) {
    let entry = serde_json::json!({
        "startedDateTime": "2026-01-02T03:04:05Z",
        "time": 1,
        "request": {
            "method": "POST",
            "url": format!("https://www.example.com{PATH}"),
            "headers": [{ "name": "Content-Type", "value": "text/xml; charset=utf-8" }],
            "postData": { "mimeType": "text/xml", "text": request },
        },
        "response": {
            "status": 200,
            "headers": [],
            "content": { "size": answer.len(), "mimeType": "text/xml", "text": answer },
        },
    });
    let entry = entry.to_string();
    let mut har = BufWriter::new(File::create(file).unwrap());
    har.write_all(b"{\"log\":{\"version\":\"1.2\",\"entries\":[").unwrap();
    for number in 0..exchanges {
        let comma = if number == 0 { "" } else { "," };
        write!(har, "{comma}{entry}").unwrap();
    }
    har.write_all(b"]}}").unwrap();
    har.flush().unwrap();
}

/// The most memory that a replay had, and how long it took.
fn replay(path: &Path, address: &str, concurrency: &str, exchanges: usize) -> (u64, Duration) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_refund-gateway"))
        .args(["replay", "--endpoint", address, "--concurrency", concurrency])
        .args(["--username", "demo@example.com", "--password", "demo"])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut kilobytes = 0;
    while child.try_wait().unwrap().is_none() {
        kilobytes = peak_kilobytes(child.id()).unwrap_or(kilobytes);
        thread::sleep(Duration::from_millis(20));
    }
    let took = started.elapsed();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, format!("{exchanges} passed, 0 failed\n"));
    (kilobytes, took)
}

/// The most memory that a process has had so far; nothing once it has ended.
fn peak_kilobytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
