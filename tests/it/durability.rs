//! What an acknowledged refund is worth: clients that compete, keys that are repeated, a process
//! that is killed in the middle, a disk that takes nothing more.
//!
//! `CRASH_KILLS` says how often it is killed; without it 20 times.

use crate::fault_matrix::refund_of;
use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, FIFTY, TestGateway, create_envelope, electronic_refund,
    external_refund,
};
use crate::stored::Stored;
use crate::wire::{Answer, Connection};
use refund_gateway::xml::{XmlLimits, decode, parse};
use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const KEYED: &str = "Idempotency-Key";

fn assert_well_formed(answer: &Answer) {
    let text = decode(&answer.body, Some("utf-8")).unwrap();
    parse(&text, &XmlLimits::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
}

#[test]
fn a_hundred_clients_share_fifty_and_exactly_fifty_succeed() {
    let gateway = TestGateway::seeded(FIFTY, &[]);
    let session = gateway.login();
    let body = create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..100).map(|_| scope.spawn(|| gateway.post(ENDPOINT, &body))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let ids: HashSet<String> = answers.iter().flat_map(|answer| answer.texts("Id")).collect();
    assert_eq!(ids.len(), 50);
    for answer in &answers {
        assert_eq!(answer.status, 200, "{answer}");
        assert_well_formed(answer);
        if answer.successes() == 0 {
            let reported = answer.texts("Message");
            let expected = "The refund amount 1.00 is greater than the credit balance 0.00.";
            assert_eq!(reported, [expected], "{answer}");
        }
    }
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "0.00");
}

#[test]
fn a_thousand_times_the_same_key_is_one_refund() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let body = create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "10")]);
    let headers = [("Content-Type", "text/xml"), (KEYED, "the-one")];
    let answers: Vec<Answer> = thread::scope(|scope| {
        let client = || {
            let mut connection = gateway.connect();
            let send = |_| connection.send("POST", ENDPOINT, &headers, body.as_bytes());
            (0..20).map(send).collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..50).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), 1000);
    let (done, running): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    let bodies: HashSet<&[u8]> = done.iter().map(|answer| answer.body.as_slice()).collect();
    assert_eq!(bodies.len(), 1, "every answer has the same bytes");
    let replayed = |answer: &&Answer| answer.header("idempotent-replayed") == Some("true");
    assert_eq!(done.iter().filter(replayed).count(), done.len() - 1);
    assert!(running.iter().all(|answer| answer.status == 409));
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "990.00");
}

/// A client that sends refunds one after the other, each under a key of its own, until its
/// connection breaks; the key in flight is sent again after the next start.
struct Client {
    name: usize,
    sent: usize,
    acknowledged: Vec<String>,
}

impl Client {
    /// Every third is electronic, so that the gateway's second transaction is hit as well.
    fn body(&self, session: &str) -> String {
        let object = if self.sent.is_multiple_of(3) {
            electronic_refund("0.01")
        } else {
            external_refund(EXTERNAL_ACCOUNT, "0.01")
        };
        create_envelope(session, &[object])
    }

    fn send_until_broken(&mut self, address: SocketAddr, session: &str, count: &AtomicUsize) {
        let Ok(mut stream) = TcpStream::connect(address) else { return };
        loop {
            let key = format!("client-{}-{}", self.name, self.sent);
            let Ok(answer) = exchange(&mut stream, &key, &self.body(session)) else { return };
            let (_, rest) = answer.split_once("<ns1:Id>").unwrap_or_else(|| panic!("{answer}"));
            self.acknowledged.push(rest.chars().take(32).collect());
            self.sent += 1;
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One request and its answer, or whatever became of the connection.
pub fn exchange(stream: &mut TcpStream, key: &str, body: &str) -> io::Result<String> {
    let length = body.len();
    let head = format!(
        "POST {ENDPOINT} HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\n{KEYED}: {key}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&answer);
        if text.ends_with("</soapenv:Envelope>") {
            return Ok(text.into_owned());
        }
    }
}

/// Every refund of a ledger by its id, with its status.
fn stored_refunds(stored: &Stored) -> Vec<(String, String)> {
    let select = "select number, created_ms, salt, status from refund order by number";
    stored.select(select).iter().map(|row| refund_of(row)).collect()
}

/// Waits until so many refunds were acknowledged; false when that does not happen.
fn are_acknowledged(count: &AtomicUsize, at_least: usize) -> bool {
    let started = Instant::now();
    while count.load(Ordering::Relaxed) < at_least {
        if started.elapsed() > Duration::from_secs(60) {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

#[test]
fn killed_many_times_under_load_nothing_is_lost_or_made_twice() {
    const A_ROUND: usize = 20;
    let rounds: usize = std::env::var("CRASH_KILLS")
        .map_or(20, |kills| kills.parse().expect("CRASH_KILLS is a whole number"));
    let mut gateway = TestGateway::demo();
    let mut clients: Vec<Client> =
        (0..8).map(|name| Client { name, sent: 0, acknowledged: Vec::new() }).collect();
    for round in 0..rounds {
        let (address, session) = (gateway.public(), gateway.login());
        let count = AtomicUsize::new(0);
        thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(|| client.send_until_broken(address, &session, &count));
            }
            let under_load = are_acknowledged(&count, A_ROUND);
            // At another place of its work each time: up to 4 ms later, in no order.
            let delay = u64::try_from(round * 7_919 % 4_001).unwrap();
            thread::sleep(Duration::from_micros(delay));
            gateway.kill9();
            assert!(under_load, "round {round}: {count:?} acknowledged");
        });
        gateway.restart();
        let stored = stored_refunds(&gateway.stored());
        let ids: HashSet<&str> = stored.iter().map(|(id, _)| id.as_str()).collect();
        let acknowledged = || clients.iter().flat_map(|client| &client.acknowledged);
        let lost: Vec<_> = acknowledged().filter(|id| !ids.contains(id.as_str())).collect();
        assert!(lost.is_empty(), "round {round}: acknowledged and lost: {lost:?}");
        gateway.balances();
    }
    finish_what_was_in_flight(&gateway, &mut clients);
    let acknowledged: Vec<&String> =
        clients.iter().flat_map(|client| &client.acknowledged).collect();
    let distinct: HashSet<&String> = acknowledged.iter().copied().collect();
    let stored = stored_refunds(&gateway.stored());
    assert_eq!(distinct.len(), acknowledged.len(), "two keys, one refund");
    assert_eq!(stored.len(), acknowledged.len(), "each key is one refund, none is without a key");
    assert!(acknowledged.len() >= rounds * A_ROUND);
}

/// Sends each client's last key once more, and waits until no refund is in Processing.
fn finish_what_was_in_flight(gateway: &TestGateway, clients: &mut [Client]) {
    let (address, session) = (gateway.public(), gateway.login());
    for client in clients.iter_mut() {
        let mut stream = TcpStream::connect(address).unwrap();
        let key = format!("client-{}-{}", client.name, client.sent);
        let answer = exchange(&mut stream, &key, &client.body(&session)).unwrap();
        let (_, rest) = answer.split_once("<ns1:Id>").unwrap_or_else(|| panic!("{answer}"));
        client.acknowledged.push(rest.chars().take(32).collect());
    }
    let started = Instant::now();
    let is_open = |(_, status): &(String, String)| status == "Processing";
    while stored_refunds(&gateway.stored()).iter().any(is_open) {
        assert!(started.elapsed() < Duration::from_secs(60), "a refund is stuck in Processing");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The file system lets no file grow beyond a limit, so a commit fails with an I/O error and its
/// outcome is open: the answer breaks off (never before its first byte, because a stack would send
/// the call again), readiness is gone, and nothing acknowledged is lost.
#[test]
fn an_io_error_at_commit_is_never_answered() {
    let mut gateway = TestGateway::demo();
    let session = gateway.login();
    gateway.limit_file_size(256 << 10);
    let mut acknowledged = Vec::new();
    let withheld = (0..10_000).any(|_| {
        let objects = vec![external_refund(EXTERNAL_ACCOUNT, "0.01"); 50];
        let mut connection = gateway.connect();
        let body = create_envelope(&session, &objects);
        send(&mut connection, &body);
        let head = connection.read_head_of_answer().expect("at least a head");
        match connection.read_body(&head) {
            Some(body) => {
                acknowledged.extend(Answer { body, ..head }.texts("Id"));
                false
            }
            None => true,
        }
    });
    assert!(withheld, "the limit was never reached");
    let ready = gateway.get_admin("/readyz");
    assert_eq!(ready.status, 503, "{ready}");
    let refused = gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "0.01")]);
    assert_eq!(
        (refused.status, refused.texts("FaultCode")),
        (500, vec!["SERVER_UNAVAILABLE".into()])
    );
    assert_eq!(gateway.terminate().code(), Some(5), "a failed storage is no success");
    gateway.restart();
    assert_eq!(gateway.get_admin("/readyz").status, 200);
    let stored = stored_refunds(&gateway.stored());
    let ids: HashSet<&str> = stored.iter().map(|(id, _)| id.as_str()).collect();
    assert!(acknowledged.iter().all(|id| ids.contains(id.as_str())));
    gateway.balances();
}

fn send(connection: &mut Connection, body: &str) {
    let length = body.len();
    let head = format!(
        "POST {ENDPOINT} HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    connection.write(&[head.as_bytes(), body.as_bytes()].concat());
}
