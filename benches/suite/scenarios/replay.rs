//! Replaying captures, as folders and as one HAR: how much memory it takes at most, and how much
//! faster it is than curl in a loop, which sends a sample of the same requests, one process each.

use crate::bench::Bench;
use crate::client::Client;
use crate::requests::Template;
use crate::turns::Spread;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATH: &str = "/apps/services/a/91.0";

pub fn run(bench: &mut Bench) {
    let (exchanges, curls) = if bench.options.is_quick { (10_000, 100) } else { (100_000, 300) };
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "replay");
    let id = gateway.refund(0, 1)[0];
    let request = Template::query_by_id(&gateway.session).with_id(id);
    let answer = Client::connect(&gateway.address).expect(&request, "queryResponse");
    let request = body(std::str::from_utf8(&request).unwrap()).to_owned();
    let answer = body(&answer);
    let url = format!("http://{}", gateway.address);
    let file = place.folder().join("request.xml");
    fs::write(&file, &request).unwrap();
    let folders = place.folder().join("folders");
    let captured = request.replace(&gateway.session, "{{session}}");
    write_folders(&folders, exchanges, &captured, answer);
    let har = place.folder().join("traffic.har");
    write_har(&har, exchanges, &request, answer);
    let ways = [
        ("har", "HAR", &har, 1),
        ("folders", "folders", &folders, 1),
        ("wide", "folders", &folders, 8),
    ];
    for (id, what, path, concurrency) in ways {
        let mut times = Vec::new();
        let mut most_mb = 0.0_f64;
        for _ in 0..bench.options.rounds.min(3) {
            let curl = curl_per_second(&format!("{url}{PATH}"), &file, curls);
            let (mb, took) = replay(&bench.options.gateway, path, &url, concurrency, exchanges);
            times.push(exchanges as f64 / took.as_secs_f64() / curl);
            most_mb = most_mb.max(mb);
        }
        let what = format!("replay of {exchanges} exchanges, {what}, --concurrency {concurrency}");
        bench.row(&format!("replay-{id}"), &format!("{what}, × curl"), Some(Spread::of(times)));
        bench.single(&format!("replay-{id}-mb"), &format!("{what}, resident, MB"), most_mb);
    }
}

fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").unwrap().1
}

/// How many requests a second curl sends in a loop.
fn curl_per_second(url: &str, file: &Path, count: u32) -> f64 {
    let started = Instant::now();
    for _ in 0..count {
        let mut curl = Command::new("curl");
        curl.args(["-s", url, "-H", "Content-Type: text/xml"]);
        curl.arg("--data-binary").arg(format!("@{}", file.display()));
        assert!(curl.stdout(Stdio::null()).status().unwrap().success());
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}

fn write_folders(folders: &Path, exchanges: usize, request: &str, answer: &str) {
    for number in 0..exchanges {
        let folder = folders.join(format!("{number:08}-query"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("request.xml"), request).unwrap();
        fs::write(folder.join("response.xml"), answer).unwrap();
    }
}

fn write_har(file: &Path, exchanges: usize, request: &str, answer: &str) {
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

/// The most memory that a replay had, in MB, and how long it took.
fn replay(
    program: &Path,
    path: &Path,
    url: &str,
    concurrency: u32,
    exchanges: usize,
) -> (f64, Duration) {
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(["replay", "--endpoint", url, "--concurrency", &concurrency.to_string()])
        .args(["--username", "bench", "--password", "bench"])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut most_mb = 0.0;
    while child.try_wait().unwrap().is_none() {
        most_mb = peak_mb(child.id()).unwrap_or(most_mb);
        thread::sleep(Duration::from_millis(20));
    }
    let took = started.elapsed();
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, format!("{exchanges} passed, 0 failed\n"));
    (most_mb, took)
}

/// The most memory that a process has had so far; nothing once it has ended.
fn peak_mb(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    crate::server::megabytes(&status, "VmHWM:")
}
