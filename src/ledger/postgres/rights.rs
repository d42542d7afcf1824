//! Whether the role of a connection may do all that serving takes, which docs/POSTGRES.md grants.
//!
//! What must stay true: a role that lacks a right is refused before a client can ask for what it
//! could not do, and the refusal names the rights, who grants them, and the command that makes the
//! tables; asking is one statement that wants no rights itself.

use super::fault::{Kind, PostgresError};
use super::link::Link;
use super::purpose::Verb;
use crate::ledger::records::WHOLE;
use tokio_postgres::{Client, Row};

/// The tables to which rows are added, and of which none is changed or removed.
const ADDED_TO: &str =
    "'entry_row', 'audit_row', 'audit_object', 'audit_source', 'exchange', 'sending'";
/// The tables beside those of the ledger that serving writes to.
const OTHERS: [&str; 5] = ["turn", "batches", "node", "lease", "wrong_login"];
/// Those that it reads alone: triggers write to the second whatever the role may.
const ONLY_READ: &str = "'schema_version', 'unsummed'";

/// Which rights are lacking, each with the tables that it is lacking on.
fn lacking() -> String {
    let of_ledger = WHOLE.iter().map(|whole| whole.table.name);
    let names: Vec<String> = of_ledger.chain(OTHERS).map(|name| format!("'{name}'")).collect();
    let written = names.join(", ");
    format!(
        "select current_user::text, string_agg(lacking, '; ' order by lacking) from (
            select rights || ' on ' || string_agg(relname, ', ' order by relname) as lacking from (
                select relname::text, concat_ws(', ',
                    case when not has_table_privilege(oid, 'select') then 'select' end,
                    case when relname not in ({ONLY_READ}, 'turn')
                        and not has_table_privilege(oid, 'insert') then 'insert' end,
                    case when relname not in ({ONLY_READ}, {ADDED_TO})
                        and not has_table_privilege(oid, 'update') then 'update' end,
                    case when relname not in ({ONLY_READ}, {ADDED_TO}, 'turn')
                        and not has_table_privilege(oid, 'delete') then 'delete' end) as rights
                from pg_catalog.pg_class
                where relkind = 'r' and relnamespace = current_schema()::regnamespace
                and relname in ({ONLY_READ}, {written})
            ) as tables where rights <> '' group by rights
        ) as by_rights"
    )
}

/// Refuses the role of a new connection where it could not do what clients ask for.
pub(super) async fn check(client: &Client) -> Result<(), PostgresError> {
    refuse(&client.query_one(&lacking(), &[]).await?)
}

/// Has the batch fail where its role could not, as when rights were taken from it since.
pub(super) fn need(link: &mut Link) -> Result<(), PostgresError> {
    let statement = link.prepare((Verb::LackRights, 0), |_| Ok(lacking()))?;
    link.ask(&statement, &[])?.first().map_or(Ok(()), refuse)
}

fn refuse(found: &Row) -> Result<(), PostgresError> {
    let (role, rights): (String, Option<String>) = (found.try_get(0)?, found.try_get(1)?);
    let Some(rights) = rights else { return Ok(()) };
    let what = format!(
        "the role {role} lacks rights that serving needs ({rights}): grant them as the schema's \
         owner, once `refund-gateway ledger migrate URL` was run; docs/POSTGRES.md has the \
         statements"
    );
    Err(PostgresError::new(Kind::Refused, what))
}
