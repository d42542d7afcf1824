//! What a reset can leave as it is: users, as an operator has changed them since, and sessions.
//!
//! What must stay true: a session that is kept goes on to be that of its user, whatever key the
//! user has in the new ledger; a token that is kept is never given to another session.

use super::{knowledge, sums};
use crate::ledger::record::Record;
use crate::ledger::records::{SessionRow, UserRow};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use std::collections::HashMap;

/// The counter behind the tokens of a ledger whose ids are seeded.
const TOKENS: &str = "session_counter";

/// Brings the users and sessions of `old` into `fresh`, in its open transaction.
pub(super) fn keep_sessions(old: &Connection, fresh: &Connection) -> rusqlite::Result<()> {
    let users = keep_users(old, fresh)?;
    let mut select = old.prepare("select token_hash, user, last_used_ms from session")?;
    let mut insert = fresh
        .prepare("insert into session (token_hash, user, last_used_ms) values (?1, ?2, ?3)")?;
    let mut sessions = select.query([])?;
    while let Some(session) = sessions.next()? {
        let (token, user): (Vec<u8>, i64) = (session.get(0)?, session.get(1)?);
        if let Some(user) = users.get(&user) {
            insert.execute(params![token, user, session.get::<_, i64>(2)?])?;
        }
    }
    sums::renew(fresh, SessionRow::TABLE, "sum is null", [])?;
    if let Some(counter) = knowledge::said(old, TOKENS)? {
        knowledge::say(fresh, TOKENS, &counter)?;
    }
    Ok(())
}

/// Brings the users with all their columns, and gives the new key of each old one.
fn keep_users(old: &Connection, fresh: &Connection) -> rusqlite::Result<HashMap<i64, i64>> {
    let mut select = old.prepare("select * from user")?;
    let names: Vec<String> = select.column_names().into_iter().map(str::to_owned).collect();
    let others: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| *name != "key").collect();
    let places = vec!["?"; others.len()].join(", ");
    let sets: Vec<String> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let write = format!(
        "insert into user ({}) values ({places}) on conflict (username) do update set {} \
         returning key",
        others.join(", "),
        sets.join(", "),
    );
    let mut write = fresh.prepare(&write)?;
    let mut keys = HashMap::new();
    let mut users = select.query([])?;
    while let Some(user) = users.next()? {
        let values = others.iter().map(|name| user.get::<_, Value>(*name));
        let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
        let key: i64 = write.query_row(params_from_iter(values), |row| row.get(0))?;
        // Its key may be another one here.
        sums::renew(fresh, UserRow::TABLE, "key = ?1", [key])?;
        keys.insert(user.get("key")?, key);
    }
    Ok(keys)
}
