//! Ledgers in a real PostgreSQL, for tests.

use super::address::{Address, Secrets};
use super::starting::{self, Start};
use super::store::Store;
use crate::domain::facts::MethodKey;
use crate::domain::id::ObjectId;
use crate::ledger::unit::World;
use std::sync::atomic::{AtomicU32, Ordering};

#[allow(dead_code, reason = "tests of the built gateway use more of it")]
#[path = "../../../tests/it/postgres_server.rs"]
mod server;
#[path = "../../../tests/it/skipped.rs"]
mod skipped;

pub(in crate::ledger) use server::{AS_A_NODE, Server};

impl Server {
    /// A new schema, in which there is nothing, and its address.
    pub(in crate::ledger) fn new_schema(&self) -> (String, Address) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("s{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create schema {schema}"));
        let address = self.address_of(&schema);
        (schema, address)
    }

    /// The address of a schema.
    pub(in crate::ledger) fn address_of(&self, schema: &str) -> Address {
        let options = format!("options=-csearch_path%3D{schema}");
        Address::parse(&self.url("postgres", &options), &Secrets::default()).unwrap()
    }
}

/// The writing side of a new ledger in a schema of its own, in a world of the test's own, with a
/// user and with these accounts (each with the key and the id of its card) of an opening balance.
pub(in crate::ledger) fn store_for_tests(
    world: World,
    accounts: &[(ObjectId, MethodKey, ObjectId)],
    opening: i64,
) -> Option<Store> {
    let server = Server::shared()?;
    let (schema, address) = server.new_schema();
    let store = store_at(address, world);
    fill(server, &schema, accounts, opening);
    Some(store)
}

/// Adds a user and these accounts, as another node would.
pub(in crate::ledger) fn fill(
    server: &Server,
    schema: &str,
    accounts: &[(ObjectId, MethodKey, ObjectId)],
    opening: i64,
) {
    let mut rows = "insert into \"user\" (key, id, username, password_hash, permissions) \
                    values (1, lpad('1', 32, '0'), 'demo', '', 0);"
        .to_owned();
    for (key, (account, method_key, method)) in (1_i64..).zip(accounts) {
        let (account, method, method_key) = (account.as_str(), method.as_str(), method_key.0);
        rows += &format!(
            "insert into account_row (key, id, number, name, currency, opening) \
             values ({key}, '{account}', 'A{key}', 'A', 'USD', {opening}); \
             insert into balance (account, units) values ({key}, {opening}); \
             insert into payment_method (key, id, account, type, status) \
             values ({method_key}, '{method}', {key}, 'CreditCard', 'Active');"
        );
    }
    let turn = "update turn set number = number + 1";
    server.sql("postgres", &format!("set search_path = {schema}; begin; {rows} {turn}; commit"));
}

/// The writing side of the ledger at an address, in a world of the test's own.
pub(in crate::ledger) fn store_at(address: Address, world: World) -> Store {
    let start = Start { is_test: Some(true), is_made: true, ..Start::default() };
    let mut store = starting::open(address, start).unwrap().store;
    store.world = world;
    store
}
