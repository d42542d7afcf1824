//! `backup` and `restore`: a whole copy of a ledger, also while a gateway serves it, and putting
//! one in the place of a ledger.

use super::exit::{ExitStatus, Failure, FailureCode};
use super::ledger::Readable;
use super::options::LedgerOptions;
use super::progress::ShownProgress;
use super::{ledger, terminal};
use crate::ledger::audit::Audit;
use crate::ledger::file::copies::{CopyError, Restore, Shown};
use crate::ledger::sqlite::{back_up, restore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Copy a ledger to a new file, also while a gateway serves it, and check the copy
#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// The file to be made, in a folder that is there
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    ledger: LedgerOptions,
}

/// Put a copy of a backup in the place of a ledger that no gateway serves, and check it
#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// The backup, which stays as it is
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,

    /// The ledger to be made
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,

    /// Replace the ledger that is there, which is kept as LEDGER.before-restore
    #[arg(long)]
    replace: bool,

    /// Take a ledger that was not closed and whose log is missing, although refunds that were
    /// acknowledged last may be missing from it
    #[arg(long)]
    accept_missing_log: bool,
}

/// Makes a backup and prints what is in it.
pub(super) fn run_backup(args: BackupArgs) -> Result<ExitStatus, Failure> {
    let from = match ledger::named_place(args.ledger)? {
        Readable::File(path) => path,
        Readable::Server(_) => {
            let message = "a ledger on a database server is backed up by that server's own means";
            let hint = "pg_dump, or base backups with the log of writes, which docs/POSTGRES.md \
                        describes; `refund-gateway ledger copy` makes a file of a ledger that \
                        nothing serves";
            return Err(Failure::with_hint(FailureCode::Configuration, message, hint));
        }
    };
    let audit = back_up(&from, &args.file, &shown(&from)).map_err(refused)?;
    say(&args.file, &audit)
}

/// Restores a backup and prints what is in it.
pub(super) fn run_restore(args: &RestoreArgs) -> Result<ExitStatus, Failure> {
    let RestoreArgs { backup, ledger, replace, accept_missing_log } = args;
    let what =
        Restore { backup, ledger, replaces: *replace, accepts_missing_log: *accept_missing_log };
    let restored = restore(&what, &shown(backup)).map_err(refused)?;
    if let Some(kept) = restored.kept {
        terminal::note(&format!("what was there before is kept as {}", kept.display()));
    }
    say(ledger, &restored.audit)
}

/// One bar, of which copying is the first half and checking the second.
fn shown(path: &Path) -> Shown {
    let what = format!("copying {} and checking the copy", path.display());
    let first = Arc::new(ShownProgress::new(what));
    let second = Arc::clone(&first);
    Shown {
        copying: Arc::new(move |done, all: u64| first.at(done, all.saturating_mul(2))),
        checking: Arc::new(move |done: u64, all: u64| {
            second.at(all.saturating_add(done), all.saturating_mul(2));
        }),
    }
}

fn say(path: &Path, audit: &Audit) -> Result<ExitStatus, Failure> {
    let (accounts, refunds, entries) = (audit.accounts.len(), audit.refunds, audit.entries);
    let path = path.display();
    let line = format!("{path}: {accounts} accounts, {refunds} refunds, {entries} entries");
    terminal::data(&line)?;
    Ok(ExitStatus::Done)
}

fn refused(error: CopyError) -> Failure {
    let (code, hint) = match &error {
        CopyError::Exists(_) => (
            FailureCode::Configuration,
            "name a file that does not exist yet; `restore --replace` replaces a ledger, and never \
             what it kept of one before",
        ),
        CopyError::StrayLog(_) => (
            FailureCode::Configuration,
            "it would be taken for a part of the new file: move it away, or let `restore \
             --replace` keep it as LEDGER.before-restore-wal",
        ),
        CopyError::Unsound { .. } => (FailureCode::Damaged, "`check` lists all that it finds"),
        CopyError::Unsafe { .. } => (
            FailureCode::Damaged,
            "do not serve it: the copy was sound before it got its name, so look at the disk; the \
             ledger that was there before is kept as LEDGER.before-restore",
        ),
        CopyError::Io { .. } => (
            FailureCode::Runtime,
            "nothing was replaced (a log that was set aside is LEDGER.before-restore-wal); look at \
             the room on the disk and at the rights of the folder",
        ),
        CopyError::Open(_) => {
            return match error {
                CopyError::Open(error) => ledger::refused(error),
                other => Failure::new(FailureCode::Runtime, other),
            };
        }
    };
    Failure::with_hint(code, error, hint)
}
