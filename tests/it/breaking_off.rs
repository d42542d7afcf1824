//! A replay that cannot go on: the endpoint dies or is none, the captures are no files. What was
//! done until then is in every report, and each report is whole.

use crate::gateway::{ENDPOINT, finish, login_envelope, program};
use crate::wire::read_request;
use serde_json::Value;
use std::fs;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use tempfile::TempDir;

const ANSWER: &str = "<e><Body><loginResponse/></Body></e>";

/// Answers so many requests, one a connection; what comes then gets `last`, and no server is there
/// any more if `ends`.
fn endpoint(answered: usize, last: &'static str, ends: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for number in 0.. {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            read_request(&mut reader);
            if number < answered {
                let length = ANSWER.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}");
                write!(stream, "{head}\r\n\r\n{ANSWER}").unwrap();
                continue;
            }
            if ends {
                // No client connects any more once the last has noticed.
                drop(listener);
                let _ = stream.write_all(last.as_bytes());
                return;
            }
            // The other side may have gone.
            let _ = stream.write_all(last.as_bytes());
        }
    });
    address
}

/// Twelve pairs that this endpoint would answer as they were.
fn captures() -> TempDir {
    let folder = TempDir::new().unwrap();
    for number in 10..22 {
        let file = |what: &str| folder.path().join(format!("{number}.{what}.xml"));
        fs::write(file("request"), login_envelope("somebody", "whatever")).unwrap();
        fs::write(file("response"), ANSWER).unwrap();
    }
    folder
}

fn replay(folder: &Path, address: SocketAddr) -> Output {
    let endpoint = format!("http://{address}{ENDPOINT}");
    let reports = ["--json", "--junit", "j.xml", "--html", "h.html"];
    let args = ["replay", ".", "--endpoint", &endpoint];
    finish(program(folder).args(args).args(reports))
}

/// The reports say that so many passed and failed before this happened.
fn reported(folder: &Path, output: &Output, passed: usize, failed: usize, why: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains(why), "{stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["summary"]["passed"], passed, "{last}");
    assert_eq!(last["summary"]["failed"], failed, "{last}");
    assert!(last["broke_off"].as_str().unwrap().contains(why), "{last}");
    let junit = fs::read_to_string(folder.join("j.xml")).unwrap();
    let tests = passed + failed + 1;
    let counts = format!("tests=\"{tests}\" skipped=\"0\" failures=\"{failed}\" errors=\"1\"");
    for part in [&counts, "<error message=\"", why, "</testsuites>"] {
        assert!(junit.contains(part), "{part} in {junit}");
    }
    let page = fs::read_to_string(folder.join("h.html")).unwrap();
    let heading = format!(
        "<h1>{passed} passed, {failed} failed</h1><p class=\"broken\">Then the replay broke off:"
    );
    for part in [&heading, why, "</html>"] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn an_endpoint_that_dies_ends_the_replay_and_what_was_done_is_reported() {
    for last in ["", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<e>"] {
        let folder = captures();
        let output = replay(folder.path(), endpoint(4, last, true));
        reported(folder.path(), &output, 4, 1, "cannot connect to http://127.0.0.1:");
    }
}

#[test]
fn whoever_never_answers_is_no_endpoint() {
    for (answered, last) in [(0, ""), (3, "SSH-2.0-OpenSSH_9.2\r\n")] {
        let folder = captures();
        let output = replay(folder.path(), endpoint(answered, last, false));
        reported(folder.path(), &output, answered, 5, "gave no answer 5 times in a row");
    }
}

#[test]
fn a_report_of_nothing_is_whole_too() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.har"), "{").unwrap();
    let args = ["replay", "a.har", "--junit", "j.xml", "--html", "h.html"];
    let output = finish(program(folder.path()).args(args));
    assert_eq!((output.status.code(), &*output.stdout), (Some(4), &b""[..]));
    let junit = fs::read_to_string(folder.path().join("j.xml")).unwrap();
    assert!(junit.contains("<error message=\"a.har:1: it is no JSON: "), "{junit}");
    let page = fs::read_to_string(folder.path().join("h.html")).unwrap();
    assert!(page.contains("broke off: a.har:1: it is no JSON: "), "{page}");
}

#[test]
fn pipes_and_broken_links_are_refused_and_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let pipe = |name: &str| {
        let made = Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap();
        assert!(made.success());
    };
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
    };
    let refused = |name: &str, said: &str| {
        let output = finish(program(folder.path()).args(["replay", name]));
        let reported = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{reported}");
        assert!(reported.contains(said), "{said} in {reported}");
    };
    pipe("pipe.har");
    refused("pipe.har", "pipe.har: expected a file or a folder: it is read twice");
    fs::create_dir(folder.path().join("case")).unwrap();
    fs::write(folder.path().join("case/request.xml"), ANSWER).unwrap();
    pipe("case/response.xml");
    refused("case", "case/response.xml: it is no file");
    fs::create_dir(folder.path().join("links")).unwrap();
    let pair = |half: &str| folder.path().join(format!("links/a.{half}.xml"));
    fs::write(pair("request"), login_envelope("a", "b")).unwrap();
    fs::write(pair("response"), ANSWER).unwrap();
    link("nowhere", "links/traffic.har");
    refused("links", "links/traffic.har: No such file");
    link("round", "trip");
    link("trip", "round");
    refused("trip", "trip: Too many levels of symbolic links");
    // A folder that is in itself is walked once.
    fs::create_dir(folder.path().join("self")).unwrap();
    link("../self", "self/again");
    refused("self", "self: expected a folder with a request.xml");
}
