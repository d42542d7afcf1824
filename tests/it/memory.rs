//! What crowds cost: of bodies small on the wire and large once they are read, and of logins.

use crate::gateway::{ENDPOINT, TestGateway, create_envelope};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::thread;

/// The most memory that a process has had so far, in kilobytes.
pub fn peak_kilobytes(pid: u32) -> u64 {
    kilobytes(pid, "VmHWM:")
}

/// What a process has of its code and of other files in memory, in kilobytes.
pub fn mapped_kilobytes(pid: u32) -> u64 {
    kilobytes(pid, "RssFile:")
}

fn kilobytes(pid: u32, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Nearly 4 MiB, nearly ten thousand elements and twenty thousand attributes, each of them owned by
/// the reader because it has to be resolved, and with references, so that numbers of cards are
/// looked for character by character.
fn large(session: &str) -> String {
    let attribute = format!("{}&amp;", "v".repeat(40));
    let element = format!("<x a='{attribute}' b='{attribute}'>{}&#38;</x>", "t".repeat(250));
    create_envelope(session, &[element.repeat(9_900)])
}

#[test]
fn many_bodies_that_inflate_far_are_all_answered_within_bounded_memory() {
    const CLIENTS: usize = 120;
    let gateway = TestGateway::demo();
    let plain = large(&gateway.login());
    assert!((3_500_000..4_194_304).contains(&plain.len()), "{}", plain.len());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain.as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    assert!(body.len() < 32 * 1024, "{}", body.len());
    let headers = [("Content-Type", "text/xml"), ("Content-Encoding", "gzip")];
    thread::scope(|scope| {
        let client = || gateway.connect().send("POST", ENDPOINT, &headers, &body);
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        for client in clients {
            let answer = client.join().unwrap();
            let code = answer.texts("FaultCode");
            let read = (500, vec!["MISSING_REQUIRED_VALUE".to_owned()]);
            let late = (429, vec!["REQUEST_EXCEEDED_LIMIT".to_owned()]);
            let reported = (answer.status, code);
            assert!(reported == read || reported == late, "{answer}");
        }
    });
    let peak = peak_kilobytes(gateway.pid());
    assert!(peak < 400_000, "{peak} kB");
}

#[test]
fn many_logins_take_the_memory_of_the_hashes_that_run_at_once() {
    const CLIENTS: usize = 48;
    let gateway = TestGateway::demo();
    let before = peak_kilobytes(gateway.pid());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| gateway.login())).collect();
        for client in clients {
            client.join().unwrap();
        }
    });
    let grown = peak_kilobytes(gateway.pid()) - before;
    // Two hashes of 19 MiB run at once; the rest is 48 connections.
    assert!(grown < 80_000, "{grown} kB");
}
