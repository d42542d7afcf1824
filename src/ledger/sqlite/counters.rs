//! Whether the newest rows of the file and its counters agree.
//!
//! A file that was put together from parts of different moments is sound page by page, and still
//! wrong. What was written last shows it first, so a start compares the last rows, and reads as
//! little of a ledger of millions of refunds as of an empty one. `check` compares all rows.

use super::books;
use super::open_error::OpenError;
use crate::ledger::records::Meta;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// What selects something that contradicts what was written last: a text that says what it is. Each
/// reads a few rows by their keys.
const CONTRADICTIONS: [&str; 5] = [
    // Every counter counts from zero, and SQLite would take what is no number for one.
    "select 'the counter ' || key || ' is `' || value || '`' from meta \
     where (key glob 'last_*' or key glob '*_counter' or key = 'probes') \
     and (value glob '*[^0-9]*' or value = '' or cast(value as integer) is not value + 0)",
    "select printf('refund R-%08d was deleted, and is there', refund.number) from meta \
     join refund_row as refund on refund.number = cast(meta.value as integer) \
     where meta.key = 'last_deleted_refund'",
    // No entry comes after the newest, so its account has the balance that it left.
    "select printf('entry %d left a balance of %d, and its account has %s', newest.key, \
         newest.balance, coalesce(balance.units, 'none')) \
     from (select key, account, balance from entry_row order by key desc limit 1) as newest \
     left join balance on balance.account = newest.account \
     where balance.units is not newest.balance or balance.newest_entry is not newest.key",
    "select printf('entry %d is of the refund R-%08d, which is not there', newest.key, \
         newest.refund) \
     from (select key, refund from entry_row order by key desc limit 1) as newest \
     where newest.refund is not null \
     and not exists (select 1 from refund_row where number = newest.refund)",
    // The source of a credit balance has the code 1.
    "select printf('refund R-%08d has no entry of its amount', newest.number) \
     from (select number, account, amount, source_type, entry from refund_row \
         order by number desc limit 1) as newest \
     left join entry_row as entry on entry.key = newest.entry \
     where newest.source_type = 1 \
     and (entry.refund is not newest.number or entry.account is not newest.account \
         or entry.delta is not -newest.amount)",
];

/// Refuses a ledger of the current schema whose last rows and counters contradict each other, or
/// whose knowledge of itself is not what was written.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    for select in CONTRADICTIONS {
        let found = connection.query_row(select, [], |row| row.get(0)).optional();
        if let Some(detail) = found.map_err(|error| OpenError::sql(path, &error))? {
            return Err(OpenError::Damaged { path: path.to_owned(), detail });
        }
    }
    let knowledge = books::all::<Meta>(connection);
    knowledge.map(|_| ()).map_err(|error| OpenError::sql(path, &error))
}
