//! Opening the ledger for a command: which exit code each refusal deserves, and what helps.

use super::config::Config;
use super::exit::{Failure, FailureCode};
use super::options::LedgerOptions;
use super::settings::LEDGER_FILE;
use super::values::LedgerPlace;
use crate::ledger::Ledger;
use crate::ledger::file::OpenError;
use crate::ledger::opening::{LedgerSettings, OpenMode, OpenOptions};
use crate::ledger::postgres::{PostgresError, PostgresLedger};
use crate::ledger::sqlite::SqliteLedger;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A ledger that is open.
pub(super) struct Opened {
    pub(super) ledger: Arc<dyn Ledger>,
    /// The file beside which belongs what only those who may read the ledger may read.
    pub(super) file: Option<PathBuf>,
}

/// Opens the ledger at `place`: which engine keeps it is decided here alone.
pub(super) fn open(place: &LedgerPlace, options: &OpenOptions) -> Result<Opened, Failure> {
    let opened = match place {
        LedgerPlace::Memory => SqliteLedger::temporary(options),
        LedgerPlace::File(path) => SqliteLedger::open(path, options),
        LedgerPlace::Server(url) => return open_on_server(url, options),
    };
    let ledger = opened.map_err(refused)?;
    let is_found = matches!(place, LedgerPlace::File(_)) || ledger.test_bench().is_some();
    let file = is_found.then(|| ledger.path().to_owned());
    Ok(Opened { ledger: Arc::new(ledger), file })
}

/// Opens the ledger of a database server.
fn open_on_server(url: &str, options: &OpenOptions) -> Result<Opened, Failure> {
    let ledger = PostgresLedger::open(url, options).map_err(on_server)?;
    Ok(Opened { ledger: Arc::new(ledger), file: None })
}

/// The failure that a refused ledger on a server is.
pub(super) fn on_server(error: PostgresError) -> Failure {
    let code = match () {
        () if error.is_damage() || error.is_newer() => FailureCode::Damaged,
        () if error.is_refusal() => FailureCode::Configuration,
        () => FailureCode::Runtime,
    };
    let hint =
        if error.is_damage() { RESTORE_SERVER } else { "docs/POSTGRES.md is the page about it" };
    Failure::with_hint(code, error, hint)
}

/// What helps where what a server has stored is damaged. Where a part is missing the message itself
/// says what to do first.
const RESTORE_SERVER: &str =
    "what is damaged comes back from a backup of the server: docs/POSTGRES.md, Backups";

/// The failure that damage is which was found while the ledger at `place` was served.
pub(super) fn damaged(place: &LedgerPlace, path: &Path, detail: &str) -> Failure {
    match place {
        LedgerPlace::Server(_) => {
            let message = format!("the ledger is damaged: {detail}");
            Failure::with_hint(FailureCode::Damaged, message, RESTORE_SERVER)
        }
        LedgerPlace::File(_) | LedgerPlace::Memory => {
            refused(OpenError::Damaged { path: path.to_owned(), detail: detail.to_owned() })
        }
    }
}

/// Opens the ledger that a command without a server works on, with any mark.
pub(super) fn open_named(
    options: LedgerOptions,
    mode: OpenMode,
) -> Result<Arc<dyn Ledger>, Failure> {
    let config = Config::read(options.config.as_deref())?;
    let gateways = config.gateways()?.into_iter().map(|gateway| gateway.ability).collect();
    let written = config.written.ledger;
    let default = || LedgerPlace::File(PathBuf::from(LEDGER_FILE));
    let place = options.ledger.or(written).unwrap_or_else(default);
    let settings = LedgerSettings { gateways, ..config.written.store };
    open(&place, &OpenOptions { mode, id_seed: None, settings }).map(|opened| opened.ledger)
}

/// Where the ledger is that a command only reads, also while another process serves it.
pub(super) fn named_place(options: LedgerOptions) -> Result<Readable, Failure> {
    let written = Config::read(options.config.as_deref())?.written.ledger;
    let default = || LedgerPlace::File(PathBuf::from(LEDGER_FILE));
    match options.ledger.or(written).unwrap_or_else(default) {
        LedgerPlace::File(path) => Ok(Readable::File(path)),
        LedgerPlace::Server(url) => Ok(Readable::Server(url)),
        LedgerPlace::Memory => {
            let message = "a ledger in memory is gone; there is nothing to read";
            Err(Failure::new(FailureCode::Configuration, message))
        }
    }
}

/// A ledger that can be read beside the process that serves it.
pub(super) enum Readable {
    /// A file.
    File(PathBuf),
    /// The URL of a database server.
    Server(String),
}

/// The failure that a refused ledger is.
pub(super) fn refused(error: OpenError) -> Failure {
    let code = match &error {
        OpenError::InUse { .. }
        | OpenError::Missing { .. }
        | OpenError::NotAFile { .. }
        | OpenError::Empty { .. }
        | OpenError::Mark { .. }
        | OpenError::Unfinished { .. }
        | OpenError::GatewayTwice { .. } => FailureCode::Configuration,
        OpenError::NewerSchema { .. }
        | OpenError::NotALedger { .. }
        | OpenError::NotWhole { .. }
        | OpenError::LogMissing { .. }
        | OpenError::StrangeLog { .. }
        | OpenError::Damaged { .. } => FailureCode::Damaged,
        OpenError::OldSqlite { .. } | OpenError::Io { .. } => FailureCode::Runtime,
    };
    match hint(&error) {
        Some(hint) => Failure::with_hint(code, error, hint),
        None => Failure { code, error: error.into() },
    }
}

fn hint(error: &OpenError) -> Option<&'static str> {
    Some(match error {
        OpenError::InUse { .. } => "end the other process, or name another file with --ledger",
        OpenError::NotAFile { .. } => "name a file with --ledger, or one that does not exist yet",
        OpenError::Empty { .. } => "serve and seed make a ledger of it; name another with --ledger",
        OpenError::Missing { .. } => "name the file with --ledger; serve and seed create one",
        OpenError::Mark { is_test: true, .. } => {
            "say --test to use it for testing, or name another file with --ledger"
        }
        OpenError::Mark { is_test: false, .. } => {
            "testing needs a ledger of its own; name another file with --ledger"
        }
        OpenError::GatewayTwice { .. } => "give the configured gateway another name",
        OpenError::Unfinished { .. } => {
            "repeat `refund-gateway ledger copy`, which begins it anew, or remove the file"
        }
        OpenError::NewerSchema { .. } => "use the version of this program that wrote it",
        OpenError::NotALedger { .. } => "name another file with --ledger",
        OpenError::NotWhole { .. } => {
            "if it is a copy, make another with `refund-gateway backup`; if it never was a ledger, \
             remove it or name another file with --ledger"
        }
        OpenError::LogMissing { .. } => {
            "if it is a copy, make another with `refund-gateway backup`; if another SQLite program \
             took the log into the file, or if there is nothing better, make a ledger of it with \
             `refund-gateway restore --accept-missing-log`"
        }
        OpenError::StrangeLog { .. } => {
            "if the file is a backup, or was closed cleanly, it is whole without that log: move \
             the log away; else bring back the log that belongs to it, or restore a backup \
             (`refund-gateway restore`)"
        }
        OpenError::Damaged { .. } => {
            "restore a backup (`refund-gateway restore`), which keeps this file for a closer \
             look"
        }
        OpenError::OldSqlite { .. } | OpenError::Io { .. } => return None,
    })
}
