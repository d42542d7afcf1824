//! Loading the gateways of a seed: each with what it can do, its switches and its script.

use super::{Loader, Pair, Refusal, stable_id, unfit};
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY};
use crate::domain::script::Script;
use crate::ledger::records::{
    GATEWAY_IDENTITIES, GatewayIdentity, GatewayRow, INQUIRIES, Inquiry, Refund,
};
use crate::ledger::seed::SeedGatewayIdentity;
use crate::ledger::work::settings::{is_by_operator, of_gateway};

impl Loader<'_, '_> {
    pub(super) fn gateway(&mut self, gateway: &Gateway, script: &Script) -> Result<(), Refusal> {
        let object = format!("gateway `{}`", gateway.name);
        let seeded = GatewayRow::of(gateway, script)?;
        let stored = self.unit.get::<GatewayRow>(&(gateway.name.clone(),))?.cloned();
        if let Some(stored) = stored {
            let pairs = self.giving_way(&gateway.name, pairs(&stored, &seeded))?;
            return self.compare(&object, pairs);
        }
        self.check_name_is_free(&object, &gateway.name)?;
        self.unit.insert(seeded)?;
        self.add();
        Ok(())
    }

    /// Gives a gateway the id and the number that the seed says; each may be given once alone.
    pub(super) fn gateway_identity(
        &mut self,
        identity: &SeedGatewayIdentity,
    ) -> Result<(), Refusal> {
        let object = format!("gateway `{}`", identity.name);
        let key = (identity.name.clone(),);
        let stored = self.unit.get::<GatewayIdentity>(&key)?.cloned();
        for other in self.unit.all::<GatewayIdentity>(&GATEWAY_IDENTITIES, &[])? {
            if other.name == identity.name {
                continue;
            }
            let why = format!("is that of gateway `{}`", other.name);
            if let Some(id) = identity.id.as_ref().filter(|id| **id == other.id) {
                return Err(unfit(&object, "id", id.as_str(), &why));
            }
            if let Some(number) = identity.number.as_ref().filter(|one| **one == other.number) {
                return Err(unfit(&object, "number", number, &why));
            }
        }
        let id = identity.id.clone().or_else(|| stored.as_ref().map(|one| one.id.clone()));
        let number = identity.number.clone();
        let number = number.or_else(|| stored.as_ref().map(|one| one.number.clone()));
        let id = id.unwrap_or_else(|| stable_id(&format!("gateway:{}", identity.name)));
        match (stored, number) {
            (Some(stored), Some(number)) if (&stored.id, &stored.number) != (&id, &number) => {
                self.unit.change::<GatewayIdentity>(&key, |row| {
                    (row.id, row.number) = (id, number);
                })?;
            }
            (None, Some(number)) => {
                self.unit.insert(GatewayIdentity { name: identity.name.clone(), id, number })?;
            }
            // Without a number it gets the next one when all gateways are known.
            _ => {}
        }
        Ok(())
    }

    /// The pairs of a gateway, where an operator's value stands against that of the seed as if the
    /// seed said it too.
    fn giving_way<const N: usize>(
        &mut self,
        name: &str,
        pairs: [Pair; N],
    ) -> Result<Vec<Pair>, Refusal> {
        let object = of_gateway(name);
        let mut give_way = |(key, stored, seeded): Pair| {
            let by_operator = is_by_operator(self.unit, &object, key)?;
            Ok((key, stored.clone(), if by_operator { stored } else { seeded }))
        };
        pairs.into_iter().map(&mut give_way).collect()
    }

    /// An order that was sent to one gateway must never be asked about at another.
    fn check_name_is_free(&mut self, object: &str, name: &str) -> Result<(), Refusal> {
        let refused = |why| Err(unfit(object, "name", name, why));
        if self.unit.world.configured.iter().any(|gateway| gateway.name == name) {
            return refused("is the name of a gateway of the configuration");
        }
        if name == SANDBOX_GATEWAY {
            return Ok(());
        }
        for inquiry in self.unit.all::<Inquiry>(&INQUIRIES, &[])? {
            let refund = self.unit.peek::<Refund>(&(inquiry.refund,))?;
            if refund.is_some_and(|refund| refund.gateway.as_deref() == Some(name)) {
                return refused("is the name of a gateway that refunds in Processing were sent to");
            }
        }
        Ok(())
    }
}

fn pairs(stored: &GatewayRow, seeded: &GatewayRow) -> [Pair; 7] {
    let text = |of: fn(&GatewayRow) -> String| (of(stored), of(seeded));
    let pair = |key, (stored, seeded)| (key, stored, seeded);
    let number = |value: Option<u32>| value.map_or("none".to_owned(), |it| it.to_string());
    let number = |of: fn(&GatewayRow) -> Option<u32>| (number(of(stored)), number(of(seeded)));
    [
        pair("active", text(|row| row.active.to_string())),
        pair("non_referenced_refunds", text(|row| row.non_referenced_refunds.to_string())),
        pair(
            "method_types",
            text(|row| row.method_types.clone().unwrap_or_else(|| "all".to_owned())),
        ),
        pair("refund_window_days", number(|row| row.refund_window_days)),
        pair("duplicate_window_s", number(|row| row.duplicate_window_s)),
        pair("require_settled", text(|row| row.require_settled.to_string())),
        pair("rule", text(|row| row.rules.clone())),
    ]
}
