//! Every row of every table, value by value: whether it is what was written there, where an engine
//! keeps sums of rows; and whether each value is one of its column's type, and the row one that may
//! be.
//!
//! What must stay true: each table of the schema has its whole record in the list that is gone
//! through.

use crate::ledger::audit::{Findings, Meter};
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;
use crate::ledger::record::{Columns, Value};
use crate::ledger::records::{WHOLE, WholeRecord};
use serde::de::IgnoredAny;

/// After how many rows progress is noted.
const ROWS_BETWEEN_NOTES: u64 = 8_192;

/// Columns that hold JSON where they hold anything.
pub(in crate::ledger) const JSON: [(&str, &[&str]); 16] = [
    ("gateway", &["method_types", "rules"]),
    ("user", &["orgs"]),
    ("account_row", &["kept", "custom"]),
    ("payment_method", &["kept", "custom"]),
    ("payment_method_snapshot", &["kept"]),
    ("payment", &["kept", "custom"]),
    ("invoice", &["custom"]),
    ("invoice_payment", &["custom"]),
    ("invoice_adjustment", &["custom"]),
    ("adjustment", &["custom"]),
    ("refund_row", &["gateway_options", "custom"]),
    ("refund_detail", &["notes", "rates"]),
    ("audit_row", &["refunds"]),
    ("audit_object", &["facts"]),
    ("event", &["payload"]),
    ("query_locator", &["query"]),
];

/// Complains about each row that is not what it should be.
pub(super) fn check(
    reader: &mut dyn Reader,
    meter: &Meter,
    findings: &mut Findings,
) -> Result<(), BooksError> {
    WHOLE.iter().try_for_each(|record| check_table(reader, record, meter, findings))
}

fn check_table(
    reader: &mut dyn Reader,
    record: &WholeRecord,
    meter: &Meter,
    findings: &mut Findings,
) -> Result<(), BooksError> {
    let table = record.table;
    let json = places_of_json(record);
    let mut rows = 0_u64;
    reader.scan(table, &mut |row| {
        rows += 1;
        if rows.is_multiple_of(ROWS_BETWEEN_NOTES) {
            meter.add(ROWS_BETWEEN_NOTES);
        }
        let row = match row {
            Ok(row) => row,
            Err(damage) => return findings.complain(damage.to_string()),
        };
        match (record.look)(row) {
            Ok(None) => {}
            Ok(Some(fault)) => findings.complain(format!("{}: {fault}", named(row, record))),
            Err(place) => {
                let column = table.columns.get(place).copied().unwrap_or("?");
                let error = BooksError::Unknown { table: table.name, column };
                findings.complain(format!("{}: {error}", named(row, record)));
            }
        }
        for (place, column) in &json {
            let value = row.value(*place);
            let is_json = match &value {
                Value::Null => true,
                Value::Text(text) => serde_json::from_str::<IgnoredAny>(text).is_ok(),
                Value::Integer(_) | Value::Bytes(_) => false,
            };
            if !is_json {
                findings.complain(format!("{}: {column} is no JSON", named(row, record)));
            }
        }
    })
}

/// Where the columns of a table are that hold JSON.
fn places_of_json(record: &WholeRecord) -> Vec<(usize, &'static str)> {
    let columns = JSON.iter().find(|(table, _)| *table == record.table.name);
    let columns = columns.map_or(&[] as &[&str], |(_, columns)| columns);
    let all = record.table.columns.iter().copied().enumerate();
    all.filter(|(_, column)| columns.contains(column)).collect()
}

/// Which row it is.
fn named(row: &dyn Columns, record: &WholeRecord) -> String {
    let name = record.table.name;
    match row.value(0) {
        Value::Integer(key) => format!("the row {key} of {name}"),
        _ => format!("a row of {name}"),
    }
}
