//! A ledger in memory for tests of what stands above the engine.

use super::books::Texts;
use super::readers::SqliteReader;
use super::store::Store;
use super::{schema, sums};
use crate::domain::facts::MethodKey;
use crate::domain::id::ObjectId;
use crate::ledger::audit::Findings;
use crate::ledger::checks;
use crate::ledger::engine::Engine;
use crate::ledger::tests::settlement::Audited;
use crate::ledger::unit::World;

/// The writing side of an empty ledger in memory, in a world of the test's own, with these accounts
/// (each with the key and the id of its card) of an opening balance.
pub(in crate::ledger) fn store_for_tests(
    world: World,
    accounts: &[(ObjectId, MethodKey, ObjectId)],
    opening: i64,
) -> impl Engine + use<> {
    filled(world, accounts, opening)
}

fn filled(world: World, accounts: &[(ObjectId, MethodKey, ObjectId)], opening: i64) -> Store {
    let connection = schema::empty_test_ledger().unwrap();
    connection
        .execute(
            "insert into user (id, username, password_hash, permissions) \
                  values (printf('%032x', 1), 'demo', '', 0)",
            [],
        )
        .unwrap();
    for (key, (account, method_key, method)) in (1_i64..).zip(accounts) {
        let (account, method) = (account.as_str(), method.as_str());
        let insert = "insert into account_row (key, id, number, name, currency, opening) \
                      values (?1, ?2, 'A' || ?1, 'A', 'USD', ?3)";
        connection.execute(insert, rusqlite::params![key, account, opening]).unwrap();
        let insert = "insert into balance (account, units) values (?1, ?2)";
        connection.execute(insert, rusqlite::params![key, opening]).unwrap();
        let insert = "insert into payment_method (key, id, account, type, status) \
                      values (?1, ?2, ?3, 'CreditCard', 'Active')";
        connection.execute(insert, rusqlite::params![method_key.0, method, key]).unwrap();
    }
    sums::renew_all(&connection);
    Store::in_world(connection, world)
}

/// The columns of all tables, with their types.
pub(in crate::ledger) fn columns_for_tests() -> Vec<(String, String, String)> {
    let connection = schema::empty_test_ledger().unwrap();
    let columns = "select t.name, c.name, lower(c.type) \
                   from sqlite_schema t, pragma_table_info(t.name) c where t.type = 'table'";
    let mut columns = connection.prepare(columns).unwrap();
    let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    columns.map(Result::unwrap).collect()
}

/// As [`store_for_tests`], with these statements done as well.
pub(in crate::ledger) fn audited_store_for_tests(
    world: World,
    accounts: &[(ObjectId, MethodKey, ObjectId)],
    statements: &str,
) -> impl Engine + Audited + use<> {
    let store = filled(world, accounts, 0);
    store.connection().execute_batch(statements).unwrap();
    sums::renew_all(store.connection());
    store
}

impl Audited for Store {
    fn problems(&mut self) -> Vec<String> {
        let mut findings = Findings::default();
        let mut texts = Texts::default();
        let mut reader = SqliteReader::new(self.connection(), &mut texts);
        checks::billing(&mut reader, &mut findings).unwrap();
        findings.problems
    }
}
