//! The bank in small: two nodes draw on the same accounts at the same time, while the server is
//! killed and recovers. What was acknowledged is there, once, and nothing else is.

use super::fault::PostgresError;
use super::for_tests::{Server, fill, store_at};
use super::store::Store;
use super::tests::world;
use crate::ledger::Created;
use crate::ledger::conformance::{ACCOUNTS, OPENING, check_money, id, method_key, request};
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::work::creating;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const BATCHES: i64 = 60;

/// Draws small amounts, and gives how many refunds were acknowledged.
fn draw(store: &mut Store, node: i64, batches_done: &AtomicUsize) -> usize {
    let mut acknowledged = 0;
    for batch in 0..BATCHES {
        begin(store);
        let mut in_batch = 0;
        let done = (0..3).try_for_each(|place| {
            let account = 1 + (batch + node + place) % ACCOUNTS;
            let rows = [(account, 1 + (batch + place) % 5, false), (account, 2, place == 1)];
            let request = request(&rows, false, None, batch);
            let created = store.work(|unit| creating::create(unit, &request))?;
            let Created::Fresh { rows, .. } = created else { panic!("{created:?}") };
            in_batch += rows.iter().flatten().count();
            Ok(())
        });
        let flushed: Result<(), PostgresError> = done.and_then(|()| store.flush());
        let committed = match flushed {
            Ok(()) => store.commit(),
            Err(error) => Err(CommitError::RolledBack(error.to_string())),
        };
        match committed {
            Ok(()) => acknowledged += in_batch,
            Err(CommitError::RolledBack(_)) => store.roll_back().unwrap(),
            Err(CommitError::Unknown(why)) => panic!("{why}"),
        }
        batches_done.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// Begins, however long the server takes to recover.
fn begin(store: &mut Store) {
    let began = Instant::now();
    while let Err(error) = store.begin() {
        assert!(began.elapsed() < Duration::from_secs(120), "{error}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn two_nodes_on_one_ledger_never_overdraw_lose_or_double_while_the_server_is_killed() {
    let Some(server) = Server::start() else { return };
    let (schema, address) = server.new_schema();
    let accounts: Vec<_> =
        (1..=ACCOUNTS).map(|key| (id('a', key), method_key(key), id('b', key))).collect();
    let mut one = store_at(address.clone(), world());
    fill(&server, &schema, &accounts, OPENING);
    let mut other = store_at(address, world());
    let batches_done = AtomicUsize::new(0);
    let acknowledged = thread::scope(|scope| {
        let nodes = [
            scope.spawn(|| draw(&mut one, 0, &batches_done)),
            scope.spawn(|| draw(&mut other, 1, &batches_done)),
        ];
        for wanted in [10, 40] {
            while batches_done.load(Ordering::Relaxed) < wanted {
                thread::park_timeout(Duration::from_millis(1));
            }
            server.kill_and_start();
        }
        nodes.into_iter().map(|node| node.join().unwrap()).sum::<usize>()
    });
    assert!(acknowledged > 0);
    begin(&mut one);
    check_money(&mut one, acknowledged);
}
