//! How often a batch of creates waits for the server, however many requests it has:
//! docs/POSTGRES.md and docs/SCALE.md say these numbers.

use super::for_tests::{Server, fill, store_at};
use super::store::Store;
use super::tests::world;
use crate::ledger::Created;
use crate::ledger::conformance::{ACCOUNTS, OPENING, id, method_key, request};
use crate::ledger::engine::Engine;
use crate::ledger::tests::ahead::look_ahead;
use crate::ledger::work::{creating, naming};

/// Does a batch of so many requests, each about an account of its own, and gives its trips.
fn trips(store: &mut Store, requests: i64, second: i64) -> u32 {
    let before = store.link().unwrap().trips;
    let requests: Vec<_> =
        (1..=requests).map(|key| request(&[(key, 1, false)], false, None, second)).collect();
    let begun = store.begin_for(|needs| requests.iter().for_each(|one| naming::create(one, needs)));
    begun.unwrap();
    look_ahead(store, |needs| requests.iter().for_each(|one| naming::create(one, needs)));
    for request in &requests {
        let created = store.work(|unit| creating::create(unit, request)).unwrap();
        let Created::Fresh { rows, .. } = created else { panic!("{created:?}") };
        assert!(rows.iter().all(Result::is_ok), "{rows:?}");
    }
    store.flush().unwrap();
    store.commit().unwrap();
    store.link().unwrap().trips - before
}

#[test]
fn a_batch_takes_as_many_trips_however_many_requests_it_has() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let accounts: Vec<_> =
        (1..=ACCOUNTS).map(|key| (id('a', key), method_key(key), id('b', key))).collect();
    let mut one = store_at(address.clone(), world());
    fill(server, &schema, &accounts, OPENING);
    let mut other = store_at(address, world());
    // What is asked once in the life of a node.
    trips(&mut one, 2, 1);
    trips(&mut other, 2, 1);
    trips(&mut one, 2, 2);
    let alone = [1, ACCOUNTS].map(|requests| trips(&mut one, requests, 3));
    // Another node's batch in between: what is counted is looked up anew.
    trips(&mut other, 2, 4);
    let after_another = [1, ACCOUNTS].map(|requests| {
        let trips = trips(&mut one, requests, 5);
        self::trips(&mut other, 2, 6);
        trips
    });
    assert_eq!((alone, after_another), ([2; 2], [4; 2]));
}
