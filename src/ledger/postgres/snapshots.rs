//! Snapshots of a test ledger in PostgreSQL: each is a schema beside the ledger's own, with a copy
//! of every table.
//!
//! What must stay true: a snapshot is of one moment; it is there as a whole or not at all.

use super::address::Address;
use super::books::quoted;
use super::fault::PostgresError;
use super::link::Link;
use super::purpose::Use;
use super::schema::VERSION;
use super::sums::SUM;
use super::test_bench::unusable;
use super::waiter::Waiter;
use crate::domain::facts::Gateway;
use crate::ledger::record::Table;
use crate::ledger::records::WHOLE;
use crate::ledger::test_bench::{Snapshot, SnapshotError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the comment of a snapshot's schema says.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    name: String,
    saved_ms: u64,
    /// The schema of the ledger that was saved.
    version: i64,
}

/// Every snapshot of the ledger of this schema, with its size.
const ALL: &str = "
    select nspname::text, obj_description(pg_namespace.oid, 'pg_namespace'),
        coalesce((select sum(pg_total_relation_size(pg_class.oid)) from pg_catalog.pg_class
            where relnamespace = pg_namespace.oid and relkind = 'r'), 0)::bigint
    from pg_catalog.pg_namespace
    where starts_with(nspname::text, current_schema() || '@') order by nspname
";

/// What came of work on snapshots.
pub(super) type Done<T> = Result<Result<T, SnapshotError>, PostgresError>;

/// What is done with the snapshots of a ledger beside its batches.
pub(super) fn beside<T>(
    address: &Address,
    work: impl FnOnce(&mut Link) -> Done<T>,
) -> Result<T, SnapshotError> {
    let done = Waiter::new()
        .and_then(|runtime| Link::connect(&runtime, address, Use::Saving))
        .and_then(|mut link| work(&mut link));
    done.unwrap_or_else(|error| Err(unusable(&error)))
}

/// The snapshots of a ledger, by name.
pub(super) fn all(link: &mut Link) -> Result<Vec<(String, Snapshot, i64)>, PostgresError> {
    let statement = link.prepare_text(ALL, str::to_owned)?;
    let mut found = Vec::new();
    for row in link.ask(&statement, &[])? {
        let about: Option<String> = row.try_get(1)?;
        let Some(about) = about.and_then(|about| serde_json::from_str::<About>(&about).ok()) else {
            continue;
        };
        let bytes: i64 = row.try_get(2)?;
        let saved = UNIX_EPOCH + Duration::from_millis(about.saved_ms);
        let snapshot = Snapshot { name: about.name, bytes: bytes.unsigned_abs(), saved };
        found.push((row.try_get(0)?, snapshot, about.version));
    }
    found.sort_by(|(_, one, _), (_, other, _)| one.name.cmp(&other.name));
    Ok(found)
}

/// Saves what is committed, in the place of an earlier snapshot of that name.
pub(super) fn save(link: &mut Link, name: &str) -> Result<(), PostgresError> {
    let schema = schema_of(link, name)?;
    let since = now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let saved_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let about = About { name: name.to_owned(), saved_ms, version: VERSION };
    // A name has no quotation mark.
    let about = serde_json::to_string(&about).unwrap_or_default();
    let mut statements = format!(
        "begin isolation level repeatable read read write; set local statement_timeout = 0; \
         drop schema if exists {schema} cascade; create schema {schema}; \
         comment on schema {schema} is '{about}'"
    );
    for whole in WHOLE {
        let table = quoted(whole.table.name);
        // Writing to a text never fails.
        let _ = write!(statements, "; create table {schema}.{table} as table {table}");
    }
    link.run(&(statements + "; commit"))
}

/// Removes a snapshot; false where there is none of this name.
pub(super) fn remove(link: &mut Link, name: &str) -> Result<bool, PostgresError> {
    let is_there = all(link)?.iter().any(|(_, snapshot, _)| snapshot.name == name);
    if is_there {
        let schema = schema_of(link, name)?;
        link.run(&format!("drop schema {schema} cascade"))?;
    }
    Ok(is_there)
}

/// The schema of a snapshot that can be put back, quoted.
pub(super) fn find(
    link: &mut Link,
    name: &str,
    configured: &[Gateway],
) -> Result<Result<String, SnapshotError>, PostgresError> {
    let found = all(link)?.into_iter().find(|(_, snapshot, _)| snapshot.name == name);
    let Some((schema, _, version)) = found else {
        return Ok(Err(SnapshotError::Missing(name.to_owned())));
    };
    if version != VERSION {
        let why = format!("it has schema {version}, and this program knows {VERSION}");
        return Ok(Err(SnapshotError::Unfit(why)));
    }
    let schema = quoted(&schema);
    let gateways = format!("select name from {schema}.gateway");
    let statement = link.prepare_text(&gateways, str::to_owned)?;
    for row in link.ask(&statement, &[])? {
        let seeded: String = row.try_get(0)?;
        if configured.iter().any(|gateway| gateway.name == seeded) {
            let why = format!("it has a sandbox by the name of the configured gateway `{seeded}`");
            return Ok(Err(SnapshotError::Unfit(why)));
        }
    }
    Ok(Ok(schema))
}

/// Brings back the rows of a table, which is empty.
pub(super) fn put_back(schema: &str, table: &Table) -> String {
    let columns = table.columns.iter().chain([&SUM]);
    let (name, columns) = (quoted(table.name), columns.map(|one| quoted(one)));
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!("insert into {name} ({columns}) select {columns} from {schema}.{name}")
}

/// The schema for the snapshot of a name, quoted. What users call it may be longer than a schema's
/// name, and is in the comment.
fn schema_of(link: &mut Link, name: &str) -> Result<String, PostgresError> {
    let statement = link.prepare_text("select current_schema()::text", str::to_owned)?;
    let rows = link.ask(&statement, &[])?;
    let own: String = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    let digest = Sha256::digest(name);
    let short = digest.iter().take(8).fold(String::new(), |mut short, byte| {
        let _ = write!(short, "{byte:02x}");
        short
    });
    Ok(quoted(&format!("{own}@{short}")))
}

#[expect(clippy::disallowed_methods, reason = "a snapshot is dated by the machine's clock")]
fn now() -> SystemTime {
    SystemTime::now()
}
