//! The newest moment that a ledger knows: a test clock that stands must not stand before it.
//!
//! Only moments at which something was done count. What is planned (`next_ms`), what a document
//! dates (`settled_ms`, the days of seeded invoices and payments) may lie ahead.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

/// The moments of each table, and which of its rows were made by a caller and not by a seed.
const MOMENTS: [(&str, &[&str], &str); 12] = [
    ("session", &["last_used_ms"], "true"),
    ("query_locator", &["last_used_ms"], "true"),
    ("idempotency", &["at_ms"], "true"),
    ("entry", &["at_ms"], "true"),
    ("exchange", &["at_ms"], "true"),
    (
        "refund",
        &["created_ms", "updated_ms", "submitted_ms", "cancelled_ms", "compensated_ms"],
        "true",
    ),
    ("adjustment", &["created_ms", "updated_ms", "cancelled_ms"], "true"),
    ("invoice_adjustment", &["created_ms", "updated_ms", "cancelled_ms"], "true"),
    ("account", &["created_ms", "updated_ms"], "created_by is not null or updated_by is not null"),
    (
        "payment_method",
        &["created_ms", "updated_ms"],
        "created_by is not null or updated_by is not null",
    ),
    ("payment", &["created_ms", "updated_ms"], "created_by is not null or updated_by is not null"),
    ("invoice_payment", &["created_ms", "updated_ms"], "created_by is not null"),
];

/// The newest moment at which something was done to the ledger; none if nothing was.
pub(super) fn newest_moment(connection: &Connection) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let mut newest = None;
    for (table, columns, of_callers) in MOMENTS {
        let most: Vec<String> = columns.iter().map(|column| format!("max({column})")).collect();
        let select = format!("select {} from {table} where {of_callers}", most.join(", "));
        let moment: Option<i64> = connection.query_row(&select, [], |row| {
            (0..columns.len()).try_fold(None, |newest, at| Ok(newest.max(row.get(at)?)))
        })?;
        newest = newest.max(moment);
    }
    Ok(newest.and_then(DateTime::from_timestamp_millis))
}
