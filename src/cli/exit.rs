//! The exit codes of the program: the one list, which the help prints and the README repeats.
//!
//! What must stay true: a code, once released, never changes its meaning, because scripts and
//! supervisors decide by it.

use crate::ledger::LedgerError;
use std::fmt::Display;

/// How the program ends when a second signal comes while it drains: at once, as a shell reports a
/// program that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;

/// A command that ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It did what was asked.
    Done = 0,
    /// A comparison found a difference.
    Differed = 1,
}

/// Why a command did not run to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCode {
    /// The command line is wrong.
    Usage = 2,
    /// The configuration or the seed cannot be used, or another process holds the ledger.
    Configuration = 3,
    /// An input cannot be read.
    Input = 4,
    /// The machine or the network refused.
    Runtime = 5,
    /// The ledger is damaged, newer than this program, or does not add up.
    Damaged = 6,
}

/// Every exit code and its meaning, in the order of the codes.
pub const ALL: [(u8, &str); 8] = [
    (ExitStatus::Done as u8, "done"),
    (ExitStatus::Differed as u8, "a comparison differed"),
    (FailureCode::Usage as u8, "the command line is wrong"),
    (FailureCode::Configuration as u8, "configuration or seed is wrong, or the ledger is in use"),
    (FailureCode::Input as u8, "an input cannot be read"),
    (FailureCode::Runtime as u8, "the machine or the network refused"),
    (FailureCode::Damaged as u8, "the ledger is damaged, too new, or does not add up"),
    (INTERRUPTED, "a second signal cut the drain short"),
];

/// The list as the help shows it.
pub fn table() -> String {
    let lines = ALL.iter().map(|(code, meaning)| format!("\n  {code:<3} {meaning}"));
    format!("Exit codes:{}", lines.collect::<String>())
}

/// A failure with the exit code that it deserves.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: FailureCode,
    /// What failed, where, and what helps.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure that says `message`.
    pub fn new(code: FailureCode, message: impl Display) -> Self {
        Self { code, error: anyhow::Error::msg(message.to_string()) }
    }

    /// A failure that says `message`, and on a line of its own what the user can do.
    pub fn with_hint(code: FailureCode, message: impl Display, hint: &str) -> Self {
        Self::new(code, format_args!("{message}\nhint: {hint}"))
    }
}

/// Gives an error its exit code and says what was being done.
pub trait OrFail<T> {
    /// The value, or a failure that begins with `what`. A damaged ledger has its own code,
    /// whatever was being done.
    fn or_fail(self, code: FailureCode, what: impl Display) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_fail(self, code: FailureCode, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| {
            let error: anyhow::Error = error.into();
            let is_damage = matches!(error.downcast_ref(), Some(LedgerError::Damaged(_)));
            let code = if is_damage { FailureCode::Damaged } else { code };
            Failure { code, error: error.context(what.to_string()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_the_help_shows_all_of_it() {
        assert!(ALL.is_sorted_by(|one, next| one.0 < next.0));
        let table = table();
        assert!(ALL.iter().all(|(code, meaning)| table.contains(&format!("{code:<3} {meaning}"))));
    }

    #[test]
    fn a_failure_tells_what_was_being_done_and_why_it_failed() {
        let read: Result<(), _> = Err(std::io::Error::other("no such thing"));
        let failure = read.or_fail(FailureCode::Input, "reading `x`").unwrap_err();
        assert_eq!(format!("{:#}", failure.error), "reading `x`: no such thing");
        let damaged: Result<(), _> = Err(LedgerError::Damaged("a row".to_owned()));
        let failure = damaged.or_fail(FailureCode::Runtime, "reading the ledger").unwrap_err();
        assert_eq!(failure.code, FailureCode::Damaged);
        let failure = Failure::with_hint(FailureCode::Usage, "no", "try yes");
        assert_eq!(format!("{:#}", failure.error), "no\nhint: try yes");
    }
}
