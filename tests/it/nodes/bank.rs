//! The bank test: clients at random nodes, with and without keys, external and electronic, while
//! nodes are killed and started again. At the end every acknowledged refund is there once, no key
//! made two, the balances are what is left, and the gateway paid each order once at most.

use super::{check, nodes};
use crate::bank::{Answers, Client, vex};
use crate::drawn::Drawn;
use crate::gateway::TestGateway;
use crate::processor_stub::ProcessorStub;
use std::net::SocketAddr;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const CLIENTS: u64 = 6;
const NODES: usize = 3;

/// Kills a node now and then and starts it again.
fn killer(
    gateways: &mut [TestGateway; NODES],
    addresses: &RwLock<Vec<SocketAddr>>,
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
    vex(&stub, 200);
    let Some((server, url, mut gateways)) = nodes::<NODES>(&stub, "") else { return };
    let seconds = std::env::var("NODES_SECONDS").map_or(6, |text| text.parse().unwrap());
    let session = gateways[0].login();
    let addresses = RwLock::new(gateways.iter().map(TestGateway::public).collect());
    let (answers, is_over) = (Answers::default(), AtomicBool::new(false));
    let kills = thread::scope(|scope| {
        let (addresses, session) = (&addresses, session.as_str());
        let (answers, is_over, gateways) = (&answers, &is_over, &mut gateways);
        let killing = scope.spawn(move || killer(gateways, addresses, is_over));
        for place in 0..CLIENTS {
            let client =
                Client { place, nodes: addresses, session, cents_max: 298, has_card: true };
            scope.spawn(move || client.run(answers, is_over));
        }
        thread::sleep(Duration::from_secs(seconds));
        is_over.store(true, Ordering::SeqCst);
        killing.join().unwrap()
    });
    assert!(kills > 0);
    let sql = |select: &str| server.sql("postgres", select);
    let compared = answers.compare(&sql);
    answers.compare_payments(&sql, &stub);
    assert!(compared.acknowledged > 20, "{compared}");
    check(&url);
    gateways.iter_mut().for_each(|node| assert!(node.terminate().success()));
}
