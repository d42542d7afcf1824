//! Sessions and OAuth tokens. A token leaves the ledger once and is kept only as a hash.

use super::{drawing, operating};
use crate::ledger::books::BooksError;
use crate::ledger::readings::SessionHandle;
use crate::ledger::record::Field;
use crate::ledger::records::{
    ClientRow, SESSION_BY_LAST_USE, SESSION_BY_USER, SessionRow, TOKEN_BY_END, TokenRow, UserRow,
};
use crate::ledger::trail::Act;
use crate::ledger::unit::Unit;
use crate::ledger::{TokenHash, UserKey};
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};

/// How many expired sessions one batch removes: clients that log in before every call leave very
/// many.
const REMOVED_MAX: u32 = 100;

/// Opens a session, gives its token, and has those removed that were last used before `expired`.
pub fn open(
    unit: &mut Unit<'_>,
    user: UserKey,
    at: DateTime<Utc>,
    expired: DateTime<Utc>,
) -> Result<String, BooksError> {
    let token = drawing::session_token(unit)?;
    let token_hash: TokenHash = Sha256::digest(token.as_bytes()).into();
    unit.insert(SessionRow { token_hash, user, last_used_ms: at })?;
    unit.remove_older(&SESSION_BY_LAST_USE, expired, REMOVED_MAX);
    Ok(token)
}

/// Issues a token to a client that is there, gives it, and has those removed that have ended.
pub fn issue(
    unit: &mut Unit<'_>,
    client: String,
    at: DateTime<Utc>,
    ends: DateTime<Utc>,
) -> Result<String, BooksError> {
    let token = drawing::session_token(unit)?;
    let token_hash: TokenHash = Sha256::digest(token.as_bytes()).into();
    unit.insert(TokenRow { token_hash, client, ends_ms: ends })?;
    unit.remove_older(&TOKEN_BY_END, at, REMOVED_MAX);
    Ok(token)
}

/// Notes that a session was used, if it is still there; never backwards.
pub fn keep(unit: &mut Unit<'_>, token: TokenHash, at: DateTime<Utc>) -> Result<(), BooksError> {
    match unit.get::<SessionRow>(&(token,))? {
        None => Ok(()),
        Some(_) => unit.change::<SessionRow>(&(token,), |session| {
            session.last_used_ms = session.last_used_ms.max(at);
        }),
    }
}

/// Ends a session or an OAuth token, and records who ended it; false where it has ended meanwhile.
pub fn end(unit: &mut Unit<'_>, token: TokenHash, act: &Act) -> Result<bool, BooksError> {
    let (user, object, client) = if let Some(session) = unit.get::<SessionRow>(&(token,))?.cloned()
    {
        unit.remove::<SessionRow>(&(token,))?;
        (session.user, "Session", None)
    } else if let Some(issued) = unit.get::<TokenRow>(&(token,))?.cloned() {
        unit.remove::<TokenRow>(&(token,))?;
        let client: ClientRow = unit.existing(&(issued.client,))?;
        (client.user, "Token", Some(client.id))
    } else {
        return Ok(false);
    };
    let row: UserRow = unit.existing(&(user,))?;
    // Its row is written as it was, by which other nodes know that they have to look again.
    unit.change::<UserRow>(&(user,), |_| {})?;
    let mut facts = json!({ "username": row.username });
    if let (Some(facts), Some(client)) = (facts.as_object_mut(), client) {
        facts.insert("client".to_owned(), client.into());
    }
    let handle = SessionHandle::of(&token).to_string();
    operating::record(unit, act, "end", (object, &handle), facts)?;
    Ok(true)
}

/// Ends every session of a user.
pub(super) fn end_all(unit: &mut Unit<'_>, user: UserKey) -> Result<(), BooksError> {
    for session in unit.all::<SessionRow>(&SESSION_BY_USER, &[user.stored()])? {
        unit.remove::<SessionRow>(&(session.token_hash,))?;
    }
    Ok(())
}
