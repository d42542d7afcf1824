//! The schema of a ledger in PostgreSQL: its steps, and the types of the columns that are there.
//!
//! What must stay true: a step that was released is never edited; one program at a time takes
//! steps, each with all that belongs to it or not at all; a schema of another program or of a newer
//! version is left alone.

use super::fault::{Kind as FaultKind, PostgresError};
use super::values::Kind;
use std::collections::HashMap;
use tokio_postgres::Client;

/// What makes the schema, step by step.
const STEPS: [&str; 1] = [include_str!("migrations/001_ledger.sql")];
/// The schema that this program reads and writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// What adds the payment methods that every ledger has: a part of the first step.
pub(super) fn own_methods() -> &'static str {
    let [first, ..] = STEPS;
    let begin = first.find("insert into payment_method").unwrap_or(first.len());
    let behind = first.get(begin..).unwrap_or_default();
    behind.split_once(';').map_or(behind, |(insert, _)| insert)
}

/// Held while steps are taken ("RFGW" and a number).
const TAKE_LOCK: &str = "begin; set local lock_timeout = '60s'; set local statement_timeout = 0; \
                         select pg_advisory_xact_lock(1380337495, 1)";
const NOTE_STEPS: &str = "
    create table schema_version (
        version bigint primary key check (version > 0),
        at timestamptz not null default now()
    )
";

/// Takes every step that the schema has not taken yet; where nothing is, none unless `is_made`.
pub(super) async fn bring_up_to_date(client: &Client, is_made: bool) -> Result<(), PostgresError> {
    let taken = known(version(client).await?)?;
    if taken == VERSION {
        return Ok(());
    }
    if taken == 0 && !is_made {
        return Err(PostgresError::new(FaultKind::Refused, "there is no ledger"));
    }
    client.batch_execute(TAKE_LOCK).await?;
    match take_steps(client).await {
        Ok(()) => Ok(client.batch_execute("commit").await?),
        Err(error) => {
            client.batch_execute("rollback").await?;
            Err(error.while_doing("the schema cannot be made"))
        }
    }
}

async fn take_steps(client: &Client) -> Result<(), PostgresError> {
    // Another program may have taken them while the lock was awaited.
    let taken = known(version(client).await?)?;
    if taken == 0 {
        check_empty(client).await?;
        client.batch_execute(NOTE_STEPS).await?;
    }
    for (version, step) in (1_i64..).zip(STEPS).filter(|(version, _)| *version > taken) {
        client.batch_execute(step).await?;
        client.execute("insert into schema_version (version) values ($1)", &[&version]).await?;
    }
    Ok(())
}

/// Which steps were taken.
async fn version(client: &Client) -> Result<i64, PostgresError> {
    let exists = "select exists (select from pg_catalog.pg_class \
                  where relname = 'schema_version' \
                  and relnamespace = current_schema()::regnamespace)";
    if !client.query_one(exists, &[]).await?.try_get(0)? {
        return Ok(0);
    }
    let newest = "select coalesce(max(version), 0) from schema_version";
    Ok(client.query_one(newest, &[]).await?.try_get(0)?)
}

fn known(version: i64) -> Result<i64, PostgresError> {
    if version <= VERSION {
        return Ok(version);
    }
    let what = format!(
        "the ledger's schema has version {version}, and this program knows {VERSION}: \
         use the program that made it, or a newer one"
    );
    Err(PostgresError::new(FaultKind::Refused, what))
}

async fn check_empty(client: &Client) -> Result<(), PostgresError> {
    let others = "select count(*), min(relname::text), current_schema()::text \
                  from pg_catalog.pg_class \
                  where relkind in ('r', 'v', 'm', 'p', 'f') \
                  and relnamespace = current_schema()::regnamespace";
    let others = client.query_one(others, &[]).await?;
    if others.try_get::<_, i64>(0)? == 0 {
        return Ok(());
    }
    let (table, schema): (String, String) = (others.try_get(1)?, others.try_get(2)?);
    let what = format!(
        "the schema {schema} holds what is no ledger ({table}): give the ledger a database or a \
         schema of its own"
    );
    Err(PostgresError::new(FaultKind::Refused, what))
}

/// The types of all columns of a ledger.
pub(super) struct Catalogue(HashMap<(String, String), Kind>);

impl Catalogue {
    /// The type of a column.
    pub(super) fn kind(&self, table: &str, column: &str) -> Result<Kind, PostgresError> {
        let kind = self.0.get(&(table.to_owned(), column.to_owned())).copied();
        kind.ok_or_else(|| {
            let what = format!("the ledger's schema has no {table}.{column}");
            PostgresError::new(FaultKind::Refused, what)
        })
    }
}

/// Reads what the columns of a schema that this program knows are.
pub(super) async fn read(client: &Client) -> Result<Catalogue, PostgresError> {
    let version = known(version(client).await?)?;
    if version != VERSION {
        let what = format!("the ledger's schema has version {version}, and needs {VERSION}");
        return Err(PostgresError::new(FaultKind::Refused, what));
    }
    let columns = "select relname::text, attname::text, format_type(atttypid, atttypmod) \
                   from pg_catalog.pg_class \
                   join pg_catalog.pg_attribute on attrelid = pg_class.oid \
                   where relkind = 'r' and relnamespace = current_schema()::regnamespace \
                   and relname <> 'schema_version' and attnum > 0 and not attisdropped";
    let mut catalogue = HashMap::new();
    for row in client.query(columns, &[]).await? {
        let (table, column, name): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let kind = Kind::of(&name).ok_or_else(|| {
            let what = format!("{table}.{column} has the type {name}, which no ledger has");
            PostgresError::new(FaultKind::Refused, what)
        })?;
        catalogue.insert((table, column), kind);
    }
    Ok(Catalogue(catalogue))
}
