//! Loading the payment methods of a seed.

use super::{Loader, Refusal, or_none};
use crate::domain::facts::MethodKey;
use crate::domain::vocabulary::MethodStatus;
use crate::ledger::record::{ByName, Field};
use crate::ledger::records::{Account, METHOD_BY_ID, Method, MethodRow};
use crate::ledger::seed::SeedPaymentMethod;
use crate::ledger::world::json;
use std::collections::BTreeMap;

impl Loader<'_, '_> {
    pub(super) fn payment_method(&mut self, method: SeedPaymentMethod) -> Result<(), Refusal> {
        let object = format!("payment method `{}`", method.id);
        self.check_gateway(&object, "gateway", method.gateway.as_deref())?;
        let stored: Option<Method> = self.unit.find(&METHOD_BY_ID, &[method.id.stored()])?;
        if let Some(stored) = stored {
            return self.known_method(&object, &method, stored);
        }
        let account = match &method.account {
            None => None,
            Some(id) => Some(self.owner(&object, id)?.key),
        };
        let kept: BTreeMap<_, _> = method.name.iter().map(|name| ("Name", name)).collect();
        let key = MethodKey(self.unit.next_key::<MethodRow>()?);
        self.unit.insert(MethodRow {
            key,
            id: method.id,
            account,
            method_type: ByName(method.method_type),
            status: ByName(method.status),
            gateway: method.gateway,
            kept: json(&kept)?,
            created_by: None,
            created_ms: Some(self.at),
            updated_by: None,
            updated_ms: Some(self.at),
            custom: None,
        })?;
        self.add();
        Ok(())
    }

    /// Compares a method that is there. Its name is what an update changes, so it may be another
    /// by now.
    fn known_method(
        &mut self,
        object: &str,
        method: &SeedPaymentMethod,
        stored: Method,
    ) -> Result<(), Refusal> {
        let account = match stored.account {
            Some(key) => self.unit.get::<Account>(&(key,))?.map(|account| account.id.clone()),
            None => None,
        };
        let status = stored.status.0;
        // One that was in use may have been closed since.
        let is_closed = status == MethodStatus::Closed;
        let seeded_status = if is_closed { status } else { method.status };
        let pairs = [
            ("account", or_none(account), or_none(method.account.as_ref())),
            ("type", stored.method_type.0.name().to_owned(), method.method_type.name().to_owned()),
            ("status", status.name().to_owned(), seeded_status.name().to_owned()),
            ("gateway", or_none(stored.gateway), or_none(method.gateway.clone())),
        ];
        self.compare(object, pairs)
    }
}
