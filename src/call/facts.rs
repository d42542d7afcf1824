//! What the log says of a call: who made it, and what its rows came to.
//!
//! What must stay true: what a client can make long is bounded here, and bodies, sessions and
//! passwords never get here.

use super::Outcome;
use crate::domain::error_code::ErrorCode;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::ledger::{RowResult, Saved};
use std::fmt;
use std::sync::Arc;

/// How many names are shown where there are more.
const SHOWN_MAX: usize = 5;
/// The longest user name that is shown, in characters.
const USER_CHARS_MAX: usize = 255;

/// Different things, of which the first are shown. They are compared with each other, so there
/// must not be many: no call has more than a few hundred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Few<T>(Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Few<T> {
    /// All of `things`, each once.
    pub fn of(things: impl IntoIterator<Item = T>) -> Self {
        let mut few = Vec::new();
        for thing in things {
            if !few.contains(&thing) {
                few.push(thing);
            }
        }
        Self(few)
    }
}

impl<T> Few<T> {
    /// Those that are shown where there are more.
    pub fn first(&self) -> impl Iterator<Item = &T> {
        self.0.iter().take(SHOWN_MAX)
    }
}

impl<T: fmt::Display> fmt::Display for Few<T> {
    /// The first, and how many more there are.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, thing) in self.first().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(out, "{comma}{thing}")?;
        }
        match self.0.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(out, ",+{more}"),
        }
    }
}

/// What the log says of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFacts {
    /// The name of the caller: of a session's user, or of the one that a login names.
    pub user: Option<Arc<str>>,
    /// How many rows were done.
    pub rows_ok: u32,
    /// How many rows failed.
    pub rows_failed: u32,
    /// The codes of the rows that failed, and how many failed so.
    codes: Vec<(ErrorCode, u32)>,
    /// The accounts that the call names.
    pub accounts: Few<ObjectId>,
    /// The refunds that it created, changed or deleted.
    pub refunds: Few<RefundNumber>,
}

impl CallFacts {
    /// Notes the caller, by its name.
    pub fn note_user(&mut self, name: &Arc<str>) {
        self.user = match name.char_indices().nth(USER_CHARS_MAX) {
            None => Some(Arc::clone(name)),
            Some((end, _)) => name.get(..end).map(Into::into),
        };
    }

    /// Notes the accounts that a call names.
    pub fn note_accounts(&mut self, ids: impl IntoIterator<Item = ObjectId>) {
        self.accounts = Few::of(ids);
    }

    /// Notes what the rows of a call came to. Only where they are about refunds their ids are
    /// those of refunds: a seed may give any object an id that looks like one.
    pub fn note_rows(&mut self, rows: &[RowResult], are_of_refunds: bool) {
        let number = |saved: &Saved| Some(RefundId::parse(saved.id.as_str())?.number());
        let refunds = rows.iter().flatten().filter(|_| are_of_refunds).filter_map(number);
        self.refunds = Few::of(refunds);
        for row in rows {
            let Err(error) = row else {
                self.rows_ok += 1;
                continue;
            };
            self.rows_failed += 1;
            match self.codes.iter_mut().find(|(code, _)| *code == error.code) {
                Some((_, count)) => *count += 1,
                None => self.codes.push((error.code, 1)),
            }
        }
        self.codes.sort_unstable_by_key(|(code, _)| code.name());
    }

    /// The codes of the rows that failed, and how many failed so.
    pub fn failed(&self) -> impl Iterator<Item = (ErrorCode, u32)> {
        self.codes.iter().copied()
    }

    /// The codes of rows, or of the fault that `outcome` is.
    pub fn codes(&self, outcome: Outcome) -> impl fmt::Display {
        fmt::from_fn(move |out| {
            if self.codes.is_empty() && outcome != Outcome::Ok {
                return out.write_str(outcome.name());
            }
            for (number, (code, count)) in self.codes.iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                write!(out, "{comma}{}:{count}", code.name())?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row_error::RowError;

    #[test]
    fn what_is_long_is_cut_and_counted() {
        let few = Few::of((0..50).map(|name| format!("R-{}", name % 40)));
        assert_eq!(few.to_string(), "R-0,R-1,R-2,R-3,R-4,+35");
        assert_eq!(Few::<String>::default().to_string(), "");
        let mut facts = CallFacts::default();
        facts.note_user(&"é".repeat(1_000).into());
        assert_eq!(facts.user.as_deref(), Some("é".repeat(USER_CHARS_MAX).as_str()));
        let wrong = || Err(RowError::missing("Type"));
        let rows: Vec<RowResult> = vec![wrong(), wrong(), Err(RowError::invalid("Type", "x"))];
        facts.note_rows(&rows, true);
        let codes = facts.codes(Outcome::Ok).to_string();
        assert_eq!(codes, "INVALID_VALUE:1,MISSING_REQUIRED_VALUE:2");
        assert_eq!((facts.rows_ok, facts.rows_failed), (0, 3));
        let failed = Outcome::Failed(ErrorCode::InvalidSession);
        assert_eq!(CallFacts::default().codes(failed).to_string(), "INVALID_SESSION");
        assert_eq!(CallFacts::default().codes(Outcome::Ok).to_string(), "");
    }
}
