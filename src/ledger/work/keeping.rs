//! What the reset of a test ledger can leave as it is: users, as an operator has changed them
//! since, sessions, and the tokens of OAuth clients.
//!
//! What must stay true: a session that is kept goes on to be that of its user, whatever key the
//! user has in the new ledger; a token that is kept is that of the same client, and never given to
//! another session or client.

use super::drawing::TOKENS;
use super::numbering;
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{
    ClientRow, ISSUED, SESSIONS, SessionRow, TokenRow, USER_BY_NAME, USERS, UserRow,
};
use crate::ledger::unit::Unit;
use std::collections::HashMap;

/// Users, sessions and tokens of a ledger.
pub struct Kept {
    users: Vec<UserRow>,
    sessions: Vec<SessionRow>,
    issued: Vec<TokenRow>,
    /// How many tokens were made, where ids are seeded.
    tokens: i64,
}

/// Those that a ledger has.
pub fn read(unit: &mut Unit<'_>) -> Result<Kept, BooksError> {
    let (users, sessions) = (unit.all(&USERS, &[])?, unit.all(&SESSIONS, &[])?);
    let (issued, tokens) = (unit.all(&ISSUED, &[])?, numbering::count(unit, TOKENS)?);
    Ok(Kept { users, sessions, issued, tokens })
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
    // Clients are made by seeds alone, which load them again.
    for token in kept.issued {
        if unit.get::<ClientRow>(&(token.client.clone(),))?.is_some() {
            unit.insert(token)?;
        }
    }
    numbering::raise(unit, TOKENS, kept.tokens)
}
