//! Sums of rows in PostgreSQL: what was changed behind the ledger is damage, and what a program
//! without sums wrote passes and gets its sums.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::address::Address;
use super::audit::audit;
use super::for_tests::{AS_A_NODE, Server, store_at};
use super::readers::read_once;
use super::store::Store;
use super::tests::{add, is_there, meta, world};
use crate::ledger::audit::{Audit, Progress};
use crate::ledger::engine::Engine;
use crate::ledger::records::Meta;
use std::sync::Arc;

fn audited(address: &Address) -> Audit {
    let progress: Progress = Arc::new(|_, _| ());
    read_once(address, |reader| audit(reader, &progress)).unwrap()
}

/// The value of a row, or why there is none.
fn value(store: &mut Store, key: &str) -> Result<String, String> {
    store.begin().unwrap();
    let found = store.work(|unit| unit.existing::<Meta>(&(key.to_owned(),)));
    let is_damage = found.as_ref().is_err_and(Store::is_damage);
    store.roll_back().unwrap();
    let found = found.map(|row| row.value).map_err(|error| error.to_string());
    assert!(found.is_ok() || is_damage, "{found:?}");
    found
}

fn change(store: &mut Store, key: &str, to: &str) {
    store.begin().unwrap();
    let (key, to) = ((key.to_owned(),), to.to_owned());
    store.work(|unit| unit.change::<Meta>(&key, |row| row.value = to)).unwrap();
    store.flush().unwrap();
    store.commit().unwrap();
}

#[test]
fn a_row_that_was_changed_behind_the_ledger_is_damage() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut store = store_at(address.clone(), world());
    ["one", "two", "three"].iter().for_each(|key| add(&mut store, key));
    change(&mut store, "two", "changed by the ledger");
    assert_eq!(audited(&address).unsummed, 0);
    assert_eq!(audited(&address).findings.problems, Vec::<String>::new());
    for (key, what) in [("one", "value = 'w'"), ("three", "sum = sum + 1")] {
        server.sql("postgres", &format!("update {schema}.meta set {what} where key = '{key}'"));
        let why = value(&mut store, key).unwrap_err();
        assert_eq!(why, "a row of meta is not what was written there");
    }
    assert_eq!(value(&mut store, "two").unwrap(), "changed by the ledger");
    let problems = audited(&address).findings.problems;
    assert_eq!(problems, ["a row of meta is not what was written there"; 2]);
}

#[test]
fn rows_of_a_program_without_sums_pass_are_counted_and_get_their_sums_at_the_next_start() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut store = store_at(address.clone(), world());
    ["one", "two"].iter().for_each(|key| add(&mut store, key));
    let insert = "select 'old ' || number, 'v' from generate_series(1, 2500) as number";
    server.sql(
        "postgres",
        &format!(
            "{AS_A_NODE}set search_path = {schema}; \
             insert into meta (key, value) {insert}; \
             insert into audit_source (key, \"user\", actor, door, version, address, operation, \
             object) values (7, 0, '', 'soap', '', '', 'create', 'Refund'); \
             update meta set value = 'changed by an older program' where key = 'one'"
        ),
    );
    assert_eq!(value(&mut store, "one").unwrap(), "changed by an older program");
    assert!(is_there(&mut store, "old 2500"));
    assert_eq!(audited(&address).unsummed, 2_502);
    // What this program changes has its sum again.
    change(&mut store, "one", "changed by the ledger");
    assert_eq!(audited(&address).unsummed, 2_501);
    drop(store);
    let mut store = store_at(address.clone(), world());
    assert_eq!((audited(&address).unsummed, audited(&address).findings.problems.len()), (0, 0));
    let listed = format!("select count(*) from {schema}.unsummed");
    assert_eq!(server.sql("postgres", &listed), "0");
    server.sql("postgres", &format!("update {schema}.meta set value = 'w' where key = 'old 7'"));
    value(&mut store, "old 7").unwrap_err();
    assert_eq!(value(&mut store, "old 8").unwrap(), meta("old 8").value);
}

#[test]
fn a_large_table_gets_its_sums_in_many_batches_beside_a_node_that_writes() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut other = store_at(address.clone(), world());
    let insert = format!(
        "{AS_A_NODE}set search_path = {schema}; insert into meta (key, value) \
         select 'old ' || number, repeat('v', 400) from generate_series(1, 5500) as number"
    );
    server.sql("postgres", &insert);
    std::thread::scope(|scope| {
        let started = scope.spawn(|| store_at(address.clone(), world()));
        for number in 0..20 {
            add(&mut other, &format!("beside {number}"));
            change(&mut other, &format!("old {}", 5_500 - number), "changed meanwhile");
        }
        drop(started.join().unwrap());
    });
    assert_eq!((audited(&address).unsummed, audited(&address).findings.problems.len()), (0, 0));
    let counted = format!("select count(*) from {schema}.meta where value = 'changed meanwhile'");
    assert_eq!(server.sql("postgres", &counted), "20");
}
