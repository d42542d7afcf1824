//! What operators see and change, over the writer and the readers.

use super::SqliteLedger;
use super::rows;
use crate::domain::permission::Permissions;
use crate::ledger::Reply;
use crate::ledger::engine::Engine;
use crate::ledger::operator::{Change, ChangeRefusal, ListedGateway, ListedUser, Operators};
use crate::ledger::trail::Act;
use crate::ledger::work::operating;
use rusqlite::Connection;

impl Operators for SqliteLedger {
    fn change(&self, change: Change, act: Act) -> Reply<Result<bool, ChangeRefusal>> {
        self.knowing_its_tenant(self.writer.submit(None, move |store| {
            let made = store.work(|unit| operating::change(unit, &change, &act))?;
            Ok((made, store.tenant().clone()))
        }))
    }

    fn users(&self) -> Reply<Vec<ListedUser>> {
        let is_test = self.is_test;
        self.readers.read(move |connection| users(connection, is_test))
    }

    fn all_gateways(&self) -> Reply<Vec<ListedGateway>> {
        self.writer.submit(None, |store| {
            let of_ledger = rows::gateways(store.connection())?.into_iter().map(|(one, script)| {
                ListedGateway { gateway: one, switches: Some(script.switches) }
            });
            let configured = store.configured_gateways().iter().cloned();
            let configured = configured.map(|gateway| ListedGateway { gateway, switches: None });
            Ok(of_ledger.chain(configured).collect())
        })
    }
}

fn users(connection: &Connection, is_test: bool) -> rusqlite::Result<Vec<ListedUser>> {
    let select = "select username, id, permissions, is_disabled from user order by username";
    let mut statement = connection.prepare_cached(select)?;
    let users = statement.query_map([], |row| {
        Ok(ListedUser {
            username: row.get(0)?,
            id: row.get(1)?,
            permissions: Permissions::from_bits(row.get(2)?).on_ledger(is_test),
            is_disabled: row.get(3)?,
        })
    })?;
    users.collect()
}
