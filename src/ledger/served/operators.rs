//! What operators see and change.

use super::{Backend, Served};
use crate::domain::permission::Permissions;
use crate::ledger::Reply;
use crate::ledger::engine::Engine;
use crate::ledger::operator::{Change, ChangeRefusal, ListedGateway, ListedUser, Operators};
use crate::ledger::test_bench::TestEngine;
use crate::ledger::trail::Act;
use crate::ledger::work::operating;
use crate::ledger::world;

impl<B: Backend> Operators for Served<B> {
    fn change(&self, change: Change, act: Act) -> Reply<Result<bool, ChangeRefusal>> {
        self.knowing_its_tenant(self.writer.submit(None, move |engine| {
            let made = engine.work(|unit| operating::change(unit, &change, &act))?;
            Ok((made, engine.tenant().clone()))
        }))
    }

    fn users(&self) -> Reply<Vec<ListedUser>> {
        let is_test = self.is_test;
        self.backend.read(move |reader| {
            let select =
                "select username, id, permissions, is_disabled from user order by username";
            reader.list(select, &[], |row| {
                Ok(ListedUser {
                    username: row.get(0)?,
                    id: row.get(1)?,
                    permissions: row.get::<Permissions>(2)?.on_ledger(is_test),
                    is_disabled: row.get(3)?,
                })
            })
        })
    }

    fn all_gateways(&self) -> Reply<Vec<ListedGateway>> {
        self.write(None, |unit| {
            let of_ledger = world::gateways(unit)?.into_iter().map(|(gateway, script)| {
                ListedGateway { gateway, switches: Some(script.switches) }
            });
            let configured = unit.world.configured.iter().cloned();
            let configured = configured.map(|gateway| ListedGateway { gateway, switches: None });
            Ok(of_ledger.chain(configured).collect())
        })
    }
}
