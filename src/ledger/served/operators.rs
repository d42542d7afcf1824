//! What operators see and change.

use super::{Backend, Served};
use crate::domain::number::saturated;
use crate::domain::permission::Permissions;
use crate::ledger::Reply;
use crate::ledger::engine::Engine;
use crate::ledger::operator::{Change, ChangeRefusal, ListedGateway, ListedUser, Operators};
use crate::ledger::readings::{Listed, ROWS_MAX};
use crate::ledger::record::Value;
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

    fn users(&self, behind: Option<String>, rows_max: u32) -> Reply<Listed<ListedUser, String>> {
        let is_test = self.is_test;
        self.backend.read(move |reader| {
            let most: usize = saturated(rows_max.clamp(1, ROWS_MAX));
            let select = "select username, id, permissions, is_disabled from user \
                          where username > ?1 order by username limit ?2";
            let behind = Value::from(behind.clone().unwrap_or_default());
            let more = i64::from(rows_max.clamp(1, ROWS_MAX)) + 1;
            let mut rows = reader.list(select, &[behind, more.into()], |row| {
                Ok(ListedUser {
                    username: row.get(0)?,
                    id: row.get(1)?,
                    permissions: row.get::<Permissions>(2)?.on_ledger(is_test),
                    is_disabled: row.get(3)?,
                })
            })?;
            let has_more = rows.len() > most;
            rows.truncate(most);
            let next = rows.last().filter(|_| has_more).map(|user| user.username.clone());
            Ok(Listed { rows, next })
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
