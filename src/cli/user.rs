//! `user`: what an operator does to a user of a ledger that nobody serves.

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::options::LedgerOptions;
use super::{ledger, operator, terminal};
use crate::ledger::Ledger;
use crate::ledger::sqlite::OpenMode;
use crate::service::clock::Clock;
use crate::service::password;
use std::io::{self, IsTerminal};
use tokio::runtime::Runtime;

/// Change a user of a ledger
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Give a user the password that is read from stdin, one line
    SetPassword {
        /// The user's name
        name: String,

        #[command(flatten)]
        ledger: LedgerOptions,
    },
}

/// Does what is asked.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let Action::SetPassword { name, ledger } = args.action;
    set_password(&name, ledger)
}

fn set_password(name: &str, options: LedgerOptions) -> Result<ExitStatus, Failure> {
    let ledger = ledger::open_named(options, OpenMode::Existing)?;
    let hash =
        password::hash(&read_password()?).or_fail(FailureCode::Runtime, "hashing the password")?;
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let known = runtime
        .block_on(ledger.set_password(name, hash, operator::act(Clock::system().now())))
        .or_fail(FailureCode::Runtime, "writing the password")?;
    if known {
        return Ok(ExitStatus::Done);
    }
    Err(Failure::new(FailureCode::Usage, format_args!("the ledger has no user `{name}`")))
}

fn read_password() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        terminal::note("the new password, which is shown as it is typed:");
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line).or_fail(FailureCode::Input, "reading the password")?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        let message = "the password is empty; it is read from stdin, one line";
        return Err(Failure::new(FailureCode::Input, message));
    }
    Ok(password.to_owned())
}
