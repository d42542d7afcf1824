//! Copies of whole ledgers: a backup beside serving, and putting one in the place of a ledger.
//!
//! What must stay true: a copy is one snapshot, and says that it is closed; nothing gets its name
//! before it was written durably and audited; a name that is taken is never overwritten, and a
//! ledger that is replaced is kept with its log; and a power failure at any moment leaves the old
//! ledger, the new one, or one that is refused, and never a name without a file.

use super::audit::audit;
use super::lock::FileLock;
use super::log::beside;
use super::open_error::OpenError;
use super::reading::{open_for_reading, open_without_its_log};
use super::whole;
use crate::ledger::audit::{Audit, Progress};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How many pages are copied between two reports of progress.
const PAGES_A_STEP: i32 = 4_096;
/// What is added to the name of a ledger that was replaced.
const KEPT: &str = ".before-restore";
/// What SQLite would take for a part of a file by that name.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// Why a ledger was not copied. Nothing has changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// What is to be copied, or the copy, cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is something by that name.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A log lies where the ledger would be, and would be taken for a part of it.
    #[error("there is a log without its ledger: {}", .0.display())]
    StrayLog(PathBuf),
    /// What is to be copied does not add up.
    #[error("{} does not add up: {problem}", path.display())]
    Unsound {
        /// What was to be copied.
        path: PathBuf,
        /// What the audit found first.
        problem: String,
    },
    /// What stands in the ledger's place now does not add up.
    #[error("the restored ledger {} does not add up: {problem}", path.display())]
    Unsafe {
        /// The ledger.
        path: PathBuf,
        /// What the audit found first.
        problem: String,
    },
    /// The file system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What shows how far a copy is.
#[derive(Clone)]
pub struct Shown {
    /// Pages that are copied.
    pub copying: Progress,
    /// What the audit has looked at.
    pub checking: Progress,
}

/// Writes a copy of the ledger, which may be in use, to a new file, and audits it. All that was
/// committed when this was called is in it. While it copies, the ledger's log is not emptied.
pub fn back_up(ledger: &Path, to: &Path, shown: &Shown) -> Result<Audit, CopyError> {
    if is_there(to)? {
        return Err(CopyError::Exists(to.to_owned()));
    }
    refuse_stray_logs(to)?;
    let source = open_for_reading(ledger)?;
    let copy = Copy::of(&source, ledger, to, shown)?;
    let audited = copy.audit(ledger, shown)?;
    copy.take_new_name(to)?;
    Ok(audited)
}

/// What is put in the place of which ledger.
#[derive(Debug, Clone, Copy)]
pub struct Restore<'p> {
    /// A backup, or another ledger that is not in use, with its log if it has one.
    pub backup: &'p Path,
    /// Where the ledger is to be.
    pub ledger: &'p Path,
    /// Whether a ledger that is there is replaced.
    pub replaces: bool,
    /// Whether the backup may be a ledger that lost its log.
    pub accepts_missing_log: bool,
}

/// A ledger that was put in its place.
#[derive(Debug)]
pub struct Restored {
    /// What the audit found of it.
    pub audit: Audit,
    /// Where the ledger is that was there before.
    pub kept: Option<PathBuf>,
}

/// Puts a copy of a backup in the place of a ledger that is not in use.
pub fn restore(what: &Restore<'_>, shown: &Shown) -> Result<Restored, CopyError> {
    let is_taken = is_there(what.ledger)?;
    // A link is followed, so that it goes on to lead to the ledger.
    let ledger = match is_taken {
        true => fs::canonicalize(what.ledger).map_err(|error| io_error(what.ledger, error))?,
        false => what.ledger.to_owned(),
    };
    if is_taken && !ledger.is_file() {
        return Err(OpenError::NotAFile { path: ledger }.into());
    }
    if is_taken && !what.replaces {
        return Err(CopyError::Exists(ledger));
    }
    if !what.replaces {
        refuse_stray_logs(&ledger)?;
    }
    let _lock = if is_taken { Some(FileLock::take(&ledger)?) } else { None };
    let source = match what.accepts_missing_log {
        true => open_without_its_log(what.backup)?,
        false => open_for_reading(what.backup)?,
    };
    let copy = Copy::of(&source, what.backup, &ledger, shown)?;
    drop(source);
    copy.audit(what.backup, shown)?;
    let kept = set_aside(&ledger, is_taken)?;
    match is_taken {
        true => copy.replace(&ledger)?,
        false => copy.take_new_name(&ledger)?,
    }
    let audit = audit(&ledger, Progress::clone(&shown.checking))?;
    match audit.findings.problems.first() {
        None => Ok(Restored { audit, kept }),
        Some(problem) => Err(CopyError::Unsafe { path: ledger, problem: problem.clone() }),
    }
}

/// Moves what SQLite would take for logs of the new file to a name beside it, and gives the ledger
/// that is there that name too. From then on, and until it is replaced, it is one without its log.
fn set_aside(ledger: &Path, is_taken: bool) -> Result<Option<PathBuf>, CopyError> {
    let kept = beside(ledger, KEPT);
    let logs: Vec<(PathBuf, PathBuf)> = LOGS
        .map(|suffix| (beside(ledger, suffix), beside(&kept, suffix)))
        .into_iter()
        .filter(|(log, _)| log.exists())
        .collect();
    if !is_taken && logs.is_empty() {
        return Ok(None);
    }
    for taken in std::iter::once(&kept).chain(logs.iter().map(|(_, kept)| kept)) {
        if is_there(taken)? {
            return Err(CopyError::Exists(taken.clone()));
        }
    }
    if is_taken {
        fs::hard_link(ledger, &kept).map_err(|error| io_error(&kept, error))?;
    }
    for (log, kept) in logs {
        fs::rename(&log, kept).map_err(|error| io_error(&log, error))?;
    }
    let shared = beside(ledger, "-shm");
    match fs::remove_file(&shared) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&shared, error)),
        _ => {}
    }
    sync_folder_of(ledger)?;
    Ok(Some(kept))
}

/// A copy that has no name yet by which it could be taken for a ledger.
struct Copy(NamedTempFile);

impl Copy {
    /// Copies what `source` sees, the ledger at `path`, into the folder of `to`, durably.
    fn of(source: &Connection, path: &Path, to: &Path, shown: &Shown) -> Result<Self, CopyError> {
        let mut named = tempfile::Builder::new();
        let file = named.prefix(".").suffix(".partial").tempfile_in(folder_of(to));
        let copy = Self(file.map_err(|error| io_error(to, error))?);
        copy.fill(source, shown).map_err(|error| copy.sorted(path, to, error))?;
        copy.0.as_file().sync_all().map_err(|error| io_error(to, error))?;
        Ok(copy)
    }

    fn fill(&self, source: &Connection, shown: &Shown) -> rusqlite::Result<()> {
        let mut copy = Connection::open(self.0.path())?;
        copy.pragma_update(None, "synchronous", "full")?;
        // One snapshot, whatever is committed meanwhile.
        source.execute_batch("begin")?;
        source.query_row("select count(*) from meta", [], |_| Ok(()))?;
        let backup = Backup::new(source, &mut copy)?;
        loop {
            let step = backup.step(PAGES_A_STEP)?;
            let pages = backup.progress();
            let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
            let all = count(pages.pagecount);
            (shown.copying)(all.saturating_sub(count(pages.remaining)), all);
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(busy()),
            }
        }
        drop(backup);
        source.execute_batch("rollback")?;
        whole::say_closed(&copy)?;
        // A file of its own, without a log.
        copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
        copy.close().map_err(|(_, error)| error)
    }

    /// Whose an error of SQLite is: a full disk is the copy's.
    fn sorted(&self, path: &Path, to: &Path, error: rusqlite::Error) -> CopyError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                io_error(to, io::Error::other(error))
            }
            _ => OpenError::sql(path, &error).into(),
        }
    }

    fn audit(&self, path: &Path, shown: &Shown) -> Result<Audit, CopyError> {
        let audited = audit(self.0.path(), Progress::clone(&shown.checking))?;
        match audited.findings.problems.first() {
            None => Ok(audited),
            Some(problem) => {
                Err(CopyError::Unsound { path: path.to_owned(), problem: problem.clone() })
            }
        }
    }

    fn take_new_name(self, name: &Path) -> Result<(), CopyError> {
        self.0.persist_noclobber(name).map_err(|refused| match refused.error.kind() {
            ErrorKind::AlreadyExists => CopyError::Exists(name.to_owned()),
            _ => io_error(name, refused.error),
        })?;
        sync_folder_of(name)
    }

    fn replace(self, name: &Path) -> Result<(), CopyError> {
        self.0.persist(name).map_err(|refused| io_error(name, refused.error))?;
        sync_folder_of(name)
    }
}

fn busy() -> rusqlite::Error {
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(busy, None)
}

fn refuse_stray_logs(path: &Path) -> Result<(), CopyError> {
    let mut logs = LOGS.iter().map(|suffix| beside(path, suffix));
    let stray = logs.find(|log| fs::metadata(log).is_ok_and(|about| about.len() > 0));
    stray.map_or(Ok(()), |log| Err(CopyError::StrayLog(log)))
}

fn is_there(path: &Path) -> Result<bool, CopyError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io_error(path, error)),
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes the names in the folder of `path` durable.
fn sync_folder_of(path: &Path) -> Result<(), CopyError> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io_error(folder, error))
}

fn io_error(path: &Path, error: io::Error) -> CopyError {
    CopyError::Io { path: path.to_owned(), error }
}
