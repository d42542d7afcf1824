//! Rows of queries as JSON: amounts and numbers are numbers, truth values are such, moments have
//! the tenant's offset, and fields without a value are left out.

use crate::domain::money::parse_decimal;
use crate::domain::query::{FieldKind, QueryField};
use crate::json::JsonWriter;
use crate::ledger::query::{Page, Value};

/// A row of a page; `fields` are those of the caller's version.
pub(super) fn record(
    json: &mut JsonWriter,
    page: &Page,
    row: &[Option<Value>],
    fields: &[QueryField],
) {
    json.object();
    for (value, name) in row.iter().zip(&page.query.fields) {
        let field = fields.iter().find(|field| field.name == *name);
        if let (Some(value), Some(field)) = (value, field) {
            json.name(name);
            write(json, value, field.kind, page);
        }
    }
    json.close();
}

fn write(json: &mut JsonWriter, value: &Value, kind: FieldKind, page: &Page) {
    match (value, kind) {
        (Value::Text(text), FieldKind::Number) => match parse_decimal(text) {
            Some(number) => json.number(number),
            None => json.text(text),
        },
        (Value::Text(text), _) => json.text(text),
        (Value::Amount(amount, currency), _) => json.number(currency.decimal(*amount).normalize()),
        (Value::Boolean(value), _) => json.bool(*value),
        (Value::Moment(moment), _) => {
            let local = moment.with_timezone(&page.time_zone);
            json.text(&local.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
        }
        (Value::Day(day), FieldKind::DayAsMoment) => json.text(&format!("{day}T00:00:00.000")),
        (Value::Day(day), _) => json.text(&day.to_string()),
    };
}

/// A page: its records, how many there are in all, and where the next begins.
pub(super) fn page(page: &Page, fields: &[QueryField]) -> Vec<u8> {
    let mut json = JsonWriter::new();
    json.object().name("size").number(page.size).name("records").list();
    for row in &page.rows {
        record(&mut json, page, row, fields);
    }
    json.close();
    if let Some(next) = page.next {
        json.name("queryLocator").text(&next.to_string());
    }
    json.name("done").bool(page.next.is_none());
    json.into_bytes()
}
