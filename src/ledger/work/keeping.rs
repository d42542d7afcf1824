//! What the reset of a test ledger can leave as it is: users, as an operator has changed them
//! since, and sessions.
//!
//! What must stay true: a session that is kept goes on to be that of its user, whatever key the
//! user has in the new ledger; a token that is kept is never given to another session.

use super::drawing::TOKENS;
use super::numbering;
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{SESSIONS, SessionRow, USER_BY_NAME, USERS, UserRow};
use crate::ledger::unit::Unit;
use std::collections::HashMap;

/// Users and sessions of a ledger.
pub struct Kept {
    users: Vec<UserRow>,
    sessions: Vec<SessionRow>,
    /// How many tokens were made, where ids are seeded.
    tokens: i64,
}

/// Those that a ledger has.
pub fn read(unit: &mut Unit<'_>) -> Result<Kept, BooksError> {
    let (users, sessions) = (unit.all(&USERS, &[])?, unit.all(&SESSIONS, &[])?);
    Ok(Kept { users, sessions, tokens: numbering::count(unit, TOKENS)? })
}

/// Brings them into another ledger, in which seeds may have made users of the same names.
pub fn write(unit: &mut Unit<'_>, kept: Kept) -> Result<(), BooksError> {
    let mut keys = HashMap::new();
    for user in kept.users {
        let seeded: Option<UserRow> = unit.find(&USER_BY_NAME, &[user.username.stored()])?;
        let old = user.key;
        let key = match seeded {
            Some(UserRow { key, .. }) => {
                unit.change::<UserRow>(&(key,), |row| *row = UserRow { key, ..user })?;
                key
            }
            None => {
                let key = UserKey(unit.next_key::<UserRow>()?);
                unit.insert(UserRow { key, ..user })?;
                key
            }
        };
        keys.insert(old, key);
    }
    for session in kept.sessions {
        if let Some(user) = keys.get(&session.user) {
            unit.insert(SessionRow { user: *user, ..session })?;
        }
    }
    numbering::raise(unit, TOKENS, kept.tokens)
}
