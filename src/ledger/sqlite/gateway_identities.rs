//! The ids and the numbers by which clients of the v1 operations know gateways.
//!
//! What must stay true: every gateway that the ledger knows has one of each, which never changes
//! unless a seed says another; the built-in sandbox, which always exists, comes first.

use crate::domain::facts::{Gateway, SANDBOX_GATEWAY};
use crate::domain::hex::hex;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

/// Gives those of these gateways that have none an id that follows from their name, and the next
/// number.
pub(super) fn give(connection: &Connection, gateways: &[Gateway]) -> rusqlite::Result<()> {
    let sandbox = std::iter::once(SANDBOX_GATEWAY);
    for name in sandbox.chain(gateways.iter().map(|gateway| gateway.name.as_str())) {
        let known = "select exists (select 1 from gateway_identity where name = ?1)";
        if connection.prepare_cached(known)?.query_row([name], |row| row.get(0))? {
            continue;
        }
        let next = "select coalesce(max(cast(substr(number, 4) as integer)), 0) + 1 \
                    from gateway_identity where number glob 'PG-[0-9]*'";
        let next: i64 = connection.prepare_cached(next)?.query_row([], |row| row.get(0))?;
        let digest: [u8; 32] = Sha256::digest(format!("gateway:{name}").as_bytes()).into();
        let id: String = hex(&digest).chars().take(32).collect();
        let insert = "insert into gateway_identity (name, id, number, sum) \
                      values (?1, ?2, ?3, row_sum(?1, ?2, ?3))";
        connection.prepare_cached(insert)?.execute(params![name, id, format!("PG-{next:08}")])?;
    }
    Ok(())
}
