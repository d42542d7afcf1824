//! What holds for every request: the tenant's settings and fields, the gateways, and what the
//! process was started with. It is made from rows, and made anew when these change.
//!
//! What must stay true: a stored value that the domain does not know (another program wrote it) is
//! an error, never a guess.

use super::books::{Books, BooksError};
use super::record::Record;
use super::records::{
    CUSTOM_FIELDS, CustomFieldRow, GATEWAYS, GatewayRow, Meta, TENANT_SETTINGS, TenantSetting,
};
use super::unit::Unit;
use super::work::beginning::{EVENTS, EVENTS_ON};
use super::working_set::Shelves;
use crate::domain::custom_field::{CustomField, CustomFields, CustomName, CustomType};
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY, Tenant};
use crate::domain::money::Currency;
use crate::domain::script::{Script, Switches};
use crate::domain::vocabulary::CustomizedObject;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What holds for every request of a batch.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The tenant's settings.
    pub tenant: Tenant,
    /// The gateways, seeded and configured.
    pub gateways: Vec<Gateway>,
    /// Those that are configured, and so nothing that a seed or an operator may define.
    pub configured: Vec<Gateway>,
    /// Whether what happens to refunds is kept for webhooks.
    pub keeps_events: bool,
    /// From which ids and tokens follow; without it they are random.
    pub id_seed: Option<u64>,
    /// The salt of the ids of new refunds.
    pub salt: u32,
    /// The salt of ids that follow from a row and the ledger alone.
    pub row_salt: u32,
}

impl World {
    /// Reads again what is made from rows.
    pub(super) fn reload(
        &mut self,
        shelves: &mut Shelves,
        books: &mut dyn Books,
    ) -> Result<(), BooksError> {
        let mut unit = Unit::new(shelves, books, self);
        let tenant = tenant(&mut unit)?;
        let seeded = gateways(&mut unit)?.into_iter().map(|(gateway, _)| gateway);
        // Another process may have said something else since.
        let events = unit.get::<Meta>(&(EVENTS.to_owned(),))?;
        let keeps_events = events.map(|events| events.value == EVENTS_ON);
        self.gateways = seeded.chain(self.configured.iter().cloned()).collect();
        self.tenant = tenant;
        self.keeps_events = keeps_events.unwrap_or(self.keeps_events);
        Ok(())
    }
}

/// The tenant's settings as the open transaction has them.
pub(super) fn tenant(unit: &mut Unit<'_>) -> Result<Tenant, BooksError> {
    tenant_of(unit.all(&TENANT_SETTINGS, &[])?, &unit.all(&CUSTOM_FIELDS, &[])?)
}

/// The gateways of the ledger and their scripts as the open transaction has them.
pub(super) fn gateways(unit: &mut Unit<'_>) -> Result<Vec<(Gateway, Script)>, BooksError> {
    gateways_of(unit.all(&GATEWAYS, &[])?)
}

/// The tenant's settings: what was said, and the defaults of the rest.
pub(super) fn tenant_of(
    settings: Vec<TenantSetting>,
    fields: &[CustomFieldRow],
) -> Result<Tenant, BooksError> {
    let fields = fields.iter().map(custom_field).collect::<Result<_, _>>()?;
    let mut tenant = Tenant { custom_fields: CustomFields::new(fields), ..Tenant::default() };
    for TenantSetting { key, value } in settings {
        let unknown = || BooksError::Unknown { table: TenantSetting::TABLE.name, column: "value" };
        match key.as_str() {
            "credit_balance" => tenant.credit_balance = from_json(&value, unknown)?,
            "invoice_settlement" => tenant.invoice_settlement = from_json(&value, unknown)?,
            "future_dated_adjustments" => {
                tenant.future_dated_adjustments = from_json(&value, unknown)?;
            }
            "invoice_item_settlement" => {
                tenant.invoice_item_settlement = from_json(&value, unknown)?;
            }
            "fx_data" => tenant.fx_data = from_json(&value, unknown)?,
            "currency_conversion_exports" => {
                tenant.currency_conversion_exports = from_json(&value, unknown)?;
            }
            "home_currency" => tenant.home_currency = Some(currency(&value, unknown)?),
            "reporting_currency" => tenant.reporting_currency = Some(currency(&value, unknown)?),
            "entities" => tenant.entities = from_json(&value, unknown)?,
            "zuora_version" => tenant.zuora_version = Some(value),
            "payment_reason_codes" => {
                tenant.payment_reason_codes = from_json(&value, unknown)?;
            }
            "credit_memo_reason_codes" => {
                tenant.credit_memo_reason_codes = from_json(&value, unknown)?;
            }
            "adjustment_reason_codes" => {
                tenant.adjustment_reason_codes = from_json(&value, unknown)?;
            }
            "reason_codes" => tenant.reason_codes = from_json(&value, unknown)?,
            "default_gateway" => tenant.default_gateway = value,
            "time_zone" => tenant.time_zone = value.parse().map_err(|_| unknown())?,
            _ => {
                let (table, column) = (TenantSetting::TABLE.name, "key");
                return Err(BooksError::Unknown { table, column });
            }
        }
    }
    Ok(tenant)
}

fn currency(code: &str, unknown: impl FnOnce() -> BooksError) -> Result<Currency, BooksError> {
    Currency::from_code(code).ok_or_else(unknown)
}

fn custom_field(row: &CustomFieldRow) -> Result<CustomField, BooksError> {
    let unknown = |column| BooksError::Unknown { table: CustomFieldRow::TABLE.name, column };
    let custom_type = CustomType::from_parts(&row.custom_type, row.length);
    Ok(CustomField {
        object: CustomizedObject::from_name(&row.object).ok_or_else(|| unknown("object"))?,
        name: CustomName::parse(&row.name).ok_or_else(|| unknown("name"))?,
        custom_type: custom_type.ok_or_else(|| unknown("type"))?,
        is_required: row.is_required,
        is_advanced: row.is_advanced,
    })
}

/// The gateways of the ledger and their scripts, the built-in sandbox always among them.
pub(super) fn gateways_of(rows: Vec<GatewayRow>) -> Result<Vec<(Gateway, Script)>, BooksError> {
    let mut gateways = rows.into_iter().map(gateway).collect::<Result<Vec<_>, _>>()?;
    if !gateways.iter().any(|(gateway, _)| gateway.name == SANDBOX_GATEWAY) {
        gateways.push((Gateway::sandbox(), Script::default()));
    }
    Ok(gateways)
}

fn gateway(row: GatewayRow) -> Result<(Gateway, Script), BooksError> {
    let unknown = |column| move || BooksError::Unknown { table: GatewayRow::TABLE.name, column };
    let types = row.method_types.as_deref();
    let gateway = Gateway {
        name: row.name,
        active: row.active,
        referenced_refunds: true,
        non_referenced_refunds: row.non_referenced_refunds,
        method_types: types.map(|types| from_json(types, unknown("method_types"))).transpose()?,
    };
    let switches = Switches {
        duplicate_window_s: row.duplicate_window_s,
        require_settled: row.require_settled,
        refund_window_days: row.refund_window_days,
    };
    Ok((gateway, Script { rules: from_json(&row.rules, unknown("rules"))?, switches }))
}

impl GatewayRow {
    /// The row of a sandbox.
    pub(super) fn of(gateway: &Gateway, script: &Script) -> Result<Self, BooksError> {
        let switches = script.switches;
        Ok(Self {
            name: gateway.name.clone(),
            active: gateway.active,
            non_referenced_refunds: gateway.non_referenced_refunds,
            method_types: gateway.method_types.as_ref().map(json).transpose()?,
            rules: json(&script.rules)?,
            duplicate_window_s: switches.duplicate_window_s,
            require_settled: switches.require_settled,
            refund_window_days: switches.refund_window_days,
        })
    }
}

/// The stored form of a list.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, BooksError> {
    serde_json::to_string(value).map_err(|error| BooksError::Engine(error.to_string()))
}

fn from_json<T: DeserializeOwned>(
    text: &str,
    unknown: impl FnOnce() -> BooksError,
) -> Result<T, BooksError> {
    serde_json::from_str(text).map_err(|_| unknown())
}
