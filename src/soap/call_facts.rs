//! What the log says of a call: who made it, and what its rows came to.
//!
//! What must stay true: whatever a client can make long is bounded here, and bodies, sessions and
//! passwords never get here.

use super::{SoapAnswer, SoapReply};
use crate::domain::id::{ObjectId, RefundId};
use crate::ledger::RowResult;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// How many names are shown where there are more.
const SHOWN_MAX: usize = 5;
/// The longest user name that is shown, in characters.
const USER_CHARS_MAX: usize = 255;

/// The first of some names, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Few {
    shown: Vec<String>,
    count: usize,
}

impl Few {
    /// The first of `names`, each once.
    pub(super) fn of(names: impl IntoIterator<Item = String>) -> Self {
        let (mut few, mut seen) = (Self::default(), BTreeSet::new());
        for name in names {
            if !seen.insert(name.clone()) {
                continue;
            }
            few.count += 1;
            if few.shown.len() < SHOWN_MAX {
                few.shown.push(name);
            }
        }
        few
    }
}

impl fmt::Display for Few {
    /// The names that are shown, and how many more there are.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown.join(","))?;
        match self.count.saturating_sub(self.shown.len()) {
            0 => Ok(()),
            more => write!(out, ",+{more}"),
        }
    }
}

/// What the log says of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFacts {
    /// The name of the caller: of a session's user, or of whoever tries to log in.
    pub user: Option<Arc<str>>,
    /// How many rows were done.
    pub rows_ok: u32,
    /// How many rows failed.
    pub rows_failed: u32,
    /// The codes of the rows that failed, and how many failed so.
    pub codes: BTreeMap<&'static str, u32>,
    /// The accounts that the call names, by their ids.
    pub accounts: Few,
    /// The refunds that it created, changed or deleted, by their numbers.
    pub refunds: Few,
}

impl CallFacts {
    /// Notes who calls.
    pub(super) fn note_user(&mut self, name: &str) {
        self.user = Some(name.chars().take(USER_CHARS_MAX).collect::<String>().into());
    }

    /// Notes the accounts that a call names.
    pub(super) fn note_accounts(&mut self, ids: impl IntoIterator<Item = String>) {
        self.accounts = Few::of(ids);
    }

    /// Notes what the rows of a call came to.
    pub(super) fn note_rows(&mut self, rows: &[RowResult]) {
        let number = |id: &ObjectId| Some(RefundId::parse(id.as_str())?.number().to_string());
        self.refunds = Few::of(rows.iter().flatten().filter_map(number));
        for row in rows {
            match row {
                Ok(_) => self.rows_ok += 1,
                Err(error) => {
                    self.rows_failed += 1;
                    *self.codes.entry(error.code.name()).or_default() += 1;
                }
            }
        }
    }

    /// The codes of rows, or of the fault that `outcome` is.
    pub fn codes(&self, outcome: &'static str) -> String {
        if self.codes.is_empty() {
            return if outcome == "ok" { String::new() } else { outcome.to_owned() };
        }
        let code = |(code, count): (&&'static str, &u32)| format!("{code}:{count}");
        self.codes.iter().map(code).collect::<Vec<_>>().join(",")
    }
}

impl SoapReply {
    /// The reply, with what the log says of its call.
    pub(super) fn knowing(self, facts: CallFacts) -> Self {
        match self {
            Self::Answer(answer) => Self::Answer(SoapAnswer { facts: Box::new(facts), ..answer }),
            withheld => withheld,
        }
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
        assert_eq!(Few::default().to_string(), "");
        let mut facts = CallFacts::default();
        facts.note_user(&"u".repeat(1_000));
        assert_eq!(facts.user.as_deref().map(str::len), Some(USER_CHARS_MAX));
        let wrong = || Err(RowError::missing("Type"));
        let rows: Vec<RowResult> = vec![wrong(), wrong(), Err(RowError::invalid("Type", "x"))];
        facts.note_rows(&rows);
        assert_eq!(facts.codes("ok"), "INVALID_VALUE:1,MISSING_REQUIRED_VALUE:2");
        assert_eq!((facts.rows_ok, facts.rows_failed), (0, 3));
        assert_eq!(CallFacts::default().codes("INVALID_SESSION"), "INVALID_SESSION");
    }
}
