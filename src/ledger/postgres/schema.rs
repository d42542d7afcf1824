//! The schema of a ledger in PostgreSQL: its steps, and the types of the columns that are there.
//!
//! What must stay true: a step that was released is never edited; one program at a time takes
//! steps, each with all that belongs to it or not at all; a schema of another program is left
//! alone.
//!
//! Nodes of two programs may serve one ledger while it is brought up to date. So a step only adds
//! what an older program does not need to know: tables, and columns with defaults. One that does
//! more says from which schema on programs may go on (`turn.oldest`), which each batch compares.

use super::fault::{Kind as FaultKind, PostgresError};
use super::values::Kind;
use std::collections::HashMap;
use tokio_postgres::Client;

/// What makes the schema, step by step, and the oldest schema whose programs may write after it.
const STEPS: [(&str, i64); 3] = [
    (include_str!("migrations/001_ledger.sql"), 1),
    // Older programs do not share their work.
    (include_str!("migrations/002_nodes.sql"), 2),
    // What older programs write is known to have no sum.
    (include_str!("migrations/003_sums.sql"), 2),
];
/// The schema that this program reads and writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// What adds the payment methods that every ledger has: a part of the first step.
pub(super) fn own_methods() -> &'static str {
    let [(first, _), ..] = STEPS;
    let begin = first.find("insert into payment_method").unwrap_or(first.len());
    let behind = first.get(begin..).unwrap_or_default();
    behind.split_once(';').map_or(behind, |(insert, _)| insert)
}

/// From which step on the schema says which programs may write.
const SAYS_OLDEST: i64 = 2;

/// Held while steps are taken ("RFGW" and a number).
const TAKE_LOCK: &str = "begin; set local lock_timeout = '60s'; set local statement_timeout = 0; \
                         select pg_advisory_xact_lock(1380337495, 1)";
/// What helps where a role may not take a step.
pub(super) const AS_OWNER: &str =
    "run `refund-gateway ledger migrate URL` with the URL of the schema's owner";
const NOTE_STEPS: &str = "
    create table schema_version (
        version bigint primary key check (version > 0),
        at timestamptz not null default now()
    )
";

/// Takes every step that the schema has not taken yet; where nothing is, none unless `is_made`.
pub(super) async fn bring_up_to_date(client: &Client, is_made: bool) -> Result<(), PostgresError> {
    let taken = known(stand(client).await?)?;
    if taken >= VERSION {
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
            let doing = match taken {
                0 => "the schema cannot be made".to_owned(),
                _ => format!(
                    "the ledger's schema has version {taken}, this program needs {VERSION}, and \
                     cannot bring it there"
                ),
            };
            // Another role changes nothing for a disk that is full or a server that is gone.
            let helps = if error.is_refusal() { format!(" ({AS_OWNER})") } else { String::new() };
            Err(error.while_doing(&format!("{doing}{helps}")))
        }
    }
}

async fn take_steps(client: &Client) -> Result<(), PostgresError> {
    // Another program may have taken them while the lock was awaited.
    let taken = known(stand(client).await?)?;
    if taken == 0 {
        check_empty(client).await?;
        client.batch_execute(NOTE_STEPS).await?;
    }
    for (version, (step, oldest)) in (1_i64..).zip(STEPS).filter(|(version, _)| *version > taken) {
        client.batch_execute(step).await?;
        client.execute("insert into schema_version (version) values ($1)", &[&version]).await?;
        if version >= SAYS_OLDEST {
            let raise = "update turn set oldest = greatest(oldest, $1)";
            client.execute(raise, &[&oldest]).await?;
        }
    }
    Ok(())
}

/// Where a schema stands.
struct Stand {
    /// Which steps were taken.
    version: i64,
    /// The oldest schema whose programs may write.
    oldest: i64,
}

/// Where the schema stands.
async fn stand(client: &Client) -> Result<Stand, PostgresError> {
    let exists = "select exists (select from pg_catalog.pg_class \
                  where relname = 'schema_version' \
                  and relnamespace = current_schema()::regnamespace)";
    if !client.query_one(exists, &[]).await?.try_get(0)? {
        return Ok(Stand { version: 0, oldest: 1 });
    }
    let newest = "select coalesce(max(version), 0) from schema_version";
    let version: i64 = client.query_one(newest, &[]).await?.try_get(0)?;
    let oldest = match version {
        ..SAYS_OLDEST => 1,
        SAYS_OLDEST.. => client.query_one("select oldest from turn", &[]).await?.try_get(0)?,
    };
    Ok(Stand { version, oldest })
}

/// The version of a schema that this program may work on, or bring up to date.
fn known(Stand { version, oldest }: Stand) -> Result<i64, PostgresError> {
    if oldest <= VERSION { Ok(version) } else { Err(too_old(oldest)) }
}

/// The refusal of a schema that has moved on.
pub(super) fn too_old(oldest: i64) -> PostgresError {
    let what = format!(
        "the ledger's schema takes programs that know version {oldest} or newer, and this one \
         knows {VERSION}: use the program that brought it there, or a newer one"
    );
    PostgresError::new(FaultKind::Newer, what)
}

/// Which steps a schema has taken, which may be those of a newer program.
pub(super) async fn version(client: &Client) -> Result<i64, PostgresError> {
    Ok(stand(client).await?.version)
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
    let version = known(stand(client).await?)?;
    if version < VERSION {
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
        match Kind::of(&name) {
            Some(kind) => drop(catalogue.insert((table, column), kind)),
            // A newer program may have added it for itself.
            None if version > VERSION => {}
            None => {
                let what = format!("{table}.{column} has the type {name}, which no ledger has");
                return Err(PostgresError::new(FaultKind::Refused, what));
            }
        }
    }
    Ok(Catalogue(catalogue))
}
