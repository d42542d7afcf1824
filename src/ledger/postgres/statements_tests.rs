//! Rows that are found before they are asked for, and rows that are written in many forms.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::for_tests::{Server, fill, store_at, store_for_tests};
use super::store::Store;
use super::tests::{account, world};
use crate::domain::facts::AccountKey;
use crate::domain::money::MinorUnits;
use crate::ledger::conformance::{ACCOUNTS, OPENING, id, method_key, request};
use crate::ledger::engine::Engine;
use crate::ledger::records::{AccountRow, Balance};
use crate::ledger::work::naming;

fn units(store: &mut Store, key: i64) -> i64 {
    let balance = store.work(|unit| unit.existing::<Balance>(&(AccountKey(key),)));
    balance.unwrap().units.units()
}

fn trips(store: &mut Store) -> u32 {
    store.link().unwrap().trips
}

/// Begins a batch for a refund of each of these accounts.
fn begin_for(store: &mut Store, keys: &[i64]) {
    let requests: Vec<_> =
        keys.iter().map(|key| request(&[(*key, 1, false)], false, None, 1)).collect();
    let begun = store.begin_for(|needs| {
        requests.iter().for_each(|one| naming::create(one, needs));
    });
    begun.unwrap();
}

#[test]
fn a_balance_that_came_with_the_turn_is_as_the_last_batch_and_this_one_left_it() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let accounts: Vec<_> =
        (1..=ACCOUNTS).map(|key| (id('a', key), method_key(key), id('b', key))).collect();
    let (mut one, mut other) = (store_at(address.clone(), world()), store_at(address, world()));
    fill(server, &schema, &accounts, OPENING);
    for round in 1..=3 {
        let store = if round % 2 == 1 { &mut one } else { &mut other };
        begin_for(store, &[1, 2]);
        let begun = trips(store);
        let expected = OPENING - (round - 1) * 5;
        assert_eq!((units(store, 1), units(store, 2)), (expected, OPENING));
        assert_eq!(trips(store), begun, "nothing is asked for again");
        let take = |row: &mut Balance| row.units = MinorUnits::new(row.units.units() - 5);
        let changed = store.work(|unit| {
            unit.change::<Balance>(&(AccountKey(1),), take)?;
            unit.write_out()
        });
        changed.unwrap();
        // What was found before is not what is there now.
        assert_eq!((units(store, 1), units(store, 2)), (expected - 5, OPENING));
        assert!(trips(store) > begun);
        store.flush().unwrap();
        store.commit().unwrap();
    }
}

/// A row whose columns differ from those of others, or do not, by the bits of a number.
fn shaped(key: i64, shape: i64) -> AccountRow {
    let is = |bit: i64| (shape >> bit) & 1 == 1;
    let text = |bit: i64| is(bit).then(|| format!("{bit} of {key}"));
    AccountRow {
        name: if is(0) { format!("N{key}") } else { "N".to_owned() },
        gateway: text(1),
        custom: text(2),
        kept: text(3).unwrap_or_else(|| "{}".to_owned()),
        opening: MinorUnits::new(if is(4) { key } else { 100 }),
        parent: is(5).then_some(AccountKey(key)),
        ..account(key)
    }
}

#[test]
fn rows_of_every_shape_are_kept_whatever_forms_their_statements_have() {
    let Some(mut store) = store_for_tests(world(), &[], 0) else { return };
    let mut rows = Vec::new();
    for batch in 0..80 {
        let many = batch % 4 + 1;
        let keys = batch * 10 + 1..=batch * 10 + many;
        let made = keys.map(|key| shaped(key, batch * 7 + key % 2 * (batch * 13)));
        let made: Vec<_> = made.collect();
        store.begin().unwrap();
        store.work(|unit| made.iter().try_for_each(|row| unit.insert(row.clone()))).unwrap();
        store.flush().unwrap();
        store.commit().unwrap();
        rows.extend(made);
    }
    for (batch, rows) in rows.chunks_mut(3).enumerate() {
        let shape = i64::try_from(batch).unwrap() * 11;
        store.begin().unwrap();
        for row in rows {
            let key = row.key.0;
            *row = AccountRow { id: row.id.clone(), ..shaped(key, shape + key % 3 * 17) };
            let change = |there: &mut AccountRow| *there = row.clone();
            store.work(|unit| unit.change::<AccountRow>(&(AccountKey(key),), change)).unwrap();
        }
        store.flush().unwrap();
        store.commit().unwrap();
    }
    store.begin().unwrap();
    for row in rows {
        let found = store.work(|unit| unit.existing::<AccountRow>(&(row.key,))).unwrap();
        assert_eq!(format!("{found:?}"), format!("{row:?}"));
    }
    store.roll_back().unwrap();
}
