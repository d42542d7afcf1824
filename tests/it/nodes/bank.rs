//! The bank test: clients at random nodes, with and without keys, external and electronic, while
//! nodes are killed and started again. At the end every acknowledged refund is there once, no key
//! made two, the balances are what is left, and the gateway paid each order once at most.

use super::{check, nodes, number};
use crate::drawn::Drawn;
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway,
    create_envelope, refund,
};
use crate::postgres_server::Server;
use crate::processor_stub::{Behaviour, ProcessorStub};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: u64 = 6;
const NODES: usize = 3;

/// What clients know.
#[derive(Default)]
struct Known {
    /// The ids of refunds that were acknowledged, by what they say of themselves.
    acknowledged: Mutex<BTreeMap<String, String>>,
    /// Requests without an answer.
    unknown: AtomicUsize,
    /// Requests that were answered by a fault or a refusal.
    refused: AtomicUsize,
}

/// Sends a request over a connection of its own; nothing where no whole answer came.
fn send(address: SocketAddr, key: Option<&str>, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {ENDPOINT} HTTP/1.1\r\nHost: {address}\r\nContent-Type: text/xml\r\n{key}\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    answer.trim_end().ends_with("Envelope>").then_some(answer)
}

/// The text of the first element of this name.
fn element(answer: &str, name: &str) -> Option<String> {
    let begin = answer.find(&format!(":{name}>"))? + name.len() + 2;
    let end = answer[begin..].find('<')? + begin;
    Some(answer[begin..end].to_owned())
}

fn object(drawn: &mut Drawn, comment: &str) -> String {
    let amount = format!("{}.{:02}", drawn.below(3), drawn.below(99) + 1);
    let external = [("AccountId", EXTERNAL_ACCOUNT), ("Type", "External"), ("MethodType", "Check")];
    let electronic = [
        ("AccountId", ELECTRONIC_ACCOUNT),
        ("Type", "Electronic"),
        ("PaymentMethodId", ELECTRONIC_METHOD),
    ];
    let kind = if drawn.below(3) == 0 { electronic } else { external };
    let more = [("Amount", amount.as_str()), ("SourceType", "CreditBalance"), ("Comment", comment)];
    refund(&[kind.as_slice(), &more].concat())
}

/// Pays until it is over. A request with a key is sent until it is answered, wherever that is.
fn client(
    place: u64,
    nodes: &RwLock<[SocketAddr; NODES]>,
    session: &str,
    known: &Known,
    until: Instant,
) {
    let mut drawn = Drawn(place);
    let mut count = 0;
    while Instant::now() < until {
        count += 1;
        let comment = format!("by {place}, its {count}");
        let key = (drawn.below(2) == 0).then(|| format!("key-{place}-{count}"));
        let body = create_envelope(session, &[object(&mut drawn, &comment)]);
        let mut any = || nodes.read().unwrap()[drawn.below(NODES as u64) as usize];
        let mut answer = send(any(), key.as_deref(), &body);
        let patience = Instant::now() + Duration::from_secs(90);
        let is_open = |answer: &Option<String>| match answer {
            None => true,
            Some(answer) => answer.contains("Fault>"),
        };
        while key.is_some() && is_open(&answer) && Instant::now() < patience {
            thread::sleep(Duration::from_millis(100));
            answer = send(any(), key.as_deref(), &body);
        }
        match answer {
            None => drop(known.unknown.fetch_add(1, Ordering::SeqCst)),
            Some(answer) if answer.contains(":Success>true<") => {
                let id = element(&answer, "Id").unwrap_or_else(|| panic!("{answer}"));
                if let Some(key) = &key {
                    // The same bytes from any node, whatever the gateway has said since.
                    let again = send(any(), Some(key), &body);
                    let again = again.as_deref().and_then(|again| element(again, "Id"));
                    assert!(again.is_none_or(|again| again == id), "{key} made two refunds");
                }
                known.acknowledged.lock().unwrap().insert(comment, id);
            }
            Some(_) => drop(known.refused.fetch_add(1, Ordering::SeqCst)),
        }
    }
}

/// Kills a node now and then and starts it again.
fn killer(
    gateways: &mut [TestGateway; NODES],
    addresses: &RwLock<[SocketAddr; NODES]>,
    is_over: &AtomicBool,
) -> u32 {
    let (mut drawn, mut kills) = (Drawn(99), 0);
    while !is_over.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(700 + drawn.below(900)));
        let place = drawn.below(NODES as u64) as usize;
        gateways[place].kill9();
        gateways[place].restart();
        addresses.write().unwrap()[place] = gateways[place].public();
        kills += 1;
    }
    kills
}

#[test]
fn whatever_dies_every_acknowledged_refund_is_there_once() {
    let stub = ProcessorStub::start();
    stub.script((0..200).map(|place| match place % 7 {
        0 => Behaviour::Decline,
        1 => Behaviour::DropAfter,
        2 => Behaviour::DropBefore,
        3 => Behaviour::Slow(Duration::from_millis(150)),
        _ => Behaviour::Normal,
    }));
    let Some((server, url, mut gateways)) = nodes::<NODES>(&stub, "") else { return };
    let seconds = std::env::var("NODES_SECONDS").map_or(6, |text| text.parse().unwrap());
    let session = gateways[0].login();
    let addresses = RwLock::new([0, 1, 2].map(|place: usize| gateways[place].public()));
    let (known, is_over) = (Arc::new(Known::default()), AtomicBool::new(false));
    let until = Instant::now() + Duration::from_secs(seconds);
    let kills = thread::scope(|scope| {
        let (addresses, session, is_over) = (&addresses, session.as_str(), &is_over);
        let gateways = &mut gateways;
        let killing = scope.spawn(move || killer(gateways, addresses, is_over));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|place| {
                let known = Arc::clone(&known);
                scope.spawn(move || client(place, addresses, session, &known, until))
            })
            .collect();
        let ended: Vec<_> = clients.into_iter().map(thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::SeqCst);
        let kills = killing.join().unwrap();
        ended.into_iter().for_each(|ended| ended.unwrap());
        kills
    });
    assert!(kills > 0);
    compare(&server, &known, &stub);
    check(&url);
    gateways.iter_mut().for_each(|node| assert!(node.terminate().success()));
}

fn compare(server: &Server, known: &Known, stub: &ProcessorStub) {
    let acknowledged = known.acknowledged.lock().unwrap();
    let unknown = known.unknown.load(Ordering::SeqCst);
    let comments = "select comment from refund_row order by number";
    let found = server.sql("postgres", comments);
    let there: BTreeSet<&str> = found.lines().collect();
    assert_eq!(there.len(), found.lines().count(), "a request made two refunds");
    let lost: Vec<_> = acknowledged.keys().filter(|it| !there.contains(it.as_str())).collect();
    assert_eq!(lost, Vec::<&String>::new(), "acknowledged, and not there");
    let more = there.len() - acknowledged.len();
    assert!(more <= unknown, "{more} refunds that were not acknowledged, of {unknown} unknown");
    assert!(acknowledged.len() > 20, "{} acknowledged", acknowledged.len());
    let ids: BTreeSet<&String> = acknowledged.values().collect();
    assert_eq!(ids.len(), acknowledged.len(), "an id was given twice");
    let wrong = "select count(*) from account where balance < 0 \
                 or balance <> opening - coalesce((select sum(amount) from refund \
                 where refund.account = account.key and refund.status <> 'Error'), 0)";
    assert_eq!(number(server, wrong), 0, "a balance is not what is left");
    let gaps = "select coalesce(max(number), 0) - count(*) from refund";
    assert_eq!(number(server, gaps), 0, "numbers have no gaps");
    assert!(stub.payments().values().all(|paid| *paid == 1), "{:?}", stub.payments());
    let declined = server.sql("postgres", "select comment from refund where status = 'Error'");
    let declined = declined.lines().filter_map(|comment| acknowledged.get(comment));
    for id in declined {
        assert_eq!(stub.paid(id), 0, "{id} was paid and given back");
    }
}
