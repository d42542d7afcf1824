//! With a clock that stands still and seeded ids, two runs of the whole catalogue answer the same
//! bytes, heads and all. A relay between the replay and the gateway keeps what the gateway sends.

use crate::gateway::{TestGateway, finish, program};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use tempfile::TempDir;

/// What came back over all connections. The replay sends one request after the other, so the
/// answers are in their order.
type Heard = Arc<Mutex<Vec<u8>>>;

fn relay(to: SocketAddr) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    // It ends with the test's process.
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(to).unwrap());
            let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || pass(up, server, None));
            let kept = Arc::clone(&kept);
            thread::spawn(move || pass(down, client, Some(&kept)));
        }
    });
    (address, heard)
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: Option<&Heard>) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if let Some(kept) = kept {
            kept.lock().unwrap().extend(&buffer[..count]);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Everything that a new gateway answers to the catalogue.
fn run() -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folder = TempDir::new().unwrap();
    fs::copy(fixtures.join("seed.toml"), folder.path().join("seed.toml")).unwrap();
    let gateway = TestGateway::start_in(
        folder,
        &[
            "--seed",
            "seed.toml",
            "--clock",
            "2026-03-04T05:06:07Z",
            "--id-seed",
            "42",
            "--public-url",
            "http://gateway.test",
        ],
    );
    let (address, heard) = relay(gateway.public());
    let mut replay = program(gateway.folder());
    replay.arg("replay").arg(&fixtures).args(["--endpoint", &format!("http://{address}")]);
    let output = finish(replay.args(["--compare", "status", "--seed", "seed.toml"]));
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{output:?}");
    let heard = heard.lock().unwrap().clone();
    assert!(heard.len() > 100_000, "{output:?}");
    heard
}

#[test]
fn two_runs_of_the_catalogue_answer_the_same_bytes() {
    let (first, second) = (run(), run());
    if first == second {
        return;
    }
    let at = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
    let around = |bytes: &[u8]| {
        let part =
            bytes.iter().skip(at.saturating_sub(400)).take(800).copied().collect::<Vec<u8>>();
        String::from_utf8_lossy(&part).into_owned()
    };
    panic!("at byte {at}:\n{}\n--- and ---\n{}", around(&first), around(&second));
}
