//! What becomes of a commit whose answer, or whose request, is lost on the way.

use super::address::{Address, Secrets};
use super::for_tests::{Server, store_at};
use super::store::Store;
use super::tests::{add, is_there, meta, world};
use crate::ledger::LedgerError;
use crate::ledger::damage::Damage;
use crate::ledger::engine::{CommitError, Engine, Load};
use crate::ledger::writer::Writer;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loses {
    Nothing,
    /// The next COMMIT never arrives.
    Commit,
    /// The answer to the next COMMIT never arrives.
    Answer,
}

/// Passes on what goes between a ledger and its server.
struct Relay {
    port: u16,
    loses: Arc<Mutex<Loses>>,
    /// It ends what is begun as if there were no server.
    is_away: Arc<AtomicBool>,
}

impl Relay {
    fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let loses = Arc::new(Mutex::new(Loses::Nothing));
        let is_away = Arc::new(AtomicBool::new(false));
        let (shared, away) = (Arc::clone(&loses), Arc::clone(&is_away));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if away.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                pass(client, server, &shared);
            }
        });
        Self { port, loses, is_away }
    }

    fn lose(&self, what: Loses) {
        *self.loses.lock().unwrap() = what;
    }

    fn be_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    fn store(&self, schema: &str) -> Store {
        let url = format!(
            "postgres://postgres:secret@127.0.0.1:{}/postgres?options=-csearch_path%3D{schema}",
            self.port
        );
        store_at(Address::parse(&url, &Secrets::default()).unwrap(), world())
    }
}

fn end(client: &TcpStream, server: &TcpStream) {
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

fn pass(client: TcpStream, server: TcpStream, loses: &Arc<Mutex<Loses>>) {
    let is_muted = Arc::new(AtomicBool::new(false));
    let (muted, loses) = (Arc::clone(&is_muted), Arc::clone(loses));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let is_commit = bytes[..count].windows(7).any(|part| part == b"commit\0");
            let mut loses = loses.lock().unwrap();
            match *loses {
                Loses::Commit if is_commit => {
                    *loses = Loses::Nothing;
                    break;
                }
                Loses::Answer if is_commit => {
                    *loses = Loses::Nothing;
                    muted.store(true, Ordering::SeqCst);
                }
                _ => {}
            }
            drop(loses);
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        end(&from, &to);
    });
    let (mut from, mut to) = (server, client);
    thread::spawn(move || {
        let (mut bytes, mut kept_back) = ([0; 65_536], Vec::new());
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let passed_on = &bytes[..count];
            if is_muted.load(Ordering::SeqCst) {
                // Answers to what went before COMMIT may come first; it has to be done.
                kept_back.extend_from_slice(passed_on);
                if kept_back.windows(7).any(|part| part == b"COMMIT\0") {
                    break;
                }
            } else if to.write_all(passed_on).is_err() {
                break;
            }
        }
        end(&from, &to);
    });
}

#[test]
fn a_commit_without_an_answer_is_looked_up_before_anything_is_said_of_it() {
    let Some(server) = Server::shared() else { return };
    let (schema, _) = server.new_schema();
    let relay = Relay::start(server.port());
    let mut store = relay.store(&schema);
    add(&mut store, "before");
    relay.lose(Loses::Answer);
    // It was committed, and that is what is found.
    add(&mut store, "answer lost");
    assert!(is_there(&mut store, "answer lost"));
    relay.lose(Loses::Commit);
    store.begin().unwrap();
    store.work(|unit| unit.insert(meta("commit lost"))).unwrap();
    store.flush().unwrap();
    assert!(matches!(store.commit(), Err(CommitError::RolledBack(_))));
    assert!(store.is_passing());
    store.roll_back().unwrap();
    assert!(!is_there(&mut store, "commit lost"));
    add(&mut store, "after");
    assert!(is_there(&mut store, "after"));
}

#[test]
fn a_request_whose_batch_was_lost_before_its_commit_is_done_again_and_once() {
    let Some(server) = Server::shared() else { return };
    let (schema, _) = server.new_schema();
    let relay = Relay::start(server.port());
    let store = relay.store(&schema);
    let load = Load { queue_max: 8, batch_max: 4 };
    let damage = Damage::default();
    let writer = Writer::start(store, load, damage.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for loses in [Loses::Commit, Loses::Answer, Loses::Nothing] {
        relay.lose(loses);
        let key = format!("{loses:?}");
        let reply = writer
            .submit(None, move |store: &mut Store| store.work(|unit| unit.insert(meta(&key))));
        runtime.block_on(reply).unwrap();
    }
    assert_eq!(damage.lost(), None);
    drop(writer);
    let mut store = relay.store(&schema);
    for key in ["Commit", "Answer", "Nothing"] {
        assert!(is_there(&mut store, key), "{key}");
    }
}

#[test]
fn a_node_whose_server_is_away_after_a_commit_writes_again_once_it_is_back() {
    let Some(server) = Server::shared() else { return };
    let (schema, _) = server.new_schema();
    let relay = Relay::start(server.port());
    let mut store = relay.store(&schema);
    // What callers wait for the outcome is not waited out here.
    store.look_up_for(Duration::ZERO);
    let load = Load { queue_max: 8, batch_max: 4 };
    let damage = Damage::default();
    let writer = Writer::start(store, load, damage.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let write = |key: String| {
        let work = move |store: &mut Store| store.work(|unit| unit.insert(meta(&key)));
        runtime.block_on(writer.submit(None, work))
    };
    for loses in [Loses::Commit, Loses::Answer] {
        relay.lose(loses);
        relay.be_away(true);
        let lost = write(format!("{loses:?}"));
        assert!(matches!(lost, Err(LedgerError::Unknown(_))), "{loses:?}: {lost:?}");
        assert!(damage.lost().is_some(), "{loses:?}");
        let meanwhile = write(format!("after {loses:?}")).unwrap_err();
        assert!(matches!(meanwhile, LedgerError::Unavailable(_)), "{loses:?}: {meanwhile}");
        assert!(meanwhile.to_string().contains("it is looked for"), "{meanwhile}");
        relay.be_away(false);
        let again = (0..1_000).any(|_| {
            thread::park_timeout(Duration::from_millis(20));
            write(format!("after {loses:?}")).is_ok()
        });
        assert!(again, "after {loses:?} nothing is written any more");
        assert_eq!(damage.lost(), None, "{loses:?}");
    }
    drop(writer);
    let mut store = relay.store(&schema);
    assert!(!is_there(&mut store, "Commit"), "it never arrived");
    for key in ["Answer", "after Commit", "after Answer"] {
        assert!(is_there(&mut store, key), "{key}");
    }
}
