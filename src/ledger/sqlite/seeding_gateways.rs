//! Loading the gateways of a seed: each with what it can do, its switches and its script.

use super::seeding::{Loader, Pair, Refusal, json};
use super::{operating, rows};
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY};
use crate::domain::script::Script;
use crate::ledger::seed::SeedConflict;
use rusqlite::{OptionalExtension, params};

impl Loader<'_> {
    pub(super) fn gateway(&mut self, gateway: &Gateway, script: &Script) -> Result<(), Refusal> {
        let object = format!("gateway `{}`", gateway.name);
        let types = gateway.method_types.as_ref().map(json).transpose()?;
        let rules = json(&script.rules)?;
        let switches = script.switches;
        let stored = rows::gateways(self.connection)?;
        let is_stored = self.has_gateway(&gateway.name)?;
        let same_name = |(one, _): &&(Gateway, Script)| one.name == gateway.name;
        if let Some((known, known_script)) = stored.iter().find(same_name).filter(|_| is_stored) {
            let known_types = known.method_types.as_ref().map(json).transpose()?;
            let all = |types: Option<String>| types.unwrap_or_else(|| "all".to_owned());
            let off = |value: Option<u32>| value.map_or("none".to_owned(), |it| it.to_string());
            let old = known_script.switches;
            let text = |switch: bool| switch.to_string();
            let (windows, duplicates) = ("refund_window_days", "duplicate_window_s");
            let pairs = [
                ("active", text(known.active), text(gateway.active)),
                (
                    "non_referenced_refunds",
                    text(known.non_referenced_refunds),
                    text(gateway.non_referenced_refunds),
                ),
                ("method_types", all(known_types), all(types)),
                (windows, off(old.refund_window_days), off(switches.refund_window_days)),
                (duplicates, off(old.duplicate_window_s), off(switches.duplicate_window_s)),
                ("require_settled", text(old.require_settled), text(switches.require_settled)),
                ("rule", json(&known_script.rules)?, rules),
            ];
            let pairs = self.giving_way(&gateway.name, pairs)?;
            return self.compare(&object, pairs);
        }
        self.check_name_is_free(&object, &gateway.name)?;
        let insert = "insert into gateway (name, active, non_referenced_refunds, method_types, \
                      rules, duplicate_window_s, require_settled, refund_window_days) \
                      values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.add(
            insert,
            params![
                gateway.name,
                gateway.active,
                gateway.non_referenced_refunds,
                types,
                rules,
                switches.duplicate_window_s,
                switches.require_settled,
                switches.refund_window_days
            ],
        )
    }

    /// The pairs of a gateway, where an operator's value stands against that of the seed as if the
    /// seed said it too.
    fn giving_way<const N: usize>(
        &self,
        name: &str,
        pairs: [Pair; N],
    ) -> rusqlite::Result<Vec<Pair>> {
        let object = operating::of_gateway(name);
        let give_way = |(key, stored, seeded): Pair| {
            let by_operator = operating::is_by_operator(self.connection, &object, key)?;
            Ok((key, stored.clone(), if by_operator { stored } else { seeded }))
        };
        pairs.into_iter().map(give_way).collect()
    }

    /// Whether the ledger has a row of this gateway; the built-in one works without.
    fn has_gateway(&self, name: &str) -> Result<bool, Refusal> {
        let select = "select 1 from gateway where name = ?1";
        Ok(self.connection.query_row(select, params![name], |_| Ok(())).optional()?.is_some())
    }

    /// An order that was sent to one gateway must never be asked about at another.
    fn check_name_is_free(&self, object: &str, name: &str) -> Result<(), Refusal> {
        let unfit = |why: &str| {
            let (object, value, why) = (object.to_owned(), name.to_owned(), why.to_owned());
            Err(Refusal::Conflict(SeedConflict::Unfit { object, key: "name", value, why }))
        };
        if self.configured.iter().any(|gateway| gateway.name == name) {
            return unfit("is the name of a gateway of the configuration");
        }
        let open = "select 1 from inquiry join refund on refund.number = inquiry.refund \
                    where refund.gateway = ?1 limit 1";
        let found = self.connection.query_row(open, params![name], |_| Ok(())).optional()?;
        if found.is_some() && name != SANDBOX_GATEWAY {
            return unfit("is the name of a gateway that refunds in Processing were sent to");
        }
        Ok(())
    }
}
