//! Values of the tenant's own fields, as JSON beside the object that has them.
//!
//! What must stay true: a column never holds a null inside, so that a field without a value and one
//! whose value was taken away are the same.

use crate::domain::custom_value::CustomValues;
use crate::domain::id::ObjectId;
use rusqlite::{Connection, ToSql, params};

/// The row of an object that can have such values.
#[derive(Clone, Copy)]
pub(super) enum Owner<'i> {
    Account(&'i ObjectId),
    /// By its key.
    InvoiceAdjustment(i64),
    InvoicePayment(&'i ObjectId),
    Payment(&'i ObjectId),
    PaymentMethod(&'i ObjectId),
}

/// Writes the values that were given, and takes away what they have none for. All others stay.
pub(super) fn keep(
    connection: &Connection,
    owner: Owner<'_>,
    values: &CustomValues,
) -> rusqlite::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(values)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let (table, column, row): (_, _, &dyn ToSql) = match &owner {
        Owner::Account(id) => ("account_row", "id", &id.as_str()),
        Owner::InvoiceAdjustment(key) => ("invoice_adjustment", "key", key),
        Owner::InvoicePayment(id) => ("invoice_payment", "id", &id.as_str()),
        Owner::Payment(id) => ("payment", "id", &id.as_str()),
        Owner::PaymentMethod(id) => ("payment_method", "id", &id.as_str()),
    };
    let update = format!(
        "update {table} set custom = json_patch(coalesce(custom, '{{}}'), ?2) where {column} = ?1"
    );
    connection.prepare_cached(&update)?.execute(params![row, json])?;
    Ok(())
}
