//! `ledger`: a whole ledger from a file to a database server and back, and what the owner of a
//! schema does before others serve it.

use super::exit::{ExitStatus, Failure, FailureCode};
use super::progress::ShownProgress;
use super::values::LedgerPlace;
use super::{ledger, terminal};
use crate::ledger::moving::{Held, MoveError, Shown, Unfinished, copy};
use crate::ledger::postgres::{self, ServerBegun, ServerHeld};
use crate::ledger::sqlite::{FileBegun, FileHeld};
use std::sync::Arc;

/// Move ledgers between a file and a database server, and make the schema there
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Copy all of a ledger that nothing serves to a place where none is, and audit both
    Copy {
        /// The ledger, a file or postgres://…, which stays as it is
        #[arg(value_name = "FROM")]
        from: LedgerPlace,

        /// Where the copy is to be, a new file or an empty database
        #[arg(value_name = "TO")]
        to: LedgerPlace,
    },
    /// Make the schema of a ledger on a database server, or bring it up to date, as its owner
    Migrate {
        /// The ledger, postgres://…
        #[arg(value_name = "URL")]
        ledger: LedgerPlace,
    },
}

/// Does what is asked.
pub(super) fn run(args: &Args) -> Result<ExitStatus, Failure> {
    match &args.action {
        Action::Copy { from, to } => copy_ledger(from, to),
        Action::Migrate { ledger } => migrate(ledger),
    }
}

/// Says nothing of a ledger that is there but its schema: what it is for is settled by the first
/// program that serves it.
fn migrate(place: &LedgerPlace) -> Result<ExitStatus, Failure> {
    let LedgerPlace::Server(url) = place else {
        let message = format!("{place} is no ledger on a database server");
        let hint = "a file is brought up to date when it is served; here belongs postgres://…";
        return Err(Failure::with_hint(FailureCode::Usage, message, hint));
    };
    let version = postgres::migrate(url).map_err(ledger::on_server)?;
    terminal::data(&format!("{place}: the schema has version {version}"))?;
    Ok(ExitStatus::Done)
}

/// Copies a ledger and prints what is in the copy.
fn copy_ledger(from: &LedgerPlace, to: &LedgerPlace) -> Result<ExitStatus, Failure> {
    if let (LedgerPlace::File(_), LedgerPlace::File(_)) = (from, to) {
        let message = "both ledgers are files";
        let hint = "`refund-gateway backup` copies a file to a file";
        return Err(Failure::with_hint(FailureCode::Configuration, message, hint));
    }
    let mut held: Box<dyn Held> = match from {
        LedgerPlace::File(path) => Box::new(FileHeld::take(path).map_err(refused)?),
        LedgerPlace::Server(url) => Box::new(ServerHeld::take(url).map_err(refused)?),
        LedgerPlace::Memory => return Err(in_memory()),
    };
    let begun: Box<dyn Unfinished> = match to {
        LedgerPlace::File(path) => Box::new(FileBegun::begin(path).map_err(refused)?),
        LedgerPlace::Server(url) => Box::new(ServerBegun::begin(url).map_err(refused)?),
        LedgerPlace::Memory => return Err(in_memory()),
    };
    let shown = shown(&format!("copying {from} to {to}"));
    let moved = copy(held.as_mut(), begun, &shown).map_err(refused)?;
    drop(shown);
    for table in moved.tables.iter().filter(|table| table.rows > 0) {
        let (name, rows, sum) = (table.table, table.rows, table.sum);
        terminal::data(&format!("{name:<26} {rows:>10} rows, sum {sum:08x}"))?;
    }
    let audit = &moved.audit;
    let (accounts, refunds, entries) = (audit.accounts.len(), audit.refunds, audit.entries);
    terminal::data(&format!("{to}: {accounts} accounts, {refunds} refunds, {entries} entries"))?;
    Ok(ExitStatus::Done)
}

fn in_memory() -> Failure {
    Failure::new(FailureCode::Configuration, "a ledger in memory is gone when its gateway ends")
}

/// One bar: the audit of the ledger is the first quarter, copying the half behind it, and the audit
/// of the copy the rest.
fn shown(what: &str) -> Shown {
    let bar = Arc::new(ShownProgress::new(what.to_owned()));
    let quarters = |before: u64, quarters: u64| {
        let bar = Arc::clone(&bar);
        move |done: u64, all: u64| {
            let all = all.max(1);
            let before = before.saturating_mul(all);
            bar.at(before.saturating_add(quarters.saturating_mul(done)), all.saturating_mul(4));
        }
    };
    Shown {
        first: Arc::new(quarters(0, 1)),
        copying: Arc::new(quarters(1, 2)),
        last: Arc::new(quarters(3, 1)),
    }
}

fn refused(error: MoveError) -> Failure {
    let (code, hint) = match error {
        MoveError::File(error) => return ledger::refused(error),
        MoveError::Server(error) => return ledger::on_server(error),
        MoveError::NotEmpty(_) => (
            FailureCode::Configuration,
            "name a file that does not exist yet, or a database or schema in which nothing was \
             served; a copy that was not finished is begun anew",
        ),
        MoveError::OldSchema { .. } => (
            FailureCode::Configuration,
            "back it up, serve it once with this program, which brings it up to date, and copy it \
             then",
        ),
        MoveError::Unsound { .. } => {
            (FailureCode::Damaged, "`check` lists all that it finds; nothing can be served there")
        }
        MoveError::Row { .. } => (
            FailureCode::Damaged,
            "the copy was not finished, and what it was made from is as it was; a text with U+0000 \
             cannot be kept by PostgreSQL",
        ),
        MoveError::Differs(_) => (
            FailureCode::Damaged,
            "the copy was not finished; look at the disk and the memory of both machines",
        ),
        MoveError::Io { .. } => {
            (FailureCode::Runtime, "look at the room on the disk and at the rights of the folder")
        }
    };
    Failure::with_hint(code, error, hint)
}
