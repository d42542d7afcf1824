//! Settings of the tenant and of sandboxes: what operators set, and what a seed has to know of it.

use super::operating::{Outcome, record};
use crate::domain::facts::Gateway;
use crate::domain::script::{Script, Switches};
use crate::domain::toml_text::suggest;
use crate::ledger::books::BooksError;
use crate::ledger::operator::{ChangeRefusal, GatewaySetting};
use crate::ledger::records::{GatewayRow, OperatorValue, TenantSetting};
use crate::ledger::trail::Act;
use crate::ledger::unit::Unit;
use crate::ledger::world;
use serde_json::{Value, json};

/// The object of the tenant's settings.
pub const TENANT: &str = "tenant";

/// The object of a gateway's settings.
pub fn of_gateway(name: &str) -> String {
    format!("gateway {name}")
}

/// Whether an operator has set this since a seed said it.
pub fn is_by_operator(unit: &mut Unit<'_>, object: &str, key: &str) -> Result<bool, BooksError> {
    Ok(unit.get::<OperatorValue>(&(object.to_owned(), key.to_owned()))?.is_some())
}

fn mark_by_operator(unit: &mut Unit<'_>, object: &str, key: &str) -> Result<(), BooksError> {
    if is_by_operator(unit, object, key)? {
        return Ok(());
    }
    unit.insert(OperatorValue { object: object.to_owned(), key: key.to_owned() })
}

/// Sets a setting of the tenant; false when it was set so already.
pub(super) fn set_tenant(
    unit: &mut Unit<'_>,
    key: &'static str,
    value: &str,
    act: &Act,
) -> Result<Outcome, BooksError> {
    if key == "default_gateway" && !unit.world.gateways.iter().any(|known| known.name == value) {
        return Ok(Err(no_gateway(unit, value)));
    }
    let row = (key.to_owned(),);
    let stored = unit.get::<TenantSetting>(&row)?.map(|setting| setting.value.clone());
    // One that was set to its default is set all the same: a seed gives way.
    if stored.as_deref() == Some(value) && is_by_operator(unit, TENANT, key)? {
        return Ok(Ok(false));
    }
    let new = value.to_owned();
    match stored {
        Some(_) => unit.change::<TenantSetting>(&row, |setting| setting.value = new)?,
        None => unit.insert(TenantSetting { key: row.0, value: new })?,
    }
    mark_by_operator(unit, TENANT, key)?;
    let facts = json!({ "key": key, "before": stored, "after": value });
    record(unit, act, "set", ("Tenant", key), facts)?;
    unit.change_world();
    Ok(Ok(true))
}

/// There is no gateway of this name, neither in the ledger nor in the configuration.
fn no_gateway(unit: &Unit<'_>, name: &str) -> ChangeRefusal {
    let known = unit.world.gateways.iter().map(|gateway| gateway.name.as_str());
    let nearest = suggest(name, known).map(str::to_owned);
    ChangeRefusal::NoGateway { name: name.to_owned(), nearest }
}

/// Sets a setting of a sandbox; false when it was set so already.
pub(super) fn set_gateway(
    unit: &mut Unit<'_>,
    name: &str,
    setting: &GatewaySetting,
    act: &Act,
) -> Result<Outcome, BooksError> {
    if unit.world.configured.iter().any(|gateway| gateway.name == name) {
        return Ok(Err(ChangeRefusal::Configured(name.to_owned())));
    }
    let stored = world::gateways(unit)?.into_iter().find(|(one, _)| one.name == name);
    let Some((mut gateway, mut script)) = stored else {
        return Ok(Err(no_gateway(unit, name)));
    };
    let before = shown(&gateway, script.switches, setting);
    let old = (gateway.clone(), script.switches);
    setting.apply(&mut gateway, &mut script.switches);
    let (object, key) = (of_gateway(name), setting.key());
    let is_same = old == (gateway.clone(), script.switches);
    if is_same && is_by_operator(unit, &object, key)? {
        return Ok(Ok(false));
    }
    let after = shown(&gateway, script.switches, setting);
    write_gateway(unit, &gateway, &script)?;
    mark_by_operator(unit, &object, key)?;
    let facts = json!({ "key": key, "before": before, "after": after });
    record(unit, act, "set", ("Gateway", name), facts)?;
    unit.change_world();
    Ok(Ok(true))
}

/// Writes what a sandbox can do and refuses; the built-in one gets its row with that.
fn write_gateway(
    unit: &mut Unit<'_>,
    gateway: &Gateway,
    script: &Script,
) -> Result<(), BooksError> {
    let row = GatewayRow::of(gateway, script)?;
    let key = (row.name.clone(),);
    match unit.get::<GatewayRow>(&key)? {
        None => unit.insert(row),
        Some(_) => unit.change::<GatewayRow>(&key, |stored| *stored = row),
    }
}

/// The value of the setting's key as it is.
fn shown(gateway: &Gateway, switches: Switches, setting: &GatewaySetting) -> Value {
    match setting {
        GatewaySetting::Active(_) => json!(gateway.active),
        GatewaySetting::NonReferencedRefunds(_) => json!(gateway.non_referenced_refunds),
        GatewaySetting::MethodTypes(_) => json!(gateway.method_types),
        GatewaySetting::RefundWindowDays(_) => json!(switches.refund_window_days),
        GatewaySetting::DuplicateWindowS(_) => json!(switches.duplicate_window_s),
        GatewaySetting::RequireSettled(_) => json!(switches.require_settled),
    }
}
