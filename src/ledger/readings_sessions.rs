//! How operators see who is logged in, by sessions and by OAuth tokens: by a handle that opens
//! nothing.
//!
//! What must stay true: neither a token nor the whole of its hash leaves the ledger by this way.

use super::TokenHash;
use crate::domain::hex::{hex, number_of};
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;

/// What a session or a token is named by: the first half of its hash, as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionHandle([u8; 16]);

impl SessionHandle {
    /// Reads a handle; none when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        number_of(text).map(|number| Self(number.to_be_bytes()))
    }

    /// The handle of the session whose token has this hash.
    pub fn of(token: &TokenHash) -> Self {
        let mut first = [0; 16];
        first.iter_mut().zip(token).for_each(|(byte, hashed)| *byte = *hashed);
        Self(first)
    }

    /// The least and the greatest hash of which it is the first half.
    pub fn hashes(self) -> (TokenHash, TokenHash) {
        let filled = |rest: u8| {
            let mut hash = [rest; 32];
            hash.iter_mut().zip(self.0).for_each(|(byte, first)| *byte = first);
            hash
        };
        (filled(0), filled(u8::MAX))
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex(&self.0))
    }
}

/// A place in the list of sessions: `<milliseconds>-<handle>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPlace {
    /// The [`ListedSession::at`] of the session before it, in Unix milliseconds.
    pub at_ms: i64,
    /// That session.
    pub handle: SessionHandle,
}

impl SessionPlace {
    /// Reads a place; none when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (at_ms, handle) = text.split_once('-')?;
        Some(Self { at_ms: at_ms.parse().ok()?, handle: SessionHandle::parse(handle)? })
    }
}

impl fmt::Display for SessionPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.at_ms, self.handle)
    }
}

/// Which sessions and tokens are asked for, those used or issued last before others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionsQuery {
    /// The sessions that were used at this moment or later.
    pub used_since: DateTime<Utc>,
    /// The tokens that end after this moment.
    pub good_at: DateTime<Utc>,
    /// How long a token is good, by which it is known when one was issued.
    pub token_life: TimeDelta,
    /// Those of the user of this name; none means all.
    pub username: Option<String>,
    /// Where the page begins; none at the first.
    pub from: Option<SessionPlace>,
    /// How many at most, 1 to [`super::readings::ROWS_MAX`].
    pub rows_max: u32,
}

/// Which of the ways to be logged in it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionKind {
    /// A session, which lasts for as long as it is used.
    Session,
    /// An OAuth token.
    Token {
        /// The id of the client that it was issued to.
        client: String,
        /// When it ends.
        ends: DateTime<Utc>,
    },
}

/// A session or a token as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// What it is named by.
    pub handle: SessionHandle,
    /// Whose it is.
    pub username: String,
    /// When a session was last used, as written: at most a minute ago when it is in use; when a
    /// token was issued.
    pub at: DateTime<Utc>,
    /// Which of the two it is.
    pub kind: SessionKind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_and_a_place_read_back_and_nothing_else_is_one() {
        let handle = SessionHandle::of(&[0xab; 32]);
        assert_eq!(handle.to_string(), "ab".repeat(16));
        assert_eq!(SessionHandle::parse(&handle.to_string()), Some(handle));
        let (least, greatest) = handle.hashes();
        assert!(least <= [0xab; 32] && greatest >= [0xab; 32]);
        assert_eq!(SessionHandle::of(&least), handle);
        let place = SessionPlace { at_ms: 17, handle };
        assert_eq!(SessionPlace::parse(&place.to_string()), Some(place));
        for wrong in ["", "17", "17-", "x-00", &"AB".repeat(16), &"ab".repeat(15)] {
            assert_eq!(SessionPlace::parse(wrong), None, "{wrong}");
            assert_eq!(SessionHandle::parse(wrong), None, "{wrong}");
        }
    }
}
