//! Rows of the file as values of the domain.
//!
//! A value that the domain does not know (another program wrote it) is an error, never a guess.

use crate::domain::custom_field::{CustomField, CustomFields, CustomName, CustomType};
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY, Tenant};
use crate::domain::money::Currency;
use crate::domain::script::{Script, Switches};
use crate::domain::vocabulary::CustomizedObject;
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

/// Turns a stored text into a value, or says which column holds what nobody knows.
pub(super) fn known<T>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    read(text).ok_or_else(|| unknown_value(column, text))
}

fn unknown_value(column: usize, text: &str) -> rusqlite::Error {
    let why = format!("the ledger holds `{text}`, which this program does not know");
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

/// Reads stored JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    column: usize,
    text: &str,
) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|_| unknown_value(column, text))
}

/// The tenant's settings: what was seeded, and the defaults of the rest.
pub(super) fn tenant(connection: &Connection) -> rusqlite::Result<Tenant> {
    let custom_fields = custom_fields(connection)?;
    let mut tenant = Tenant { custom_fields, ..Tenant::default() };
    let mut statement = connection.prepare_cached("select key, value from tenant")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        let value: String = row.get(1)?;
        match key.as_str() {
            "credit_balance" => tenant.credit_balance = json(1, &value)?,
            "invoice_settlement" => tenant.invoice_settlement = json(1, &value)?,
            "future_dated_adjustments" => tenant.future_dated_adjustments = json(1, &value)?,
            "invoice_item_settlement" => tenant.invoice_item_settlement = json(1, &value)?,
            "fx_data" => tenant.fx_data = json(1, &value)?,
            "currency_conversion_exports" => {
                tenant.currency_conversion_exports = json(1, &value)?;
            }
            "home_currency" => tenant.home_currency = Some(known(row, 1, Currency::from_code)?),
            "reporting_currency" => {
                tenant.reporting_currency = Some(known(row, 1, Currency::from_code)?);
            }
            "zuora_version" => tenant.zuora_version = Some(value),
            "payment_reason_codes" => tenant.payment_reason_codes = json(1, &value)?,
            "credit_memo_reason_codes" => tenant.credit_memo_reason_codes = json(1, &value)?,
            "adjustment_reason_codes" => tenant.adjustment_reason_codes = json(1, &value)?,
            "reason_codes" => tenant.reason_codes = json(1, &value)?,
            "default_gateway" => tenant.default_gateway = value,
            "time_zone" => {
                tenant.time_zone = value.parse().map_err(|_| unknown_value(1, &value))?;
            }
            _ => return Err(unknown_value(0, &key)),
        }
    }
    Ok(tenant)
}

/// The fields that the tenant declared.
fn custom_fields(connection: &Connection) -> rusqlite::Result<CustomFields> {
    let select = "select object, name, type, length, is_required, is_advanced from custom_field";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map([], |row| {
        let length = row.get(3)?;
        Ok(CustomField {
            object: known(row, 0, CustomizedObject::from_name)?,
            name: known(row, 1, CustomName::parse)?,
            custom_type: known(row, 2, |name| CustomType::from_parts(name, length))?,
            is_required: row.get(4)?,
            is_advanced: row.get(5)?,
        })
    })?;
    Ok(CustomFields::new(rows.collect::<Result<_, _>>()?))
}

/// The gateways and their scripts, the built-in sandbox always among them.
pub(super) fn gateways(connection: &Connection) -> rusqlite::Result<Vec<(Gateway, Script)>> {
    let select = "select name, active, non_referenced_refunds, method_types, rules, \
                  duplicate_window_s, require_settled, refund_window_days from gateway";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map([], |row| {
        let method_types: Option<String> = row.get(3)?;
        let gateway = Gateway {
            name: row.get(0)?,
            active: row.get(1)?,
            referenced_refunds: true,
            non_referenced_refunds: row.get(2)?,
            method_types: method_types.map(|types| json(3, &types)).transpose()?,
        };
        let rules: String = row.get(4)?;
        let switches = Switches {
            duplicate_window_s: row.get(5)?,
            require_settled: row.get(6)?,
            refund_window_days: row.get(7)?,
        };
        Ok((gateway, Script { rules: json(4, &rules)?, switches }))
    })?;
    let mut gateways = rows.collect::<Result<Vec<_>, _>>()?;
    if !gateways.iter().any(|(gateway, _)| gateway.name == SANDBOX_GATEWAY) {
        gateways.push((Gateway::sandbox(), Script::default()));
    }
    Ok(gateways)
}
