//! How operators see sessions: by a handle that opens nothing.
//!
//! What must stay true: neither a token nor the whole of its hash leaves the ledger by this way.

use super::TokenHash;
use crate::domain::hex::{hex, number_of};
use chrono::{DateTime, Utc};
use std::fmt;

/// What a session is named by: the first half of its token's hash, as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// When the session before it was last used, in Unix milliseconds.
    pub last_used_ms: i64,
    /// That session.
    pub handle: SessionHandle,
}

impl SessionPlace {
    /// Reads a place; none when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (last_used_ms, handle) = text.split_once('-')?;
        let last_used_ms = last_used_ms.parse().ok()?;
        Some(Self { last_used_ms, handle: SessionHandle::parse(handle)? })
    }
}

impl fmt::Display for SessionPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.last_used_ms, self.handle)
    }
}

/// Which sessions are asked for, those used last before others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionsQuery {
    /// Those that were used at this moment or later.
    pub used_since: DateTime<Utc>,
    /// Those of the user of this name; none means all.
    pub username: Option<String>,
    /// Where the page begins; none at the first.
    pub from: Option<SessionPlace>,
    /// How many at most, 1 to [`super::readings::ROWS_MAX`].
    pub rows_max: u32,
}

/// A session as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// What it is named by.
    pub handle: SessionHandle,
    /// Whose it is.
    pub username: String,
    /// When it was last used, as written: at most a minute ago when it is in use.
    pub last_used: DateTime<Utc>,
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
        let place = SessionPlace { last_used_ms: 17, handle };
        assert_eq!(SessionPlace::parse(&place.to_string()), Some(place));
        for wrong in ["", "17", "17-", "x-00", &"AB".repeat(16), &"ab".repeat(15)] {
            assert_eq!(SessionPlace::parse(wrong), None, "{wrong}");
            assert_eq!(SessionHandle::parse(wrong), None, "{wrong}");
        }
    }
}
